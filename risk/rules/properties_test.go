package rules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/facts"
)

// people asks check about many random people under every preset.
func people(t *testing.T, seed uint64, wild bool, each int, check func(t *testing.T, g *gen, s *Set, in Input)) {
	t.Helper()
	t.Logf("seed %d", seed)
	g := newGen(seed, wild)
	for s := range everySet {
		for range each {
			in := Input{Dossier: g.dossier(g.IntN(16)), Areas: g.table(), At: g.time()}
			if g.IntN(3) == 0 {
				in.Known = g.time()
			}
			check(t, g, s, in)
			if t.Failed() {
				return
			}
		}
	}
}

func brief(a kangma.Assessment) string {
	s := fmt.Sprintf("told %v %s %v %v next %v", a.Told, a.Colour, ruleNames(a.Assignments), ruleNames(a.Duties), a.NextChange)
	for _, x := range append(slices.Clone(a.Assignments), a.Duties...) {
		s += fmt.Sprintf(" [%s %v-%v %d]", x.Rule, x.Since, x.Until, len(x.Evidence))
	}
	return s
}

func TestTheOrderAndRepetitionOfEvidenceDoNotMatter(t *testing.T) {
	people(t, 11, true, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		want := s.Evaluate(in)
		d := *in.Dossier
		d.Evidence = slices.Clone(d.Evidence)
		for range g.IntN(4) {
			if len(d.Evidence) > 0 {
				again := d.Evidence[g.IntN(len(d.Evidence))]
				d.Evidence = append(d.Evidence, again)
			}
		}
		g.Shuffle(len(d.Evidence), func(i, j int) { d.Evidence[i], d.Evidence[j] = d.Evidence[j], d.Evidence[i] })
		in.Dossier = &d
		if got := s.Evaluate(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %s\nwant %s", s.ref.ID, brief(got), brief(want))
		}
	})
}

func TestTwoEventsOfOneIDAreResolvedTheSameWayInAnyOrder(t *testing.T) {
	people(t, 12, false, 40, func(t *testing.T, g *gen, s *Set, in Input) {
		d := *in.Dossier
		if len(d.Evidence) == 0 {
			return
		}
		clash := g.evidence()
		clash.ID = d.Evidence[g.IntN(len(d.Evidence))].ID
		forward := kangma.Dossier{Person: d.Person, Evidence: append(slices.Clone(d.Evidence), clash)}
		backward := kangma.Dossier{Person: d.Person, Evidence: append([]kangma.Evidence{clash}, d.Evidence...)}
		a, b := in, in
		a.Dossier, b.Dossier = &forward, &backward
		if x, y := s.Evaluate(a), s.Evaluate(b); !reflect.DeepEqual(x, y) {
			t.Errorf("%s\n%s\n%s", s.ref.ID, brief(x), brief(y))
		}
	})
}

func TestAWithdrawnBatchLeavesNothingBehind(t *testing.T) {
	people(t, 13, false, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		in.Known = time.Time{}
		with, without := *in.Dossier, *in.Dossier
		with.Evidence = append(slices.Clone(with.Evidence), kangma.Evidence{ID: kangma.EventID{0xfe}, Kind: kangma.KindWithdrawal,
			Source: "feed", Observed: in.At.Add(time.Hour), Withdrawal: &kangma.Withdrawal{Batch: "b2"}})
		without.Evidence = slices.DeleteFunc(slices.Clone(without.Evidence), func(e kangma.Evidence) bool { return e.Batch == "b2" })
		a, b := in, in
		a.Dossier, b.Dossier = &with, &without
		got, want := s.Evaluate(a), s.Evaluate(b)
		got.NextChange, want.NextChange = time.Time{}, time.Time{} // the withdrawal itself lies ahead here
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %s\nwant %s", s.ref.ID, brief(got), brief(want))
		}
	})
}

