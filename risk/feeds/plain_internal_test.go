package feeds

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

const plainLine = `{"id":"01827a3e-5c00-7abc-8def-0123456789ab","kind":"test","person":"0c0c0c0c-0000-4000-8000-000000000001","observed_at":"2022-08-10T10:00:00+08:00","test":{"method":"pcr","result":"negative","lab":"市疾控 lab-07","lab_received":"2022-08-10T04:00:00.5Z"}}`

// same holds the plain reading of a line against the general one; it reports whether the line is of the plain form.
func same(t *testing.T, line []byte) bool {
	t.Helper()
	var quick, general wireEvidence
	if !utf8.Valid(line) || !plainEvidence(line, &quick) {
		return false // such lines never get there, or are read by the general way alone
	}
	if err := strictJSON(line, &general); err != nil {
		t.Fatalf("%q is taken as plain; the general way says %v", line, err)
	}
	if !reflect.DeepEqual(quick, general) {
		t.Fatalf("%q\nplain   %+v\ngeneral %+v", line, quick, general)
	}
	return true
}

func TestAPlainLineIsReadAsTheGeneralWayReadsIt(t *testing.T) {
	for _, line := range []string{plainLine,
		`{"id_type":"passport","id_number":"E12345678","kind":"test","reported_at":"2022-08-10T10:00:00Z","source":"cdc","test":{"lab":""}}`,
		`{"kind":""}`, `{"person":"\u007f"}`[:11] + "\x7f\"}"} {
		if !same(t, []byte(line)) {
			t.Errorf("%s: not read as plain", line)
		}
	}
}

func TestAnythingElseIsLeftToTheGeneralWay(t *testing.T) {
	for what, line := range map[string]string{
		"a name twice":            `{"kind":"test","kind":"stay"}`,
		"a name in other letters": `{"Kind":"test"}`,
		"an unknown name":         `{"kind":"test","x":"y"}`,
		"another payload":         `{"kind":"stay","stay":{"from":"2022-08-10T10:00:00Z"}}`,
		"a name of the inside":    `{"kind":"test","method":"pcr"}`,
		"a name of the outside":   `{"test":{"kind":"test"}}`,
		"null":                    `{"kind":null}`,
		"a number":                `{"kind":1}`,
		"an escape":               `{"kind":"te\u0073t"}`,
		"an escaped name":         `{"\u006bind":"test"}`,
		"white space":             `{"kind": "test"}`,
		"something after it":      `{"kind":"test"}{}`,
		"a control character":     "{\"kind\":\"te\tst\"}",
		"no end":                  `{"kind":"test"`,
		"a comma at the end":      `{"kind":"test",}`,
		"nothing in it":           `{}`,
		"an empty test":           `{"test":{}}`,
		"a bad id":                `{"id":"01827A3E-5C00-7ABC-8DEF-0123456789AB"}`,
		"a bad time":              `{"observed_at":"2022-8-10T10:00:00Z"}`,
		"an array":                `["kind"]`,
		"nothing":                 ``,
	} {
		if same(t, []byte(line)) {
			t.Errorf("%s: %s is read as plain", what, line)
		}
	}
}

// TestChangedLinesAreReadAlikeOrLeftAlone breaks a plain line in every way one or two changes can.
func TestChangedLinesAreReadAlikeOrLeftAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 4))
	parts := append([]string{`"`, `\`, `{`, `}`, `,`, `:`, ` `, `null`, `"test":`, `"id":`, "\x7f", "\n", "é", `"":""`, `A`}, plainNames...)
	plain := 0
	for range 30_000 {
		line := plainLine
		for range 1 + r.IntN(2) {
			from := r.IntN(len(line) + 1)
			to := min(len(line), from+r.IntN(4))
			switch r.IntN(3) {
			case 0:
				line = line[:from] + line[to:]
			case 1:
				line = line[:from] + parts[r.IntN(len(parts))] + line[to:]
			default:
				line = strings.Replace(line, plainNames[r.IntN(len(plainNames))], parts[r.IntN(len(parts))], 1)
			}
		}
		if same(t, []byte(line)) {
			plain++
		}
	}
	if plain < 300 {
		t.Errorf("%d of the changed lines were plain: the test tests little", plain)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte(plainLine))
	f.Add([]byte(`{"kind":"test","test":{"method":"pcr","result":"positive"}}`))
	f.Fuzz(func(t *testing.T, line []byte) { same(t, line) })
}

func BenchmarkLine(b *testing.B) {
	line := []byte(plainLine)
	for name, read := range map[string]func(w *wireEvidence) bool{
		"plain":   func(w *wireEvidence) bool { return plainEvidence(line, w) },
		"general": func(w *wireEvidence) bool { return strictJSON(line, w) == nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var w wireEvidence
				if !read(&w) {
					b.Fatal("not read")
				}
			}
		})
	}
}
