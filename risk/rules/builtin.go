package rules

import (
	_ "embed"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed presets/overrides.yaml
var overridesFile []byte

// builtin gives the rules every set has unless it says overrides: false: colours set by hand. They are written in the
// rule language like any other.
var builtin = sync.OnceValue(func() []rule {
	var doc yaml.Node
	if err := yaml.Unmarshal(overridesFile, &doc); err != nil {
		panic("rules: embedded overrides.yaml: " + err.Error()) // a test loads it; it cannot change at run time
	}
	r := &reader{file: "overrides.yaml"}
	var out []rule
	for _, n := range r.list(doc.Content[0], maxRules) {
		rule, _ := r.rule(n)
		out = append(out, rule)
	}
	if len(r.faults) > 0 {
		panic("rules: embedded overrides.yaml: " + r.faults[0].Where + ": " + r.faults[0].What)
	}
	return out
})
