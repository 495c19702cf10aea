package backtest

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// Count is a number of people or of people-days. Hidden stands for "more than none and fewer than K"; it is written as
// "<K" with the K of the report, or more widely "hidden" where the number was hidden to protect another one.
type Count int64

// Hidden is a count that is not shown.
const Hidden Count = -1

// MarshalJSON writes a number, or the text "hidden".
func (c Count) MarshalJSON() ([]byte, error) {
	if c < 0 {
		return []byte(`"hidden"`), nil
	}
	return strconv.AppendInt(nil, int64(c), 10), nil
}

func (c Count) String() string {
	if c < 0 {
		return "hidden"
	}
	return strconv.FormatInt(int64(c), 10)
}

// Report is what a back-test found. Counts of people below K are hidden, and so is what they could be computed from.
type Report struct {
	Old       SideRef  `json:"old"`
	New       SideRef  `json:"new"`
	From      string   `json:"from"` // first day, YYYY-MM-DD
	Days      int      `json:"days"`
	Hour      int      `json:"hour"`
	Hindsight bool     `json:"hindsight"`
	K         int      `json:"k"`
	People    int64    `json:"people"`
	Changed   Count    `json:"changed_people"` // whose colour differs on at least one day
	OldDays   StateDay `json:"old_people_days"`
	NewDays   StateDay `json:"new_people_days"`
	Cost      *Costs   `json:"cost,omitempty"`

	PerDay    []Day      `json:"per_day"` // over everyone
	Matrix    []Cell     `json:"matrix"`  // by old and new colour, over everyone and all days, in people-days
	Cells     []Cell     `json:"cells"`   // by district, day, old and new colour, in people
	Districts []District `json:"districts"`
	Reasons   []Reason   `json:"reasons"`

	changed int64
}

// SideRef names one side.
type SideRef struct {
	Rules   kangma.RuleSetRef `json:"rules"`
	Areas   string            `json:"areas,omitempty"`
	Without string            `json:"without_batch,omitempty"`
}

// StateDay counts people-days by colour.
type StateDay struct {
	Red    Count `json:"red"`
	Yellow Count `json:"yellow"`
	Green  Count `json:"green"`
	Untold Count `json:"untold"`
}

// Costs is the cost figure.
type Costs struct {
	Cost
	Old  float64 `json:"old"`
	New  float64 `json:"new"`
	More float64 `json:"more"` // new less old
}

// Day sums one day up over everyone, in people.
type Day struct {
	Day       string `json:"day"`
	RedOld    Count  `json:"red_old"`
	RedNew    Count  `json:"red_new"`
	YellowOld Count  `json:"yellow_old"`
	YellowNew Count  `json:"yellow_new"`
	Changed   Count  `json:"changed"`
}

// Cell is one cell of the colour-change matrix. Day and District are empty in the matrix over all.
type Cell struct {
	District kangma.Division `json:"district,omitzero"`
	Day      string          `json:"day,omitempty"`
	Old      string          `json:"old"`
	New      string          `json:"new"`
	Count    Count           `json:"count"`
}

// District sums one district up.
type District struct {
	Division kangma.Division `json:"division"`
	Name     string          `json:"name"`
	People   Count           `json:"people"`
	Changed  Count           `json:"changed_people"`
	RedOld   Count           `json:"red_days_old"`
	RedNew   Count           `json:"red_days_new"`
}

// Reason is one way of changing.
type Reason struct {
	Old       string `json:"old"`
	OldReason string `json:"old_reason"` // a rule's id, "ok" or why no colour could be told
	New       string `json:"new"`
	NewReason string `json:"new_reason"`
	People    Count  `json:"people"`
	Days      Count  `json:"people_days"`
}

// Blast asks a breaker about what was found.
func (r *Report) Blast(b Breaker) Verdict { return b.Check(r.changed, r.People) }

func sideRef(s Side) SideRef {
	ref := SideRef{Without: s.Without}
	if s.Rules != nil {
		ref.Rules = s.Rules.Ref()
	}
	if s.Areas != nil {
		ref.Areas = s.Areas.Version()
	}
	return ref
}

