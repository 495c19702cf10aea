package interop

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"

	"github.com/kangma/kangma"
)

// Status is what a foreign value means here: a colour, or why there is none. The zero Status is told no colour and checks
// online, never green.
type Status struct {
	Told   bool              `json:"told"`
	Colour kangma.Colour     `json:"colour,omitempty"` // means nothing when !Told
	Why    kangma.CannotTell `json:"cannot_tell,omitempty"`
	Means  string            `json:"means"` // in the vendor's terms: green, expired, not-found, timeout …
}

// MarshalJSON leaves the colour out where none is told.
func (s Status) MarshalJSON() ([]byte, error) {
	out := struct {
		Told   bool              `json:"told"`
		Colour *kangma.Colour    `json:"colour,omitempty"`
		Why    kangma.CannotTell `json:"cannot_tell,omitempty"`
		Means  string            `json:"means"`
	}{s.Told, nil, s.Why, s.Means}
	if s.Told {
		out.Colour = &s.Colour
	}
	return json.Marshal(out)
}

// Vendor is one system's enum of colours. The same number means green with one and red with another.
type Vendor struct {
	Name   string            `json:"vendor"`
	What   string            `json:"what"`
	Values map[string]string `json:"values"` // its value to a meaning
}

//go:embed vendors.json
var vendorsJSON []byte

// Vendors lists every enum that is known, in order of name.
var Vendors = func() []Vendor {
	var all []Vendor
	if err := json.Unmarshal(vendorsJSON, &all); err != nil {
		panic(err) // an embedded file; a test reads it
	}
	slices.SortFunc(all, func(a, b Vendor) int { return strings.Compare(a.Name, b.Name) })
	return all
}()

// meanings says what each meaning is here. What is neither a colour nor one of the clear reasons is looked up online.
var meanings = map[string]Status{
	"green":       {Told: true, Colour: kangma.Green},
	"yellow":      {Told: true, Colour: kangma.Yellow},
	"red":         {Told: true, Colour: kangma.Red},
	"expired":     {Why: kangma.TellExpired},
	"not-found":   {Why: kangma.TellUnknownPerson},
	"not-applied": {Why: kangma.TellUnknownPerson},
	"abnormal":    {Why: kangma.TellCheckOnline}, // yellow or red: the vendor does not say which
	"grey":        {Why: kangma.TellCheckOnline},
	"pending":     {Why: kangma.TellCheckOnline},
	"not-checked": {Why: kangma.TellCheckOnline},
	"failed":      {Why: kangma.TellCheckOnline},
	"timeout":     {Why: kangma.TellCheckOnline},
	"invalid":     {Why: kangma.TellCheckOnline},
	"unknown":     {Why: kangma.TellCheckOnline},
}

func find(vendor string) *Vendor {
	i := slices.IndexFunc(Vendors, func(v Vendor) bool { return v.Name == vendor })
	if i < 0 {
		return nil
	}
	return &Vendors[i]
}

// FromVendor reads a vendor's value. A value the vendor's table does not have is no colour. kangma.NotFound: no such
// vendor.
func FromVendor(vendor, value string) (Status, error) {
	v := find(vendor)
	if v == nil {
		return Status{Why: kangma.TellCheckOnline}, kangma.E(kangma.NotFound, "no_vendor", "no such vendor's values are known")
	}
	means, ok := v.Values[value]
	if !ok {
		means = "unknown"
	}
	st := meanings[means]
	st.Means = means
	return st, nil
}

// preference is which meaning stands for a reason when a vendor has several.
var preference = map[kangma.CannotTell][]string{
	kangma.TellExpired:       {"expired", "invalid", "unknown", "failed", "grey"},
	kangma.TellUnknownPerson: {"not-found", "not-applied", "unknown", "failed", "grey"},
	"":                       {"failed", "unknown", "invalid", "not-checked", "pending", "grey", "abnormal"}, // every other reason
}

// ToVendor gives the value by which a vendor's device understands a status. ok is false where its enum cannot say it: a
// device that knows colours only is then told nothing, and keeps its barrier shut.
func ToVendor(vendor string, s Status) (value string, ok bool) {
	v := find(vendor)
	if v == nil {
		return "", false
	}
	wanted := []string{s.Colour.String()}
	if !s.Told {
		if wanted = preference[s.Why]; wanted == nil {
			wanted = preference[""]
		}
	}
	for _, means := range wanted {
		for _, value := range sortedKeys(v.Values) {
			if v.Values[value] == means {
				return value, true
			}
		}
	}
	return "", false
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
