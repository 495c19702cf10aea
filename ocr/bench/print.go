package bench

import (
	"fmt"
	"io"
)

// Print writes the report as a Markdown table, one row a level, in percent.
func (r Report) Print(w io.Writer) error {
	c := r.Config
	layout := c.Layout
	if layout == "" {
		layout = "half standard, half varied"
	}
	_, err := fmt.Fprintf(w, "seeds %d to %d, %d cards, %d forged, %d other photos a level, layout %s\n\n"+
		"| level | number right | wrong accepted | name | wrong name sure | sex | nation | birth | address | address chars | forged accepted (told) | others accepted | wall ms p50 / p95 | processor ms p50 / p95 | errors |\n"+
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
		c.Seed, c.Seed+uint64(max(c.N, c.Forged, c.Others, 1))-1, c.N, c.Forged, c.Others, layout)
	if err != nil {
		return err
	}
	for i := range r.Cells {
		k := &r.Cells[i]
		pc := func(n, of int) string {
			if of == 0 {
				return "-"
			}
			return fmt.Sprintf("%.1f", 100*float64(n)/float64(of))
		}
		_, err := fmt.Fprintf(w, "| L%d | %s | %d of %d | %s | %s | %s | %s | %s | %s | %s | %d of %d (%d) | %d of %d | %.0f / %.0f | %.0f / %.0f | %s |\n",
			k.Level, pc(k.Right, k.N), k.Wrong, k.N, pc(k.Name, k.N), pc(k.NameWrongSure, k.N), pc(k.Sex, k.N), pc(k.Nation, k.N), pc(k.Birth, k.N),
			pc(k.AddressExact, k.N), pc(k.AddressChars, k.AddressLength), k.ForgedAccepted, k.Forged, k.ForgedTold, k.OthersAccepted, k.Others,
			quantile(k.Millis, .5), quantile(k.Millis, .95), quantile(k.CPU, .5), quantile(k.CPU, .95), k.codes())
		if err != nil {
			return err
		}
	}
	return nil
}
