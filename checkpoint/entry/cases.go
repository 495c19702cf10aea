package entry

import (
	"bytes"
	"fmt"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
)

// Case is one example of a rule file: what is known of somebody, and what the rules must say.
type Case struct {
	Name     string  `yaml:"name"`
	Post     string  `yaml:"post"` // division of the post
	Facts    caseRow `yaml:"facts"`
	Decision string  `yaml:"decision"`
	Rule     string  `yaml:"rule"`
}

type caseRow struct {
	Colour      string   `yaml:"colour"` // left out: none could be told
	Temperature float64  `yaml:"temperature"`
	Document    string   `yaml:"document"`
	Infant      bool     `yaml:"infant"`
	Symptoms    bool     `yaml:"symptoms"`
	Firm        bool     `yaml:"firm"`
	Household   string   `yaml:"household"`
	Residence   string   `yaml:"residence"`
	Origin      string   `yaml:"origin"`
	Destination string   `yaml:"destination"`
	Stays       []string `yaml:"stays"`
	Level       string   `yaml:"level"`
	TestedHours int      `yaml:"tested_hours_ago"`
	Doses       int      `yaml:"doses"`
}

// caseTime is when every case happens.
var caseTime = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

func (c Case) facts() (f Facts, err error) {
	f = Facts{At: caseTime, Temperature: int(c.Facts.Temperature*10 + 0.5), Document: c.Facts.Document, Infant: c.Facts.Infant,
		Symptoms: c.Facts.Symptoms, Firm: c.Facts.Firm, Doses: c.Facts.Doses}
	if c.Facts.TestedHours > 0 {
		f.LatestNegative = caseTime.Add(-time.Duration(c.Facts.TestedHours) * time.Hour)
	}
	if c.Facts.Colour != "" {
		f.Assessment.Told = true
		if f.Assessment.Colour, err = kangma.ParseColour(c.Facts.Colour); err != nil {
			return f, err
		}
	}
	if c.Facts.Level != "" {
		if err := f.Level.UnmarshalText([]byte(c.Facts.Level)); err != nil {
			return f, err
		}
	}
	for _, p := range []struct {
		to   *kangma.Division
		text string
	}{{&f.Post, c.Post}, {&f.Household, c.Facts.Household}, {&f.Residence, c.Facts.Residence}, {&f.Origin, c.Facts.Origin}, {&f.Destination, c.Facts.Destination}} {
		if err := p.to.UnmarshalText([]byte(p.text)); err != nil {
			return f, err
		}
	}
	for _, text := range c.Facts.Stays {
		d, err := kangma.ParseDivision(text)
		if err != nil {
			return f, err
		}
		f.Stays = append(f.Stays, d)
	}
	return f, nil
}

// Failed is a case that came out otherwise.
type Failed struct{ Name, Want, Got string }

// RunCases decides every case of a YAML list by the rules. used names the rules that decided at least one.
// kangma.Invalid: not a list of cases.
func (s *Set) RunCases(file []byte) (failed []Failed, used map[string]bool, err error) {
	var cases []Case
	dec := yaml.NewDecoder(bytes.NewReader(file))
	dec.KnownFields(true)
	if err := dec.Decode(&cases); err != nil {
		return nil, nil, kangma.E(kangma.Invalid, "vehicle_cases", "this is not a list of cases").Because(err)
	}
	used = map[string]bool{}
	for _, c := range cases {
		f, err := c.facts()
		if err != nil {
			return nil, nil, kangma.E(kangma.Invalid, "vehicle_cases", "a case cannot be read: "+c.Name).Because(err)
		}
		out := s.Decide(f)
		used[out.Rule] = true
		got := fmt.Sprintf("%s by %s", out.word(), out.Rule)
		if want := fmt.Sprintf("%s by %s", c.Decision, c.Rule); got != want {
			failed = append(failed, Failed{c.Name, want, got})
		}
	}
	return failed, used, nil
}

func (o Outcome) word() string {
	if o.AsGuardian {
		return "as-guardian"
	}
	return o.Decision.String()
}

// PresetCases gives the cases that come with a preset.
func PresetCases(id string) ([]byte, error) {
	if _, err := PresetFile(id); err != nil {
		return nil, err
	}
	return presetFiles.ReadFile("presets/" + id + ".cases.yaml")
}
