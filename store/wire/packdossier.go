package wire

import (
	"maps"
	"slices"

	k "github.com/kangma/kangma"
)

// The packed form of a dossier (version 2). After the version byte:
//
//	person      16 bytes
//	mask        which of version, registered, home, sealed, evidence, guardians, applied are there, bit 0 the first
//	            … each that is there, in this order
//
// Nothing is named or typed: what comes next follows from the masks before it. Numbers are base 128, the lowest first.
func (p *packer) dossier(d *k.Dossier) {
	m := p.dossierHead(d)
	if m&32 != 0 { // before the evidence, which moves what times are counted from
		packList(p, &d.Guardians, 17, (*packer).guardianship)
	}
	if m&64 != 0 {
		packList(p, &d.Applied, 11, func(p *packer, id *k.EventID) { p.eventID((*[16]byte)(id)) })
	}
	if m&16 != 0 {
		p.more = p.spare
		packList(p, &d.Evidence, 12, (*packer).evidence)
	}
}

// dossierHead writes or reads what stands before guardians and evidence, and gives the mask.
func (p *packer) dossierHead(d *k.Dossier) uint64 {
	p.raw(d.Person[:])
	s := &d.Sealed
	m := p.mask(bit(d.Version != 0, 0)|bit(!d.Registered.IsZero(), 1)|bit(d.Home != k.Place{}, 2)|
		bit(!s.IsZero() || s.KeyID != "" || s.Revision != 0, 3)|
		bit(len(d.Evidence) > 0, 4)|bit(len(d.Guardians) > 0, 5)|bit(len(d.Applied) > 0, 6), 7)
	p.ref = packedEpoch
	if m&1 != 0 {
		p.positive(&d.Version)
	}
	if m&2 != 0 {
		p.time(&d.Registered)
		p.ref = seconds(d.Registered)
	}
	if m&4 != 0 {
		p.place(&d.Home, true)
	}
	if m&8 != 0 {
		p.sealed(s)
	}
	p.head = len(p.b)
	return m
}

// packList writes or reads a list that is not empty; least is how many bytes an item takes at least.
func packList[T any](p *packer, list *[]T, least int, item func(*packer, *T)) {
	n := p.count(len(*list), least)
	if !p.writing {
		*list = make([]T, n, n+p.more)
		p.more = 0
	}
	for i := range *list {
		if item(p, &(*list)[i]); p.err != nil {
			*list = nil
			return
		}
	}
}

// positive is a number that is there because it is not zero.
func (p *packer) positive(v *uint64) {
	if p.writing {
		p.num(*v)
	} else if *v = p.num(0); *v == 0 {
		p.fail()
	}
}

// word is a text that is there because it is not empty.
func (p *packer) word(s *string, class int) {
	if p.writing {
		p.text(*s, class)
	} else if *s = p.readText(class); *s == "" {
		p.fail()
	}
}

// flag is a bit of a mask.
func (p *packer) flag(v *bool, m uint64, n int) {
	if !p.writing {
		*v = m>>n&1 != 0
	}
}

func (p *packer) bytes(b *[]byte) {
	if p.writing {
		p.blob(*b)
	} else if *b = p.blob(nil); len(*b) == 0 {
		p.fail()
	}
}

func (p *packer) sealed(s *k.SealedIdentity) {
	m := p.mask(bit(len(s.DataKey) > 0, 0)|bit(len(s.Fields) > 0, 1)|bit(len(s.Indexes) > 0, 2)|bit(s.KeyID != "", 3)|bit(s.Revision != 0, 4), 5)
	if m == 0 {
		p.fail()
	}
	if m&1 != 0 {
		p.bytes(&s.DataKey)
	}
	if m&2 != 0 {
		p.fields(&s.Fields)
	}
	if m&4 != 0 {
		packList(p, &s.Indexes, 16, func(p *packer, x *k.BlindIndex) { p.raw(x[:]) })
	}
	if m&8 != 0 {
		p.word(&s.KeyID, anyText)
	}
	if m&16 != 0 {
		p.positive(&s.Revision)
	}
}

// fields are keys and values in turn, keys ascending by bytes.
func (p *packer) fields(all *map[string][]byte) {
	if p.writing {
		if len(*all) == 1 { // nearly always
			for key, v := range *all {
				p.num(1)
				p.text(key, anyText)
				p.blob(v)
			}
			return
		}
		clean := make(map[string][]byte, len(*all))
		for _, key := range slices.Sorted(maps.Keys(*all)) {
			clean[toValid(key)] = (*all)[key]
		}
		p.num(uint64(len(clean)))
		for _, key := range slices.Sorted(maps.Keys(clean)) {
			p.text(key, anyText)
			p.blob(clean[key])
		}
		return
	}
	n := p.count(0, 2)
	m := make(map[string][]byte, n)
	for i, before := 0, ""; i < n && p.err == nil; i++ {
		key := p.text("", anyText)
		v := p.blob(nil)
		if i > 0 && key <= before {
			p.fail()
		}
		m[key], before = v, key
	}
	if p.err == nil {
		*all = m
	}
}

func (p *packer) guardianship(g *k.Guardianship) {
	p.raw(g.Guardian[:])
	m := p.mask(bit(!g.From.IsZero(), 0)|bit(!g.Until.IsZero(), 1)|bit(g.Relation != "", 2)|bit(g.Accepted, 3), 4)
	if m&1 != 0 {
		p.time(&g.From)
	}
	if m&2 != 0 {
		p.time(&g.Until)
	}
	if m&4 != 0 {
		p.word(&g.Relation, anyText)
	}
	p.flag(&g.Accepted, m, 3)
}

// place writes or reads a place; one that stands in a field of its own is left out when it is zero, one in a list is not.
func (p *packer) place(v *k.Place, own bool) {
	m := p.mask(bit(v.Division != 0, 0)|bit(v.Zone != "", 1)|bit(v.Community != "", 2), 3)
	if own && m == 0 {
		p.fail()
	}
	if m&1 != 0 {
		p.division(&v.Division)
	}
	if m&2 != 0 {
		p.word(&v.Zone, anyText)
	}
	if m&4 != 0 {
		p.word(&v.Community, anyText)
	}
}

// division writes or reads one that is not zero, as its difference to the one before.
func (p *packer) division(v *k.Division) {
	d := p.div + p.signed(int64(*v)-p.div)
	if d <= 0 || d > 1<<32-1 {
		p.fail()
		return
	}
	if p.div = d; !p.writing {
		*v = k.Division(d)
	}
}
