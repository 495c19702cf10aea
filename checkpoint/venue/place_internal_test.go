package venue

import (
	"math"
	"testing"
	"time"

	"github.com/kangma/kangma"
)

func TestDistancesOnTheEarth(t *testing.T) {
	for _, c := range []struct {
		a, b Coordinates
		want float64 // metres, by the inverse geodesic of WGS 84
	}{
		{Coordinates{22.7787, 115.3753}, Coordinates{22.7787, 115.3753}, 0},
		{Coordinates{39.9042, 116.4074}, Coordinates{31.2304, 121.4737}, 1_067_000},
		{Coordinates{0.001, 179.999}, Coordinates{0.001, -179.999}, 222.6},
		{Coordinates{90, 10}, Coordinates{-90, 77}, 20_004_000},
	} {
		if got := metres(c.a, c.b); math.Abs(got-c.want) > 0.006*c.want+0.01 {
			t.Errorf("%v to %v: %.1f m, want %.1f", c.a, c.b, got, c.want)
		}
	}
}

func TestAPositionThatIsNoneIsRefused(t *testing.T) {
	now := time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
	good := Position{Coordinates{22.7787, 115.3753}, 20, now}
	if err := good.check(now); err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308, 181} {
		for i, p := range []Position{{Coordinates{v, 1}, 20, now}, {Coordinates{1, v}, 20, now}, {Coordinates{1, 1}, v, now}} {
			if i == 2 && v == 181 {
				continue // an accuracy of 181 m is one
			}
			if err := p.check(now); kangma.CodeOf(err) != "position" {
				t.Errorf("%v at %d: %v", v, i, err)
			}
			if p.inside(good.Coordinates, 100) {
				t.Errorf("%v at %d is inside", v, i)
			}
		}
	}
	for _, p := range []Position{{Coordinates{}, 20, now}, {good.Coordinates, 0, now}, {good.Coordinates, -1, now}} {
		if err := p.check(now); kangma.CodeOf(err) != "position" {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, at := range []time.Time{{}, now.Add(31 * time.Second), now.Add(time.Hour)} {
		if err := (Position{good.Coordinates, 20, at}).check(now); kangma.CodeOf(err) != "position_time" {
			t.Errorf("%v: %v", at, err)
		}
	}
}
