package wire

import (
	"slices"
	"sync"

	k "github.com/kangma/kangma"
)

// DossierVersion is the first byte of what EncodeDossier writes; DecodeDossier reads Version too.
const DossierVersion = 2

// EncodeDossier gives the wire form of a dossier.
func EncodeDossier(d k.Dossier) []byte {
	raw, _ := EncodeDossierHead(d)
	return raw
}

// EncodeDossierHead gives the wire form of a dossier and where its head ends, for SameHead.
func EncodeDossierHead(d k.Dossier) (raw []byte, head int) {
	p := packers.Get().(*packer)
	defer p.release()
	p.writing = true
	p.b = append(p.room[:0], DossierVersion)
	p.dossier(&d)
	p.room = p.b
	return slices.Clone(p.b), p.head
}

// DecodeDossier reads what EncodeDossier wrote, now or in an older version of the form.
func DecodeDossier(b []byte) (k.Dossier, error) { return DecodeDossierWith(b, 0) }

// DecodeDossierWith is DecodeDossier for who will add so many pieces of evidence: the list has room for them, so that it need not
// be made anew.
func DecodeDossierWith(b []byte, more int) (k.Dossier, error) {
	if len(b) == 0 || len(b) > MaxBytes || b[0] != DossierVersion {
		return decode(b, dossier)
	}
	var d k.Dossier
	p := packers.Get().(*packer)
	defer p.release()
	p.writing, p.b, p.doc, p.spare = false, b[1:], string(b), more
	if p.dossier(&d); p.err == nil && len(p.b) != 0 {
		p.fail()
	}
	if p.err != nil {
		return k.Dossier{}, p.err
	}
	return d, nil
}

// packers are kept, so that a dossier costs the memory of what is in it and no more.
var packers = sync.Pool{New: func() any { return &packer{seen: make([]string, 0, maxSeen)} }}

// mostRoom bounds what a packer keeps for the next dossier to be written.
const mostRoom = 64 << 10

// release gives the packer back with nothing of the dossier in it but unused rooms of its slabs.
func (p *packer) release() {
	if p.err != nil {
		p.slabs = slabs{} // a payload in it may be half read
	}
	clear(p.seen)
	if p.seen = p.seen[:0]; cap(p.room) > mostRoom {
		p.room = nil
	}
	p.b, p.err, p.ref, p.div, p.head, p.spare, p.more, p.last, p.doc, p.blobs = nil, nil, 0, 0, 0, 0, 0, [classes]string{}, "", nil
	packers.Put(p)
}

// dossier is the form of version 1, in CBOR.
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
