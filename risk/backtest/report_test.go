package backtest

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

func report(t *testing.T, k int) *Report {
	t.Helper()
	table := history(t, august.AddDate(0, 0, -14), 30, 4)
	r, err := Run(t.Context(), population(table, 2500, 6, 4).Prepare(), Config{Old: Side{Rules: preset(t, "national-9th-2022"), Areas: table},
		New: Side{Rules: stricter(t), Areas: table}, From: august, Days: 6, Hour: 8, K: k, Cost: Cost{RedDay: 300, YellowDay: 50, Unit: "CNY"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSmallCountsAreHiddenEverywhere(t *testing.T) {
	r, hidden := report(t, 0), 0
	small := func(where string, c Count) {
		if c == Hidden {
			hidden++
		} else if c > 0 && c < 10 {
			t.Errorf("%s shows %d", where, c)
		}
	}
	small("changed", r.Changed)
	for _, c := range append(append([]Cell{}, r.Cells...), r.Matrix...) {
		small("cell", c.Count)
	}
	for _, d := range r.Districts {
		small("district", d.People)
		small("district", d.Changed)
		small("district", d.RedOld)
		small("district", d.RedNew)
	}
	for _, c := range r.Reasons {
		small("reason", c.People)
	}
	for _, d := range r.PerDay {
		for _, c := range []Count{d.RedOld, d.RedNew, d.YellowOld, d.YellowNew, d.Changed} {
			small("day", c)
		}
	}
	if hidden == 0 || r.K != 10 {
		t.Errorf("nothing small was met: the test tests nothing")
	}
}

func TestNoHiddenCountStandsAlone(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 1))
	for range 200 {
		g := newGrid(10)
		for d := range 1 + rnd.IntN(6) {
			for p := range pairs {
				if rnd.IntN(3) == 0 {
					g.put(kangma.Division(d), rnd.IntN(3), p, 1+int64(rnd.IntN(40)))
				}
			}
		}
		g.protect()
		for name, of := range map[string]func(*gridCell) [2]int{
			"district": func(c *gridCell) [2]int { return [2]int{c.day, int(c.district)} },
			"pair":     func(c *gridCell) [2]int { return [2]int{c.day, int(c.pair)} },
		} {
			for _, members := range g.groups(of) {
				hidden := 0
				for _, i := range members {
					if g.cells[i].hidden {
						hidden++
					} else if g.cells[i].people < 10 {
						t.Fatalf("%d is shown", g.cells[i].people)
					}
				}
				if hidden == 1 && len(members) > 1 {
					t.Fatalf("by %s one count is hidden alone among %d", name, len(members))
				}
			}
		}
	}
}

func TestEveryFormOfAReportCanBeRead(t *testing.T) {
	r := report(t, 0)
	var j, c, table, svg strings.Builder
	for _, err := range []error{r.WriteJSON(&j), r.WriteCSV(&c), r.WriteTable(&table), r.WriteSVG(&svg)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(j.String()), &doc); err != nil || doc["people"] != 2500.0 {
		t.Errorf("JSON: %v, people %v", err, doc["people"])
	}
	rows, err := csv.NewReader(strings.NewReader(c.String())).ReadAll()
	if err != nil || len(rows) != len(r.Cells)+1 || strings.Join(rows[0], ",") != "district,day,old,new,people" {
		t.Errorf("CSV: %v, %d rows for %d cells", err, len(rows), len(r.Cells))
	}
	for _, want := range []string{"national-9th-2022", "twelve-days", "change colour", "high-area", "CNY"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	d, lines := xml.NewDecoder(strings.NewReader(svg.String())), 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("SVG: %v", err)
		}
		if s, ok := tok.(xml.StartElement); ok && s.Name.Local == "polyline" {
			lines++
		}
	}
	if lines != 4 {
		t.Errorf("SVG has %d lines, want 4", lines)
	}
}

func TestAnEmptyPopulationIsReportedAndHeld(t *testing.T) {
	side := Side{Rules: preset(t, "national-9th-2022"), Areas: (*areas.Table)(nil)}
	r, err := Run(t.Context(), (&Population{From: august, Days: 3}).Prepare(), Config{Old: side, New: side, From: august, Days: 3})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if r.People != 0 || !r.Blast(Breaker{}).Held || r.WriteSVG(&b) != nil || r.WriteTable(&b) != nil {
		t.Errorf("%+v", r)
	}
}
