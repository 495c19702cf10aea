package load

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Province is what the simulation of a day assumes. Numbers of people and shows are of a real province: 126 million people,
// 266 million shows on the busiest day (reliability notes, S22).
type Province struct {
	People  float64       `json:"people"`
	Shows   float64       `json:"shows_a_day"`
	Life    time.Duration `json:"credential_life"`
	Draw    [2]float64    `json:"renewed_between"` // share of its life at which a phone draws its next credential, uniformly
	Adopted float64       `json:"adopted"`         // share of people whose phone holds credentials; the others ask at each show
	Change  time.Duration `json:"policy_change"`   // time of day at which every credential is called in
	Spread  time.Duration `json:"renewal_spread"`  // over which phones come for the new one, uniformly
	Limit   float64       `json:"one_node"`        // requests a second that one node serves, for the picture
}

// GuangdongLike is the province of the docs.
func GuangdongLike() Province {
	return Province{People: 126e6, Shows: 266e6, Life: 24 * time.Hour, Draw: [2]float64{0.5, 0.9}, Adopted: 0.9,
		Change: 8 * time.Hour, Spread: 2 * time.Hour, Limit: 25_000}
}

// Minute is one minute of the day, in requests a second.
type Minute struct {
	At     int     `json:"minute"`
	Shows  float64 `json:"shows"`  // codes shown, wherever they come from
	Asking float64 `json:"asking"` // requests if every show asks the server
	Holder float64 `json:"holder"` // requests with credentials on the phones, the policy change included
	Steady float64 `json:"steady"` // the same without a policy change
}

// Day is a simulated day.
type Day struct {
	Province Province `json:"province"`
	Minutes  []Minute `json:"minutes"`
}

// showing is the share of a day's shows in each minute: two commuter peaks, lunch and a quiet night, normalised. The
// widths are chosen so that the busiest minute of 266 million shows a day is that of the busiest minute known, 25,000 a second.
func showing() (w [1440]float64) {
	bump := func(m, at, width, height float64) float64 { return height * math.Exp(-(m-at)*(m-at)/(2*width*width)) }
	sum := 0.0
	for i := range w {
		m := float64(i)
		w[i] = 0.012 + bump(m, 8.25*60, 11, 1) + bump(m, 12.2*60, 45, 0.1) + bump(m, 18.2*60, 50, 0.2) + bump(m, 13*60, 270, 0.15)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// Simulate computes a day's load. Renewals in the steady state are a renewal process with the mean period of the drawing
// window; phones draw at any time of day, because they are switched on and the time is random. After a policy change
// every phone draws once within Spread, and the renewals that were due anyway fall away; half a life later the wave of
// the next renewals begins, spread over the drawing window.
func Simulate(p Province) Day {
	day := Day{Province: p}
	period := p.Life.Seconds() * (p.Draw[0] + p.Draw[1]) / 2
	steady := p.People * p.Adopted / period
	change, spread := p.Change.Minutes(), p.Spread.Minutes()
	for i, share := range showing() {
		shows := p.Shows * share / 60
		m := Minute{At: i, Shows: shows, Asking: shows, Steady: steady + shows*(1-p.Adopted)}
		m.Holder = shows*(1-p.Adopted) + p.renewals(float64(i), change, spread, steady)
		day.Minutes = append(day.Minutes, m)
	}
	return day
}

// renewals gives the renewals a second in a minute of the day of the change.
func (p Province) renewals(m, change, spread, steady float64) float64 {
	people := p.People * p.Adopted
	switch since := m - change; {
	case since < 0:
		return steady
	case since < spread: // who has not come yet comes within the spread; nobody who has come is due
		return people / (spread * 60)
	default:
		return people * density(since, p.Life.Minutes()*p.Draw[0], p.Life.Minutes()*p.Draw[1], spread) / 60
	}
}

// density is that of the sum of two uniform times, the draw after the change (0 to spread) and the next renewal (from a to
// b later), per minute: a trapezium.
func density(t, a, b, spread float64) float64 {
	overlap := min(t, b+spread) - a
	if t < a || t > b+spread {
		return 0
	}
	return max(0, min(overlap, spread, b-a, b+spread-t)) / (spread * (b - a))
}

// Peak gives the highest of a figure over the day.
func (d Day) Peak(f func(Minute) float64) (most float64, at time.Duration) {
	for _, m := range d.Minutes {
		if v := f(m); v > most {
			most, at = v, time.Duration(m.At)*time.Minute
		}
	}
	return most, at
}

// Print writes the figures for a person.
func (d Day) Print(w io.Writer) error {
	p := d.Province
	asking, at := d.Peak(func(m Minute) float64 { return m.Asking })
	steady, _ := d.Peak(func(m Minute) float64 { return m.Steady })
	holder, changed := d.Peak(func(m Minute) float64 { return m.Holder })
	sum := 0.0
	for _, m := range d.Minutes {
		sum += m.Holder * 60
	}
	_, err := fmt.Fprintf(w, "%.0f million people, %.0f million shows a day, %.0f %% of phones hold credentials of %v, renewed at %.0f to %.0f %% of their life\n"+
		"  every show asks the server:            most %8.0f/s, at %s\n"+
		"  credentials on the phones:             most %8.0f/s\n"+
		"  and a policy change at %s over %v: most %8.0f/s, at %s (%.1f nodes of %.0f/s); %.0f million requests in the day\n",
		p.People/1e6, p.Shows/1e6, 100*p.Adopted, p.Life, 100*p.Draw[0], 100*p.Draw[1], asking, clock(at), steady, clock(p.Change), p.Spread, holder, clock(changed), holder/p.Limit, p.Limit, sum/1e6)
	return err
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// JSON writes the whole day.
func (d Day) JSON(w io.Writer) error { return json.NewEncoder(w).Encode(d) }

// Draw writes the curve (SVG).
func (d Day) Draw(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprint(b, `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="330" viewBox="0 0 760 330" font-family="sans-serif" font-size="12"><rect width="760" height="330" fill="#fff"/>`)
	p := &panel{b: b, top: 40, height: 220, xMax: 24}
	for _, m := range d.Minutes {
		p.yMax = max(p.yMax, m.Asking, m.Holder, d.Province.Limit)
	}
	p.yMax = math.Ceil(p.yMax/5000) * 5000
	p.frame(fmt.Sprintf("requests a second over a day: %.0f million people", d.Province.People/1e6), "hour of the day", []float64{0, p.yMax / 4, p.yMax / 2, p.yMax * 3 / 4, p.yMax})
	series := func(f func(Minute) float64) (points [][2]float64) {
		for i := 0; i < len(d.Minutes); i += 5 {
			points = append(points, [2]float64{float64(d.Minutes[i].At) / 60, f(d.Minutes[i])})
		}
		return points
	}
	p.line("#888", "2 3", "every show asks", 0, series(func(m Minute) float64 { return m.Asking }))
	p.line("#1769aa", "", "credentials", 1, series(func(m Minute) float64 { return m.Steady }))
	p.line("#b35900", "6 3", "and a policy change", 2, series(func(m Minute) float64 { return m.Holder }))
	p.line("#2e7d32", "1 2", "one node", 4, [][2]float64{{0, d.Province.Limit}, {24, d.Province.Limit}})
	fmt.Fprint(b, "</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
