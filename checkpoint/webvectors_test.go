package checkpoint_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
)

var updateVectors = flag.Bool("update-gate-vectors", false, "make testdata/gate/vectors.json anew")

const gateVectors = "../testdata/gate/vectors.json"

// webVectors are what the gate's page must decide exactly as a gate here does (api/web/test/offline.test.ts reads them).
// Every key in them is public.
type webVectors struct {
	About   string     `json:"about"`
	Pins    [][]byte   `json:"pins"`    // SubjectPublicKeyInfo
	Bundles [][]byte   `json:"bundles"` // signed
	Cases   []webCase  `json:"cases"`
	Mutants webMutants `json:"mutants"`
}

// webCase is a gate from its first bundle on.
type webCase struct {
	Name  string    `json:"name"`
	Steps []webStep `json:"steps"`
}

// webStep takes a bundle (index from 1) or scans a code, at a moment in Unix milliseconds.
type webStep struct {
	At          int64            `json:"at"`
	Bundle      int              `json:"bundle,omitempty"`
	Refused     string           `json:"refused,omitempty"` // why the bundle or the scan was not taken
	Event       *kangma.EventID  `json:"event,omitempty"`
	Code        string           `json:"code,omitempty"`
	Direction   string           `json:"direction,omitempty"`
	Temperature int              `json:"temperature,omitempty"`
	Challenge   int              `json:"challenge,omitempty"` // the number that the gate showed
	Verdict     json.RawMessage  `json:"verdict,omitempty"`
	Item        json.RawMessage  `json:"item,omitempty"`
	Ages        *checkpoint.Ages `json:"ages,omitempty"`
}

// webMutants are scanned one after another at one gate; each is made by mutate from the bases with one generator.
type webMutants struct {
	Bundle int      `json:"bundle"`
	At     int64    `json:"at"`
	Seed   uint32   `json:"seed"`
	Bases  []string `json:"bases"`
	Told   string   `json:"told"` // one letter of tells for each mutant
}

// tells gives the letters: the place in this list, from a.
var tells = []kangma.CannotTell{"", kangma.TellExpired, kangma.TellNotYetValid, kangma.TellUnknownKey, kangma.TellForged, kangma.TellMalformed,
	kangma.TellNotOurs, kangma.TellSpecimen, kangma.TellReplayed, kangma.TellRevoked, kangma.TellCheckOnline}

const mutants = 2000

// mutate makes the next mutant; x is the state of a xorshift generator (G. Marsaglia, 2003).
func mutate(bases []string, x *uint32) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	next := func(n int) int {
		*x ^= *x << 13
		*x ^= *x >> 17
		*x ^= *x << 5
		return int(*x % uint32(n))
	}
	s := bases[next(len(bases))]
	switch at := next(len(s) - 1); next(4) {
	case 0:
		return s[:at] + s[at+1:]
	case 1:
		return s[:at] + s[at+1:at+2] + s[at:at+1] + s[at+2:]
	case 2:
		return s[:at]
	default:
		return s[:at] + string(alphabet[next(45)]) + s[at+1:]
	}
}

// play takes the steps of one case and fills in, or compares, what came of them.
func (v *webVectors) play(t *testing.T, c *webCase, settle func(step *webStep, got webStep)) {
	t.Helper()
	pins := v.pins(t)
	var gate *checkpoint.Offline
	for i := range c.Steps {
		step := &c.Steps[i]
		at := time.UnixMilli(step.At)
		got := webStep{}
		if step.Bundle > 0 {
			next, err := takeBundle(v.Bundles[step.Bundle-1], pins, gate, at)
			if err != nil {
				got.Refused = kangma.CodeOf(err)
			} else {
				gate = next
			}
		} else {
			verdict, passage, err := gate.Scan(checkpoint.Scan{Event: *step.Event, Code: step.Code, Direction: step.Direction, Temperature: step.Temperature, Challenge: step.Challenge}, at)
			if err != nil {
				got.Refused = kangma.CodeOf(err)
			} else {
				ages := gate.Ages(at)
				got.Verdict, got.Item, got.Ages = mustJSON(t, verdict), mustJSON(t, webItem(passage)), &ages
			}
		}
		settle(step, got)
	}
}

