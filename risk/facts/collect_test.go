package facts_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

func stays(f *facts.Facts) (out []*facts.Item) {
	f.Each(facts.Stay, func(it *facts.Item) bool {
		out = append(out, it)
		return true
	})
	return out
}

func TestAnOpenStayEndsWithTheNextOneAndAtLastAfterFourteenDays(t *testing.T) {
	open := kangma.Evidence{Kind: kangma.KindStay, Observed: clock(0, 10, 0), Stay: &kangma.Stay{Place: kangma.Place{Division: 440103000}, From: clock(0, 10, 0)}}
	next := kangma.Evidence{Kind: kangma.KindStay, Observed: clock(3, 9, 0), Stay: &kangma.Stay{Place: kangma.Place{Division: 440104000}, From: clock(3, 9, 0), To: clock(3, 11, 0)}}
	if f := collect(clock(5, 0, 0), open); stays(f)[0].At != f.Now || stays(f)[0].Grows != facts.ToMicros(clock(14, 10, 0)) {
		t.Errorf("still there: %+v", stays(f)[0])
	}
	if f := collect(clock(20, 0, 0), open); stays(f)[0].At != facts.ToMicros(clock(14, 10, 0)) || stays(f)[0].Grows != 0 {
		t.Errorf("after 14 days: %+v", stays(f)[0])
	}
	for _, it := range stays(collect(clock(5, 0, 0), open, next)) {
		if it.Place.Division == 440103000 && it.At != facts.ToMicros(clock(3, 9, 0)) {
			t.Errorf("moved on: %+v", it)
		}
	}
}

func TestWhatLiesAheadDoesNotCountYet(t *testing.T) {
	f := collect(clock(0, 0, 0), negative(clock(0, 0, 1)), checkIn(clock(2, 0, 0)),
		kangma.Evidence{Kind: kangma.KindManagement, Observed: clock(-1, 0, 0), Management: &kangma.Management{Measure: "home", From: clock(1, 0, 0)}})
	if f.Count(facts.Test)+f.Count(facts.Declaration)+f.Count(facts.Management) != 0 || f.Ahead != facts.ToMicros(clock(0, 0, 1)) {
		t.Errorf("ahead %v", time.UnixMicro(f.Ahead))
	}
}

func TestAPayloadOfAnotherKindSaysNothing(t *testing.T) {
	f := collect(clock(1, 0, 0), kangma.Evidence{Kind: kangma.KindEntry, Observed: clock(0, 0, 0), Contact: &kangma.Contact{Degree: "close"}},
		kangma.Evidence{Kind: kangma.KindStay, Observed: clock(0, 0, 0)})
	for k := facts.Kind(0); k < facts.Kinds; k++ {
		if f.Count(k) != 0 {
			t.Errorf("kind %d has %d items", k, f.Count(k))
		}
	}
}

// Corrections: the last word counts, a withdrawn withdrawal restores, and a ring of corrections keeps everything.
func TestCorrections(t *testing.T) {
	id := func(n byte) kangma.EventID { return kangma.EventID{n} }
	test := func(n byte, replaces byte, batch string) kangma.Evidence {
		e := negative(clock(int(n), 0, 0))
		e.ID, e.Batch = id(n), batch
		if replaces > 0 {
			e.Replaces = id(replaces)
		}
		return e
	}
	withdraw := func(n, event byte, batch string) kangma.Evidence {
		w := kangma.Evidence{ID: id(n), Kind: kangma.KindWithdrawal, Observed: clock(int(n), 0, 0), Withdrawal: &kangma.Withdrawal{Batch: batch}}
		if event > 0 {
			w.Withdrawal.Event = id(event)
		}
		return w
	}
	from := func(source string, e kangma.Evidence) kangma.Evidence {
		e.Source = source
		return e
	}
	for name, c := range map[string]struct {
		es   []kangma.Evidence
		want int
	}{
		"withdrawn by another source":                      {[]kangma.Evidence{from("lab", test(1, 0, "")), from("rail", withdraw(2, 1, ""))}, 1},
		"withdrawn by another source before it came":       {[]kangma.Evidence{from("rail", withdraw(1, 2, "")), from("lab", test(2, 0, ""))}, 1},
		"withdrawn by its source before it came":           {[]kangma.Evidence{from("lab", withdraw(1, 2, "")), from("lab", test(2, 0, ""))}, 0},
		"replaced by another source: both count":           {[]kangma.Evidence{from("lab", test(1, 0, "")), from("rail", test(2, 1, ""))}, 2},
		"a batch of another source":                        {[]kangma.Evidence{from("lab", test(1, 0, "b")), from("rail", withdraw(2, 0, "b"))}, 1},
		"a withdrawal that another source would take back": {[]kangma.Evidence{from("lab", test(1, 0, "")), from("lab", withdraw(2, 1, "")), from("rail", withdraw(3, 2, ""))}, 0},
		"nothing corrected":                                {[]kangma.Evidence{test(1, 0, ""), test(2, 0, "")}, 2},
		"replaced":                                         {[]kangma.Evidence{test(1, 0, ""), test(2, 1, "")}, 1},
		"a chain of corrections":                           {[]kangma.Evidence{test(1, 0, ""), test(2, 1, ""), test(3, 2, "")}, 2},
		"withdrawn":                                        {[]kangma.Evidence{test(1, 0, ""), withdraw(2, 1, "")}, 0},
		"the withdrawal withdrawn":                         {[]kangma.Evidence{test(1, 0, ""), withdraw(2, 1, ""), withdraw(3, 2, "")}, 1},
		"a batch":                                          {[]kangma.Evidence{test(1, 0, "b"), test(2, 0, "b"), test(3, 0, "c"), withdraw(4, 0, "b")}, 1},
		"an empty batch is no batch":                       {[]kangma.Evidence{test(1, 0, ""), withdraw(2, 0, "")}, 1},
		"of something unknown":                             {[]kangma.Evidence{test(1, 9, ""), withdraw(2, 8, "")}, 1},
		"of itself":                                        {[]kangma.Evidence{test(1, 1, "")}, 1},
		"a ring keeps all":                                 {[]kangma.Evidence{test(1, 2, ""), test(2, 1, "")}, 2},
		"a ring with a way in is decided":                  {[]kangma.Evidence{test(1, 2, ""), test(2, 1, ""), withdraw(3, 1, "")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := new(facts.Facts)
			f.Collect(&kangma.Dossier{Evidence: c.es}, facts.ToMicros(clock(20, 0, 0)), facts.Never, facts.NewCalendar(shanghai, false, 1))
			if got := f.Count(facts.Test); got != c.want {
				t.Errorf("%d tests count, want %d", got, c.want)
			}
		})
	}
}

