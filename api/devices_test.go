package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
)

// TestATurnstileGetsEveryColourInUnder300Bytes scans a green, a yellow and a red person at two turnstiles in a row, so that
// the answer carries a flag too, and asks for the wire codes of the deployed systems.
func TestATurnstileGetsEveryColourInUnder300Bytes(t *testing.T) {
	w := newTown(t)
	w.want(w.call("PUT", "/v1/gates/far", w.staff(api.Admin), obj{"name": both("远"), "kind": "metro", "district": "350603"}), 200, "")
	var device struct{ Key string }
	w.want(w.call("PUT", "/v1/devices/turnstile-2", w.staff(api.Admin), obj{"organisation": "metro", "gates": []string{"metro-1", "far"}}), 200, "").into(t, &device)
	green, yellow, red := w.resident("551"), w.resident("552"), w.resident("553")
	at := w.now().Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", w.staff(api.Feeder), stayLine(kangma.NewEventID(at), yellow.number, "441521", "二环西路12号", at)+"\n"+
		stayLine(kangma.NewEventID(at), red.number, "441502", "金町湾小区", at)), 200, "")
	for wire, p := range map[string]person{"00": green, "01": yellow, "10": red} {
		code := w.code(p).Code
		for _, gate := range []string{"metro-1", "far"} {
			a := w.want(w.call("POST", "/v1/scans?brief=true", device.Key, obj{"code": code, "gate": gate, "event": w.event(), "direction": "in", "temperature": 36.5}), 200, "")
			if len(a.body) >= 300 || !strings.Contains(string(a.body), `"wire":"`+wire+`"`) || strings.Contains(string(a.body), "欧") || (gate == "far") != strings.Contains(string(a.body), "travel") {
				t.Errorf("%s at %s: %d bytes: %s", wire, gate, len(a.body), a.body)
			}
		}
	}
}
