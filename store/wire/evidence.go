package wire

import (
	"math"

	k "github.com/kangma/kangma"
)

// EncodeEvidence gives the wire form of one piece of evidence.
func EncodeEvidence(e k.Evidence) []byte { return encode(&e, 160, evidence) }

// DecodeEvidence reads what EncodeEvidence wrote.
func DecodeEvidence(b []byte) (k.Evidence, error) { return decode(b, evidence) }

func evidence(c *coder, e *k.Evidence) {
	idOf(c, 1, &e.ID)
	textOf(c, 2, &e.Kind)
	c.moment(3, &e.Observed)
	c.moment(4, &e.Reported)
	c.moment(5, &e.Received)
	c.text(6, &e.Source)
	c.text(7, &e.Batch)
	idOf(c, 8, &e.Replaces)
	object(c, 20, &e.Stay, stay)
	object(c, 21, &e.Trip, trip)
	object(c, 22, &e.Entry, entry)
	object(c, 23, &e.Clinic, clinic)
	object(c, 24, &e.Test, test)
	object(c, 25, &e.Vaccination, vaccination)
	object(c, 26, &e.Contact, contact)
	object(c, 27, &e.Management, management)
	object(c, 28, &e.Declaration, declaration)
	object(c, 29, &e.Temperature, temperature)
	object(c, 30, &e.ForeignCode, foreignCode)
	object(c, 31, &e.Override, override)
	object(c, 32, &e.Withdrawal, withdrawal)
}

func division(c *coder, key byte, p *k.Division) { small(c, key, p, math.MaxUint32) }
func colour(c *coder, key byte, p *k.Colour)     { small(c, key, p, k.Green) }

func place(c *coder, p *k.Place) {
	division(c, 1, &p.Division)
	c.text(2, &p.Zone)
	c.text(3, &p.Community)
}

func placeField(c *coder, key byte, p *k.Place) { value(c, key, p, *p == k.Place{}, place) }

func stay(c *coder, s *k.Stay) {
	placeField(c, 1, &s.Place)
	c.moment(2, &s.From)
	c.moment(3, &s.To)
}

func trip(c *coder, t *k.Trip) {
	c.text(1, &t.Mode)
	c.text(2, &t.Number)
	c.moment(3, &t.Departed)
	c.moment(4, &t.Arrived)
	placeField(c, 5, &t.From)
	placeField(c, 6, &t.To)
	c.text(7, &t.Carriage)
	c.text(8, &t.Seat)
	c.flag(9, &t.Sealed)
	c.flag(10, &t.Crew)
}

func entry(c *coder, e *k.Entry) {
	c.text(1, &e.Country)
	division(c, 2, &e.Port)
}

func clinic(c *coder, v *k.Clinic) {
	c.text(1, &v.What)
	c.text(2, &v.Diagnosis)
	c.text(3, &v.Drug)
	division(c, 4, &v.Place)
}

func test(c *coder, t *k.Test) {
	c.text(1, &t.Method)
	c.text(2, &t.Result)
	c.moment(3, &t.Received)
	c.text(4, &t.Lab)
}

func vaccination(c *coder, v *k.Vaccination) {
	c.number(1, &v.Dose)
	c.text(2, &v.Product)
}

func contact(c *coder, v *k.Contact) {
	c.text(1, &v.Degree)
	c.text(2, &v.Case)
	c.text(3, &v.Setting)
	object(c, 4, &v.Trip, trip)
	c.text(5, &v.CaseSeat)
	c.text(6, &v.CaseCarriage)
}

func management(c *coder, m *k.Management) {
	c.text(1, &m.Measure)
	c.moment(2, &m.From)
	c.moment(3, &m.Until)
	c.text(4, &m.Cause)
	c.flag(5, &m.Done)
}

func declaration(c *coder, d *k.Declaration) {
	c.texts(1, &d.Symptoms)
	c.number(2, &d.Temperature)
	c.text(3, &d.Contact)
	list(c, 4, &d.Visited, 1, func(c *coder, p *k.Place) { whole(c, p, place) })
	c.flag(5, &d.CheckIn)
}

func temperature(c *coder, t *k.Temperature) { c.number(1, &t.Tenths) }

func foreignCode(c *coder, f *k.ForeignCode) {
	division(c, 1, &f.Region)
	colour(c, 2, &f.Colour)
	c.moment(3, &f.Issued)
	c.text(4, &f.Reason)
}

func override(c *coder, o *k.Override) {
	colour(c, 1, &o.Colour)
	c.text(2, &o.Reason)
	c.moment(3, &o.Until)
	c.text(4, &o.Reference)
	c.text(5, &o.Requested)
	c.text(6, &o.Approved)
}

func withdrawal(c *coder, w *k.Withdrawal) {
	idOf(c, 1, &w.Event)
	c.text(2, &w.Batch)
	c.text(3, &w.Reason)
}
