package entry

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// Set is the rules of a post: what is local, what is an epidemic area, and which rule says what. It is read from YAML.
type Set struct {
	ID        string      `yaml:"id"`
	Version   string      `yaml:"version"`
	Title     kangma.Text `yaml:"title"`
	Weakness  kangma.Text `yaml:"weakness,omitempty"` // what of it is our own guess
	Sources   []string    `yaml:"sources,omitempty"`
	Local     string      `yaml:"local"`      // county, city or province: what is local to a post
	Fever     float64     `yaml:"fever"`      // °C from which a temperature is a fever, 35.0 to 42.0
	TestHours int         `yaml:"test_hours"` // how recent a negative test is for the condition tested
	Epidemic  Epidemic    `yaml:"epidemic"`
	Rules     []Rule      `yaml:"rules"`

	digest string
}

// Epidemic says what an epidemic area (疫区) is: divisions by name, and what the risk-area table has at a level or above.
type Epidemic struct {
	Divisions []string `yaml:"divisions,omitempty"`
	Level     string   `yaml:"level,omitempty"` // low, mid or high; left out: the table does not count

	divisions []kangma.Division
	level     kangma.Level
}

// Rule is one line: when all of it holds, this is decided.
type Rule struct {
	ID       string      `yaml:"id"`
	When     When        `yaml:"when"`
	Decision decision    `yaml:"decision"` // pass, home-isolate, central-isolate, turn-back, refer, or as-guardian
	Reason   kangma.Text `yaml:"reason"`
	Guidance kangma.Text `yaml:"guidance"`
}

// When is the conditions of a rule; what is left out does not matter. The empty When always holds.
type When struct {
	Told        *bool           `yaml:"told,omitempty"`        // a colour could be told
	Colours     []kangma.Colour `yaml:"colours,omitempty"`     // told, and one of these
	Fever       *bool           `yaml:"fever,omitempty"`       // the temperature taken is a fever
	Measured    *bool           `yaml:"measured,omitempty"`    // a temperature was taken
	Symptoms    *bool           `yaml:"symptoms,omitempty"`    // declared
	Epidemic    *bool           `yaml:"epidemic,omitempty"`    // a stay of the last 14 days, or the origin, was in an epidemic area
	Local       *bool           `yaml:"local,omitempty"`       // household or residence is local
	Household   string          `yaml:"household,omitempty"`   // local, other, epidemic or unknown
	Residence   string          `yaml:"residence,omitempty"`   // the same
	Origin      string          `yaml:"origin,omitempty"`      // the same
	Destination string          `yaml:"destination,omitempty"` // the same
	Firm        *bool           `yaml:"firm,omitempty"`        // of a firm back at work
	Documents   []string        `yaml:"documents,omitempty"`   // one of these types, 10 to 99
	Infant      *bool           `yaml:"infant,omitempty"`
	Tested      *bool           `yaml:"tested,omitempty"`     // negative within the set's test_hours
	TestHours   int             `yaml:"test_hours,omitempty"` // negative within these hours
	Doses       int             `yaml:"doses,omitempty"`      // at least so many
}

// decision reads the five decisions and as-guardian.
type decision struct {
	is         kangma.Decision
	asGuardian bool
}

// UnmarshalYAML reads the word.
func (d *decision) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "as-guardian" {
		d.asGuardian = true
		return nil
	}
	return d.is.UnmarshalText([]byte(n.Value))
}

const (
	maxRuleFile = 256 << 10
	maxRules    = 100
)

// Digest is the SHA-256 of the rule file in hexadecimal.
func (s *Set) Digest() string { return s.digest }

