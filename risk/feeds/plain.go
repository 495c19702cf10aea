package feeds

import (
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// plainEvidence reads a test in the plain form in which laboratories send millions of them: known members, each once, texts
// without escapes, no white space. It knows nothing of what is wrong: for any other line it says false, and the line is read
// by the general way (strictJSON), whose verdict and value it has for every line that it reads.
func plainEvidence(raw []byte, w *wireEvidence) bool {
	p := plain{rest: raw}
	ok := p.object(func(name string) bool {
		switch name {
		case "id":
			return p.event(&w.ID)
		case "kind":
			w.Kind = kangma.EvidenceKind(p.text(string(kangma.KindTest)))
		case "person":
			w.Person = p.text()
		case "id_type":
			w.IDType = p.text(kangma.DocResidentID)
		case "id_number":
			w.IDNumber = p.text()
		case "observed_at":
			return p.time(&w.Observed)
		case "reported_at":
			return p.time(&w.Reported)
		case "source":
			w.Source = p.text()
		case "test":
			w.Test = &kangma.Test{}
			return p.test(w.Test)
		default:
			return false
		}
		return !p.other
	})
	return ok && len(p.rest) == 0
}

func (p *plain) test(t *kangma.Test) bool {
	return p.object(func(name string) bool {
		switch name {
		case "method":
			t.Method = p.text(methods...)
		case "result":
			t.Result = p.text(results...)
		case "lab":
			t.Lab = p.text()
		case "lab_received":
			return p.time(&t.Received)
		default:
			return false
		}
		return !p.other
	})
}

// plain reads from the front of what is left of a line. other is set where the form is another.
type plain struct {
	rest  []byte
	other bool
}

// most members an object of the plain form may have.
const maxMembers = 16

// object reads {"name":value,…} with at least one member, no name twice; value reads the value of a name.
func (p *plain) object(value func(name string) bool) bool {
	var seen [maxMembers]string
	for n := range maxMembers {
		open := byte(',')
		if n == 0 {
			open = '{'
		}
		if !p.eat(open) {
			return false
		}
		quoted := p.quoted()
		if p.other || !p.eat(':') {
			return false
		}
		seen[n] = nameOf(quoted)
		if seen[n] == "" || slices.Contains(seen[:n], seen[n]) || !value(seen[n]) {
			return false
		}
		if p.eat('}') {
			return true
		}
	}
	return false
}

var plainNames = []string{"id", "kind", "person", "observed_at", "test", "method", "result", "lab", "id_type", "id_number", "reported_at", "source", "lab_received"}

// nameOf gives a known name without making a string; "": none of them.
func nameOf(quoted []byte) string {
	for _, n := range plainNames {
		if string(quoted[1:len(quoted)-1]) == n {
			return n
		}
	}
	return ""
}

func (p *plain) eat(b byte) bool {
	if len(p.rest) == 0 || p.rest[0] != b {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// quoted reads a text with its quotation marks. It has no escapes and no control characters; the line is known to be UTF-8.
func (p *plain) quoted() []byte {
	if len(p.rest) > 0 && p.rest[0] == '"' {
		for i := 1; i < len(p.rest); i++ {
			switch b := p.rest[i]; {
			case b == '"':
				q := p.rest[:i+1]
				p.rest = p.rest[i+1:]
				return q
			case b < ' ' || b == '\\':
				p.other = true
				return nil
			}
		}
	}
	p.other = true
	return nil
}

// text reads a text, one of the usual ones without making a string.
func (p *plain) text(usual ...string) string {
	q := p.quoted()
	if p.other {
		return ""
	}
	q = q[1 : len(q)-1]
	for _, u := range usual {
		if string(q) == u {
			return u
		}
	}
	return string(q)
}

func (p *plain) event(id *kangma.EventID) bool {
	q := p.quoted()
	return !p.other && id.UnmarshalText(q[1:len(q)-1]) == nil
}

// time reads a time by the same function as encoding/json does.
func (p *plain) time(t *time.Time) bool {
	q := p.quoted()
	return !p.other && t.UnmarshalJSON(q) == nil
}