func TestContactGeometry(t *testing.T) {
	near, far, unclear := facts.Near, facts.Far, facts.Unclear
	for name, c := range map[string]struct {
		trip           kangma.Trip
		seat, carriage string
		want           facts.Nearness
	}{
		"plane, same row":                     {kangma.Trip{Mode: "flight", Seat: "12F"}, "12A", "", near},
		"plane, three rows before":            {kangma.Trip{Mode: "flight", Seat: "9F"}, "12A", "", near},
		"plane, three rows after":             {kangma.Trip{Mode: "flight", Seat: "15F"}, "12A", "", near},
		"plane, four rows before":             {kangma.Trip{Mode: "flight", Seat: "8F"}, "12A", "", far},
		"plane, four rows after":              {kangma.Trip{Mode: "flight", Seat: "16F"}, "12A", "", far},
		"plane, leading zero":                 {kangma.Trip{Mode: "flight", Seat: "09C"}, "12A", "", near},
		"plane, seat unknown":                 {kangma.Trip{Mode: "flight"}, "12A", "", unclear},
		"plane, seat without a row":           {kangma.Trip{Mode: "flight", Seat: "F"}, "12A", "", unclear},
		"plane, cabin crew":                   {kangma.Trip{Mode: "flight", Crew: true}, "12A", "", near},
		"plane, crew of another cabin":        {kangma.Trip{Mode: "flight", Crew: true, Carriage: "front"}, "12A", "rear", far},
		"sealed train, same carriage":         {kangma.Trip{Mode: "train", Sealed: true, Carriage: "7", Seat: "1A"}, "18F", "7", near},
		"sealed train, next carriage":         {kangma.Trip{Mode: "train", Sealed: true, Carriage: "8"}, "18F", "7", far},
		"sealed train, carriage unknown":      {kangma.Trip{Mode: "train", Sealed: true}, "18F", "7", unclear},
		"open train, near bay":                {kangma.Trip{Mode: "train", Carriage: "7", Seat: "15A"}, "18F", "7", near},
		"open train, far bay":                 {kangma.Trip{Mode: "train", Carriage: "7", Seat: "1A"}, "18F", "7", far},
		"sealed coach, anybody":               {kangma.Trip{Mode: "coach", Sealed: true}, "1A", "", near},
		"ventilated coach, three rows":        {kangma.Trip{Mode: "coach", Seat: "4A"}, "1A", "", near},
		"ventilated coach, four rows":         {kangma.Trip{Mode: "coach", Seat: "5A"}, "1A", "", far},
		"ventilated coach, crew":              {kangma.Trip{Mode: "coach", Crew: true}, "9A", "", near},
		"ship, same cabin":                    {kangma.Trip{Mode: "ship", Carriage: "B12"}, "", "b12", near},
		"ship, other cabin":                   {kangma.Trip{Mode: "ship", Carriage: "B13"}, "", "B12", far},
		"metro has no published geometry":     {kangma.Trip{Mode: "metro", Carriage: "3"}, "", "3", unclear},
		"plane, a seat number out of reason":  {kangma.Trip{Mode: "flight", Seat: "99999A"}, "12A", "", unclear},
		"plane, digits of another script":     {kangma.Trip{Mode: "flight", Seat: "１２F"}, "12A", "", unclear},
		"plane, a space before the seat":      {kangma.Trip{Mode: "flight", Seat: " 12F"}, "12A", "", near},
		"plane, the row alone":                {kangma.Trip{Mode: "flight", Seat: "12"}, "12A", "", near},
		"open train, staff of other carriage": {kangma.Trip{Mode: "train", Crew: true, Carriage: "1"}, "18F", "7", far},
	} {
		if got := facts.NearCase(&kangma.Contact{Trip: &c.trip, CaseSeat: c.seat, CaseCarriage: c.carriage}); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
	if facts.NearCase(nil) != unclear || facts.NearCase(&kangma.Contact{}) != unclear {
		t.Error("no journey must be unclear")
	}
}
