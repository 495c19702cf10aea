package wire

import (
	k "github.com/kangma/kangma"
)

// Each payload is a mask of what is there and then that, in order. A flag is its bit in the mask.

func (p *packer) stay(s *k.Stay) {
	m := p.mask(bit(s.Place != k.Place{}, 0)|bit(!s.From.IsZero(), 1)|bit(!s.To.IsZero(), 2), 3)
	if m&1 != 0 {
		p.place(&s.Place, true)
	}
	if m&2 != 0 {
		p.time(&s.From)
	}
	if m&4 != 0 {
		p.time(&s.To)
	}
}

func (p *packer) trip(t *k.Trip) {
	m := p.mask(bit(t.Mode != "", 0)|bit(t.Number != "", 1)|bit(!t.Departed.IsZero(), 2)|bit(!t.Arrived.IsZero(), 3)|bit(t.From != k.Place{}, 4)|
		bit(t.To != k.Place{}, 5)|bit(t.Carriage != "", 6)|bit(t.Seat != "", 7)|bit(t.Sealed, 8)|bit(t.Crew, 9), 10)
	p.wordIf(m, 0, &t.Mode)
	p.wordIf(m, 1, &t.Number)
	if m&4 != 0 {
		p.time(&t.Departed)
	}
	if m&8 != 0 {
		p.time(&t.Arrived)
	}
	if m&16 != 0 {
		p.place(&t.From, true)
	}
	if m&32 != 0 {
		p.place(&t.To, true)
	}
	p.wordIf(m, 6, &t.Carriage)
	p.wordIf(m, 7, &t.Seat)
	p.flag(&t.Sealed, m, 8)
	p.flag(&t.Crew, m, 9)
}

func (p *packer) entry(e *k.Entry) {
	m := p.mask(bit(e.Country != "", 0)|bit(e.Port != 0, 1), 2)
	p.wordIf(m, 0, &e.Country)
	if m&2 != 0 {
		p.division(&e.Port)
	}
}

func (p *packer) clinic(v *k.Clinic) {
	m := p.mask(bit(v.What != "", 0)|bit(v.Diagnosis != "", 1)|bit(v.Drug != "", 2)|bit(v.Place != 0, 3), 4)
	p.wordIf(m, 0, &v.What)
	p.wordIf(m, 1, &v.Diagnosis)
	p.wordIf(m, 2, &v.Drug)
	if m&8 != 0 {
		p.division(&v.Place)
	}
}

// test has a bit of its own for what nearly all are: pcr, negative. Then the bits of method and result are not set.
func (p *packer) test(t *k.Test) {
	plain := t.Method == "pcr" && t.Result == "negative"
	m := p.mask(bit(t.Method != "" && !plain, 0)|bit(t.Result != "" && !plain, 1)|bit(!t.Received.IsZero(), 2)|bit(t.Lab != "", 3)|bit(plain, 4), 5)
	p.wordIf(m, 0, &t.Method)
	p.wordIf(m, 1, &t.Result)
	if !p.writing {
		plain = m&16 != 0
		if plain && m&3 != 0 || !plain && t.Method == "pcr" && t.Result == "negative" {
			p.fail()
		}
		if plain {
			t.Method, t.Result = "pcr", "negative"
		}
	}
	if m&4 != 0 {
		p.time(&t.Received)
	}
	if m&8 != 0 {
		p.word(&t.Lab, labText)
	}
}

func (p *packer) vaccination(v *k.Vaccination) {
	m := p.mask(bit(v.Dose != 0, 0)|bit(v.Product != "", 1), 2)
	p.numberIf(m, 0, &v.Dose)
	p.wordIf(m, 1, &v.Product)
}

func (p *packer) contact(v *k.Contact) {
	m := p.mask(bit(v.Degree != "", 0)|bit(v.Case != "", 1)|bit(v.Setting != "", 2)|bit(v.Trip != nil, 3)|bit(v.CaseSeat != "", 4)|bit(v.CaseCarriage != "", 5), 6)
	p.wordIf(m, 0, &v.Degree)
	p.wordIf(m, 1, &v.Case)
	p.wordIf(m, 2, &v.Setting)
	packOne(p, m>>3, &v.Trip, &p.trips, (*packer).trip)
	p.wordIf(m, 4, &v.CaseSeat)
	p.wordIf(m, 5, &v.CaseCarriage)
}

