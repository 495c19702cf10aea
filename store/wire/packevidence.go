package wire

import (
	k "github.com/kangma/kangma"
)

// kinds are the kinds of evidence by their number; 0 is one that is not listed. The list may only grow at its end, up to 15.
var kinds = [...]k.EvidenceKind{"", k.KindStay, k.KindTrip, k.KindEntry, k.KindClinic, k.KindTest, k.KindVaccination, k.KindContact, k.KindManagement,
	k.KindDeclaration, k.KindTemperature, k.KindForeignCode, k.KindOverride, k.KindWithdrawal}

func kindNumber(kind k.EvidenceKind) uint64 {
	for i, name := range kinds[1:] {
		if name == kind {
			return uint64(i + 1)
		}
	}
	return 0
}

// evidence begins with a byte: the kind in the lower four bits, above it whether reported, received and batch are there and
// whether a byte of rarer things follows: no observed, no source, replaces, other payloads than the one of its kind.
func (p *packer) evidence(e *k.Evidence) {
	var kind, got, rare, head uint64
	if p.writing {
		kind, got = kindNumber(e.Kind), payloads(e)
		rare = bit(e.Observed.IsZero(), 0) | bit(e.Source == "", 1) | bit(!e.Replaces.IsZero(), 2) | bit(got != usual(kind), 3)
		head = kind | bit(!e.Reported.IsZero(), 4) | bit(!e.Received.IsZero(), 5) | bit(e.Batch != "", 6) | bit(rare != 0, 7)
		p.b = append(p.b, byte(head))
	} else {
		var b [1]byte
		p.raw(b[:])
		head = uint64(b[0])
	}
	if kind = head & 15; kind >= uint64(len(kinds)) {
		p.fail()
		return
	}
	if head&128 == 0 {
		rare = 0
	} else if rare = p.mask(rare, 4); rare == 0 {
		p.fail()
	}
	p.kind(e, kind)
	p.times(e, head, rare)
	if rare&2 == 0 {
		p.word(&e.Source, sourceText)
	}
	if head&64 != 0 {
		p.word(&e.Batch, batchText)
	}
	if rare&4 != 0 {
		if p.eventID((*[16]byte)(&e.Replaces)); e.Replaces.IsZero() {
			p.fail()
		}
	}
	if rare&8 == 0 {
		got = usual(kind)
	} else if got = p.mask(got, len(kinds)-1); got == usual(kind) {
		p.fail()
	}
	p.payload(e, got)
}

func (p *packer) kind(e *k.Evidence, number uint64) {
	switch {
	case p.writing && number == 0:
		p.text(string(e.Kind), anyText)
	case p.writing:
	case number != 0:
		e.Kind = kinds[number]
	default:
		if e.Kind = k.EvidenceKind(p.readText(anyText)); kindNumber(e.Kind) != 0 {
			p.fail()
		}
	}
}

// times are counted from the evidence before, then from when this one was observed, as is the id.
func (p *packer) times(e *k.Evidence, head, rare uint64) {
	if rare&1 == 0 {
		p.time(&e.Observed)
		p.ref = seconds(e.Observed)
	}
	p.eventID((*[16]byte)(&e.ID))
	if head&16 != 0 {
		p.time(&e.Reported)
	}
	if head&32 != 0 {
		p.time(&e.Received)
	}
}

// usual gives the payloads that evidence of a kind has: its own.
func usual(kind uint64) uint64 {
	if kind == 0 {
		return 0
	}
	return 1 << (kind - 1)
}

// payloads gives which payloads are there, by the numbers of their kinds.
func payloads(e *k.Evidence) uint64 {
	return bit(e.Stay != nil, 0) | bit(e.Trip != nil, 1) | bit(e.Entry != nil, 2) | bit(e.Clinic != nil, 3) | bit(e.Test != nil, 4) |
		bit(e.Vaccination != nil, 5) | bit(e.Contact != nil, 6) | bit(e.Management != nil, 7) | bit(e.Declaration != nil, 8) |
		bit(e.Temperature != nil, 9) | bit(e.ForeignCode != nil, 10) | bit(e.Override != nil, 11) | bit(e.Withdrawal != nil, 12)
}

func (p *packer) payload(e *k.Evidence, m uint64) {
	if m == 0 || p.err != nil {
		return
	}
	s := &p.slabs
	packOne(p, m>>0, &e.Stay, &s.stays, (*packer).stay)
	packOne(p, m>>4, &e.Test, &s.tests, (*packer).test)
	packOne(p, m>>8, &e.Declaration, &s.declarations, (*packer).declaration)
	if m&^(1|1<<4|1<<8) == 0 { // what most people have, and no more
		return
	}
	packOne(p, m>>1, &e.Trip, &s.trips, (*packer).trip)
	packOne(p, m>>2, &e.Entry, &s.entries, (*packer).entry)
	packOne(p, m>>3, &e.Clinic, &s.clinics, (*packer).clinic)
	packOne(p, m>>5, &e.Vaccination, &s.vaccinations, (*packer).vaccination)
	packOne(p, m>>6, &e.Contact, &s.contacts, (*packer).contact)
	packOne(p, m>>7, &e.Management, &s.managements, (*packer).management)
	packOne(p, m>>9, &e.Temperature, &s.temperatures, (*packer).temperature)
	packOne(p, m>>10, &e.ForeignCode, &s.foreignCodes, (*packer).foreignCode)
	packOne(p, m>>11, &e.Override, &s.overrides, (*packer).override)
	packOne(p, m>>12, &e.Withdrawal, &s.withdrawals, (*packer).withdrawal)
}

// slabs are rooms for payloads, a few at a time: most people have several of one kind.
type slabs struct {
	stays        []k.Stay
	trips        []k.Trip
	entries      []k.Entry
	clinics      []k.Clinic
	tests        []k.Test
	vaccinations []k.Vaccination
	contacts     []k.Contact
	managements  []k.Management
	declarations []k.Declaration
	temperatures []k.Temperature
	foreignCodes []k.ForeignCode
	overrides    []k.Override
	withdrawals  []k.Withdrawal
}

// packOne writes or reads a payload if bit 0 of m is set.
func packOne[T any](p *packer, m uint64, v **T, room *[]T, fields func(*packer, *T)) {
	if m&1 == 0 {
		return
	}
	if !p.writing {
		if len(*room) == 0 {
			*room = make([]T, 4)
		}
		*v, *room = &(*room)[0], (*room)[1:]
	}
	fields(p, *v)
}
