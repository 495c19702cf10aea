package load

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Draw writes a picture (SVG): latency over time, and below it goodput over offered load.
func (r *Report) Draw(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprint(b, `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="600" viewBox="0 0 760 600" font-family="sans-serif" font-size="12"><rect width="760" height="600" fill="#fff"/>`)
	r.drawSeconds(&panel{b: b, top: 40, height: 210})
	r.drawSteps(&panel{b: b, top: 330, height: 210})
	fmt.Fprint(b, "</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// panel is one diagram with a linear x axis and a linear or logarithmic y axis.
type panel struct {
	b           *strings.Builder
	top, height float64
	xMax        float64
	yMin, yMax  float64
	log         bool
}

const (
	plotLeft  = 70.0
	plotWidth = 660.0
)

func (p *panel) x(v float64) float64 { return plotLeft + plotWidth*v/p.xMax }

func (p *panel) y(v float64) float64 {
	v = min(max(v, p.yMin), p.yMax)
	if p.log {
		return p.top + p.height*(1-math.Log(v/p.yMin)/math.Log(p.yMax/p.yMin))
	}
	return p.top + p.height*(1-(v-p.yMin)/(p.yMax-p.yMin))
}

func (p *panel) frame(title, xName string, yTicks []float64) {
	fmt.Fprintf(p.b, `<text x="%.0f" y="%.0f" font-weight="bold">%s</text>`, plotLeft, p.top-14, title)
	for _, v := range yTicks {
		fmt.Fprintf(p.b, `<line x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%g</text>`,
			plotLeft, plotLeft+plotWidth, p.y(v), p.y(v), plotLeft-6, p.y(v)+4, v)
	}
	for i := range 6 {
		v := p.xMax * float64(i) / 5
		fmt.Fprintf(p.b, `<text x="%.1f" y="%.0f" text-anchor="middle">%.4g</text>`, p.x(v), p.top+p.height+16, v)
	}
	fmt.Fprintf(p.b, `<text x="%.0f" y="%.0f" text-anchor="end">%s</text>`, plotLeft+plotWidth, p.top+p.height+32, xName)
}

func (p *panel) line(colour, dash, name string, nth int, points [][2]float64) {
	fmt.Fprintf(p.b, `<polyline fill="none" stroke="%s" stroke-width="1.6" stroke-dasharray="%s" points="`, colour, dash)
	for _, pt := range points {
		fmt.Fprintf(p.b, "%.1f,%.1f ", p.x(pt[0]), p.y(pt[1]))
	}
	fmt.Fprintf(p.b, `"/><text x="%.0f" y="%.0f" fill="%s">%s</text>`, plotLeft+float64(nth)*130, p.top+p.height+32, colour, name)
}

func (r *Report) drawSeconds(p *panel) {
	p.xMax, p.yMin, p.yMax, p.log = float64(max(1, len(r.Seconds)-1)), 0.1, 10_000, true
	p.frame("latency of served, ms, by the second a client came", "seconds", []float64{0.1, 1, 10, 100, 1000, 10_000})
	lines := [3][][2]float64{}
	for _, s := range r.Seconds {
		if s.Good == 0 && s.Max == 0 {
			continue
		}
		for i, v := range []float64{s.P50, s.P99, s.Max} {
			lines[i] = append(lines[i], [2]float64{float64(s.At), v})
		}
	}
	for i, l := range []struct{ colour, dash, name string }{{"#1769aa", "", "p50"}, {"#b35900", "6 3", "p99"}, {"#888", "2 3", "most"}} {
		p.line(l.colour, l.dash, l.name, i, lines[i])
	}
}

func (r *Report) drawSteps(p *panel) {
	p.xMax, p.yMax = 1, 1
	for _, s := range r.Steps {
		p.xMax, p.yMax = max(p.xMax, s.Rate), max(p.yMax, s.Goodput)
	}
	top := math.Pow(10, math.Floor(math.Log10(p.yMax)))
	p.yMax = math.Ceil(p.yMax/top) * top
	p.frame("goodput over offered load, a second", "offered", []float64{0, p.yMax / 4, p.yMax / 2, p.yMax * 3 / 4, p.yMax})
	ideal, good := [][2]float64{{0, 0}, {min(p.xMax, p.yMax), min(p.xMax, p.yMax)}}, [][2]float64{}
	for _, s := range r.Steps {
		good = append(good, [2]float64{s.Rate, s.Goodput})
		fmt.Fprintf(p.b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="#1769aa"/>`, p.x(s.Rate), p.y(s.Goodput))
	}
	p.line("#888", "2 3", "offered", 1, ideal)
	p.line("#1769aa", "", "good", 0, good)
}
