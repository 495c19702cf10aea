package feeds_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

const idNumber = "441581199001011237"

func number(t testing.TB) string {
	t.Helper()
	return idNumber[:17] + string(kangma.IDCheckChar(idNumber[:17]))
}

func evidenceOptions() feeds.Options {
	return feeds.Options{Provider: "lab-a", Batch: "lab-a/7", Reported: hours(-1), Content: feeds.EvidenceContent, Format: feeds.NDJSON, Now: now, Retention: retention}
}

// line writes evidence as a line of a feed.
func line(t testing.TB, ev *kangma.Evidence) string {
	t.Helper()
	e := *ev
	e.Source = ""
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	doc["id_number"] = number(t)
	delete(doc, "source")
	b, err = json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func scan(t testing.TB, text string, o feeds.Options) (out []feeds.Record, tally feeds.Tally, err error) {
	t.Helper()
	tally, err = feeds.Scan(strings.NewReader(text), o, func(r *feeds.Record) error {
		c := *r
		c.Raw = bytes.Clone(r.Raw)
		out = append(out, c)
		return nil
	})
	return out, tally, err
}

func TestEveryKindOfEvidenceComesThroughAFeed(t *testing.T) {
	all := good()
	var text strings.Builder
	var want []kangma.Evidence
	text.WriteString("\ufeff")
	for _, k := range feeds.Kinds {
		if k == kangma.KindOverride {
			continue // not from a feed
		}
		ev := *all[k]
		if k == kangma.KindWithdrawal {
			ev.Withdrawal = &kangma.Withdrawal{Batch: "lab-a/6"}
		}
		text.WriteString(line(t, &ev) + "\r\n\n")
		ev.Source, ev.Batch = "lab-a", "lab-a/7"
		if ev.Reported.IsZero() {
			ev.Reported = hours(-1)
		}
		want = append(want, ev)
	}
	got, tally, err := scan(t, text.String(), evidenceOptions())
	if err != nil || tally.Good != len(want) || tally.Bad != 0 {
		t.Fatalf("%v, %+v, %+v", err, tally, got)
	}
	for i, rec := range got {
		g, _ := json.Marshal(rec.Evidence)
		w, _ := json.Marshal(want[i])
		if !bytes.Equal(g, w) {
			t.Errorf("got  %s\nwant %s", g, w)
		}
		if rec.Line != 2*i+1 || rec.Subject.Number.Reveal() != number(t) || rec.Subject.DocType != kangma.DocResidentID {
			t.Errorf("line %d is about %+v", rec.Line, rec.Subject)
		}
	}
}

func TestABadLineIsNamedAndStopsNothing(t *testing.T) {
	ev := good()[kangma.KindTest]
	sound := line(t, ev)
	for _, c := range []struct{ name, bad, want string }{
		{"not JSON", "sample 7 negative", "line:malformed"},
		{"two objects", sound + sound, "line:json_trailing"},
		{"an unknown field", strings.Replace(sound, `"kind"`, `"kin":1,"kind"`, 1), "line:malformed"},
		{"a number where a text belongs", strings.Replace(sound, `"negative"`, `5`, 1), "test.result:malformed"},
		{"an id in capitals", strings.Replace(sound, eventID(1).String(), strings.ToUpper(eventID(10).String()), 1), "line:bad_id"},
		{"not UTF-8", strings.Replace(sound, "negative", "\xff", 1), "line:bad_text"},
		{"over 64 KiB", sound + strings.Repeat(" ", 70<<10) + "x", "line:line_too_long"},
		{"a wrong checksum", strings.Replace(sound, number(t), "441581199001011230", 1), "id_number:id_checksum"},
		{"nobody", strings.Replace(sound, number(t), "", 1), "id_number:required"},
		{"somebody and a document", strings.Replace(sound, `"kind"`, `"person":"01828000-0000-4000-8000-000000000000","kind"`, 1), "person:unexpected"},
		{"another source", strings.Replace(sound, `"kind"`, `"source":"lab-b","kind"`, 1), "source:not_allowed"},
		{"another batch", strings.Replace(sound, `"kind"`, `"batch":"lab-b/1","kind"`, 1), "batch:not_allowed"},
		{"our own clock", strings.Replace(sound, `"kind"`, `"received_at":"2022-08-10T11:00:00Z","kind"`, 1), "received_at:unexpected"},
		{"a colour set by hand", line(t, good()[kangma.KindOverride]), "kind:not_allowed"},
		{"another provider's batch taken back", line(t, good()[kangma.KindWithdrawal]), "withdrawal.batch:not_allowed"},
		{"an impossible value", strings.Replace(sound, "negative", "sunny", 1), "test.result:unknown_value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, tally, err := scan(t, sound+"\n"+c.bad+"\n"+sound+"\n", evidenceOptions())
			if err != nil || tally.Records != 3 || tally.Good != 2 || tally.Bad != 1 {
				t.Fatalf("%v, %+v", err, tally)
			}
			var faults []string
			for _, f := range got[1].Faults {
				faults = append(faults, f.Where+":"+f.Code)
				if strings.Contains(f.What, number(t)) {
					t.Errorf("a fault repeats the ID number: %s", f.What)
				}
			}
			if got[1].Line != 2 || !slices.Contains(faults, c.want) {
				t.Errorf("line %d: %v, want %s", got[1].Line, faults, c.want)
			}
		})
	}
}

