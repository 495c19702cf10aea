package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

// caseReader reads case files. Moments are written d7 23:59 (seven days after day0, in the zone of the set) or in full.
type caseReader struct {
	reader
	zone *time.Location
	day0 time.Time
}

// idOf makes a stable identifier from a name.
func idOf(name string) (id [16]byte) {
	sum := sha256.Sum256([]byte(name))
	copy(id[:], sum[:])
	return id
}

var momentShape = regexp.MustCompile(`^d(-?\d{1,4})(?: (\d{2}):(\d{2})(?::(\d{2}))?)?$`)

func (r *caseReader) parseMoment(s string) (time.Time, bool) {
	if m := momentShape.FindStringSubmatch(s); m != nil {
		n := [4]int{}
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1]) // digits by the pattern; absent parts are zero
		}
		y, mo, d := r.day0.Date()
		return time.Date(y, mo, d+n[0], n[1], n[2], n[3], 0, r.zone), true
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, r.zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func (r *caseReader) moment(n *yaml.Node) time.Time {
	if n == nil {
		return time.Time{}
	}
	t, ok := r.parseMoment(n.Value)
	if !ok {
		r.fault(n, "moment", "expected a moment such as d7 23:59, or 2022-06-28 08:00")
	}
	return t
}

func (r *caseReader) words(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	out := []string{}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "type", "expected a list of names")
		return out
	}
	for _, e := range n.Content {
		out = append(out, e.Value)
	}
	return out
}

// place reads a division code, with a community after a space where it is known: "440103" or "440103 某小区".
func (r *caseReader) place(n *yaml.Node) kangma.Place {
	code, community, _ := strings.Cut(n.Value, " ")
	d, err := kangma.ParseDivision(code)
	if n.Kind != yaml.ScalarNode || err != nil {
		r.fault(n, "place", "expected a division code of 6 or 9 digits, with the community after a space where it is known")
	}
	return kangma.Place{Division: d, Community: community}
}

// evidence reads one fact: {stay: {…}}, with id, at, received, reported, source, batch and replaces beside the kind.
func (r *caseReader) evidence(n *yaml.Node, i int) (kangma.Evidence, string) {
	e := kangma.Evidence{Source: "test"}
	name := fmt.Sprintf("e%d", i+1)
	if n.Kind != yaml.MappingNode {
		r.fault(n, "type", "expected evidence such as {test: {result: negative}, at: d1 09:00}")
		return e, name
	}
	for j := 0; j+1 < len(n.Content); j += 2 {
		k, v := n.Content[j], n.Content[j+1]
		switch k.Value {
		case "id":
			name = v.Value
		case "at":
			e.Observed = r.moment(v)
		case "received":
			e.Received = r.moment(v)
		case "reported":
			e.Reported = r.moment(v)
		case "source":
			e.Source = v.Value
		case "batch":
			e.Batch = v.Value
		case "replaces":
			e.Replaces = idOf("event " + v.Value)
		default:
			e.Kind = kangma.EvidenceKind(strings.ReplaceAll(k.Value, "_", "-"))
			r.payload(&e, k, v)
		}
	}
	e.ID = idOf("event " + name)
	if e.Observed.IsZero() {
		e.Observed = implied(&e)
	}
	return e, name
}

// implied is when a fact was observed if the case does not say: at its own end or beginning.
func implied(e *kangma.Evidence) time.Time {
	switch {
	case e.Stay != nil && !e.Stay.To.IsZero():
		return e.Stay.To
	case e.Stay != nil:
		return e.Stay.From
	case e.Trip != nil && !e.Trip.Arrived.IsZero():
		return e.Trip.Arrived
	case e.Trip != nil:
		return e.Trip.Departed
	case e.Management != nil:
		return e.Management.From
	}
	return time.Time{}
}

