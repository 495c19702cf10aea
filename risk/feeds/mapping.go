package feeds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
)

// Mapping says how the columns of one provider's CSV become the fields of the line format. It is a YAML file, one for
// each provider and content, see docs/feeds.md.
type Mapping struct {
	Provider  string            `yaml:"provider"`
	Content   string            `yaml:"content"`   // evidence or people
	Delimiter string            `yaml:"delimiter"` // one character; empty: a comma
	Zone      string            `yaml:"zone"`      // of times without an offset; empty: Asia/Shanghai
	Constants map[string]string `yaml:"constants"` // fields that are the same in every line, e.g. kind: test
	Columns   map[string]Column `yaml:"columns"`   // by the header's words
	Ignore    []string          `yaml:"ignore"`    // columns that are left out on purpose
	ID        []string          `yaml:"id"`        // columns that together name an event of this provider; see eventID

	zone *time.Location
}

// Column says what one column becomes.
type Column struct {
	Field    string            `yaml:"field"`    // path in the line format, e.g. test.result
	As       string            `yaml:"as"`       // text (default), int, tenths, bool, time, list
	Layout   string            `yaml:"layout"`   // of a time, as Go writes it: 2006-01-02 15:04:05; empty: RFC 3339
	Values   map[string]string `yaml:"values"`   // what the provider's words mean; a word that is not here is a fault
	Required bool              `yaml:"required"` // an empty cell is a fault
	Split    string            `yaml:"split"`    // of a list: what stands between; empty: a semicolon
}

// maxMapping bounds a mapping file.
const maxMapping = 256 << 10

var columnKinds = []string{"", "text", "int", "tenths", "bool", "time", "list"}

// LoadMapping reads and checks a mapping file. Every fault is found: a key it does not know, a field the line format does
// not have, an unknown kind or zone. A mapping that loads can only fail on a cell.
func LoadMapping(file []byte) (*Mapping, error) {
	if len(file) > maxMapping {
		return nil, kangma.E(kangma.TooLarge, "mapping_size", "a mapping file has at most 256 KiB")
	}
	m := &Mapping{}
	d := yaml.NewDecoder(bytes.NewReader(file))
	d.KnownFields(true)
	if err := d.Decode(m); err != nil {
		return nil, kangma.E(kangma.Invalid, "mapping_yaml", "the mapping file is not YAML of the mapping format").Because(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, kangma.E(kangma.Invalid, "mapping_yaml", "something follows the mapping")
	}
	c := &check{}
	m.check(c)
	if len(c.faults) > 0 {
		e := kangma.E(kangma.Invalid, "mapping_content", "the mapping file has faults")
		e.Faults = c.faults
		return nil, e
	}
	return m, nil
}

func (m *Mapping) check(c *check) {
	if m.Provider == "" {
		c.fault("provider", Required, "the feed's name")
	}
	c.oneOf("content", m.Content, []string{EvidenceContent, PeopleContent}, true)
	if m.Delimiter == "" {
		m.Delimiter = ","
	}
	if r, n := utf8.DecodeRuneInString(m.Delimiter); n != len(m.Delimiter) || r == '"' || r == '\n' || r == '\r' || r == utf8.RuneError {
		c.fault("delimiter", BadShape, "one character, not a quote")
	}
	m.zone = time.FixedZone("Asia/Shanghai", 8*3600)
	if m.Zone != "" && m.Zone != "Asia/Shanghai" {
		zone, err := time.LoadLocation(m.Zone)
		if err != nil || m.Zone == "Local" {
			c.fault("zone", UnknownValue, "a zone of the IANA data base")
		}
		m.zone = zone
	}
	if len(m.Columns) == 0 || len(m.Columns) > 200 {
		c.fault("columns", OutOfRange, "1 to 200 columns")
	}
	all := map[string]any{} // every field once
	for _, name := range sortedNames(m.Columns) {
		m.checkColumn(c, "columns."+name, m.Columns[name])
		if field := m.Columns[name].Field; field != "" && !put(all, field, "") {
			c.fault("columns."+name+".field", Same, "two columns set one field")
		}
	}
	for _, field := range slices.Sorted(maps.Keys(m.Constants)) {
		m.checkField(c, "constants."+field, field, m.Constants[field])
		if field != "" && !put(all, field, "") {
			c.fault("constants."+field, Same, "a column sets this field")
		}
	}
	for _, name := range m.ID {
		if _, ok := m.Columns[name]; !ok && !slices.Contains(m.Ignore, name) {
			c.fault("id", UnknownValue, "the id is made of columns that are mapped or ignored")
		}
	}
	if m.Content == EvidenceContent && len(m.ID) == 0 && !m.maps("id") {
		c.fault("id", Required, "a column mapped to id, or the columns that name an event")
	}
}

func (m *Mapping) maps(field string) bool {
	for _, col := range m.Columns {
		if col.Field == field {
			return true
		}
	}
	return false
}

func (m *Mapping) checkColumn(c *check, where string, col Column) {
	if !slices.Contains(columnKinds, col.As) {
		c.fault(where+".as", UnknownValue, "one of text, int, tenths, bool, time, list")
		return
	}
	if col.Layout != "" && col.As != "time" {
		c.fault(where+".layout", Unexpected, "only a time has a layout")
	}
	sample := map[string]any{"int": 1, "tenths": 370, "bool": true, "time": "2022-01-01T00:00:00Z", "list": []string{"cough"}}[col.As]
	if sample == nil {
		sample = sampleOf(col)
	}
	m.checkField(c, where+".field", col.Field, sample)
}

// sampleOf gives a text the column may hold, for trying whether its field takes texts.
func sampleOf(col Column) string {
	for _, v := range col.Values {
		return v
	}
	for prefix, v := range map[string]string{"division": "440000", "region": "440000", "port": "440000", "clinic.place": "440000", "colour": "red", "id": "01828000-0000-7000-8000-000000000000", "replaces": "01828000-0000-7000-8000-000000000000"} {
		if col.Field == prefix || strings.HasSuffix(col.Field, "."+prefix) || prefix == "id" && col.Field == "withdrawal.event" {
			return v
		}
	}
	return "x"
}

// checkField tries whether the line format has a field and takes such a value.
func (m *Mapping) checkField(c *check, where, field string, sample any) {
	doc := map[string]any{}
	if field == "" || !put(doc, field, sample) {
		c.fault(where, Required, "a field of the line format, such as test.result")
		return
	}
	raw, err := json.Marshal(doc)
	if err == nil {
		if m.Content == PeopleContent {
			err = strictJSON(raw, &wirePerson{})
		} else {
			err = strictJSON(raw, &wireEvidence{})
		}
	}
	if err != nil {
		c.fault(where, UnknownValue, fmt.Sprintf("the line format has no field %q that takes this", field))
	}
}

// put sets a value at a dotted path; false when the path is no path or goes through a value.
func put(doc map[string]any, path string, v any) bool {
	for {
		head, rest, more := strings.Cut(path, ".")
		if head == "" {
			return false
		}
		if !more {
			if _, taken := doc[head]; taken {
				return false
			}
			doc[head] = v
			return true
		}
		next, ok := doc[head].(map[string]any)
		if !ok {
			if doc[head] != nil {
				return false
			}
			next = map[string]any{}
			doc[head] = next
		}
		doc, path = next, rest
	}
}
