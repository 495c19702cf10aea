package bench

import (
	"fmt"
	"io"
	"sort"
	"strings"
)

// linesGoal is what is asked at levels 0 to 2: percent of lines of zones, and of plates, that are exact.
const linesGoal = 95

// Print writes the report as Markdown tables, one row a level and group, in percent; what is asked stands in brackets.
func (r DocumentReport) Print(w io.Writer) error {
	p := &printer{w: w}
	p.line("seeds %d to %d, %d %ss a level, half of them held out (faces and layouts that nothing was trained on)\n", r.Seed, r.Seed+uint64(max(r.N, 1))-1, r.N, r.Kind)
	head := []string{"level", "group", "n", "plate exact", "province", "colour", "exact and sure", "wrong but sure", "province wrong but sure"}
	if r.Kind == "mrz" {
		head = []string{"level", "group", "zones", "lines exact", "zone exact", "zone exact and sure", "wrong but sure"}
	}
	head = append(head, "others taken as sure", "errors", "processor ms p50 / p95")
	p.row(head)
	p.line("%s|", strings.Repeat("|---", len(head)))
	for i := range r.Cells {
		p.row(r.cells(&r.Cells[i]))
	}
	p.line("\nExact of all, by kind, at all levels\n")
	p.kinds(r.Cells)
	return p.err
}

func (r *DocumentReport) cells(c *DocumentCell) []string {
	goal := ""
	if c.Level <= 2 {
		goal = fmt.Sprintf(" (%d)", linesGoal)
	}
	out := []string{fmt.Sprintf("L%d", c.Level), c.Group, fmt.Sprint(c.N)}
	if r.Kind == "mrz" {
		out = append(out, percent(c.LinesExact, c.Lines)+goal, percent(c.Exact, c.N), percent(c.Sure, c.N), fmt.Sprintf("%d of %d", c.WrongSure, c.N))
	} else {
		out = append(out, percent(c.Exact, c.N)+goal, percent(c.Province, c.N), percent(c.Colour, c.N), percent(c.Sure, c.N),
			fmt.Sprintf("%d of %d", c.WrongSure, c.N), fmt.Sprintf("%d of %d", c.ProvinceWrongSure, c.N))
	}
	times := "-"
	if len(c.CPU) > 0 {
		times = fmt.Sprintf("%.0f / %.0f", quantile(c.CPU, .5), quantile(c.CPU, .95))
	}
	return append(out, fmt.Sprintf("%d of %d", c.OthersSure, c.Others), codesOf(c.Errors), times)
}

func (p *printer) row(cells []string) { p.line("| %s |", strings.Join(cells, " | ")) }

func (p *printer) kinds(cells []DocumentCell) {
	sum := map[string]map[string]*[2]int{}
	for _, c := range cells {
		for k, v := range c.Kinds {
			if sum[k] == nil {
				sum[k] = map[string]*[2]int{}
				for _, g := range groups {
					sum[k][g] = new([2]int)
				}
			}
			sum[k][c.Group][0] += v[0]
			sum[k][c.Group][1] += v[1]
		}
	}
	var names []string
	for k := range sum {
		names = append(names, k)
	}
	sort.Strings(names)
	p.row(append([]string{"kind"}, groups[:]...))
	p.line("|---%s|", strings.Repeat("|---", len(groups)))
	for _, k := range names {
		row := []string{k}
		for _, g := range groups {
			row = append(row, fmt.Sprintf("%d of %d", sum[k][g][0], sum[k][g][1]))
		}
		p.row(row)
	}
}
