package checkpoint_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

func (m *webMaker) vectors() webVectors {
	m.colours()
	m.tests()
	m.conditions()
	m.untold()
	m.times()
	m.proofs()
	m.lists()
	m.bundles()
	m.challenges()
	m.odd()
	m.mutants()
	return m.v
}

// colours: each colour at each kind of policy, with and without a name.
func (m *webMaker) colours() {
	for _, kind := range []string{"metro", "highway", "hospital"} {
		b := m.bundle(checkpoint.DefaultPolicy(kind), nil, 0)
		for _, colour := range []kangma.Colour{kangma.Red, kangma.Yellow, kangma.Green} {
			m.add(labelled("%s at a %s gate", colour, kind), take(0, b), m.scan(time.Second, m.dynamic(colour).Text))
		}
	}
	b := m.bundle(checkpoint.DefaultPolicy("metro"), nil, 0)
	for name, tail := range map[string]string{"张*三": "123X", "欧**": "", "": "0000"} {
		c := m.code("active", func(c *codegen.Claims) { c.MaskedName, c.IDTail = name, tail })
		m.add(labelled("the name %q and the end %q", name, tail), take(0, b), m.scan(time.Second, c.Text))
	}
	old := m.code("old", func(*codegen.Claims) {})
	m.add("a key that only verifies", take(0, b), m.scan(time.Second, old.Text))
	m.add("a policy without colours refers", take(0, m.bundle(checkpoint.Policy{}, nil, 0)), m.scan(0, m.dynamic(kangma.Green).Text))
}

// tests: 24, 48, 72 hours, to the minute.
func (m *webMaker) tests() {
	for _, hours := range []int{24, 48, 72} {
		p := checkpoint.DefaultPolicy("metro")
		p.TestHours = hours
		b, limit := m.bundle(p, nil, 0), time.Duration(hours)*time.Hour
		for _, c := range []struct {
			name   string
			tested func(*codegen.Claims)
			after  time.Duration
			colour kangma.Colour
		}{
			{"none", func(*codegen.Claims) {}, 0, kangma.Green}, {"in time", hoursAgo(limit - time.Hour), 0, kangma.Green},
			{"on the limit", hoursAgo(limit), 0, kangma.Green}, {"a millisecond over", hoursAgo(limit), time.Millisecond, kangma.Green},
			{"too old", hoursAgo(limit + time.Hour), 0, kangma.Green}, {"too old and yellow", hoursAgo(limit + time.Hour), 0, kangma.Yellow},
		} {
			code := m.code("active", func(cl *codegen.Claims) { c.tested(cl); cl.Colour = c.colour })
			m.add(labelled("a test within %d h: %s", hours, c.name), take(0, b), m.scan(c.after, code.Text))
		}
	}
}

// conditions: temperature, direction, vaccination, trips.
func (m *webMaker) conditions() {
	metro := checkpoint.DefaultPolicy("metro")
	high, vaccine, trip, leaving := metro, metro, metro, metro
	high.Fever = 380
	vaccine.Vaccine = &checkpoint.VaccineRule{Doses: 2, Days: 14}
	trip.Trip = &checkpoint.TripRule{Days: 14, Divisions: []kangma.Division{310000000, 440106000}, Decision: kangma.TurnBack}
	leaving.Leaving = &checkpoint.LeavingRule{Red: kangma.Refer, Yellow: kangma.HomeIsolate, Green: kangma.Pass}
	leaving.TestHours = 24
	for name, p := range map[string]checkpoint.Policy{"37.3": metro, "38.0": high} {
		b := m.bundle(p, nil, 0)
		for _, t := range []int{300, 365, 372, 373, 379, 380, 450, 299, 451} {
			s := m.scan(0, m.dynamic(kangma.Green).Text)
			s.Temperature = t
			m.add(labelled("%d tenths of a degree where %s is a fever", t, name), take(0, b), s)
		}
	}
	m.add("vaccination is not known", take(0, m.bundle(vaccine, nil, 0)), m.scan(0, m.dynamic(kangma.Green).Text), m.scan(0, m.dynamic(kangma.Red).Text))
	m.add("trips are not known", take(0, m.bundle(trip, nil, 0)), m.scan(0, m.dynamic(kangma.Green).Text), m.scan(0, m.dynamic(kangma.Yellow).Text))
	for _, direction := range []string{"in", "out", "up"} {
		steps := []webStep{take(0, m.bundle(leaving, nil, 0))}
		for _, colour := range []kangma.Colour{kangma.Red, kangma.Yellow, kangma.Green} {
			s := m.scan(0, m.dynamic(colour).Text)
			s.Direction = direction
			steps = append(steps, s)
		}
		m.add("direction "+direction, steps...)
	}
}