func (p *packer) management(v *k.Management) {
	m := p.mask(bit(v.Measure != "", 0)|bit(!v.From.IsZero(), 1)|bit(!v.Until.IsZero(), 2)|bit(v.Cause != "", 3)|bit(v.Done, 4), 5)
	p.wordIf(m, 0, &v.Measure)
	if m&2 != 0 {
		p.time(&v.From)
	}
	if m&4 != 0 {
		p.time(&v.Until)
	}
	p.wordIf(m, 3, &v.Cause)
	p.flag(&v.Done, m, 4)
}

func (p *packer) declaration(d *k.Declaration) {
	m := p.mask(bit(len(d.Symptoms) > 0, 0)|bit(d.Temperature != 0, 1)|bit(d.Contact != "", 2)|bit(len(d.Visited) > 0, 3)|bit(d.CheckIn, 4), 5)
	if m&1 != 0 {
		packList(p, &d.Symptoms, 1, (*packer).symptom)
	}
	p.numberIf(m, 1, &d.Temperature)
	p.wordIf(m, 2, &d.Contact)
	if m&8 != 0 {
		packList(p, &d.Visited, 1, func(p *packer, v *k.Place) { p.place(v, false) })
	}
	p.flag(&d.CheckIn, m, 4)
}

func (p *packer) temperature(t *k.Temperature) { p.number(&t.Tenths) }

func (p *packer) foreignCode(f *k.ForeignCode) {
	m := p.mask(bit(f.Region != 0, 0)|bit(!f.Issued.IsZero(), 1)|bit(f.Reason != "", 2), 3)
	if m&1 != 0 {
		p.division(&f.Region)
	}
	p.colour(&f.Colour)
	if m&2 != 0 {
		p.time(&f.Issued)
	}
	p.wordIf(m, 2, &f.Reason)
}

func (p *packer) override(o *k.Override) {
	m := p.mask(bit(o.Reason != "", 0)|bit(!o.Until.IsZero(), 1)|bit(o.Reference != "", 2)|bit(o.Requested != "", 3)|bit(o.Approved != "", 4), 5)
	p.colour(&o.Colour)
	p.wordIf(m, 0, &o.Reason)
	if m&2 != 0 {
		p.time(&o.Until)
	}
	p.wordIf(m, 2, &o.Reference)
	p.wordIf(m, 3, &o.Requested)
	p.wordIf(m, 4, &o.Approved)
}

func (p *packer) withdrawal(w *k.Withdrawal) {
	m := p.mask(bit(!w.Event.IsZero(), 0)|bit(w.Batch != "", 1)|bit(w.Reason != "", 2), 3)
	if m&1 != 0 {
		if p.eventID((*[16]byte)(&w.Event)); w.Event.IsZero() {
			p.fail()
		}
	}
	if m&2 != 0 {
		p.word(&w.Batch, batchText)
	}
	p.wordIf(m, 2, &w.Reason)
}

func (p *packer) wordIf(m uint64, n int, s *string) {
	if m>>n&1 != 0 {
		p.word(s, anyText)
	}
}

// symptom is a text that may be empty.
func (p *packer) symptom(s *string) {
	if p.writing {
		p.text(*s, anyText)
	} else {
		*s = p.readText(anyText)
	}
}

func (p *packer) number(v *int) {
	if p.writing {
		p.signed(int64(*v))
	} else {
		*v = int(p.signed(0))
	}
}

func (p *packer) numberIf(m uint64, n int, v *int) {
	if m>>n&1 == 0 {
		return
	}
	if p.number(v); *v == 0 {
		p.fail()
	}
}

// colour writes one that does not exist as the zero colour, which denies.
func (p *packer) colour(v *k.Colour) {
	if p.writing {
		n := *v
		if n > k.Green {
			n = 0
		}
		p.num(uint64(n))
		return
	}
	n := p.num(0)
	if n > uint64(k.Green) {
		p.fail()
		return
	}
	*v = k.Colour(n)
}