func takeBundle(raw []byte, pins []*ecdsa.PublicKey, before *checkpoint.Offline, at time.Time) (*checkpoint.Offline, error) {
	b, err := checkpoint.OpenBundle(raw, pins, at)
	if err != nil {
		return nil, err
	}
	next, err := checkpoint.NewOffline(b)
	if err == nil && before != nil {
		err = next.Resume(before.State())
	}
	return next, err
}

// webItem is the form that POST /v1/scans/sync takes, without event and code, which are the scan's.
func webItem(p kangma.Passage) map[string]any {
	m := map[string]any{"decision": p.Decision, "reason": p.Reason, "flags": p.Flags}
	if p.Told {
		m["colour"] = p.Colour
	}
	if p.Direction != "" {
		m["direction"] = p.Direction
	}
	if p.Temperature != 0 {
		m["temperature"] = float64(p.Temperature) / 10
	}
	return m
}

func (v *webVectors) pins(t *testing.T) (keys []*ecdsa.PublicKey) {
	t.Helper()
	for _, spki := range v.Pins {
		k, err := x509.ParsePKIXPublicKey(spki)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k.(*ecdsa.PublicKey))
	}
	return keys
}

// told scans the mutants.
func (v *webVectors) told(t *testing.T) string {
	t.Helper()
	at := time.UnixMilli(v.Mutants.At)
	gate, err := takeBundle(v.Bundles[v.Mutants.Bundle-1], v.pins(t), nil, at)
	if err != nil {
		t.Fatal(err)
	}
	letters, x := make([]byte, mutants), v.Mutants.Seed
	for i := range letters {
		verdict, _, err := gate.Scan(checkpoint.Scan{Event: kangma.NewEventID(at), Code: mutate(v.Mutants.Bases, &x)}, at)
		place := slices.Index(tells, verdict.CannotTell)
		if err != nil || place < 0 {
			t.Fatalf("mutant %d: %+v, %v", i, verdict, err)
		}
		letters[i] = 'a' + byte(place)
	}
	return string(letters)
}

func mustJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The page that verifies without a network is held to these vectors, so they must be what a gate here decides, and must
// hold every verdict there is.
func TestTheVectorsOfTheGatePageAreWhatAGateDecides(t *testing.T) {
	if *updateVectors {
		v := newWebMaker(t).vectors()
		raw := bytes.ReplaceAll(mustJSON(t, v), []byte(`{"name":`), []byte("\n{\"name\":")) // one case a line
		if err := os.WriteFile(gateVectors, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(gateVectors)
	if err != nil {
		t.Fatal(err)
	}
	var v webVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range v.Cases {
		t.Run(v.Cases[i].Name, func(t *testing.T) {
			v.play(t, &v.Cases[i], func(step *webStep, got webStep) {
				if step.Refused != got.Refused || !sameJSON(t, step.Verdict, got.Verdict) || !sameJSON(t, step.Item, got.Item) {
					t.Errorf("at %d: %s %s, want %s %s", step.At, got.Refused, got.Verdict, step.Refused, step.Verdict)
				}
				var verdict struct{ Decision, Reason, Colour string }
				if json.Unmarshal(got.Verdict, &verdict) == nil {
					seen[verdict.Reason], seen[verdict.Decision], seen["colour "+verdict.Colour] = true, true, true
				}
			})
		})
	}
	for _, want := range []string{"ok", "code_yellow", "code_red", "fever", "test_missing", "vaccine_unknown", "trip_unknown", "expired", "not_yet_valid", "unknown_key",
		"forged", "malformed", "not_ours", "specimen", "stale_gate", "clock", "replayed", "revoked", "check_online", "challenge_missing", "challenge_wrong", "challenge_impossible",
		"pass", "refer", "turn-back", "home-isolate", "central-isolate", "colour green", "colour yellow", "colour red", "colour "} {
		if !seen[want] {
			t.Errorf("no case ends in %q", want)
		}
	}
	if told := v.told(t); told != v.Mutants.Told {
		t.Errorf("mutants: %s, want %s", told, v.Mutants.Told)
	}
}

func sameJSON(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	var x, y bytes.Buffer
	if len(a) > 0 && json.Compact(&x, a) != nil || len(b) > 0 && json.Compact(&y, b) != nil {
		t.Fatal("not JSON")
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}
