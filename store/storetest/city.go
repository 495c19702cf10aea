package storetest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kangma/kangma"
)

// City draws passages as a city has them, for benchmarks: gates and people of very different traffic, two peaks a day,
// nearly all green. Passages come in order of time.
type City struct {
	r      *rand.Rand
	Start  time.Time
	Days   int
	People int
	gates  []cityGate
	all    int
	next   int
}

type cityGate struct {
	name, kind string
	district   kangma.Division
}

// NewCity makes a city that draws all passages over its days.
func NewCity(seed uint64, all, days, gates, districts, people int) *City {
	c := &City{r: rand.New(rand.NewPCG(seed, 2)), Start: time.Date(2022, 7, 1, 0, 0, 0, 0, time.UTC), Days: days, People: people, all: all}
	kinds := []string{"community", "metro", "venue", "hospital", "school"}
	for i := range gates {
		c.gates = append(c.gates, cityGate{fmt.Sprintf("gate-%05d", i), kinds[i%len(kinds)], kangma.Division(440103000 + i%districts)})
	}
	return c
}

// Next draws the next n passages, fewer at the end.
func (c *City) Next(n int) []kangma.Passage {
	out := make([]kangma.Passage, 0, n)
	for ; len(out) < n && c.next < c.all; c.next++ {
		out = append(out, c.passage())
	}
	return out
}

func (c *City) passage() kangma.Passage {
	span := int64(c.Days) * 24 * int64(time.Hour)
	at := c.Start.Add(time.Duration(int64(float64(span) * float64(c.next) / float64(c.all)))).Truncate(time.Microsecond)
	g := c.gates[min(c.r.IntN(len(c.gates)), c.r.IntN(len(c.gates)))] // some see more people than others
	p := kangma.Passage{ID: randomEventID(c.r, at), At: at, Gate: g.name, GateKind: g.kind, District: g.district,
		Operator: "acc-" + g.name[5:], Told: true, Colour: kangma.Green, Decision: kangma.Pass, Reason: "ok", Verified: "online",
		Direction: "in", Rules: "0123456789abcdef"}
	person := uint64(min(c.r.IntN(c.People), c.r.IntN(c.People))) * 0x9e3779b97f4a7c15
	binary.BigEndian.PutUint64(p.Person[:], person)
	binary.BigEndian.PutUint64(p.Person[8:], person^uint64(at.Unix()/1209600))
	switch x := c.r.IntN(1000); {
	case x < 3:
		p.Colour, p.Decision, p.Reason = kangma.Red, kangma.CentralIsolate, "high-area-7d"
	case x < 10:
		p.Colour, p.Decision, p.Reason = kangma.Yellow, kangma.TurnBack, "mid-area-7d"
	case x < 15:
		p.Told, p.Colour, p.Decision, p.Reason = false, kangma.Red, kangma.Refer, "expired"
	case x < 115:
		p.Verified, p.Flags = "offline", []string{"offline"}
	case x < 300:
		p.Direction = "out"
	}
	return p
}