// What another source sends takes nothing back, whatever comes first: the person is judged as if it said nothing of the
// event it names.
func TestNobodyTakesBackWhatAnotherSourceReported(t *testing.T) {
	changed := 0
	people(t, 15, true, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		in.Known = time.Time{}
		if len(in.Dossier.Evidence) == 0 {
			return
		}
		target := in.Dossier.Evidence[g.IntN(len(in.Dossier.Evidence))]
		correction := g.evidence()
		correction.Source, correction.Batch, correction.ID = "stranger", "", kangma.EventID{byte(g.IntN(2) * 0xff), 1} // before or after its target
		if correction.Observed.After(in.At) {
			correction.Observed = in.At
		}
		plain := correction // what it says besides counts
		correction.Replaces = target.ID
		if g.IntN(2) == 0 {
			correction = kangma.Evidence{ID: correction.ID, Source: "stranger", Kind: kangma.KindWithdrawal, Observed: correction.Observed,
				Withdrawal: &kangma.Withdrawal{Event: target.ID, Batch: target.Batch}}
			plain = correction
			plain.Withdrawal = &kangma.Withdrawal{Event: kangma.EventID{0xee}}
		}
		ask := func(extra kangma.Evidence) kangma.Assessment {
			d := *in.Dossier
			d.Evidence = append(slices.Clone(d.Evidence), extra)
			q := in
			q.Dossier = &d
			return s.Evaluate(q)
		}
		if got, want := ask(correction), ask(plain); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %s\nwant %s", s.ref.ID, brief(got), brief(want))
		}
		if correction.Source = target.Source; ask(correction).Colour != ask(plain).Colour { // the same from the source itself does
			changed++
		}
	})
	if changed < 20 {
		t.Errorf("only %d corrections by the source itself changed a colour", changed)
	}
}

func TestACorrectionStandsInThePlaceOfWhatItCorrects(t *testing.T) {
	people(t, 14, false, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		if len(in.Dossier.Evidence) == 0 {
			return
		}
		in.Known = time.Time{}
		i := g.IntN(len(in.Dossier.Evidence))
		old, better := in.Dossier.Evidence[i], g.evidence()
		better.ID, better.Batch = kangma.EventID{0xfe}, ""
		if slices.ContainsFunc(in.Dossier.Evidence, func(e kangma.Evidence) bool { return e.Withdrawal != nil || !e.Replaces.IsZero() }) {
			return // what is already corrected is another matter
		}
		corrected, plain := *in.Dossier, *in.Dossier
		corrected.Evidence = append(slices.Clone(corrected.Evidence), better)
		corrected.Evidence[len(corrected.Evidence)-1].Replaces = old.ID
		plain.Evidence = append(slices.Delete(slices.Clone(plain.Evidence), i, i+1), better)
		a, b := in, in
		a.Dossier, b.Dossier = &corrected, &plain
		if got, want := s.Evaluate(a), s.Evaluate(b); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %s\nwant %s", s.ref.ID, brief(got), brief(want))
		}
	})
}

func TestWhatWasKnownThenIsWhatTheDossierHeldThen(t *testing.T) {
	people(t, 15, false, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		in.Known = g.time()
		in.Areas = nil // the table has a known of its own
		got := s.Evaluate(in)
		held := *in.Dossier
		held.Evidence = slices.DeleteFunc(slices.Clone(held.Evidence), func(e kangma.Evidence) bool {
			r := e.Received
			if r.IsZero() {
				r = e.Observed
			}
			return r.After(in.Known)
		})
		then := in
		then.Dossier, then.Known = &held, time.Time{}
		want := s.Evaluate(then)
		want.KnownAt = in.Known
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %s\nwant %s", s.ref.ID, brief(got), brief(want))
		}
	})
}

func TestNothingChangesBeforeNextChange(t *testing.T) {
	moved := 0
	people(t, 16, false, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		in.Areas = asOf{in.Areas, in.At} // a list that comes later is news
		now := s.Evaluate(in)
		until := in.At.AddDate(0, 0, 40)
		if !now.NextChange.IsZero() {
			if !now.NextChange.After(in.At) {
				t.Fatalf("%s: next change %v is not after %v", s.ref.ID, now.NextChange, in.At)
			}
			until = now.NextChange
		}
		for range 6 {
			later := in
			later.At = in.At.Add(time.Duration(g.Int64N(int64(until.Sub(in.At)))))
			a := s.Evaluate(later)
			if a.Told != now.Told || a.Colour != now.Colour || !slices.Equal(ruleNames(a.Assignments), ruleNames(now.Assignments)) || !slices.Equal(ruleNames(a.Duties), ruleNames(now.Duties)) {
				t.Fatalf("%s at %v:\n%s\nat %v:\n%s", s.ref.ID, in.At, brief(now), later.At, brief(a))
			}
			moved++
		}
	})
	if moved < 1000 {
		t.Errorf("only %d moments compared", moved)
	}
}

