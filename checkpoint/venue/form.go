package venue

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// FormField is one question of a scenario's form (护林码: purpose, how many, fire on them?). There is no free text: answers are
// kept, and free text would name people.
type FormField struct {
	ID       string        `json:"id"`
	Label    kangma.Text   `json:"label"`
	Type     string        `json:"type"`              // choice, number, yes-no or date
	Choices  []kangma.Text `json:"choices,omitempty"` // the answer is the zh of one
	Min      int           `json:"min,omitempty"`
	Max      int           `json:"max,omitempty"`
	Required bool          `json:"required,omitempty"`
}

// FormFieldTypes is the closed set of them.
var FormFieldTypes = []string{"choice", "number", "yes-no", "date"}

const (
	maxFields  = 20
	maxChoices = 50
)

var fieldID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

func checkForm(form []FormField, bad func(where, what string)) {
	if len(form) > maxFields {
		bad("form", "a form has at most 20 fields")
		return
	}
	seen := map[string]bool{}
	for i, f := range form {
		where := fmt.Sprintf("form[%d]", i)
		if !fieldID.MatchString(f.ID) || seen[f.ID] {
			bad(where+".id", "a field has an id of its own, of a-z 0-9 _")
		}
		seen[f.ID] = true
		if f.Label.Zh == "" || len(f.Label.Zh) > 300 || len(f.Label.En) > 300 {
			bad(where+".label", "a field has a label in zh")
		}
		if !slices.Contains(FormFieldTypes, f.Type) {
			bad(where+".type", fmt.Sprintf("a field is one of %v", FormFieldTypes))
		}
		if f.Type == "choice" && (len(f.Choices) < 2 || len(f.Choices) > maxChoices || slices.ContainsFunc(f.Choices, func(t kangma.Text) bool { return t.Zh == "" || len(t.Zh) > 200 })) {
			bad(where+".choices", "a choice is of 2 to 50 texts")
		}
		if f.Type == "number" && f.Min > f.Max {
			bad(where+".max", "a number is from min to max")
		}
	}
}

// checkAnswers checks what was filled in. Every fault is named; no value is repeated.
func checkAnswers(form []FormField, answers map[string]any) (faults []kangma.Fault) {
	for id := range answers {
		if !slices.ContainsFunc(form, func(f FormField) bool { return f.ID == id }) {
			faults = append(faults, kangma.Fault{Where: "form", Code: "form_field", What: "the form of this venue has no such field"})
		}
	}
	for _, f := range form {
		v, given := answers[f.ID]
		what := ""
		switch {
		case !given && f.Required:
			what = "this field must be filled in"
		case given && !f.fits(v):
			what = "the answer does not fit the field"
		}
		if what != "" {
			faults = append(faults, kangma.Fault{Where: "form." + f.ID, Code: "form", What: what})
		}
	}
	return faults
}

func (f FormField) fits(v any) bool {
	switch f.Type {
	case "choice":
		s, ok := v.(string)
		return ok && slices.ContainsFunc(f.Choices, func(t kangma.Text) bool { return t.Zh == s })
	case "number":
		n, ok := v.(float64)
		return ok && n == math.Trunc(n) && n >= float64(f.Min) && n <= float64(f.Max)
	case "yes-no":
		_, ok := v.(bool)
		return ok
	case "date":
		s, ok := v.(string)
		if !ok {
			return false
		}
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	}
	return false
}
