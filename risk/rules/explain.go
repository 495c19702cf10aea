package rules

import (
	"github.com/kangma/kangma"
)

// RuleDoc is one rule for people who maintain rules.
type RuleDoc struct {
	ID       string      `json:"id"`
	Colour   string      `json:"colour"` // red, yellow, or none for a duty
	Label    string      `json:"label,omitempty"`
	On       string      `json:"on,omitempty"`
	When     string      `json:"when,omitempty"`
	Since    string      `json:"since,omitempty"`
	Until    string      `json:"until"`
	Progress string      `json:"progress,omitempty"`
	Reason   kangma.Text `json:"reason"`
	Guidance kangma.Text `json:"guidance"`
	Clears   kangma.Text `json:"clears"`
	Source   string      `json:"source,omitempty"`
}

// Rules describes the rules in the order of the file, those for colours set by hand last.
func (s *Set) Rules() []RuleDoc {
	out := make([]RuleDoc, 0, len(s.rules))
	for i := range s.rules {
		r := &s.rules[i]
		colour := r.colour.String()
		if r.duty {
			colour = "none"
		}
		out = append(out, RuleDoc{r.id, colour, r.label, r.texts.on, r.texts.when, r.texts.since, r.texts.until, r.texts.progress,
			r.reason, r.guidance, r.clears, r.source})
	}
	return out
}

// FunctionDoc is one function or field of the rule language.
type FunctionDoc struct {
	Name   string // as written: it.within(int)
	Result string
	Doc    string
}

// Language lists every function of the rule language and every field of it, in the order of the manual.
func Language() []FunctionDoc {
	var out []FunctionDoc
	for _, f := range functions {
		name := f.name
		switch f.recv {
		case itemType:
			name = "it." + name
		case personType:
			name = "person." + name
		}
		name += "("
		for i, a := range f.args {
			if i > 0 {
				name += ", "
			}
			name += shortType(a.String())
		}
		out = append(out, FunctionDoc{name + ")", shortType(f.result.String()), f.doc})
	}
	for _, name := range fieldNames() {
		f := itemFields[name]
		out = append(out, FunctionDoc{"it." + name, shortType(f.node.typ.String()), f.doc})
	}
	return out
}

func shortType(s string) string {
	switch s {
	case "kangma.selector":
		return "selection"
	case "kangma.schedule":
		return "schedule"
	case "google.protobuf.Timestamp":
		return "timestamp"
	}
	return s
}
