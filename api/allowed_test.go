package api_test

import (
	"strings"
	"testing"

	"github.com/kangma/kangma/api"
)

// Who mistypes a name is told which there are, in both languages, wherever in the body it is.
func TestAnUnknownNameIsAnsweredWithTheKnownOnes(t *testing.T) {
	w := newTown(t)
	official, gate := w.staff(api.Official), w.staff(api.GateStaff)
	venue := func(extra obj) obj {
		b := obj{"name": both("街"), "kind": "market", "district": "441502", "organisation": "test", "mode": "screen"}
		for k, v := range extra {
			b[k] = v
		}
		return b
	}
	for _, tc := range []struct {
		name, method, path, token, where, want string
		body                                   obj
	}{
		{"at the top", "POST", "/v1/scans", gate, "body.kode", "challenge, code, direction, document, event, gate, short_code, temperature", obj{"gate": "metro-1", "code": "x", "kode": "x"}},
		{"within", "POST", "/v1/scans", gate, "body.document.naem", "name, number, type", obj{"gate": "metro-1", "document": obj{"number": "11010519491231002X", "name": "李四", "naem": "x"}}},
		{"in a list", "PUT", "/v1/venues/v", official, "body.form[0].lable", "", venue(obj{"form": []any{obj{"lable": "x"}}})},
		{"in a policy", "PUT", "/v1/gates/g", official, "body.policy.blue", "challenge, fever, green, ", obj{"name": both("街"), "kind": "metro", "district": "441502", "policy": obj{"red": "refer", "yellow": "refer", "green": "pass", "fever": 373, "blue": "pass"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for language, words := range map[string]string{"en": "allowed here are: ", "zh-CN": "这里可用的是: "} {
				var p struct {
					Errors []struct{ Location, Message, Code string }
				}
				w.want(w.callWith(tc.method, tc.path, tc.token, tc.body, map[string]string{"Accept-Language": language}), 422, "").into(t, &p)
				found := false
				for _, e := range p.Errors {
					found = found || e.Location == tc.where && e.Code == "unexpected_property" && strings.Contains(e.Message, words+tc.want) && !strings.Contains(e.Message, "$schema")
				}
				if !found {
					t.Errorf("%s: %+v", language, p.Errors)
				}
			}
		})
	}
}
