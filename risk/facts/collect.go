package facts

import (
	"slices"

	"github.com/kangma/kangma"
)

// Facts is what rules see of one person at one moment. It may be used again for the next person by Collect; it must not
// be used by two goroutines at once.
type Facts struct {
	Person *kangma.Dossier
	Now    Micros
	Known  Micros // Never: everything received counts
	Cal    *Calendar

	// Ahead is the first moment after Now at which evidence that already lies here begins to count. Never: none.
	Ahead Micros

	today     int64 // calendar day of Now
	items     []Item
	head      [Kinds]int32
	count     [Kinds]int32
	negatives []Micros // sampling times of negative PCR tests, rising
	checkIns  []checkDay
	daysMade  bool
	counted   []*kangma.Evidence
}

// Collect fills f from a dossier as of now, with what was known at known (Never: everything). d must not be nil.
func (f *Facts) Collect(d *kangma.Dossier, now, known Micros, cal *Calendar) {
	f.Person, f.Now, f.Known, f.Cal, f.Ahead = d, now, known, cal, Never
	f.today = cal.Index(now)
	f.items, f.negatives, f.checkIns, f.daysMade = f.items[:0], f.negatives[:0], f.checkIns[:0], false
	for k := range f.head {
		f.head[k], f.count[k] = -1, 0
	}
	f.counted = effective(d.Evidence, known, f.counted)
	for _, e := range f.counted {
		at := ToMicros(e.Observed)
		if at > now {
			f.Ahead = min(f.Ahead, at)
			continue
		}
		f.add(e, at)
	}
	if f.count[Stay] > 0 {
		f.closeOpenStays()
	}
	if len(f.negatives) > 1 {
		slices.Sort(f.negatives)
	}
}

// Release drops the references to the person, so that a pool does not keep a large dossier alive. The few of a small one
// are left to the next Collect, because clearing them would cost a tenth of an evaluation.
func (f *Facts) Release() {
	const small = 64
	f.Person, f.Cal = nil, nil
	if len(f.items) > small || len(f.counted) > small {
		clear(f.items)
		clear(f.counted)
	}
}

// Each calls yield with every item of a kind until it returns false. The order means nothing.
func (f *Facts) Each(k Kind, yield func(*Item) bool) {
	for i := f.head[k]; i >= 0; i = f.items[i].next {
		if !yield(&f.items[i]) {
			return
		}
	}
}

// First and Next walk the items of a kind without a function call; nil ends the walk.
func (f *Facts) First(k Kind) *Item { return f.at(f.head[k]) }

// Next gives the item after it of the same kind.
func (f *Facts) Next(it *Item) *Item { return f.at(it.next) }

func (f *Facts) at(i int32) *Item {
	if i < 0 {
		return nil
	}
	return &f.items[i]
}

// Count gives the number of items of a kind.
func (f *Facts) Count(k Kind) int { return int(f.count[k]) }

func (f *Facts) push(it Item) {
	it.next = f.head[it.Kind]
	it.Days = f.since(it.At)
	f.head[it.Kind] = int32(len(f.items))
	f.count[it.Kind]++
	f.items = append(f.items, it)
}

// since counts whole days from t to now.
func (f *Facts) since(t Micros) int64 {
	if f.Cal.Rolling {
		return floorDiv(f.Now-t, day)
	}
	return f.today - f.Cal.Index(t)
}

// moment adds an item that happened at one moment.
func (f *Facts) moment(k Kind, e *kangma.Evidence, at Micros) {
	f.push(Item{Ev: e, Kind: k, At: at, From: at, Until: Never})
}

// add takes one piece of evidence apart. Evidence whose payload is not that of its kind says nothing and is left out.
func (f *Facts) add(e *kangma.Evidence, at Micros) {
	switch {
	case e.Kind == kangma.KindStay && e.Stay != nil:
		f.stay(e, at)
	case e.Kind == kangma.KindTrip && e.Trip != nil:
		f.trip(e, at)
	case e.Kind == kangma.KindEntry && e.Entry != nil:
		f.moment(Entry, e, at)
	case e.Kind == kangma.KindClinic && e.Clinic != nil:
		f.moment(Clinic, e, at)
	case e.Kind == kangma.KindTest && e.Test != nil:
		f.moment(Test, e, at)
		if e.Test.Result == "negative" && (e.Test.Method == "pcr" || e.Test.Method == "") {
			f.negatives = append(f.negatives, at)
		}
	case e.Kind == kangma.KindVaccination && e.Vaccination != nil:
		f.moment(Vaccination, e, at)
	case e.Kind == kangma.KindContact && e.Contact != nil:
		f.moment(Contact, e, at)
	case e.Kind == kangma.KindManagement && e.Management != nil:
		f.measure(e)
	case e.Kind == kangma.KindDeclaration && e.Declaration != nil:
		f.declaration(e, at)
	case e.Kind == kangma.KindTemperature && e.Temperature != nil:
		f.push(Item{Ev: e, Kind: Temperature, At: at, From: at, Until: Never, Tenth: tenths(e.Temperature.Tenths)})
	case e.Kind == kangma.KindForeignCode && e.ForeignCode != nil:
		if issued := e.ForeignCode.Issued; !issued.IsZero() {
			at = min(at, ToMicros(issued))
		}
		f.moment(ForeignCode, e, at)
	case e.Kind == kangma.KindOverride && e.Override != nil:
		until := Never
		if !e.Override.Until.IsZero() {
			until = ToMicros(e.Override.Until)
		}
		f.push(Item{Ev: e, Kind: Override, At: at, From: at, Until: until})
	}
}