// LoadRules reads and checks a rule file. kangma.Invalid with every fault found: an unknown field, a word outside its
// closed set, a division that does not exist, a missing text, rules that can never be reached.
func LoadRules(file []byte) (*Set, error) {
	if len(file) > maxRuleFile {
		return nil, badRules(kangma.Fault{Where: "file", Code: "too_large", What: "a rule file has at most 256 KiB"})
	}
	s := &Set{}
	dec := yaml.NewDecoder(bytes.NewReader(file))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil {
		return nil, badRules(kangma.Fault{Where: "file", Code: "yaml", What: "cannot be read as rules of a vehicle post"}).Because(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, badRules(kangma.Fault{Where: "file", Code: "yaml", What: "expected one document"})
	}
	if faults := s.check(); len(faults) > 0 {
		return nil, badRules(faults...)
	}
	sum := sha256.Sum256(file)
	s.digest = hex.EncodeToString(sum[:])
	return s, nil
}

func badRules(faults ...kangma.Fault) *kangma.Error {
	return &kangma.Error{Kind: kangma.Invalid, Code: "vehicle_rules", Public: "the rules of vehicle posts have faults; mend them and send them again", Faults: faults}
}

var ruleID = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// reservedRules are reasons the service gives itself.
var reservedRules = []string{"no_rule", "by_hand"}

func (s *Set) check() (faults []kangma.Fault) {
	bad := func(where, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: "vehicle_rules", What: what})
	}
	if !ruleID.MatchString(s.ID) || s.Version == "" || len(s.Version) > 64 {
		bad("id", "a set has an id of a-z 0-9 _ - and a version")
	}
	if s.Title.Zh == "" || s.Title.En == "" {
		bad("title", "a title in zh and en")
	}
	if !slices.Contains([]string{"county", "city", "province"}, s.Local) {
		bad("local", "what is local is the county, city or province of the post")
	}
	if math.IsNaN(s.Fever) || s.Fever < 35 || s.Fever > 42 {
		bad("fever", "a fever begins between 35.0 and 42.0 °C")
	}
	if s.TestHours < 1 || s.TestHours > 168 {
		bad("test_hours", "a test is recent within 1 to 168 hours")
	}
	s.Epidemic.check(bad)
	if len(s.Rules) == 0 || len(s.Rules) > maxRules {
		bad("rules", "a set has 1 to 100 rules")
	}
	seen := map[string]bool{}
	for i := range s.Rules {
		where := fmt.Sprintf("rules[%d]", i)
		r := &s.Rules[i]
		if !ruleID.MatchString(r.ID) || seen[r.ID] || slices.Contains(reservedRules, r.ID) {
			bad(where+".id", "a rule has an id of its own, of a-z 0-9 _ -")
		}
		seen[r.ID] = true
		if r.Reason.Zh == "" || r.Reason.En == "" || r.Guidance.Zh == "" || r.Guidance.En == "" {
			bad(where, "a rule has a reason and guidance in zh and en")
		}
		if r.Decision.asGuardian && (r.When.Infant == nil || !*r.When.Infant) {
			bad(where+".decision", "only infants are decided as their guardian")
		}
		if r.When.empty() && i < len(s.Rules)-1 {
			bad(where+".when", "it always holds, so the rules after it can never be reached")
		}
		r.When.check(where+".when", bad)
	}
	return faults
}

func (w *When) empty() bool {
	raw, err := yaml.Marshal(w)
	return err == nil && string(bytes.TrimSpace(raw)) == "{}"
}

func (w *When) check(where string, bad func(where, what string)) {
	for _, word := range []string{w.Household, w.Residence, w.Origin, w.Destination} {
		if !slices.Contains([]string{"", "local", "other", "epidemic", "unknown"}, word) {
			bad(where, "a place is local, other, epidemic or unknown")
		}
	}
	for _, d := range w.Documents {
		if !slices.Contains(documentTypes, d) {
			bad(where+".documents", "a document type is 10, 14, 15, 16, 20, 34 or 99")
		}
	}
	if w.TestHours < 0 || w.TestHours > 168 || w.Doses < 0 || w.Doses > 10 {
		bad(where, "a test is asked within 1 to 168 hours, doses up to 10")
	}
}

func (e *Epidemic) check(bad func(where, what string)) {
	for _, text := range e.Divisions {
		d, err := kangma.ParseDivision(text)
		if err != nil || !divisions.Exists(d) {
			bad("epidemic.divisions", "a division of GB/T 2260 that exists, such as 420000")
			continue
		}
		e.divisions = append(e.divisions, d)
	}
	if e.Level != "" && e.level.UnmarshalText([]byte(e.Level)) != nil {
		bad("epidemic.level", "a level is low, mid or high")
	}
}

// documentTypes are the numbers of deployed systems (domain code lists).
var documentTypes = []string{
	kangma.DocResidentID, kangma.DocHKMacaoPermit, kangma.DocTaiwanPermit, kangma.DocTaiwanSingle, kangma.DocPassport, kangma.DocForeignPR, kangma.DocOther,
}

//go:embed presets/*.yaml
var presetFiles embed.FS

// DefaultPreset is in force until other rules are published.
const DefaultPreset = "guangdong-2022"

// Presets lists the rule sets that come with Kangma.
var Presets = []string{"wuxing-2020", DefaultPreset}

// PresetFile gives the text of a preset, a starting point for one's own rules. kangma.NotFound: no such preset.
func PresetFile(id string) ([]byte, error) {
	if !slices.Contains(Presets, id) {
		return nil, kangma.E(kangma.NotFound, "preset", "there is no such preset of vehicle rules")
	}
	return presetFiles.ReadFile("presets/" + id + ".yaml")
}
