package rules

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// gen makes random evidence. wild adds shapes no honest provider sends.
type gen struct {
	*rand.Rand
	base time.Time
	wild bool
	n    uint32
}

func newGen(seed uint64, wild bool) *gen {
	return &gen{Rand: rand.New(rand.NewPCG(seed, 1)), base: time.Date(2022, 7, 5, 12, 0, 0, 0, time.FixedZone("", 8*3600)), wild: wild}
}

func pick[T any](g *gen, from ...T) T { return from[g.IntN(len(from))] }

func (g *gen) time() time.Time {
	if g.wild && g.IntN(12) == 0 {
		return pick(g, time.Time{}, time.Unix(-1<<40, 0), time.Unix(1<<40, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(292277, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	t := g.base.Add(time.Duration(g.IntN(60*24*60)-40*24*60) * time.Minute)
	if g.IntN(4) == 0 {
		t = t.Truncate(24 * time.Hour).Add(-8 * time.Hour) // midnight in Shanghai: the boundaries
	}
	return t
}

var genPlaces = []string{"440303", "440304", "440305", "420106", "110105", "410103", "310115", "350102", "440300", "440000", "440303001"}

func (g *gen) place() kangma.Place {
	d, _ := kangma.ParseDivision(pick(g, genPlaces...))
	p := kangma.Place{Division: d, Community: pick(g, "", "", "甲小区", "乙小区")}
	if g.wild && g.IntN(8) == 0 {
		p.Division = kangma.Division(g.Uint32())
	}
	return p
}

func (g *gen) word(words ...string) string {
	if g.wild && g.IntN(10) == 0 {
		return pick(g, "", "unknown", "\x00", "红")
	}
	return pick(g, words...)
}

func (g *gen) evidence() kangma.Evidence {
	g.n++
	e := kangma.Evidence{Observed: g.time(), Source: "feed", Batch: pick(g, "", "b1", "b2")}
	e.ID = kangma.EventID{byte(g.n >> 8), byte(g.n), byte(g.IntN(256))}
	if g.IntN(2) == 0 {
		e.Received = e.Observed.Add(time.Duration(g.IntN(96)) * time.Hour)
	}
	kinds := []kangma.EvidenceKind{kangma.KindStay, kangma.KindStay, kangma.KindTrip, kangma.KindEntry, kangma.KindClinic, kangma.KindTest, kangma.KindTest, kangma.KindTest,
		kangma.KindVaccination, kangma.KindContact, kangma.KindManagement, kangma.KindDeclaration, kangma.KindTemperature, kangma.KindForeignCode, kangma.KindOverride}
	e.Kind = pick(g, kinds...)
	g.payload(&e, e.Kind)
	if g.wild && g.IntN(10) == 0 {
		e.Kind = pick(g, append(kinds, "", "nonsense")...) // a payload of another kind, or none
	}
	return e
}

func (g *gen) payload(e *kangma.Evidence, k kangma.EvidenceKind) {
	switch k {
	case kangma.KindStay:
		e.Stay = &kangma.Stay{Place: g.place(), From: g.time()}
		if g.IntN(3) > 0 {
			e.Stay.To = e.Stay.From.Add(time.Duration(g.IntN(96)) * time.Hour)
		}
		if g.wild && g.IntN(5) == 0 {
			e.Stay.To = g.time()
		}
	case kangma.KindTrip:
		e.Trip = &kangma.Trip{Mode: g.word("train", "flight", "coach"), Departed: e.Observed, Arrived: e.Observed.Add(3 * time.Hour), From: g.place(), To: g.place()}
	case kangma.KindEntry:
		e.Entry = &kangma.Entry{Country: "JP"}
	case kangma.KindClinic:
		e.Clinic = &kangma.Clinic{What: g.word(visits...), Diagnosis: g.word(append(diagnoses, "")...), Drug: g.word(append(drugs, "")...), Place: g.place().Division}
	case kangma.KindTest:
		e.Test = &kangma.Test{Method: g.word("pcr", "pcr", "antigen", "antibody"), Result: g.word("negative", "negative", "negative", "positive", "pending")}
	case kangma.KindVaccination:
		e.Vaccination = &kangma.Vaccination{Dose: g.IntN(4)}
	case kangma.KindContact:
		e.Contact = &kangma.Contact{Degree: g.word(degrees...), Setting: "flight"}
		if g.IntN(2) == 0 {
			e.Contact.Trip = &kangma.Trip{Mode: "flight", Seat: g.word("12F", "3A"), Crew: g.IntN(5) == 0}
			e.Contact.CaseSeat = g.word("15A", "20C")
		}
	case kangma.KindManagement:
		e.Management = &kangma.Management{Measure: g.word(measures...), From: g.time(), Done: g.IntN(2) == 0}
		if g.IntN(3) > 0 {
			e.Management.Until = e.Management.From.Add(time.Duration(g.IntN(14*24)) * time.Hour)
		}
		if g.wild && g.IntN(5) == 0 {
			e.Management.Until = g.time()
		}
	case kangma.KindDeclaration:
		e.Declaration = &kangma.Declaration{CheckIn: g.IntN(2) == 0, Contact: g.word("", "yes", "no"), Temperature: pick(g, 0, 365, 372, 373, 390)}
		if g.IntN(3) == 0 {
			e.Declaration.Symptoms = []string{g.word(symptoms...)}
		}
		if g.IntN(4) == 0 {
			e.Declaration.Visited = []kangma.Place{g.place(), g.place()}
		}
	case kangma.KindTemperature:
		e.Temperature = &kangma.Temperature{Tenths: pick(g, 0, 365, 372, 373, 374, 400, -1<<31)}
	case kangma.KindForeignCode:
		e.ForeignCode = &kangma.ForeignCode{Region: g.place().Division, Colour: kangma.Colour(g.IntN(3))}
		if g.wild {
			e.ForeignCode.Colour = kangma.Colour(g.IntN(256))
		}
	case kangma.KindOverride:
		e.Override = &kangma.Override{Colour: kangma.Colour(g.IntN(3)), Reason: g.word(kangma.OverrideReasons...), Until: g.time()}
	}
}

// dossier makes n pieces of evidence and some corrections of them.
func (g *gen) dossier(n int) *kangma.Dossier {
	d := &kangma.Dossier{Person: kangma.PersonID{1}, Registered: g.time(), Home: g.place()}
	for range n {
		d.Evidence = append(d.Evidence, g.evidence())
	}
	for range g.IntN(3) {
		if n == 0 || g.IntN(2) == 0 {
			continue
		}
		target := d.Evidence[g.IntN(len(d.Evidence))]
		c := g.evidence()
		if g.IntN(2) == 0 {
			c.Replaces, c.Source = target.ID, pick(g, "feed", "feed", "another")
		} else {
			c = kangma.Evidence{ID: c.ID, Kind: kangma.KindWithdrawal, Source: pick(g, "feed", "feed", "another"), Observed: c.Observed, Received: c.Received, Withdrawal: &kangma.Withdrawal{Event: target.ID}}
			if g.IntN(3) == 0 {
				c.Withdrawal = &kangma.Withdrawal{Batch: "b1"}
			}
		}
		d.Evidence = append(d.Evidence, c)
	}
	slices.SortFunc(d.Evidence, func(a, b kangma.Evidence) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return d
}

// table is an area table with every level, a community inside a county, and a change in the middle.
func (g *gen) table() Areas {
	at := func(days int) time.Time { return g.base.AddDate(0, 0, days) }
	place := func(code, community string) kangma.Place {
		d, _ := kangma.ParseDivision(code)
		return kangma.Place{Division: d, Community: community}
	}
	return caseTable{
		{place("440303", "甲小区"), kangma.HighLevel, at(-30), at(3), at(-30)},
		{place("440303", ""), kangma.LowLevel, at(-30), at(30), at(-28)},
		{place("440304", ""), kangma.MidLevel, at(-5), at(10), at(-2)},
		{place("420106", ""), kangma.HighLevel, at(-20), time.Time{}, at(-20)},
		{place("310115", ""), kangma.LowLevel, at(-9), at(9), at(-9)},
		{place("410103", ""), kangma.HighLevel, at(-12), at(-11), at(-12)}, // areas that turn high while people are there
		{place("110105", ""), kangma.HighLevel, at(1), at(2), at(1)},
	}
}

func everySet(yield func(*Set) bool) {
	for _, id := range Presets() {
		s, err := Preset(id)
		if err != nil {
			panic(err)
		}
		if !yield(s) {
			return
		}
	}
}