// tenths keeps a temperature inside what a body can have.
func tenths(t int) int32 { return int32(min(max(t, 0), 1000)) }

// declaredDays is how far back the places of a declaration reach ("places of the last 14 days").
const declaredDays = 14

func (f *Facts) declaration(e *kangma.Evidence, at Micros) {
	f.moment(Declaration, e, at)
	if t := e.Declaration.Temperature; t != 0 {
		f.push(Item{Ev: e, Kind: Temperature, At: at, From: at, Until: Never, Tenth: tenths(t)})
	}
	for i := range e.Declaration.Visited { // when in those days is not said, so the last of them counts
		f.push(Item{Ev: e, Kind: Stay, Place: &e.Declaration.Visited[i], From: at - declaredDays*day, At: at, Until: at})
	}
}

func (f *Facts) measure(e *kangma.Evidence) {
	from, until := ToMicros(e.Management.From), Never
	if !e.Management.Until.IsZero() {
		until = ToMicros(e.Management.Until)
	}
	if from > f.Now {
		f.Ahead = min(f.Ahead, from)
		return
	}
	f.push(Item{Ev: e, Kind: Management, At: from, From: from, Until: until})
}

// trip adds the journey and a short stay where it began. Where it ended is left to stays: arriving there is how every
// resident comes home.
func (f *Facts) trip(e *kangma.Evidence, at Micros) {
	departed, arrived := at, at
	if !e.Trip.Departed.IsZero() {
		departed = ToMicros(e.Trip.Departed)
		arrived = departed
	}
	if !e.Trip.Arrived.IsZero() {
		arrived = max(departed, ToMicros(e.Trip.Arrived))
	}
	if departed > f.Now {
		f.Ahead = min(f.Ahead, departed)
		return
	}
	if e.Trip.From.Division != 0 {
		f.push(Item{Ev: e, Kind: Stay, Place: &e.Trip.From, From: departed, At: departed, Until: departed})
	}
	if arrived > f.Now {
		f.Ahead = min(f.Ahead, arrived)
		return
	}
	f.push(Item{Ev: e, Kind: Trip, At: arrived, From: departed, Until: arrived})
}

// openStayDays bounds a stay whose end nobody reported: after it a person is no longer taken to be there.
const openStayDays = 14

func (f *Facts) stay(e *kangma.Evidence, at Micros) {
	from := ToMicros(e.Stay.From)
	if e.Stay.From.IsZero() {
		from = at
	}
	if from > f.Now {
		f.Ahead = min(f.Ahead, from)
		return
	}
	it := Item{Ev: e, Kind: Stay, Place: &e.Stay.Place, From: from, Until: Never}
	if !e.Stay.To.IsZero() {
		it.Until = max(from, ToMicros(e.Stay.To))
	}
	f.push(it)
}

// closeOpenStays ends a stay without an end where the next stay begins, and at the latest openStayDays after it was
// observed; then it sets the anchor of every stay that has none.
func (f *Facts) closeOpenStays() {
	for i := f.head[Stay]; i >= 0; i = f.items[i].next {
		it := &f.items[i]
		if it.Ev.Kind != kangma.KindStay {
			continue
		}
		if it.Until == Never {
			it.Until = max(ToMicros(it.Ev.Observed), it.From) + openStayDays*day
			for j := f.head[Stay]; j >= 0; j = f.items[j].next {
				if o := &f.items[j]; o.From > it.From && o.From < it.Until && o.Ev.Kind == kangma.KindStay {
					it.Until = o.From
				}
			}
		}
		it.At = min(it.Until, f.Now)
		it.Days = f.since(it.At)
		if it.Until > f.Now {
			it.Grows = it.Until
		}
	}
}
