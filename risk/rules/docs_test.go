package rules_test

import (
	"os"
	"strings"
	"testing"

	"github.com/kangma/kangma/risk/rules"
)

// The manual names every function and preset, and its example is a rule set whose cases hold.
func TestTheManualIsTrue(t *testing.T) {
	file, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(file)
	for _, f := range rules.Language() {
		name, _, _ := strings.Cut(f.Name, "(")
		if !strings.Contains(manual, "`"+name+"`") && !strings.Contains(manual, "`"+name+"(") {
			t.Errorf("%s is not in docs/rules.md", f.Name)
		}
	}
	for _, id := range rules.Presets() {
		if !strings.Contains(manual, "| "+id+" |") {
			t.Errorf("preset %s is not in docs/rules.md", id)
		}
	}
	parts := strings.Split(manual, "```yaml\n")
	if len(parts) != 3 {
		t.Fatalf("%d examples, expected a rule set and its cases", len(parts)-1)
	}
	example, _, _ := strings.Cut(parts[1], "```")
	set, err := rules.Load("docs/rules.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(parts[2], "```")
	cases, err := rules.LoadCases("docs/rules.md", []byte(text), set.Zone())
	if err != nil {
		t.Fatal(err)
	}
	faults, n := cases.Run(set)
	for _, f := range faults {
		t.Error(f)
	}
	if n != 3 {
		t.Errorf("%d expectations, expected 3", n)
	}
}
