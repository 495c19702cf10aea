package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
)

const labMapping = `provider: cdc
content: evidence
constants: {kind: test, test.method: pcr}
id: [样本编号]
columns:
  证件号码: {field: id_number, required: true}
  采样时间: {field: observed_at, as: time, layout: "2006-01-02 15:04:05", required: true}
  结果: {field: test.result, required: true, values: {阴性: negative, 阳性: positive}}
ignore: [样本编号]
`

type fed struct {
	Batch           string
	Lines, Accepted int
	Quarantine      bool
	Refused         []struct{ Line int }
}

func (w *town) csv(token, body string) (out fed) {
	w.t.Helper()
	w.want(w.callWith("POST", "/v1/evidence", token, body, map[string]string{"Content-Type": "text/csv; charset=utf-8"}), 200, "").into(w.t, &out)
	return out
}

func (w *town) evidence(t *testing.T, p person) []kangma.Evidence {
	t.Helper()
	id, err := kangma.ParsePersonID(p.id)
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.registry.Dossier(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d.Evidence
}

func TestACSVIsReadByItsFeedsMappingAndBadLinesAreMendedAndReplayed(t *testing.T) {
	w := newTown(t)
	p, feeder, official := w.resident("401"), w.staff(api.Feeder), w.staff(api.Official)
	row := func(sample, at, result string) string {
		return p.number + "," + at + "," + result + "," + sample + "\n"
	}
	file := "\ufeff证件号码,采样时间,结果,样本编号\r\n" + row("s1", "2022-08-10 09:00:00", "阴性") + row("s2", "2022-08-10 10:00:00", "也许") +
		row("s3", "yesterday", "阳性") + "\n" + row("s4", "2022-08-11 08:00:00", "阴性")
	w.want(w.callWith("POST", "/v1/evidence", feeder, file, map[string]string{"Content-Type": "text/csv"}), 422, "feed_mapping")

	w.want(w.call("PUT", "/v1/feeds/other/mapping", official, []byte(labMapping)), 422, "mapping_provider")
	w.want(w.call("PUT", "/v1/feeds/cdc/mapping", official, []byte("nonsense: 1")), 422, "mapping_yaml")
	w.want(w.call("PUT", "/v1/feeds/cdc/mapping", official, []byte(labMapping)), 204, "")
	if got := w.want(w.call("GET", "/v1/feeds/cdc/mapping", feeder, nil), 200, ""); string(got.body) != labMapping {
		t.Errorf("the mapping comes back as %s", got.body)
	}
	out := w.csv(feeder, file)
	if out.Lines != 4 || out.Accepted != 2 || !out.Quarantine || len(out.Refused) != 2 || out.Refused[0].Line != 3 || out.Refused[1].Line != 4 {
		t.Fatalf("%+v", out)
	}
	if again := w.csv(feeder, file); again.Batch != out.Batch || len(w.evidence(t, p)) != 2 {
		t.Errorf("sent again: batch %s after %s, %d pieces", again.Batch, out.Batch, len(w.evidence(t, p)))
	}
	w.want(w.callWith("POST", "/v1/evidence", feeder, "a,b\n1,2\n", map[string]string{"Content-Type": "text/csv"}), 422, "csv_header")

	var waiting struct {
		Batches []struct {
			Batch, Box string
			Lines      []struct {
				Line   int
				Faults []kangma.Fault
			}
		}
	}
	raw := w.want(w.call("GET", "/v1/quarantine", official, nil), 200, "")
	raw.into(t, &waiting)
	if len(waiting.Batches) != 1 || len(waiting.Batches[0].Lines) != 2 || len(waiting.Batches[0].Lines[0].Faults) == 0 || strings.Contains(string(raw.body), p.number) {
		t.Errorf("%s", raw.body)
	}
	path := "?batch=" + out.Batch
	w.want(w.call("GET", "/v1/quarantine/file"+path, official, nil), 403, "forbidden")
	quarantine := string(w.want(w.call("GET", "/v1/quarantine/file"+path, feeder, nil), 200, "").body)
	if rec, err := w.registry.Records().Get(t.Context(), "quarantine", out.Batch); err != nil || strings.Contains(string(rec.Data), p.number) || strings.Contains(string(rec.Data), "也许") {
		t.Errorf("the store shows what is in quarantine, or %v", err)
	}

	half := strings.Replace(quarantine, "也许", "阳性", 1) // one line is mended, the other goes on waiting
	w.want(w.call("POST", "/v1/quarantine/replay"+path, feeder, half), 200, "").into(t, &out)
	if out.Accepted != 1 || len(out.Refused) != 1 || out.Refused[0].Line != 4 || len(w.evidence(t, p)) != 3 {
		t.Errorf("%+v, %d pieces", out, len(w.evidence(t, p)))
	}
	if c := w.code(p); c.Colour != "red" {
		t.Errorf("the mended line says positive, yet %+v", c)
	}
	w.want(w.call("POST", "/v1/quarantine/replay"+path, feeder, `{"line":3,"faults":[],"text":"x"}`), 422, "quarantine_line")
	rest := string(w.want(w.call("GET", "/v1/quarantine/file"+path, feeder, nil), 200, "").body)
	w.want(w.call("POST", "/v1/quarantine/replay"+path, feeder, strings.Replace(rest, "yesterday", "2022-08-10 11:00:00", 1)), 200, "").into(t, &out)
	if out.Accepted != 1 || len(out.Refused) != 0 || len(w.evidence(t, p)) != 4 {
		t.Errorf("%+v", out)
	}
	w.want(w.call("GET", "/v1/quarantine/file"+path, feeder, nil), 404, "no_quarantine")
	var back struct{ People int }
	w.want(w.call("POST", "/v1/batches/withdraw", official, map[string]string{"batch": out.Batch, "reason": "wrong laboratory"}), 200, "").into(t, &back)
	if c := w.code(p); back.People != 1 || c.Colour != "green" {
		t.Errorf("the whole batch, mended lines too, is taken back: %+v %+v", back, c)
	}
}

func TestAFeedThatIsSilentOrLateIsAnAlarm(t *testing.T) {
	w := newTown(t)
	p, feeder, official := w.resident("402"), w.staff(api.Feeder), w.staff(api.Official)
	type status struct {
		Source       string
		Silent, Late bool
		Silence, Lag time.Duration
	}
	feed := func(source string) status {
		t.Helper()
		var all struct{ Feeds []status }
		w.want(w.call("GET", "/v1/feeds", official, nil), 200, "").into(t, &all)
		for _, f := range all.Feeds {
			if f.Source == source {
				return f
			}
		}
		t.Fatalf("no feed %s in %+v", source, all)
		return status{}
	}
	for body, status := range map[string]int{`{"silent_for":"-1h"}`: 422, `{"silent_for":"soon"}`: 422, `{"kinds":["override"]}`: 422,
		`{"silent_for":"90m","late_by":"36h","kinds":["stay","test"]}`: 200} {
		if a := w.call("PUT", "/v1/feeds/cdc", official, body); a.status != status {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if f := feed("cdc"); f.Silent {
		t.Errorf("just set up: %+v", f)
	}
	w.pass(2 * time.Hour)
	if f := feed("cdc"); !f.Silent || f.Silence != 2*time.Hour {
		t.Errorf("never heard of for two hours: %+v", f)
	}
	send := func(kind string, at time.Time, payload string) fed {
		t.Helper()
		var out fed
		line := fmt.Sprintf(`{"id":%q,"kind":%q,"id_number":%q,"observed_at":%q,%s}`, kangma.NewEventID(at), kind, p.number, at.Format(time.RFC3339), payload)
		w.want(w.call("POST", "/v1/evidence", feeder, line), 200, "").into(t, &out)
		return out
	}
	if out := send("test", w.now().Add(-48*time.Hour), `"test":{"method":"pcr","result":"negative"}`); out.Accepted != 1 {
		t.Errorf("%+v", out)
	}
	if f := feed("cdc"); f.Silent || !f.Late || f.Lag != 48*time.Hour {
		t.Errorf("the newest is two days old: %+v", f)
	}
	if out := send("temperature", w.now(), `"temperature":{"tenths":380}`); out.Accepted != 0 || len(out.Refused) != 1 {
		t.Errorf("a kind this feed may not send: %+v", out)
	}
	if out := send("test", w.now(), `"test":{"method":"pcr","result":"negative"}`); out.Accepted != 1 || feed("cdc").Late {
		t.Errorf("%+v %+v", out, feed("cdc"))
	}
	var doc map[string]json.RawMessage
	w.want(w.call("PUT", "/v1/feeds/a%2Fb", official, `{}`), 422, "feed_name").into(t, &doc)
}
