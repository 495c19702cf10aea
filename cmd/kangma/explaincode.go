package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/kangma/kangma/interop"
)

// printExplanation says what a payload or value of another system claims.
func printExplanation(w *world, e interop.Explanation) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(e)
	}
	line := func(what, v string) { fmt.Fprintf(w.out, "%-16s %s\n", what, v) }
	line("format", e.Format)
	if c := e.Content; c != nil {
		line("name", c.Person.Name)
		line("document", c.Person.Card)
		line("warning", c.HasWarm)
		if c.Hsjc != nil {
			line("test", c.Hsjc.Result+" "+c.Hsjc.Time+" "+c.Hsjc.Lab)
		}
	}
	for _, st := range e.Statuses {
		line(st.Field, fmt.Sprintf("%s: %s  %s %s", st.Value, meaning(st.Status), st.Region, st.Date))
	}
	if e.Value != nil {
		line("means", meaning(*e.Value))
	}
	for _, vendor := range slices.Sorted(maps.Keys(e.Readings)) {
		line(vendor, meaning(*e.Readings[vendor]))
	}
	_, err := fmt.Fprintln(w.out, "NOT verified: this is what it claims")
	return err
}

func meaning(s interop.Status) string {
	if s.Told {
		return s.Means
	}
	return s.Means + " (no colour: " + string(s.Why) + ")"
}
