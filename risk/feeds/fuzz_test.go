package feeds_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

// FuzzScan: whatever the bytes, every line is answered once, in order, and what is called good passes Validate.
func FuzzScan(f *testing.F) {
	all := good()
	var text strings.Builder
	for _, k := range feeds.Kinds {
		text.WriteString(line(f, all[k]) + "\n")
	}
	f.Add([]byte(text.String()), false)
	f.Add([]byte(labHeader+"S1,示例,"+number(f)+",2022-08-10 10:00:00,,,阴性,\n"), true)
	f.Add([]byte("\ufeff\r\n\xff\n{}\n"), false)
	m := mapping(f, "lab")
	f.Fuzz(func(t *testing.T, raw []byte, csv bool) {
		o := evidenceOptions()
		if csv {
			o.Format, o.Mapping = feeds.CSV, m
		}
		last, seen := 0, 0
		tally, err := feeds.Scan(bytes.NewReader(raw), o, func(r *feeds.Record) error {
			seen++
			if r.Line <= last {
				t.Fatalf("line %d after line %d", r.Line, last)
			}
			last = r.Line
			if len(r.Faults) == 0 {
				if f := feeds.Validate(&r.Evidence, o.Now, o.Retention); f != nil {
					t.Fatalf("a good line has faults: %+v", f)
				}
				if r.Subject.Person.IsZero() && r.Subject.Number.Reveal() == "" {
					t.Fatal("a good line is about nobody")
				}
				return nil
			}
			var q bytes.Buffer
			if err := r.Quarantine().Append(&q); err != nil {
				t.Fatal(err)
			}
			return nil
		})
		if err != nil && kangma.KindOf(err) != kangma.Invalid {
			t.Fatalf("%v", err)
		}
		if tally.Records != seen || tally.Good+tally.Bad != seen {
			t.Fatalf("%d lines seen, %+v", seen, tally)
		}
		again, _ := feeds.Scan(bytes.NewReader(raw), o, func(*feeds.Record) error { return nil })
		if again.Good != tally.Good || again.Bad != tally.Bad {
			t.Fatalf("a second reading gives %+v, the first %+v", again, tally)
		}
	})
}

// FuzzMapping: a mapping that loads can be opened on its own header.
func FuzzMapping(f *testing.F) {
	for _, name := range []string{"lab", "people"} {
		raw, err := os.ReadFile("testdata/mappings/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := feeds.LoadMapping(raw)
		if err != nil {
			if k := kangma.KindOf(err); k != kangma.Invalid && k != kangma.TooLarge {
				t.Fatalf("%v", err)
			}
			return
		}
		o := evidenceOptions()
		o.Format, o.Mapping, o.Content = feeds.CSV, m, m.Content
		_, _ = feeds.Scan(strings.NewReader("a,b\n1,2\n"), o, func(*feeds.Record) error { return nil })
	})
}

// FuzzManifest: nothing that was not signed by a known key opens.
func FuzzManifest(f *testing.F) {
	keys := signers(f)
	s, err := feeds.SignManifest(manifestOf("{}", 1), "ed", keys["ed"])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s)
	f.Fuzz(func(t *testing.T, signed string) {
		m, err := feeds.OpenManifest(signed, keysOf(keys), now)
		if err == nil && m != manifestOf("{}", 1) {
			t.Fatalf("%q opens as %+v", signed, m)
		}
	})
}
