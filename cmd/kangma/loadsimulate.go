package main

import (
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/load"
)

type loadSimulateCmd struct {
	People  float64       `help:"People." default:"126000000"`
	Shows   float64       `help:"Shows of a day." default:"266000000"`
	Life    time.Duration `help:"Life of a credential." default:"24h"`
	Adopted float64       `help:"Share of people whose phone holds credentials." default:"0.9"`
	Change  time.Duration `help:"Time of day of the policy change that calls every credential in." default:"8h"`
	Spread  time.Duration `help:"Over which the phones come for the new one." default:"2h"`
	Picture string        `help:"Draw the curve here (SVG)." type:"path"`
}

func (c *loadSimulateCmd) Run(w *world) error {
	p := load.GuangdongLike()
	p.People, p.Shows, p.Life, p.Adopted, p.Change, p.Spread = c.People, c.Shows, c.Life, c.Adopted, c.Change, c.Spread
	if !(p.People > 0 && p.People <= 2e9 && p.Shows >= 0 && p.Shows <= 1e12 && p.Adopted >= 0 && p.Adopted <= 1) ||
		p.Life < 16*time.Hour || p.Life > 1000*time.Hour || p.Change < 0 || p.Change >= 24*time.Hour || p.Spread < time.Minute || p.Spread > 24*time.Hour {
		return kangma.E(kangma.Invalid, "province", "people up to two thousand million, shares of 0 to 1, a life of 16h (shorter ones renew twice a day, which is not modelled) to 1000h, a change within the day, a spread of 1m to 24h")
	}
	d := load.Simulate(p)
	var err error
	if c.Picture != "" {
		err = writeTo(c.Picture, d.Draw)
	}
	if w.JSON {
		return errors.Join(err, d.JSON(w.out))
	}
	return errors.Join(err, d.Print(w.out))
}
