package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/interop"
)

type gbtAnswer struct {
	Code    string
	ApplyID string `json:"applyId"`
	EventID string `json:"eventId"`
	Data    struct {
		Content, BizExtData, Decision, Reason string
		Status                                string `json:"healthyStaus"`
	}
}

func (a gbtAnswer) content(t *testing.T) (c interop.Content) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Data.Content), &c); err != nil {
		t.Fatalf("%v in %s", err, a.Data.Content)
	}
	return c
}

func (w *town) gbt(token, verb string, body map[string]any) (a gbtAnswer) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/gbt38963/"+verb, token, body), 200, "").into(w.t, &a)
	if a.Code != "0" {
		w.t.Errorf("%s: code %q", verb, a.Code)
	}
	return a
}

func (p person) gbt(more map[string]any) map[string]any {
	m := map[string]any{"name": "欧阳测试", "cardType": "10", "cardId": p.number}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// consent applies and gives the one-time password that the person was sent.
func (w *town) consent(token, service string, p person) map[string]any {
	w.t.Helper()
	a := w.gbt(token, "apply", p.gbt(map[string]any{"service": service}))
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{"applyId": a.ApplyID, "otp": w.otps["138****0"+p.phone[8:]]}
}

func TestTheSevenServicesOfGBT38963(t *testing.T) {
	w := newTown(t)
	p, feeder, gate := w.resident("501"), w.staff(api.Feeder), w.staff(api.GateStaff)
	day := interop.FormatTime(w.now().Add(-time.Hour))

	declared := w.gbt(feeder, "declare", p.gbt(map[string]any{"date": day, "temperature": "36.5", "symptom": "3^4", "isContactPatient": "2"}))
	w.gbt(feeder, "declare-trip", p.gbt(map[string]any{"vehicleType": "train", "vehicleNo": "G6312", "startTime": interop.FormatTime(w.now().Add(-5 * time.Hour)),
		"endTime": day, "startXzqh": "440300", "endXzqh": "441500", "carriage": "7", "seatNo": "12F"}))

	c := w.gbt(feeder, "query", w.consent(feeder, "query", p)).content(t)
	if c.Person.Name != "欧**试" || len(c.HealthyReport) != 1 || c.HealthyReport[0].Region != "441500" || len(c.YqReports) != 1 ||
		c.YqReports[0].Symptom != "3^4" || c.YqReports[0].Temperature != "36.5" || c.YqReports[0].IsContactPatient != "2" || c.YqReports[0].Date != day {
		t.Errorf("query: %+v", c)
	}
	w.gbt(feeder, "correct", p.gbt(map[string]any{"eventId": declared.EventID, "reason": "typed wrongly"}))
	if c := w.gbt(feeder, "query", w.consent(feeder, "query", p)).content(t); len(c.HealthyReport) != 1 || c.HealthyReport[0].Status != "00" {
		t.Errorf("after the correction: %+v", c)
	}
	made := w.gbt(feeder, "make", w.consent(feeder, "make", p))
	if made.Data.Status != "00" || !strings.HasPrefix(made.Data.BizExtData, "KM1:") {
		t.Fatalf("make: %+v", made)
	}
	v := w.gbt(gate, "verify", map[string]any{"bizExtData": made.Data.BizExtData, "gate": "metro-1"})
	if c := v.content(t); v.Data.Decision != "pass" || c.HealthyReport[0].Status != "00" || c.Person.Name != "欧**试" || c.HasWarm != interop.NoWarning {
		t.Errorf("verify: %+v %+v", v, c)
	}
	if v := w.gbt(gate, "verify", map[string]any{"bizExtData": "https://example.org", "gate": "metro-1"}); v.Data.Decision != "refer" || len(v.content(t).HealthyReport) != 0 {
		t.Errorf("verify what is no code: %+v", v)
	}
	var seen struct {
		Accesses []struct{ Purpose string }
	}
	waitFor(t, func() bool {
		w.want(w.call("GET", "/v1/me/accesses", p.token, nil), 200, "").into(t, &seen)
		return len(seen.Accesses) >= 4 // two queries, one code, one scan
	})
}

func TestNobodyIsQueriedWithoutTheirConsent(t *testing.T) {
	w := newTown(t)
	p, feeder := w.resident("511"), w.staff(api.Feeder)
	real := w.gbt(feeder, "apply", p.gbt(map[string]any{"service": "query"}))
	stranger := p
	stranger.number = idNumber("44150219900307512")
	nobody := w.gbt(feeder, "apply", stranger.gbt(map[string]any{"service": "query"}))
	if real.ApplyID == "" || nobody.ApplyID == "" || len(real.ApplyID) != len(nobody.ApplyID) {
		t.Errorf("an answer that tells who is registered: %+v %+v", real, nobody)
	}
	for _, id := range []string{real.ApplyID, nobody.ApplyID, strings.Repeat("0", 32)} {
		w.want(w.call("POST", "/v1/gbt38963/query", feeder, map[string]any{"applyId": id, "otp": "000000"}), 401, "wrong_otp")
	}
	good := w.consent(feeder, "query", p)
	w.want(w.call("POST", "/v1/gbt38963/make", feeder, good), 401, "wrong_otp") // asked for another service
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone, "otp": good["otp"].(string)}), 401, "wrong_otp")
	w.gbt(feeder, "query", good)
	w.want(w.call("POST", "/v1/gbt38963/query", feeder, good), 401, "wrong_otp") // once
	late := w.consent(feeder, "query", p)
	w.pass(11 * time.Minute)
	w.want(w.call("POST", "/v1/gbt38963/query", feeder, late), 401, "wrong_otp")
}

func TestAnotherRegionsColourKeepsItsSourceAndAge(t *testing.T) {
	w := newTown(t)
	p, feeder := w.resident("521"), w.staff(api.Feeder)
	issued := w.now().Add(-30 * time.Hour)
	body := p.gbt(map[string]any{"province": "420000", "vendor": "dahua", "healthyStaus": "1", "reportDate": interop.FormatTime(issued), "reason": "外省赋码"})
	w.gbt(feeder, "transcode", body)
	older := p.gbt(map[string]any{"province": "420000", "healthyStaus": "00", "reportDate": interop.FormatTime(issued.Add(-time.Hour))})
	w.gbt(feeder, "transcode", older) // arrives later, is older: it does not count
	c := w.gbt(feeder, "query", w.consent(feeder, "query", p)).content(t)
	if len(c.HealthyReport) != 2 || c.HealthyReport[1].Region != "420000" || c.HealthyReport[1].Status != "10" || c.HealthyReport[1].Date != interop.FormatTime(issued) {
		t.Errorf("%+v", c.HealthyReport)
	}
	for what, bad := range map[string]map[string]any{
		"expired is no colour": {"vendor": "aliyun", "healthyStaus": "4"}, "an unknown value": {"healthyStaus": "11"}, "the future": {"reportDate": "2022-08-12 12:00:00"},
	} {
		b := p.gbt(map[string]any{"province": "420000", "healthyStaus": "00", "reportDate": interop.FormatTime(issued)})
		for k, v := range bad {
			b[k] = v
		}
		if a := w.call("POST", "/v1/gbt38963/transcode", feeder, b); a.status != 422 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	w.want(w.call("POST", "/v1/gbt38963/declare", feeder, p.gbt(map[string]any{"date": "x", "symptom": "9"})), 422, "gbt_time")
	p.number = idNumber("44150219900307522")
	w.want(w.call("POST", "/v1/gbt38963/declare", feeder, p.gbt(map[string]any{"date": interop.FormatTime(issued), "symptom": "1"})), 404, "unknown_person")
}
