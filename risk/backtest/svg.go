package backtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Size of the picture, in its own units.
const (
	svgWidth   = 960
	svgHeight  = 660
	plotLeft   = 90
	plotTop    = 70
	plotWidth  = 820
	plotHeight = 260
	barTop     = 400
	barHeight  = 18
	barCount   = 10
)

// WriteSVG draws the report: red and yellow people a day under both sides, and the districts with the most changes.
// Hidden counts are drawn as none. The colours of the lines differ in dash and label too, so that the picture does not
// need to be seen in colour.
func (r *Report) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", svgWidth, svgHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", svgWidth, svgHeight)
	text(&b, plotLeft, 24, "start", 16, "回放 Back-test: 新 new "+r.New.name()+", 旧 old "+r.Old.name())
	text(&b, plotLeft, 44, "start", 13, fmt.Sprintf("%d 人 people, %d 天 days; 变色 change colour: %s; 红码人日 red people-days: %s → %s",
		r.People, r.Days, r.Changed, r.OldDays.Red, r.NewDays.Red))
	r.drawDays(&b)
	r.drawDistricts(&b)
	text(&b, plotLeft, svgHeight-8, "start", 11, fmt.Sprintf("少于%d人的数不显示 Counts below %d are not shown", r.K, r.K))
	b.WriteString("</svg>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return writeFailed(err)
	}
	return nil
}

// name is what people call a side.
func (s SideRef) name() string {
	if s.Rules.ID == "" {
		return "无规则 no rules"
	}
	return s.Rules.ID + " " + s.Rules.Version
}

func text(b *strings.Builder, x, y int, anchor string, size int, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="%s" font-size="%d">`, x, y, anchor, size)
	_ = xml.EscapeText(b, []byte(s)) // a strings.Builder takes everything
	b.WriteString("</text>\n")
}

// series gives one count a day; a hidden one is drawn as none.
func (r *Report) series(of func(Day) Count) []int64 {
	out := make([]int64, len(r.PerDay))
	for i, d := range r.PerDay {
		out[i] = max(0, int64(of(d)))
	}
	return out
}

func (r *Report) drawDays(b *strings.Builder) {
	lines := []struct {
		name, stroke, dash string
		values             []int64
	}{
		{"红码 red, 新 new", "#c62828", "", r.series(func(d Day) Count { return d.RedNew })},
		{"红码 red, 旧 old", "#c62828", "6 4", r.series(func(d Day) Count { return d.RedOld })},
		{"黄码 yellow, 新 new", "#b8860b", "", r.series(func(d Day) Count { return d.YellowNew })},
		{"黄码 yellow, 旧 old", "#b8860b", "6 4", r.series(func(d Day) Count { return d.YellowOld })},
	}
	top := int64(1)
	for _, l := range lines {
		for _, v := range l.values {
			top = max(top, v)
		}
	}
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#444"/>`+"\n", plotLeft, plotTop, plotTop+plotHeight, plotLeft+plotWidth)
	text(b, plotLeft-8, plotTop+5, "end", 12, fmt.Sprint(top))
	text(b, plotLeft-8, plotTop+plotHeight, "end", 12, "0")
	text(b, plotLeft, plotTop+plotHeight+18, "start", 12, r.From)
	if n := len(r.PerDay); n > 1 {
		text(b, plotLeft+plotWidth, plotTop+plotHeight+18, "end", 12, r.PerDay[n-1].Day)
	}
	text(b, plotLeft-8, plotTop+21, "end", 12, "人 people")
	text(b, plotLeft-8, plotTop+37, "end", 12, fmt.Sprintf("%.2g %%", 100*float64(top)/float64(max(1, r.People))))
	for i, l := range lines {
		var p strings.Builder
		for d, v := range l.values {
			x := plotLeft + plotWidth*d/max(1, r.Days-1)
			fmt.Fprintf(&p, "%d,%.1f ", x, float64(plotTop+plotHeight)-float64(plotHeight)*float64(v)/float64(top))
		}
		dash := ""
		if l.dash != "" {
			dash = ` stroke-dasharray="` + l.dash + `"`
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.TrimSpace(p.String()), l.stroke, dash)
		fmt.Fprintf(b, `<path d="M%d %dh30" stroke="%s" stroke-width="2"%s/>`+"\n", plotLeft+20+i*200, 58, l.stroke, dash)
		text(b, plotLeft+55+i*200, 62, "start", 12, l.name)
	}
}

func (r *Report) drawDistricts(b *strings.Builder) {
	text(b, plotLeft, barTop-14, "start", 14, "变色人数最多的区县 Districts with the most people who change colour")
	most := r.mostChanged(barCount)
	if len(most) == 0 {
		text(b, plotLeft, barTop+14, "start", 12, "none")
	}
	most = slices.DeleteFunc(most, func(d District) bool { return d.Changed < 0 }) // hidden
	top := int64(1)
	for _, d := range most {
		top = max(top, int64(d.Changed))
	}
	for i, d := range most {
		y := barTop + i*(barHeight+4)
		n := max(int64(d.Changed), 0)
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="#3b6ea5"/>`+"\n", plotLeft+240, y, 480*float64(n)/float64(top), barHeight)
		text(b, plotLeft+232, y+barHeight-4, "end", 12, d.Name)
		text(b, plotLeft+728, y+barHeight-4, "start", 12, d.Changed.String()+" of "+d.People.String())
	}
}
