package interop

import (
	"time"

	"github.com/kangma/kangma"
)

// Report is the colour another region gives a person (转码). It arrives hours late (domain.md 1.5: two to four), so that its
// own time counts and the time of its arrival never does.
type Report struct {
	Region kangma.Division
	Status Status
	Issued time.Time // when the other region gave it
	Reason string
}

// Evidence makes evidence of a report: it keeps the region as its source and the time the region gave it as its own. What
// tells no colour is no evidence: ok is false, and an earlier colour of that region stays as old as it is.
func (r Report) Evidence(id kangma.EventID, received time.Time) (ev kangma.Evidence, ok bool) {
	if !r.Status.Told || r.Region.Rank() == kangma.NoDivision || r.Issued.IsZero() || r.Issued.After(received) {
		return ev, false
	}
	return kangma.Evidence{
		ID: id, Kind: kangma.KindForeignCode, Observed: r.Issued, Reported: r.Issued,
		ForeignCode: &kangma.ForeignCode{Region: r.Region, Colour: r.Status.Colour, Issued: r.Issued, Reason: r.Reason},
	}, true
}

// Newest gives each region's newest colour among a person's evidence, as of a time: what an answer to another system may
// still say. A region's older colour never comes back because it arrived later.
func Newest(all []kangma.Evidence, at time.Time) map[kangma.Division]kangma.Evidence {
	newest := map[kangma.Division]kangma.Evidence{}
	for _, ev := range all {
		f := ev.ForeignCode
		if f == nil || age(ev).After(at) {
			continue
		}
		old, has := newest[f.Region]
		switch {
		case !has, age(ev).After(age(old)), age(ev).Equal(age(old)) && f.Colour.Worse(old.ForeignCode.Colour):
			newest[f.Region] = ev
		}
	}
	return newest
}

// age gives a foreign colour's own time: when the region gave it.
func age(ev kangma.Evidence) time.Time {
	if issued := ev.ForeignCode.Issued; !issued.IsZero() && issued.Before(ev.Observed) {
		return issued
	}
	return ev.Observed
}