// untold: what is no code of ours, or not to be believed.
func (m *webMaker) untold() {
	b := m.bundle(checkpoint.DefaultPolicy("metro"), nil, 0)
	one := func(name, text string) { m.add(name, take(0, b), m.scan(time.Second, text)) }
	good := m.dynamic(kangma.Green).Text
	raw, _, _ := m.rawOf(good)
	flip := func(at int) string {
		c := slices.Clone(raw)
		c[at] ^= 1
		return base45(c)
	}
	one("another code", "https://example.org/")
	one("nothing", "")
	one("a certificate of the EU", "HC1:6BFOXN")
	one("the prefix alone", "KM1:")
	one("small letters", strings.ToLower(good))
	one("a prefix in small letters", "km1:"+good[4:])
	one("a blank behind", good+" ")
	one("over 335 characters", good+strings.Repeat("0", 336-len(good)))
	one("a character outside the alphabet", good[:100]+"_"+good[101:])
	one("a Chinese character", good[:100]+"码"+good[101:])
	one("over 4096 characters", strings.Repeat("A", 4097))
	one("a bit of the signature", flip(len(raw)-40))
	one("a bit of the payload", flip(40))
	one("a bit of the key id", flip(9))
	one("another algorithm", flip(5))
	one("bytes behind", base45(append(slices.Clone(raw), 0)))
	one("a proof behind a dynamic code", base45(append(append(slices.Clone(raw), 0x4e), make([]byte, 14)...)))
	high := slices.Clone(raw)
	copy(high[len(high)-32:], []byte{0xff, 0xff})
	one("the other signature of the two", base45(high))
	one("a stranger's key", m.code("stranger", func(*codegen.Claims) {}).Text)
	one("a key that was withdrawn", m.code("retired", func(*codegen.Claims) {}).Text)
	one("a specimen", m.code("active", func(c *codegen.Claims) { c.Kind, c.Expires = codegen.Specimen, webNoon.Add(720*time.Hour) }).Text)
	one("a key out of its week", m.code("active", func(c *codegen.Claims) {
		c.Kind, c.Issued, c.Expires = codegen.Paper, webNoon.Add(-9*24*time.Hour), webNoon.Add(90*24*time.Hour)
	}).Text)
	one("another region", m.elsewhere())
}

func (m *webMaker) elsewhere() string {
	m.t.Helper()
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: 440300000, Key: m.keys["active"], SubjectKey: [32]byte{7}})
	m.must(err)
	c, err := issuer.Issue(codegen.Claims{Kind: codegen.Dynamic, Colour: kangma.Green, Issued: webNoon, Expires: webNoon.Add(time.Minute), Person: kangma.NewPersonID()})
	m.must(err)
	return c.Text
}

// times: codes and clocks at their limits.
func (m *webMaker) times() {
	p := checkpoint.DefaultPolicy("metro")
	p.OfflineHours = 1
	b := m.bundle(p, nil, 0)
	paper := m.code("active", func(c *codegen.Claims) {
		c.Issued, c.Expires, c.Kind = webNoon.Add(time.Minute), webNoon.Add(time.Hour), codegen.Specimen
	}).Text
	later := m.code("active", func(c *codegen.Claims) {
		c.Issued, c.Expires = webNoon.Add(5*time.Minute), webNoon.Add(6*time.Minute)
	}).Text
	for name, after := range map[string]time.Duration{
		"at once": 0, "in its last second": 119_999 * time.Millisecond, "90 s and the skew later": 120 * time.Second, "an hour later": time.Hour,
		"a millisecond before the bundle is stale": time.Hour - time.Millisecond, "a week later": 7 * 24 * time.Hour,
		"with a clock 30 s slow": -30 * time.Second, "with a clock 30 s and a millisecond slow": -30*time.Second - time.Millisecond, "with a clock a day slow": -24 * time.Hour,
	} {
		m.add("a code of noon "+name, take(0, b), m.scan(after, m.dynamic(kangma.Green).Text))
	}
	m.add("a code of later", take(0, b), m.scan(4*time.Minute, later), m.scan(4*time.Minute+30*time.Second, later), m.scan(6*time.Minute+29*time.Second, later))
	m.add("a specimen is one at any time", take(0, b), m.scan(0, paper))
	m.add("a clock that is turned back", take(0, b), m.scan(10*time.Minute, "x"), m.scan(9*time.Minute, m.dynamic(kangma.Green).Text), m.scan(9*time.Minute+30*time.Second, "x"))
}