// asOf is an area table as it was public at a moment.
type asOf struct {
	Areas
	at time.Time
}

func (t asOf) LevelAt(p kangma.Place, from, to, known time.Time) areas.Hit {
	if known.IsZero() || t.at.Before(known) {
		known = t.at
	}
	return t.Areas.LevelAt(p, from, to, known)
}

func TestNoEvidenceOfAnyShapePanicsOrHidesARedAssignment(t *testing.T) {
	people(t, 17, true, 400, func(t *testing.T, g *gen, s *Set, in Input) {
		if g.IntN(20) == 0 {
			in.Areas = nil
		}
		if g.IntN(40) == 0 {
			in.At = time.Time{}
		}
		wellFormed(t, s, in, s.Evaluate(in))
	})
}

// wellFormed checks what holds of every assessment.
func wellFormed(t *testing.T, s *Set, in Input, a kangma.Assessment) {
	t.Helper()
	if !a.Told {
		if a.CannotTell == "" {
			t.Errorf("%s: could not tell, without saying why", s.ref.ID)
		}
		return
	}
	worst := kangma.Green
	for i, x := range a.Assignments {
		if x.Colour.Worse(worst) {
			worst = x.Colour
		}
		if i > 0 && x.Colour.Worse(a.Assignments[i-1].Colour) {
			t.Errorf("%s: not the worst first: %s", s.ref.ID, brief(a))
		}
	}
	if a.Colour != worst {
		t.Errorf("%s: colour %s with %s in force", s.ref.ID, a.Colour, worst)
	}
	at := time.UnixMicro(facts.ToMicros(in.At)) // moments are kept between 1900 and 2200
	for _, x := range append(slices.Clone(a.Assignments), a.Duties...) {
		if x.Since.After(at) || !x.Until.After(at) {
			t.Errorf("%s: %s from %v to %v is not in force at %v", s.ref.ID, x.Rule, x.Since, x.Until, in.At)
		}
		if x.Until.Sub(x.Since) > 181*24*time.Hour {
			t.Errorf("%s: %s never ends: %v", s.ref.ID, x.Rule, x.Until)
		}
		if x.Reason.Zh == "" || x.Reason.En == "" || x.Guidance.Zh == "" || x.Clears.En == "" || x.Rule == "" {
			t.Errorf("%s: %s does not explain itself", s.ref.ID, x.Rule)
		}
		if p := x.Progress; p != nil && (p.Have < 0 || p.Have > p.Need || p.What.Zh == "") {
			t.Errorf("%s: %s progress %+v", s.ref.ID, x.Rule, *p)
		}
	}
}

func TestWhatIfAddsEvidenceAndTouchesNothing(t *testing.T) {
	s, err := Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	g := newGen(18, false)
	d := &kangma.Dossier{Person: kangma.PersonID{1}}
	in := Input{Dossier: d, Areas: g.table(), At: g.base}
	contact := kangma.Evidence{Kind: kangma.KindContact, Observed: g.base.Add(-time.Hour), Contact: &kangma.Contact{Degree: "close"}}
	if a := s.WhatIf(in, contact, contact); a.Colour != kangma.Red || len(a.Assignments) != 1 {
		t.Errorf("with a contact: %s", brief(a))
	}
	if a := s.Evaluate(in); a.Colour != kangma.Green || len(d.Evidence) != 0 {
		t.Errorf("the dossier was touched: %s", brief(a))
	}
	d.Evidence = []kangma.Evidence{contact}
	dose := kangma.Evidence{ID: kangma.EventID{0, 1}, Kind: kangma.KindVaccination, Observed: g.base, Vaccination: &kangma.Vaccination{Dose: 3}}
	if a := s.WhatIf(in, dose, dose); a.Colour != kangma.Red || len(d.Evidence) != 1 || d.Evidence[0].Kind != kangma.KindContact {
		t.Errorf("what was there counts too: %s", brief(a))
	}
	if a := s.WhatIf(Input{At: g.base}, contact); a.CannotTell != kangma.TellUnknownPerson {
		t.Errorf("nobody: %s", brief(a))
	}
}