// payload decodes the fields of a kind, under the names of their JSON form.
func (r *caseReader) payload(e *kangma.Evidence, k, v *yaml.Node) {
	field := strings.ReplaceAll(k.Value, "-", "_")
	body, err := json.Marshal(map[string]any{field: r.plain(v, k.Value)})
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		err = dec.Decode(e)
	}
	if err != nil {
		r.fault(k, "evidence", "not evidence of a known kind: %v", err)
	}
}

// placeFields lists the fields of each kind that hold a place.
var placeFields = map[string][]string{"stay": {"place"}, "trip": {"from", "to"}, "declaration": {"visited"}}

// plain turns a YAML tree into what encoding/json writes, with moments and places in full.
func (r *caseReader) plain(n *yaml.Node, kind string) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for j := 0; j+1 < len(n.Content); j += 2 {
			k, v := n.Content[j].Value, n.Content[j+1]
			out[k] = r.plain(v, kind)
			if k == "trip" && kind == "contact" {
				out[k] = r.plain(v, "trip")
			}
			for _, p := range placeFields[kind] {
				if k == p && v.Kind == yaml.ScalarNode {
					out[k] = r.place(v)
				} else if k == p && v.Kind == yaml.SequenceNode {
					var list []kangma.Place
					for _, c := range v.Content {
						list = append(list, r.place(c))
					}
					out[k] = list
				}
			}
			if k == "event" {
				out[k] = kangma.EventID(idOf("event " + v.Value))
			}
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, r.plain(c, kind))
		}
		return out
	}
	if t, ok := r.parseMoment(n.Value); ok && n.Tag != "!!int" {
		return t
	}
	var v any
	if n.Tag == "!!timestamp" || n.Decode(&v) != nil {
		return n.Value
	}
	return v
}

// caseArea is one line of the area table of a case file.
type caseArea struct {
	place               kangma.Place
	level               kangma.Level
	from, to, published time.Time
}

// caseTable is the small area table of a case file.
type caseTable []caseArea

func (r *caseReader) areas(n *yaml.Node) Areas {
	var out caseTable
	for _, an := range r.list(n, 1000) {
		f := r.mapping(an, []string{"place", "level", "from"}, []string{"to", "published"})
		if f["place"] == nil || f["from"] == nil {
			continue
		}
		a := caseArea{place: r.place(f["place"]), from: r.moment(f["from"]), to: r.moment(f["to"])}
		if err := a.level.UnmarshalText([]byte(r.text(f["level"], 10))); err != nil {
			r.fault(an, "level", "expected low, mid or high")
		}
		if a.published = a.from; f["published"] != nil {
			a.published = r.moment(f["published"])
		}
		out = append(out, a)
	}
	return out
}

// LevelAt answers as the real table does, for communities written exactly alike: one that is not listed excludes nothing.
func (t caseTable) LevelAt(p kangma.Place, from, to, known time.Time) areas.Hit {
	best := areas.Hit{Exact: true}
	counts := func(a caseArea) bool {
		return (known.IsZero() || !a.published.After(known)) && (a.from.Before(to) || a.from.Equal(from)) && (a.to.IsZero() || from.Before(a.to))
	}
	named := slices.ContainsFunc(t, func(a caseArea) bool { return a.place == p && p.Community != "" && counts(a) })
	for _, a := range t {
		if !counts(a) {
			continue
		}
		exact := a.place.Division.Contains(p.Division) && (a.place.Community == "" || a.place.Community == p.Community)
		inside := !named && (p.Division.Contains(a.place.Division) || a.place.Division.Contains(p.Division))
		if exact && a.level > best.Sure {
			best.Sure = a.level
		}
		if (exact || inside) && a.level > best.Level {
			best.Level, best.Since, best.Until, best.Exact = a.level, a.from, a.to, exact
			best.Area = a.place.Community
			if best.Note = (kangma.Text{}); !exact {
				best.Note = kangma.Text{Zh: "未知是否在名单所列的区域内。", En: "Whether it was inside a listed area is not known."}
			}
		}
	}
	return best
}

// Version names the table.
func (caseTable) Version() string { return "cases" }