// proofs: what the holder of a credential shows.
func (m *webMaker) proofs() {
	b := m.bundle(checkpoint.DefaultPolicy("metro"), nil, 0)
	h := m.credential(nil)
	last := h.code.Claims.Slots() - 1
	slot := func(n int) time.Duration { return time.Duration(n) * codegen.SlotLength }
	for _, n := range []int{0, 1, 95, 96, 97, 1000, last} {
		m.add(labelled("the link of slot %d", n), take(slot(n), m.bundle(checkpoint.DefaultPolicy("metro"), nil, slot(n)-time.Minute)), m.scan(slot(n)+time.Second, m.show(h, n)))
	}
	for name, after := range map[string]time.Duration{"31 s early": -31 * time.Second, "30 s early": -30 * time.Second, "59.999 s later": 59_999 * time.Millisecond, "60 s later": time.Minute} {
		m.add("the link of slot 40 "+name, take(0, b), m.scan(slot(40)+after, m.show(h, 40)))
	}
	named := m.credential(func(c *codegen.Claims) { c.MaskedName, c.IDTail = "张*三", "123X" })
	m.add("a credential with a name", take(0, b), m.scan(time.Second, m.show(named, 0)))
	yellow := m.credential(func(c *codegen.Claims) { c.Colour = kangma.Yellow })
	m.add("a yellow credential", take(0, b), m.scan(time.Second, m.show(yellow, 0)))
	m.add("a bare credential", take(0, b), m.scan(time.Second, h.code.Text))
	raw, _, _ := m.rawOf(m.show(h, 2))
	wrong, over := slices.Clone(raw), slices.Clone(raw)
	wrong[len(wrong)-1] ^= 1
	over[len(over)-14], over[len(over)-13] = 0x0b, 0x40 // slot 2880
	m.add("a wrong link", take(0, b), m.scan(time.Minute, base45(wrong)))
	m.add("a slot that is none", take(0, b), m.scan(time.Minute, base45(over)))
	m.add("a link of another slot", take(0, b), m.scan(30*time.Second, base45(append(raw[:len(raw)-14], append([]byte{0, 1}, raw[len(raw)-12:]...)...))))
	again := m.credential(nil)
	first := m.scan(time.Second, m.show(again, 0))
	retry := first
	retry.At += 5000
	m.add("one link twice is a replay, the same event is not, the next link is good", take(0, b), first, m.scan(3*time.Second, m.show(again, 0)), retry, m.scan(31*time.Second, m.show(again, 1)))
}

// lists: the status list.
func (m *webMaker) lists() {
	metro := checkpoint.DefaultPolicy("metro")
	paper := m.code("active", func(c *codegen.Claims) { c.Kind, c.Expires = codegen.Paper, webNoon.Add(30*24*time.Hour) })
	green := m.credential(nil)
	var many []codegen.CodeID
	for range 700 {
		many = append(many, codegen.CodeID(rand32()))
	}
	for name, l := range map[string]*listing{
		"without a list": nil, "an empty list": {nil, 12 * time.Hour}, "not on a list of 700": {many, 12 * time.Hour},
		"on a list of one": {[]codegen.CodeID{paper.Claims.ID, green.code.Claims.ID}, 12 * time.Hour},
		"on a list of 702": {append(slices.Clone(many), paper.Claims.ID, green.code.Claims.ID), 12 * time.Hour}, "a list that expires": {many, time.Minute},
	} {
		b := m.bundle(metro, l, 0)
		m.add("paper, "+name, take(0, b), m.scan(30*time.Second, paper.Text), m.scan(2*time.Minute, paper.Text))
		m.add("a credential, "+name, take(0, b), m.scan(30*time.Second, m.show(green, 1)), m.scan(2*time.Minute, m.show(green, 4)))
	}
}

