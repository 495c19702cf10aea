package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // a rule set means the same on a machine without zone files
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

// Bounds of a rule file.
const (
	maxFile  = 256 << 10
	maxRules = 200
	// costLimit bounds what one evaluation of the set may walk: each function of an expression counts the items it may
	// look at in a typical dossier. The largest preset is below a fifth of it.
	costLimit = 4000
)

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Load reads, checks and compiles a rule file. name is only for messages. The error is a kangma.Error of kind Invalid
// with every fault found: file:line:column and what was expected.
func Load(name string, file []byte) (*Set, error) {
	r := &reader{file: name}
	s := r.load(file)
	if len(r.faults) > 0 {
		e := kangma.E(kangma.Invalid, "rules", "the rule file has faults; mend them and load it again")
		e.Faults = r.faults
		return nil, e
	}
	return s, nil
}

func (r *reader) load(file []byte) *Set {
	if len(file) > maxFile {
		r.faultAt(1, 1, "too_large", "a rule file has at most 256 KiB")
		return nil
	}
	if !utf8.Valid(file) {
		r.faultAt(1, 1, "utf8", "the file is not UTF-8")
		return nil
	}
	top := r.document(file)
	if top == nil {
		return nil
	}
	return r.set(top, file)
}

// document gives the top node of a file that holds exactly one YAML document; nil with a fault where it does not.
func (r *reader) document(file []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(file))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil || len(doc.Content) != 1 {
		line, what := yamlFault(err)
		r.faultAt(line, 1, "yaml", what)
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		r.faultAt(1, 1, "yaml", "expected one document")
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

func yamlFault(err error) (line int, what string) {
	if err == nil || errors.Is(err, io.EOF) {
		return 1, "the file is empty"
	}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		for _, d := range m[1] {
			line = min(line*10+int(d-'0'), 1<<20)
		}
		return max(line, 1), "not YAML: " + m[2]
	}
	return 1, "not YAML"
}

func (r *reader) set(n *yaml.Node, file []byte) *Set {
	f := r.mapping(n, []string{"id", "version", "title", "timezone", "rules"},
		[]string{"in_force", "day", "areas", "unclear_stays", "max_days", "labels", "sources", "weakness", "overrides"})
	s := &Set{title: r.texts(f["title"]), weakness: r.texts(f["weakness"])}
	s.ref.ID, s.ref.Version = r.id(f["id"]), r.text(f["version"], 64)
	sum := sha256.Sum256(file)
	s.ref.Digest = hex.EncodeToString(sum[:])
	r.header(s, f)
	labels := map[kangma.Colour]string{}
	if l := f["labels"]; l != nil {
		m := r.mapping(l, nil, []string{"red", "yellow", "green"})
		for c := kangma.Red; c <= kangma.Green; c++ {
			labels[c] = r.text(m[c.String()], 32)
		}
	}
	cost, dearest := 0, 0
	dear := ""
	for _, rn := range r.list(f["rules"], maxRules) {
		rule, c := r.rule(rn)
		if c > dearest {
			dear, dearest = rule.id, c
		}
		if rule.label == "" && !rule.duty {
			rule.label = labels[rule.colour]
		}
		s.rules = append(s.rules, rule)
		cost += c
	}
	if cost > costLimit && f["rules"] != nil {
		r.fault(f["rules"], "cost", "the rules are too expensive together: cost %d, limit %d; the dearest is %s with %d", cost, costLimit, dear, dearest)
	}
	if f["rules"] != nil {
		r.contradictions(f["rules"], s.rules)
		r.unclearStays(f["rules"], s)
	}
	if r.boolean(f["overrides"], true) {
		s.rules = append(s.rules, builtin()...)
	}
	s.pool = &sync.Pool{New: func() any { return new(env) }}
	return s
}

func (r *reader) id(n *yaml.Node) string {
	id := r.text(n, 64)
	if n != nil && id != "" && !idShape.MatchString(id) {
		r.fault(n, "id", "expected lower-case letters, digits and hyphens, such as close-contact")
	}
	return id
}

func (r *reader) header(s *Set, f map[string]*yaml.Node) {
	zone := time.UTC
	if n := f["timezone"]; n != nil {
		z, err := time.LoadLocation(r.text(n, 64))
		if err != nil || n.Value == "Local" {
			r.fault(n, "timezone", "expected a zone of the IANA database, such as Asia/Shanghai")
		} else {
			zone = z
		}
	}
	day := map[string]*yaml.Node{}
	if f["day"] != nil {
		day = r.mapping(f["day"], nil, []string{"count", "first"})
	}
	rolling := r.choice(day["count"], "calendar", "calendar", "24h") == "24h"
	s.cal = facts.NewCalendar(zone, rolling, r.number(day["first"], 1, 0, 1))
	s.past = r.choice(f["areas"], "then-or-later", "then", "then-or-later") == "then"
	s.apart = r.choice(f["unclear_stays"], "worst", "worst", "apart") == "apart"
	s.maxDays = int64(r.number(f["max_days"], 90, 1, 180))
	if n := f["in_force"]; n != nil {
		w := r.mapping(n, []string{"from"}, []string{"to"})
		s.from, s.to = r.date(w["from"], zone), r.date(w["to"], zone)
		if !s.to.IsZero() && !s.from.Before(s.to) {
			r.fault(n, "in_force", "the window ends before it begins")
		}
	}
	if f["sources"] != nil {
		for _, n := range r.list(f["sources"], 50) {
			s.sources = append(s.sources, r.text(n, 500))
		}
	}
}

// unclearStays sees to it that a set which sets stays of an unclear level apart has a colour for them: nobody may be green
// because too little is known.
func (r *reader) unclearStays(n *yaml.Node, s *Set) {
	asked, coloured := false, false
	for i := range s.rules {
		on := s.rules[i].on
		if on == nil {
			continue
		}
		if on.level == unclear && !s.apart {
			r.fault(n.Content[i], "unclear_stays", "stay('unclear') selects nothing unless the set says unclear_stays: apart")
		}
		asked = asked || on.level == kangma.HighLevel || on.level == kangma.MidLevel
		coloured = coloured || on.level == unclear && !s.rules[i].duty
	}
	if s.apart && asked && !coloured {
		r.fault(n, "unclear_stays", "unclear_stays is apart, so a rule with a colour on stay('unclear') is needed; without it a stay that may have met a high area would be green")
	}
}
