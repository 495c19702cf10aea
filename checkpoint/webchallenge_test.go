package checkpoint_test

import (
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

func (m *webMaker) answering(challenge int) codegen.Code {
	return m.code("active", func(c *codegen.Claims) { c.Challenge = challenge })
}

// challenges: a gate that shows a number, and answered codes at one that does not.
func (m *webMaker) challenges() {
	p := checkpoint.DefaultPolicy("border")
	plain := m.bundle(p, nil, 0)
	p.Challenge = true
	b := m.bundle(p, &listing{nil, time.Hour}, 0)
	s := time.Second
	m.add("no number in a dynamic code", take(0, b), m.ask(s, 47, m.dynamic(kangma.Green).Text))
	m.add("the number in a dynamic code", take(0, b), m.ask(s, 47, m.answering(47).Text))
	m.add("another number in a dynamic code", take(0, b), m.ask(s, 74, m.answering(47).Text))
	m.add("a gate that has shown no number", take(0, b), m.ask(s, 0, m.answering(47).Text))
	for _, n := range []int{-1, 1, 9, 100} {
		m.add(labelled("a gate that has shown %d", n), take(0, b), m.ask(s, n, m.answering(47).Text))
	}
	m.add("an answer where none is asked", take(0, plain), m.ask(s, 0, m.answering(47).Text), m.ask(s, 12, m.answering(47).Text))

	h := m.credential(nil)
	m.add("missing, wrong, then right: only the last counts as shown", take(0, b), m.ask(s, 47, m.show(h, 0)), m.ask(2*s, 47, m.answer(h, 0, 74)),
		m.ask(3*s, 47, m.answer(h, 0, 47)), m.ask(4*s, 47, m.answer(h, 0, 47)))
	used := m.credential(nil)
	m.add("an answer uses up its link and those before it", take(0, b), take(s, plain), m.scan(2*s, m.answer(used, 0, 47)), m.scan(3*s, m.show(used, 0)),
		m.scan(61*s, m.show(used, 3)), m.scan(70*s, m.answer(used, 2, 50)), m.scan(181*s, m.show(used, 6)))
	before := m.credential(nil)
	m.add("a show before an answer keeps nobody from answering", take(0, plain), m.scan(s, m.show(before, 0)), m.scan(2*s, m.answer(before, 0, 47)))
	retry := m.ask(5*s, 47, m.answer(m.credential(nil), 0, 47))
	late := retry
	late.At += 5000
	m.add("a retry of an answer", take(0, b), retry, late)
	for name, at := range map[string]time.Duration{"31 s early": -31 * s, "30 s early": -30 * s, "59.999 s later": 59_999 * time.Millisecond, "60 s later": 60 * s} {
		m.add("an answer of slot 40 "+name, take(0, b), m.ask(40*codegen.SlotLength+at, 99, m.answer(h, 40, 99)))
	}
	last := h.code.Claims.Slots() - 4
	at := time.Duration(last) * codegen.SlotLength
	m.add("the last answer", take(at, m.bundle(p, nil, at-time.Minute)), m.ask(at+s, 10, m.answer(h, last, 10)))
	m.bentAnswers(b, h)

	paper := m.code("active", func(c *codegen.Claims) { c.Kind, c.Expires = codegen.Paper, webNoon.Add(720*time.Hour) })
	m.add("paper at a gate with a number", take(0, b), m.ask(s, 47, paper.Text))
	m.add("a specimen at a gate with a number", take(0, b), m.ask(s, 47, m.code("active", func(c *codegen.Claims) { c.Kind = codegen.Specimen }).Text))
	yellow := m.code("active", func(c *codegen.Claims) { c.Colour, c.Challenge = kangma.Yellow, 47 })
	m.add("a yellow code with the number", take(0, b), m.ask(s, 47, yellow.Text))
}

// bentAnswers changes what an answer is made of.
func (m *webMaker) bentAnswers(b int, h held) {
	raw, _, _ := m.rawOf(m.answer(h, 2, 47))
	bend := func(change func([]byte) []byte) string { return base45(change(slices.Clone(raw))) }
	for name, change := range map[string]func([]byte) []byte{
		"another number":         func(r []byte) []byte { r[len(r)-1] = 48; return r },
		"a number of one digit":  func(r []byte) []byte { r[len(r)-1] = 9; return r },
		"a number of three":      func(r []byte) []byte { r[len(r)-1] = 100; return r },
		"a wrong link":           func(r []byte) []byte { r[len(r)-2] ^= 1; return r },
		"another slot":           func(r []byte) []byte { r[len(r)-14]++; return r },
		"a slot that has none":   func(r []byte) []byte { r[len(r)-14] = 2; return r },
		"a slot over the life":   func(r []byte) []byte { r[len(r)-15] = 0x0b; r[len(r)-14] = 0x40; return r },
		"one byte more":          func(r []byte) []byte { r[len(r)-16] = 0x50; return append(r, 0) },
		"the head of a plain":    func(r []byte) []byte { r[len(r)-16] = 0x4e; return r },
		"a plain without number": func(r []byte) []byte { r[len(r)-16] = 0x4e; return r[:len(r)-1] },
	} {
		m.add("an answer with "+name, take(0, b), m.ask(time.Minute, 47, bend(change)), m.ask(150*time.Second, 47, bend(change)))
	}
}