func TestASetIsSharedByGoroutines(t *testing.T) {
	s, err := Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	g := newGen(19, false)
	table := g.table()
	var ins []Input
	var want []kangma.Assessment
	for range 40 {
		in := Input{Dossier: g.dossier(8), Areas: table, At: g.time()}
		ins, want = append(ins, in), append(want, s.Evaluate(in))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				for i, in := range ins {
					if got := s.Evaluate(in); !reflect.DeepEqual(got, want[i]) {
						t.Errorf("got %s, want %s", brief(got), brief(want[i]))
					}
				}
			}
		})
	}
	wg.Wait()
}

// A dossier that somebody filled with rubbish costs time in proportion, not its square in area look-ups.
func TestAHugeDossierAsksTheTableOncePerStay(t *testing.T) {
	s, err := Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	g := newGen(20, false)
	table := &counting{Areas: g.table()}
	in := Input{Dossier: g.dossier(3000), Areas: table, At: g.base}
	wellFormed(t, s, in, s.Evaluate(in))
	if table.asked == 0 || table.asked > 3*3000 {
		t.Errorf("%d look-ups for 3000 pieces of evidence", table.asked)
	}
}

type counting struct {
	Areas
	asked int
}

func (c *counting) LevelAt(p kangma.Place, from, to, known time.Time) areas.Hit {
	c.asked++
	return c.Areas.LevelAt(p, from, to, known)
}

// The short answer is the long one's, and holds until the moment it names.
func TestTheBriefAnswerIsThatOfTheWholeAssessment(t *testing.T) {
	flips := 0
	people(t, 21, true, 80, func(t *testing.T, g *gen, s *Set, in Input) {
		switch g.IntN(12) {
		case 0:
			in.Areas = nil
		case 1:
			in.Dossier = nil
		}
		same := func(in Input) Brief {
			b, a := s.Brief(in), s.Evaluate(in)
			if b.Told != a.Told || b.Told && b.Colour != a.Colour || b.Reason != a.ReasonCode() {
				t.Errorf("%s\n got %+v\nwant %s", s.ref.ID, b, brief(a))
			}
			return b
		}
		now := same(in)
		if in.Areas == nil || in.Dossier == nil || !in.Known.IsZero() || in.At.Year() != 2022 {
			return
		}
		in.Areas = asOf{in.Areas, in.At} // no news
		now = same(in)
		later := in
		later.At = in.At.AddDate(0, 0, 50)
		if !now.NextChange.IsZero() && now.NextChange.Before(later.At) {
			later.At = now.NextChange
			if b := s.Brief(later); b.Colour != now.Colour || b.Reason != now.Reason {
				flips++
			}
			later.At = now.NextChange.Add(-time.Microsecond)
		}
		if later.At.Before(in.At) {
			return
		}
		for range 4 {
			if b := s.Brief(later); b.Told != now.Told || b.Colour != now.Colour || b.Reason != now.Reason {
				t.Errorf("%s at %v: %+v, at %v: %+v", s.ref.ID, in.At, now, later.At, b)
			}
			if later.At.Sub(in.At) <= 0 {
				return
			}
			later.At = in.At.Add(time.Duration(g.Int64N(int64(later.At.Sub(in.At)) + 1)))
		}
	})
	if flips < 100 {
		t.Errorf("only %d of the changes named were changes", flips)
	}
}

// Whatever is known of a person, every line of the explanation is whole in both languages.
func TestEveryLineOfAnExplanationIsWhole(t *testing.T) {
	facts := map[kangma.EvidenceKind]bool{}
	people(t, 23, true, 60, func(t *testing.T, g *gen, s *Set, in Input) {
		a := s.Evaluate(in)
		with, without := Paragraphs(a, in.Dossier, s.Zone()), Paragraphs(a, nil, s.Zone())
		if len(with) != len(without) {
			t.Errorf("%d paragraphs with the dossier, %d without", len(with), len(without))
		}
		for i, p := range with {
			for j, l := range append([]kangma.Text{p.Head}, p.Lines...) {
				if l.Zh == "" || l.En == "" || strings.Contains(l.Zh+l.En, "%!") {
					t.Errorf("%s: paragraph %d, line %d: %q", s.ref.ID, i, j, l)
				}
				if j > 0 && l != without[i].Lines[j-1] && len(a.Assignments) > i-1 {
					for _, e := range a.Assignments[max(i-1, 0)].Evidence {
						facts[e.Kind] = true
					}
				}
			}
		}
	})
	if len(facts) < 8 {
		t.Errorf("the dossier told more of %d kinds only: %v", len(facts), facts)
	}
}
