package bench

import (
	"fmt"
	"io"
	"slices"
)

// Print writes the report as Markdown tables, one row a level, in percent; what is asked stands in brackets.
func (r Report) Print(w io.Writer) error {
	c := r.Config
	layout := c.Layout
	if layout == "" {
		layout = "a third each standard, varied and foreign"
	}
	p := &printer{w: w}
	p.line("seeds %d to %d, %d cards, %d forged, %d other photos a level, layout %s, %d workers", c.Seed, c.Seed+uint64(max(c.N+c.Numbers, c.Forged, c.Others, 1))-1,
		c.N, c.Forged, c.Others, layout, c.Workers)
	p.fields(r.Cells)
	p.guards(r.Cells)
	p.numbers(r.Cells)
	p.times(r.Cells)
	p.naive(r.Cells)
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
	}
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100*float64(n)/float64(of))
}

func (p *printer) fields(cells []Cell) {
	p.line("\nFields, percent right (asked)\n\n| level | n | number | name | name sure | sex | nation | birth | address | address characters |\n|---|---|---|---|---|---|---|---|---|---|")
	for i := range cells {
		k := &cells[i]
		g, asked := goalOf(k.Level)
		with := func(v string, goal float64) string {
			if !asked {
				return v
			}
			return fmt.Sprintf("%s (%g)", v, goal)
		}
		p.line("| L%d | %d | %s | %s | %s | %s | %s | %s | %s | %s |", k.Level, k.N, with(percent(k.Right, k.N), g.number), with(percent(k.Name, k.N), g.name),
			percent(k.NameSure, k.N), percent(k.Sex, k.N), with(percent(k.Nation, k.N), g.nation), percent(k.Birth, k.N), percent(k.AddressExact, k.N),
			with(percent(k.AddressChars, k.AddressLength), g.address))
	}
}

func (p *printer) guards(cells []Cell) {
	p.line("\nWhat must not happen (asked: 0 numbers; names 0.5 percent)\n\n| level | wrong number accepted | wrong name sure | forged accepted | forged told as printed | other photos accepted | backs told | errors |\n|---|---|---|---|---|---|---|---|")
	for i := range cells {
		k := &cells[i]
		p.line("| L%d | %d of %d | %d of %d | %d of %d | %d | %d of %d | %d of %d | %s |", k.Level, k.Wrong, k.N, k.NameWrongSure, k.N, k.ForgedAccepted, k.Forged,
			k.ForgedTold, k.OthersAccepted, k.Others, k.BackTold, k.Back, k.codes())
	}
}

func (p *printer) numbers(cells []Cell) {
	if !slices.ContainsFunc(cells, func(c Cell) bool { return c.Numbers > 0 }) {
		return
	}
	p.line("\nFurther cards of which only the number was read\n\n| level | n | accepted and right | accepted and wrong |\n|---|---|---|---|")
	for i := range cells {
		k := &cells[i]
		p.line("| L%d | %d | %d | %d |", k.Level, k.Numbers, k.NumbersRight, k.NumbersWrong)
	}
}

func (p *printer) times(cells []Cell) {
	p.line("\nMilliseconds p50 / p95 (processor time with one worker only)\n\n| level | wall | processor | number alone, processor | not a card, processor |\n|---|---|---|---|---|")
	for i := range cells {
		k := &cells[i]
		two := func(v []float64) string {
			if len(v) == 0 {
				return "-"
			}
			return fmt.Sprintf("%.0f / %.0f", quantile(v, .5), quantile(v, .95))
		}
		p.line("| L%d | %s | %s | %s | %s |", k.Level, two(k.Millis), two(k.CPU), two(k.NumberCPU), two(k.OtherCPU))
	}
}

func (p *printer) naive(cells []Cell) {
	if !slices.ContainsFunc(cells, func(c Cell) bool { return c.Naive.N > 0 }) {
		return
	}
	p.line("\nBeside it Tesseract (chi_sim+eng) on the whole photo, on the same cards: percent found anywhere in its text\n\n| level | n | number | name | address | gave up | wall ms p50 / p95 |\n|---|---|---|---|---|---|---|")
	for i := range cells {
		k := &cells[i].Naive
		p.line("| L%d | %d | %s | %s | %s | %d | %.0f / %.0f |", cells[i].Level, k.N, percent(k.Number, k.N), percent(k.Name, k.N), percent(k.Address, k.N), k.Failed,
			quantile(k.Millis, .5), quantile(k.Millis, .95))
	}
}
