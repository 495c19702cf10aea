package wire

import (
	k "github.com/kangma/kangma"
)

// EncodePassage gives the wire form of a passage.
func EncodePassage(p k.Passage) []byte { return encode(&p, 128, passage) }

// DecodePassage reads what EncodePassage wrote.
func DecodePassage(b []byte) (k.Passage, error) { return decode(b, passage) }

func passage(c *coder, p *k.Passage) {
	idOf(c, 1, &p.ID)
	c.moment(2, &p.At)
	c.text(3, &p.Gate)
	c.text(4, &p.GateKind)
	division(c, 5, &p.District)
	c.text(6, &p.Operator)
	idOf(c, 7, &p.Person)
	c.flag(8, &p.Told)
	colour(c, 9, &p.Colour)
	small(c, 10, &p.Decision, k.Pass)
	c.text(11, &p.Reason)
	c.text(12, &p.Verified)
	c.text(13, &p.Direction)
	c.number(14, &p.Temperature)
	c.text(15, &p.Vehicle)
	c.text(16, &p.Rules)
	c.texts(17, &p.Flags)
}
