package rules

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
)

// reader walks a YAML tree strictly and gathers every fault with its place.
type reader struct {
	file   string
	faults []kangma.Fault
	places [][2]int // of the faults: line and column
}

func (r *reader) fault(n *yaml.Node, code, format string, args ...any) {
	r.faultAt(n.Line, n.Column, code, fmt.Sprintf(format, args...))
}

func (r *reader) faultAt(line, column int, code, what string) {
	const enough = 200 // a reader of faults stops long before
	if len(r.faults) < enough {
		at := sort.Search(len(r.places), func(i int) bool { return slices.Compare(r.places[i][:], []int{line, column}) > 0 }) // in the order of the file
		r.places = slices.Insert(r.places, at, [2]int{line, column})
		r.faults = slices.Insert(r.faults, at, kangma.Fault{Where: fmt.Sprintf("%s:%d:%d", r.file, line, column), Code: code, What: what})
	}
}

// mapping gives the fields of a mapping node. Unknown, repeated and missing fields are faults.
func (r *reader) mapping(n *yaml.Node, required, optional []string) map[string]*yaml.Node {
	fields := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		r.fault(n, "type", "expected fields: %s", strings.Join(slices.Concat(required, optional), ", "))
		return fields
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(required, key.Value) && !slices.Contains(optional, key.Value):
			r.fault(key, "unknown_field", "no such field here; expected one of %s", strings.Join(slices.Concat(required, optional), ", "))
		case fields[key.Value] != nil:
			r.fault(key, "repeated_field", "this field is given twice")
		case value.Kind == yaml.AliasNode:
			r.fault(value, "alias", "aliases are not part of the format")
		default:
			fields[key.Value] = value
		}
	}
	for _, k := range required {
		if fields[k] == nil {
			r.fault(n, "missing_field", "the field %s is missing", k)
		}
	}
	return fields
}

// text reads a scalar of 1 to most bytes; an absent node is the empty text.
func (r *reader) text(n *yaml.Node, most int) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null" || len(n.Value) > most {
		r.fault(n, "type", "expected a text of 1 to %d bytes", most)
		return ""
	}
	return n.Value
}

// texts reads {zh, en}; both languages are required.
func (r *reader) texts(n *yaml.Node) (t kangma.Text) {
	if n == nil {
		return t
	}
	f := r.mapping(n, []string{"zh", "en"}, nil)
	t.Zh, t.En = r.text(f["zh"], 2000), r.text(f["en"], 2000)
	return t
}

func (r *reader) choice(n *yaml.Node, otherwise string, words ...string) string {
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
		r.fault(n, "choice", "expected one of %s", strings.Join(words, ", "))
		return otherwise
	}
	return n.Value
}

func (r *reader) number(n *yaml.Node, otherwise, least, most int) int {
	if n == nil {
		return otherwise
	}
	var v int
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Decode(&v) != nil || v < least || v > most {
		r.fault(n, "range", "expected a whole number from %d to %d", least, most)
		return otherwise
	}
	return v
}

func (r *reader) boolean(n *yaml.Node, otherwise bool) bool {
	if n == nil {
		return otherwise
	}
	var v bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&v) != nil {
		r.fault(n, "type", "expected true or false")
	}
	return v
}

// date reads 2022-06-28 (midnight in zone) or a full RFC 3339 time; an absent node is the zero time.
func (r *reader) date(n *yaml.Node, zone *time.Location) time.Time {
	if n == nil {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, n.Value, zone); n.Kind == yaml.ScalarNode && err == nil {
			return t
		}
	}
	r.fault(n, "date", "expected a date such as 2022-06-28, or a time such as 2022-06-28T08:00:00+08:00")
	return time.Time{}
}

// list gives the elements of a sequence of at most n.
func (r *reader) list(n *yaml.Node, most int) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > most {
		r.fault(n, "type", "expected a list of 1 to %d", most)
		return nil
	}
	return n.Content
}