func rand32() (b [12]byte) {
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// bundles: newer, older, forged ones.
func (m *webMaker) bundles() {
	metro, other := checkpoint.DefaultPolicy("metro"), newWebMaker(m.t)
	first, second := m.bundle(metro, &listing{nil, time.Hour}, 0), m.bundle(metro, &listing{nil, time.Hour}, 10*time.Minute)
	x := m.dynamic(kangma.Green).Text
	m.add("a newer bundle is taken, an older one never again", take(0, first), m.scan(time.Second, x), take(11*time.Minute, second), m.scan(11*time.Minute, x), take(11*time.Minute, first), m.scan(11*time.Minute, x))
	m.add("a clock that jumped ahead comes down with a newer bundle", take(0, first), m.scan(50*time.Minute, x), take(10*time.Minute, second), m.scan(10*time.Minute, x))
	other.list = other.keys["stranger"]
	raw, err := checkpoint.SignBundle(other.list, checkpoint.Gate{ID: "metro-1", Kind: "metro", District: 441502000, Policy: metro}, m.trusted, nil, sealTo, webNoon)
	m.must(err)
	m.v.Bundles = append(m.v.Bundles, raw)
	m.add("a bundle by a key that is not pinned", take(0, len(m.v.Bundles)))
	for _, at := range []int{-1, -70, 300} {
		bent := slices.Clone(m.v.Bundles[first-1])
		bent[(at+len(bent))%len(bent)] ^= 1
		m.v.Bundles = append(m.v.Bundles, bent)
		m.add(labelled("a bundle with a wrong byte at %d", at), take(0, len(m.v.Bundles)))
	}
	m.v.Bundles = append(m.v.Bundles, m.v.Bundles[first-1][:500])
	m.add("half a bundle", take(0, len(m.v.Bundles)))
	m.add("a bundle whose trust list has expired", take(9*24*time.Hour, first))
	m.add("a bundle from the future", take(-time.Hour, first))
}

// odd signs payloads that no issuer writes: what a signature does not keep out must be refused alike.
func (m *webMaker) odd() {
	b := m.bundle(checkpoint.DefaultPolicy("metro"), nil, 0)
	named := m.code("active", func(c *codegen.Claims) {
		c.MaskedName, c.IDTail = "张*三", "123X"
		c.LatestNegative = webNoon.Add(-30 * time.Hour)
	})
	_, kid, payload := m.rawOf(named.Text)
	steps := []webStep{take(0, b), m.scan(time.Second, m.resign(kid, payload))}
	r := rand.New(rand.NewPCG(1, 2))
	for range 120 {
		p := slices.Clone(payload)
		switch at := r.IntN(len(p)); r.IntN(4) {
		case 0:
			p[at] = byte(r.Uint32())
		case 1:
			p[at] ^= 1 << r.IntN(8)
		case 2:
			p = slices.Delete(p, at, at+1)
		case 3:
			p = slices.Insert(p, at, byte(r.Uint32()))
		}
		steps = append(steps, m.scan(time.Second, m.resign(kid, p)))
	}
	// The state of the code and the fields before and after it, each value of them.
	at := strings.Index(string(payload), "\x3a\x00\x01\x00\x00") + 5
	for _, state := range []byte{0, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 18, 19, 20, 23} {
		p := slices.Clone(payload)
		p[at+1] = state
		steps = append(steps, m.scan(time.Second, m.resign(kid, p)))
	}
	wide := slices.Replace(slices.Clone(payload), at+1, at+2, 0x19, 0x04, 0x06) // 1030: the low byte of its quarter is 1
	steps = append(steps, m.scan(time.Second, m.resign(kid, wide)))
	m.add("payloads that no issuer writes, genuinely signed", steps...)
}

func (m *webMaker) mutants() {
	h := m.credential(nil)
	m.v.Mutants = webMutants{
		Bundle: m.bundle(checkpoint.DefaultPolicy("metro"), &listing{nil, time.Hour}, 0), At: webNoon.Add(time.Second).UnixMilli(), Seed: 2463534242,
		Bases: []string{m.show(h, 0), m.answer(m.credential(nil), 0, 47), m.answering(47).Text, m.dynamic(kangma.Green).Text, m.code("active", func(c *codegen.Claims) { c.Kind, c.Expires = codegen.Paper, webNoon.Add(720*time.Hour) }).Text},
	}
	m.v.Mutants.Told = m.v.told(m.t)
}
