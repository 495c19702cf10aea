package backtest

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/kangma/kangma"
)

// WriteJSON writes the whole report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// WriteCSV writes the matrix by district and day: district,day,old,new,people, one cell a line.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"district", "day", "old", "new", "people"}}
	for _, cell := range r.Cells {
		rows = append(rows, []string{cell.District.String(), cell.Day, cell.Old, cell.New, cell.Count.String()})
	}
	if err := c.WriteAll(rows); err != nil {
		return writeFailed(err)
	}
	return nil
}

func writeFailed(err error) error {
	return kangma.E(kangma.Unavailable, "backtest_write", "the report could not be written").Because(err)
}

// tableDistricts is how many districts the table shows, those with the most changes first.
const tableDistricts = 20

// WriteTable writes a summary for a terminal: what was compared, the colour-change matrix, the reasons, the districts with
// the most changes.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "old\t%s\nnew\t%s\n", r.Old, r.New)
	fmt.Fprintf(t, "days\t%d from %s, asked at %02d:00\npeople\t%d\nchange colour\t%s\n", r.Days, r.From, r.Hour, r.People, r.Changed)
	fmt.Fprintf(t, "\npeople-days\tred\tyellow\tgreen\tuntold\n")
	for _, s := range []struct {
		name string
		d    StateDay
	}{{"old", r.OldDays}, {"new", r.NewDays}} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.name, s.d.Red, s.d.Yellow, s.d.Green, s.d.Untold)
	}
	if r.Cost != nil {
		fmt.Fprintf(t, "cost\told %.0f\tnew %.0f\tmore %+.0f\t%s\n", r.Cost.Old, r.Cost.New, r.Cost.More, r.Cost.Unit)
	}
	fmt.Fprintf(t, "\nfrom\tto\tpeople-days\n")
	for _, c := range r.Matrix {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.Old, c.New, c.Count)
	}
	fmt.Fprintf(t, "\nwhy: from\tto\tpeople\tpeople-days\n")
	for _, c := range r.Reasons {
		fmt.Fprintf(t, "%s %s\t%s %s\t%s\t%s\n", c.Old, c.OldReason, c.New, c.NewReason, c.People, c.Days)
	}
	fmt.Fprintf(t, "\ndistrict\tpeople\tchange colour\tred days old\tnew\n")
	for _, d := range r.mostChanged(tableDistricts) {
		fmt.Fprintf(t, "%s %s\t%s\t%s\t%s\t%s\n", d.Division, d.Name, d.People, d.Changed, d.RedOld, d.RedNew)
	}
	if err := t.Flush(); err != nil {
		return writeFailed(err)
	}
	return nil
}

func (s SideRef) String() string {
	out := "no rules"
	if s.Rules.ID != "" {
		out = s.Rules.ID + " " + s.Rules.Version + " " + s.Rules.Digest[:min(12, len(s.Rules.Digest))]
	}
	if s.Areas != "" {
		out += ", " + s.Areas
	}
	if s.Without != "" {
		out += ", without batch " + s.Without
	}
	return out
}

// mostChanged gives at most n districts in which somebody changes, those with most first; hidden counts come last.
func (r *Report) mostChanged(n int) []District {
	out := slices.DeleteFunc(slices.Clone(r.Districts), func(d District) bool { return d.Changed == 0 })
	slices.SortStableFunc(out, func(a, b District) int { return cmp.Compare(max(b.Changed, 0), max(a.Changed, 0)) })
	return out[:min(n, len(out))]
}
