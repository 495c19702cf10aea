package load_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/load"
)

func TestASimulatedDayAddsUp(t *testing.T) {
	p := load.GuangdongLike()
	d := load.Simulate(p)
	shows, renewals := 0.0, 0.0
	for _, m := range d.Minutes {
		shows += m.Shows * 60
		renewals += (m.Steady - m.Shows*(1-p.Adopted)) * 60
	}
	if math.Abs(shows/p.Shows-1) > 1e-9 {
		t.Errorf("%.0f shows, want %.0f", shows, p.Shows)
	}
	// a phone renews every 0.7 lives on average
	if want := p.People * p.Adopted / (0.7 * p.Life.Hours() / 24); math.Abs(renewals/want-1) > 1e-9 {
		t.Errorf("%.0f renewals, want %.0f", renewals, want)
	}
	if most, at := d.Peak(func(m load.Minute) float64 { return m.Asking }); most < 20_000 || most > 30_000 || at < 8*time.Hour || at > 9*time.Hour {
		t.Errorf("busiest minute %.0f/s at %v", most, at)
	}
}

func TestAPolicyChangeBringsEveryPhoneOnce(t *testing.T) {
	p := load.GuangdongLike()
	p.Adopted, p.Life = 1, 6*time.Hour // half a life later the next wave comes, within the same day
	d := load.Simulate(p)
	first, next := 0.0, 0.0
	for _, m := range d.Minutes {
		switch at := time.Duration(m.At) * time.Minute; {
		case at < p.Change:
		case at < p.Change+p.Spread:
			first += m.Holder * 60
		default:
			next += m.Holder * 60
		}
	}
	if math.Abs(first/p.People-1) > 1e-9 || math.Abs(next/p.People-1) > 0.01 {
		t.Errorf("%.4f and %.4f draws a phone", first/p.People, next/p.People)
	}
}

func TestASimulatedDayIsDrawn(t *testing.T) {
	var svg, text bytes.Buffer
	d := load.Simulate(load.GuangdongLike())
	if err := d.Draw(&svg); err != nil || strings.Contains(svg.String(), "NaN") || !strings.HasSuffix(svg.String(), "</svg>\n") {
		t.Errorf("%v", err)
	}
	if err := d.Print(&text); err != nil || !strings.Contains(text.String(), "126 million people") {
		t.Errorf("%v %s", err, &text)
	}
}