// report sums up and hides what is small.
func (t *tally) report(cfg *Config, days []time.Time) *Report {
	k := int64(cfg.K)
	if k == 0 {
		k = 10
	}
	r := &Report{
		Old: sideRef(cfg.Old), New: sideRef(cfg.New), From: days[0].Format(time.DateOnly), Days: len(days), Hour: cfg.Hour,
		Hindsight: cfg.Hindsight, K: int(k), Cells: []Cell{}, Districts: []District{}, Reasons: []Reason{},
	}
	g := newGrid(k)
	var total [pairs]int64
	perDay := make([][pairs]int64, len(days))
	for _, d := range t.sorted() {
		kd := t.districts[d]
		r.People += kd.people
		r.changed += kd.changed
		var redOld, redNew int64
		kd.each(len(days), func(day int, p pair, people int64) {
			g.put(d, day, p, people)
			total[p] += people
			perDay[day][p] += people
			if old, new := p.states(); old == red || new == red {
				if old == red {
					redOld += people
				}
				if new == red {
					redNew += people
				}
			}
		})
		r.Districts = append(r.Districts, District{d, divisions.Path(d), hide(kd.people, k), hide(kd.changed, k), hide(redOld, k), hide(redNew, k)})
	}
	r.Changed = hide(r.changed, k)
	g.protect()
	for _, c := range g.cells {
		old, new := c.pair.states()
		r.Cells = append(r.Cells, Cell{c.district, days[c.day].Format(time.DateOnly), stateNames[old], stateNames[new], c.shown()})
	}
	for i, n := range perDay {
		r.PerDay = append(r.PerDay, dayOf(days[i], n, k))
	}
	r.sums(total, k, cfg.Cost)
	r.reasons(t, k)
	return r
}

func (t *tally) sorted() []kangma.Division {
	out := make([]kangma.Division, 0, len(t.districts))
	for d := range t.districts {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

func hide(n, k int64) Count {
	if n > 0 && n < k {
		return Hidden
	}
	return Count(n)
}

func (r *Report) sums(total [pairs]int64, k int64, cost Cost) {
	var byOld, byNew [states]int64
	for p, n := range total {
		old, new := pair(p).states()
		byOld[old] += n
		byNew[new] += n
		if n > 0 {
			r.Matrix = append(r.Matrix, Cell{Old: stateNames[old], New: stateNames[new], Count: hide(n, k)})
		}
	}
	r.OldDays, r.NewDays = stateDay(byOld, k), stateDay(byNew, k)
	if cost == (Cost{}) {
		return
	}
	price := func(n [states]int64) float64 { return float64(n[red])*cost.RedDay + float64(n[yellow])*cost.YellowDay }
	r.Cost = &Costs{Cost: cost, Old: price(byOld), New: price(byNew), More: price(byNew) - price(byOld)}
}

func dayOf(day time.Time, n [pairs]int64, k int64) Day {
	var redOld, redNew, yellowOld, yellowNew, changed int64
	for p, people := range n {
		old, new := pair(p).states()
		for _, c := range []struct {
			to    *int64
			count bool
		}{{&redOld, old == red}, {&redNew, new == red}, {&yellowOld, old == yellow}, {&yellowNew, new == yellow}, {&changed, old != new}} {
			if c.count {
				*c.to += people
			}
		}
	}
	return Day{day.Format(time.DateOnly), hide(redOld, k), hide(redNew, k), hide(yellowOld, k), hide(yellowNew, k), hide(changed, k)}
}

func stateDay(n [states]int64, k int64) StateDay {
	return StateDay{hide(n[red], k), hide(n[yellow], k), hide(n[green], k), hide(n[untold], k)}
}

// reasons lists the ways of changing, most people first; those of fewer than K people are joined.
func (r *Report) reasons(t *tally, k int64) {
	var rest reasonCount
	for why, c := range t.reasons {
		if c.people < k {
			rest.people += c.people
			rest.days += c.days
			continue
		}
		old, new := why.pair.states()
		r.Reasons = append(r.Reasons, Reason{stateNames[old], why.old, stateNames[new], why.new, Count(c.people), Count(c.days)})
	}
	slices.SortFunc(r.Reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(a.OldReason, b.OldReason), cmp.Compare(a.NewReason, b.NewReason), cmp.Compare(a.Old+a.New, b.Old+b.New))
	})
	if rest.people > 0 {
		shown := hide(rest.people, k)
		days := Count(rest.days)
		if shown == Hidden {
			days = Hidden
		}
		r.Reasons = append(r.Reasons, Reason{Old: "other", New: "other", People: shown, Days: days})
	}
}