func mapping(t testing.TB, name string) *feeds.Mapping {
	t.Helper()
	raw, err := os.ReadFile("testdata/mappings/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := feeds.LoadMapping(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const labHeader = "样本编号,姓名,证件号码,采样时间,收样时间,报告时间,结果,检测机构\n"

func TestACSVIsReadByItsMapping(t *testing.T) {
	o := evidenceOptions()
	o.Format, o.Mapping = feeds.CSV, mapping(t, "lab")
	row := "S1,示例," + number(t) + ",2022-08-10 10:00:00,2022-08-10 12:00:00,2022-08-10 18:00:00,阴性,\"示例,检验所\"\n"
	got, tally, err := scan(t, labHeader+row+"S2,示例,"+number(t)+",2022-08-10 10:00,,,阴性,\nS3,示例\nS4,示例,,2022-08-10 10:00:00,,,未知,\n"+row, o)
	if err != nil || tally.Records != 5 || tally.Good != 2 {
		t.Fatalf("%v, %+v", err, tally)
	}
	ev := got[0].Evidence
	if ev.Kind != kangma.KindTest || ev.Test.Method != "pcr" || ev.Test.Result != "negative" || ev.Test.Lab != "示例,检验所" ||
		!ev.Observed.Equal(hours(-10)) || !ev.Test.Received.Equal(hours(-8)) || !ev.Reported.Equal(hours(-2)) || !ev.Received.IsZero() {
		t.Errorf("%+v %+v", ev, ev.Test)
	}
	if got[4].Evidence.ID != ev.ID || got[4].Line != 6 {
		t.Errorf("the same row is another event: %v and %v, line %d", got[4].Evidence.ID, ev.ID, got[4].Line)
	}
	if f := got[1].Faults; len(f) != 1 || f[0].Where != "采样时间" {
		t.Errorf("a time of another layout: %+v", f)
	}
	if f := got[2].Faults; len(f) != 1 || f[0].Code != feeds.Malformed {
		t.Errorf("too few cells: %+v", f)
	}
	if f := got[3].Faults; len(f) != 2 {
		t.Errorf("an empty number and an unknown word: %+v", f)
	}
}

func TestAPeopleFileGivesApplicants(t *testing.T) {
	o := feeds.Options{Content: feeds.PeopleContent, Format: feeds.CSV, Mapping: mapping(t, "people"), Now: now}
	got, tally, err := scan(t, "name;id;phone;division\n李示例;"+number(t)+";13800000000;441581001\n王示例;123;1;999999\n", o)
	if err != nil || tally.Good != 1 || tally.Bad != 1 {
		t.Fatalf("%v, %+v", err, tally)
	}
	if a := got[0].Applicant; a.Name.Reveal() != "李示例" || a.Home.Division != 441_581_001 || a.Phone.Reveal() != "13800000000" {
		t.Errorf("%+v", a)
	}
	if len(got[1].Faults) != 3 {
		t.Errorf("every fault at once: %+v", got[1].Faults)
	}
}

func TestAChangedHeaderStopsTheFile(t *testing.T) {
	o := evidenceOptions()
	o.Format, o.Mapping = feeds.CSV, mapping(t, "lab")
	for name, header := range map[string]string{
		"a column less":      strings.Replace(labHeader, ",结果", "", 1),
		"a column more":      strings.Replace(labHeader, "姓名", "姓名,备注", 1),
		"a column twice":     strings.Replace(labHeader, "姓名", "结果", 1),
		"the id column gone": strings.Replace(labHeader, "样本编号,", "", 1),
		"no header":          "\"\n",
	} {
		if _, _, err := scan(t, header, o); kangma.CodeOf(err) != "csv_header" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadLinesAreQuarantinedMendedAndReplayed(t *testing.T) {
	sound := line(t, good()[kangma.KindTest])
	bad := strings.Replace(sound, "negative", "negativ", 1)
	latin := strings.Replace(sound, "negative", "n\xe9gatif", 1)
	long := strings.Repeat("x", 80<<10)
	var file bytes.Buffer
	_, err := feeds.Scan(strings.NewReader(strings.Join([]string{sound, bad, latin, long}, "\n")), evidenceOptions(), func(r *feeds.Record) error {
		if len(r.Faults) == 0 {
			return nil
		}
		return r.Quarantine().Append(&file)
	})
	if err != nil {
		t.Fatal(err)
	}
	mended := strings.Replace(file.String(), "negativ\\\"", "negative\\\"", 1)
	var lines []int
	tally, err := feeds.Replay(strings.NewReader(mended), nil, evidenceOptions(), func(r *feeds.Record) error {
		lines = append(lines, r.Line)
		if r.Line == 2 && (len(r.Faults) > 0 || r.Evidence.ID != eventID(1)) {
			t.Errorf("the mended line: %+v", r)
		}
		return nil
	})
	if err != nil || !slices.Equal(lines, []int{2, 3, 4}) || tally.Good != 1 || tally.Bad != 2 {
		t.Errorf("%v, lines %v, %+v", err, lines, tally)
	}
	if _, err := feeds.Replay(strings.NewReader("{"), nil, evidenceOptions(), nil); kangma.CodeOf(err) != "quarantine_file" {
		t.Errorf("a damaged quarantine file: %v", err)
	}
}

func TestAFaultyMappingIsRefusedWithEveryFault(t *testing.T) {
	_, err := feeds.LoadMapping([]byte("content: evidence\ncolumns:\n  a: {field: test.colour}\n  b: {field: test.result, as: magic}\n  c: {field: test.lab}\n  d: {field: test.lab}\nconstants: {kind: test, test: x}\n"))
	var e *kangma.Error
	if !errors.As(err, &e) || len(e.Faults) < 6 {
		t.Errorf("%v", err)
	}
	for name, text := range map[string]string{
		"an unknown key": "provider: a\ncontent: people\nkolumns: {}\n", "two documents": "provider: a\n---\nprovider: b\n", "not YAML": ":\n\t-", "nothing": "",
	} {
		if _, err := feeds.LoadMapping([]byte(text)); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
