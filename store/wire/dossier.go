package wire

import (
	k "github.com/kangma/kangma"
)

// EncodeDossier gives the wire form of a dossier.
func EncodeDossier(d k.Dossier) []byte { return encode(&d, 768, dossier) }

// DecodeDossier reads what EncodeDossier wrote.
func DecodeDossier(b []byte) (k.Dossier, error) { return decode(b, dossier) }

func dossier(c *coder, d *k.Dossier) {
	idOf(c, 1, &d.Person)
	c.count(2, &d.Version)
	c.moment(3, &d.Registered)
	placeField(c, 4, &d.Home)
	s := &d.Sealed
	value(c, 5, s, s.IsZero() && s.KeyID == "" && s.Revision == 0, sealed)
	// 19: no evidence without an id is stored, and this bounds the memory that damaged bytes can claim
	list(c, 6, &d.Evidence, 19, func(c *coder, e *k.Evidence) { whole(c, e, evidence) })
	list(c, 7, &d.Guardians, 1, func(c *coder, g *k.Guardianship) { whole(c, g, guardianship) })
	ids(c, 8, &d.Applied)
}

func sealed(c *coder, s *k.SealedIdentity) {
	c.bytes(1, &s.DataKey)
	table(c, 2, &s.Fields, c.blob)
	ids(c, 3, &s.Indexes)
	c.text(4, &s.KeyID)
	c.count(5, &s.Revision)
}

func guardianship(c *coder, g *k.Guardianship) {
	idOf(c, 1, &g.Guardian)
	c.moment(2, &g.From)
	c.moment(3, &g.Until)
	c.text(4, &g.Relation)
	c.flag(5, &g.Accepted)
}
