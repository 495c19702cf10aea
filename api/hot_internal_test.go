package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
)

func same(t *testing.T, hot []byte, general any) {
	t.Helper()
	want, err := json.Marshal(general)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(hot, &a); err != nil {
		t.Fatalf("%v in %s", err, hot)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("hot     %s\ngeneral %s", hot, want)
	}
}

// nasty has everything that JSON must escape, and what is no UTF-8.
const nasty = "汕尾 \"quoted\" \\ \x00\x1f\n\t\u2028 <b>&</b> \xff\xc3( 😷"

func filledReason() reasonView {
	yellow := kangma.Yellow
	return reasonView{
		Rule: nasty, Colour: &yellow, Why: kangma.Text{Zh: nasty, En: "why"}, Guidance: kangma.Text{Zh: "做", En: nasty}, Clears: kangma.Text{En: "c"},
		Since: time.Date(2022, 8, 11, 4, 0, 0, 123456789, time.UTC), Until: time.Date(2022, 8, 21, 4, 0, 0, 0, time.FixedZone("", 8*3600)),
		Progress: &kangma.Progress{Have: 1, Need: 3, Next: time.Unix(1660190400, 0).UTC(), What: kangma.Text{Zh: nasty}},
	}
}

func TestAHotCodeIsTheGeneralOne(t *testing.T) {
	red := kangma.Red
	full := codeView{
		Code: "KM1:" + nasty, Told: true, Colour: &red, Label: nasty, Reason: nasty, Reasons: []reasonView{filledReason(), {}}, Duties: []reasonView{filledReason()},
		Issued: time.Unix(1660190400, 0).UTC(), Expires: time.Unix(1660190490, 0).UTC(), Refresh: time.Unix(1660190445, 0).UTC(),
		NextChange: time.Unix(1660990445, 0).UTC(), MaskedName: "欧**试", Rules: kangma.RuleSetRef{ID: nasty, Version: "9", Digest: "ab"},
	}
	for _, v := range []codeView{full, {Reasons: []reasonView{}}, {CannotTell: kangma.TellExpired, Reason: "expired", Reasons: []reasonView{}}} {
		same(t, appendCodeView(nil, &v), v)
	}
}

func TestAHotVerdictIsTheGeneralOne(t *testing.T) {
	yellow := kangma.Yellow
	full := verdictView{
		Event: kangma.NewEventID(time.Unix(1660190400, 0)), At: time.Unix(1660190400, 7).UTC(), Decision: kangma.HomeIsolate, Told: true, Colour: &yellow, Wire: "01",
		Reason: nasty, Why: kangma.Text{Zh: nasty, En: nasty}, Guidance: kangma.Text{En: "g"}, MaskedName: nasty, IDTail: "882X", Flags: []string{"travel", nasty},
	}
	for _, v := range []verdictView{full, {}, {CannotTell: kangma.TellForged, Reason: "forged", Why: kangma.Text{Zh: "z"}}} {
		same(t, appendVerdictView(nil, &v), v)
	}
}

// FuzzReadScan holds the fast reader against encoding/json: what it takes, the general one reads the same way.
func FuzzReadScan(f *testing.F) {
	for _, s := range []string{
		`{"code":"KM1:X","gate":"g"}`, ` { "gate" : "g" , "code":"c","event":"e","direction":"in","temperature":36.6 } `, `{"code":"c","gate":"g","temperature":037}`,
		`{"code":"c","gate":"g","code":"d"}`, `{"code":"c"}`, `{"code":"\u0041","gate":"g"}`, `{"code":"c","gate":"g"}x`, `{"code":"c","gate":"g","x":1}`, "{\"code\":\"\xff\",\"gate\":\"g\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var hot, general scanIn
		if !readScan(raw, &hot) {
			return
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&general.Body); err != nil || general.Body != hot.Body {
			t.Errorf("%q: hot %+v, general %+v, %v", raw, hot.Body, general.Body, err)
		}
	})
}

func TestTheFastReaderLeavesTheUnusualAlone(t *testing.T) {
	long := strings.Repeat("x", 4097)
	for _, raw := range []string{
		``, `{}`, `[]`, `{"code":"c"}`, `{"code":"","gate":"g"}`, `{"code":"c","gate":""}`, `{"code":"` + long + `","gate":"g"}`,
		`{"code":"c","gate":"` + long[:65] + `"}`, `{"code":"c","gate":"g","direction":"up"}`, `{"code":"c","gate":"g","direction":""}`, `{"code":"c","gate":"g","temperature":"36"}`,
		`{"code":"c","gate":"g","temperature":-1}`, `{"code":"c","gate":"g","temperature":1e9}`, `{"code":"c","gate":"g",}`, `{"code":1,"gate":"g"}`, `{"CODE":"c","gate":"g"}`,
	} {
		if readScan([]byte(raw), new(scanIn)) {
			t.Errorf("took %.80s", raw)
		}
	}
	in := scanIn{}
	if !readScan([]byte(`{"code":"c","gate":"g","event":"e","direction":"out","temperature":36.6}`), &in) || in.Body.Temperature != 36.6 || in.Body.Direction != "out" {
		t.Errorf("did not take the usual: %+v", in.Body)
	}
}
