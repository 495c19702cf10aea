package rules

import (
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

// maxCited bounds the evidence named by one assignment.
const maxCited = 16

// block holds the parts of a usual assessment, so that it costs one allocation.
type block struct {
	assignments [2]kangma.Assignment
	refs        [3]kangma.EvidenceRef
	progress    [2]kangma.Progress
	notes       [2]kangma.Text
}

// smallBlock holds the parts of the commonest assessment that is not green.
type smallBlock struct {
	assignments [1]kangma.Assignment
	refs        [2]kangma.EvidenceRef
	progress    [1]kangma.Progress
	notes       [2]kangma.Text
}

// parts is where the pieces of one assessment are taken from.
type parts struct {
	assignments []kangma.Assignment
	refs        []kangma.EvidenceRef
	progress    []kangma.Progress
	notes       []kangma.Text
}

func (x *env) parts() parts {
	refs, progress, notes := 0, 0, 0
	for i := range x.fired {
		f := &x.fired[i]
		refs += min(f.items, maxCited)
		if f.rule.progress != nil {
			progress++
		}
		noted := 0
		for _, it := range x.items[f.start:][:min(f.items, maxCited)] {
			if it.Note() > 0 {
				noted++
			}
		}
		if noted > 0 { // and one on how that was taken
			notes += noted + 1
		}
	}
	if len(x.fired) == 1 && refs <= 2 && notes <= 2 {
		b := new(smallBlock)
		return parts{b.assignments[:0], b.refs[:0], b.progress[:0], b.notes[:0]}
	}
	var b block
	if len(x.fired) <= len(b.assignments) && refs <= len(b.refs) && progress <= len(b.progress) && notes <= len(b.notes) {
		b := new(block)
		return parts{b.assignments[:0], b.refs[:0], b.progress[:0], b.notes[:0]}
	}
	p := parts{assignments: make([]kangma.Assignment, 0, len(x.fired)), refs: make([]kangma.EvidenceRef, 0, refs)}
	if progress > 0 {
		p.progress = make([]kangma.Progress, 0, progress)
	}
	if notes > 0 {
		p.notes = make([]kangma.Text, 0, notes)
	}
	return p
}

// assemble turns what fired into the assessment.
func (s *Set) assemble(x *env, out *kangma.Assessment) {
	if x.next != facts.Never {
		out.NextChange = s.time(x.next)
	}
	out.Told, out.Colour = true, kangma.Green
	if len(x.fired) > 0 {
		x.sortFired()
		p := x.parts()
		coloured := 0
		for i := range x.fired {
			s.assignment(x, &x.fired[i], &p)
			if !x.fired[i].rule.duty {
				coloured++
			}
		}
		if coloured > 0 {
			out.Assignments = p.assignments[:coloured:coloured]
			out.Colour, out.Label = p.assignments[0].Colour, p.assignments[0].Label
		}
		if coloured < len(p.assignments) {
			out.Duties = p.assignments[coloured:]
		}
	}
	if x.noAreas && out.Colour != kangma.Red {
		out.Told, out.CannotTell, out.Colour = false, kangma.TellNoRules, kangma.Red
	}
}

// sortFired puts the worst first: by colour, duties last, then what lasts longest, then the order of the file.
func (x *env) sortFired() {
	for i := 1; i < len(x.fired); i++ {
		for j := i; j > 0 && before(&x.fired[j], &x.fired[j-1]); j-- {
			x.fired[j], x.fired[j-1] = x.fired[j-1], x.fired[j]
		}
	}
}

func before(a, b *firing) bool {
	if a.rule.duty != b.rule.duty {
		return b.rule.duty
	}
	if a.rule.colour != b.rule.colour {
		return a.rule.colour.Worse(b.rule.colour)
	}
	return a.until > b.until
}

func (s *Set) time(t facts.Micros) time.Time { return time.UnixMicro(t).In(s.cal.Zone) }

func (s *Set) assignment(x *env, f *firing, p *parts) {
	r := f.rule
	a := kangma.Assignment{
		Rule: r.id, Colour: r.colour, Label: r.label, Since: s.time(f.since), Until: s.time(f.until),
		Reason: r.reason, Guidance: r.guidance, Clears: r.clears, Source: r.source,
	}
	if r.duty {
		a.Colour = kangma.Green
	}
	items := x.items[f.start:][:min(f.items, maxCited)]
	firstRef, firstNote := len(p.refs), len(p.notes)
	for _, it := range items {
		p.refs = append(p.refs, kangma.EvidenceRef{ID: it.Ev.ID, Kind: it.Ev.Kind, Source: it.Ev.Source, Observed: it.Ev.Observed, Received: it.Ev.Received})
		if n, ok := x.note(it); ok {
			p.notes = append(p.notes, n)
		}
	}
	a.Evidence = p.refs[firstRef:len(p.refs):len(p.refs)]
	if len(p.notes) > firstNote {
		p.notes = append(p.notes, s.unclearNote())
		n := len(p.notes)
		a.Notes = p.notes[firstNote:n:n]
	}
	if r.progress != nil {
		st := x.f.Status(r.progress, f.anchor)
		pr := kangma.Progress{Have: st.Have, Need: st.Need, What: r.what}
		if st.Next != facts.Never {
			pr.Next = s.time(st.Next)
		}
		p.progress = append(p.progress, pr)
		a.Progress = &p.progress[len(p.progress)-1]
	}
	p.assignments = append(p.assignments, a)
}
