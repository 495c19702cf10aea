package api_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/inbox"
	"github.com/kangma/kangma/codegen"
)

// offline fetches a gate's bundle and makes the gate of it.
func (w *town) offline(token, gate string) *checkpoint.Offline {
	w.t.Helper()
	raw := w.want(w.call("GET", "/v1/gates/"+gate+"/bundle", token, nil), 200, "").body
	b, err := checkpoint.OpenBundle(raw, []*ecdsa.PublicKey{&w.lists.key.PublicKey}, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	o, err := checkpoint.NewOffline(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *town) scanOffline(o *checkpoint.Offline, code string) (kangma.Verdict, kangma.Passage) {
	w.t.Helper()
	v, p, err := o.Scan(checkpoint.Scan{Code: code}, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return v, p
}

func item(code string, p kangma.Passage) map[string]any {
	m := map[string]any{"event": p.ID, "code": code, "decision": p.Decision, "reason": p.Reason, "flags": p.Flags}
	if p.Told {
		m["colour"] = p.Colour
	}
	return m
}

type synced struct {
	Kept    int
	Results []struct {
		Event, Code    string
		Kept, Conflict bool
	}
}

func (w *town) sync(token, gate string, items ...map[string]any) (out synced) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/scans/sync", token, map[string]any{"gate": gate, "passages": items}), 200, "").into(w.t, &out)
	return out
}

func TestAGateWithoutANetworkDecidesLikeOneWith(t *testing.T) {
	w := newTown(t)
	p, gate, feeder := w.resident("401"), w.staff(api.GateStaff), w.staff(api.Feeder)
	o, show := w.offline(gate, "post-1"), w.credential(p)
	v, pass := w.scanOffline(o, w.code(p).Code)
	if v.Decision != kangma.Pass || v.MaskedName != "欧**试" || pass.Verified != "offline" || pass.Gate != "post-1" || !slices.Equal(pass.Flags, []string{"offline"}) {
		t.Errorf("green: %+v %+v", v, pass)
	}
	at := w.now().Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(at), p.number, "441502", "金町湾小区", at)), 200, "")
	red := w.code(p).Code
	if v, _ := w.scanOffline(o, red); v.Decision != kangma.CentralIsolate || v.Colour != kangma.Red || v.Reason != "code_red" || v.Why.Zh == "" {
		t.Errorf("red: %+v", v)
	}
	for code, why := range map[string]kangma.CannotTell{"https://example.org": kangma.TellNotOurs, red[:len(red)-2]: kangma.TellMalformed} {
		if v, p := w.scanOffline(o, code); v.Decision != kangma.Refer || v.Told || v.CannotTell != why || p.Told {
			t.Errorf("%s: %+v", why, v)
		}
	}
	photo := show(w.now())
	if v, _ := w.scanOffline(o, photo); v.Decision != kangma.Pass {
		t.Errorf("a credential: %+v", v)
	}
	if v, p := w.scanOffline(o, photo); v.Decision != kangma.Refer || v.CannotTell != kangma.TellReplayed || !slices.Contains(p.Flags, "replay") {
		t.Errorf("its photo: %+v", v)
	}
	w.pass(24*time.Hour - time.Second)
	if v, _ := w.scanOffline(o, w.code(p).Code); !v.Told {
		t.Errorf("just fresh: %+v", v)
	}
	w.pass(time.Second)
	if v, p := w.scanOffline(o, w.code(p).Code); v.CannotTell != kangma.TellStaleGate || v.Decision != kangma.Refer || !slices.Contains(p.Flags, "stale") {
		t.Errorf("a day old: %+v", v)
	}
	w.pass(-25 * time.Hour)
	if v, _ := w.scanOffline(o, red); v.CannotTell != kangma.TellClock {
		t.Errorf("before the bundle: %+v", v)
	}
}

func TestABundleIsTheGatesOwnAndSigned(t *testing.T) {
	w := newTown(t)
	gate := w.staff(api.GateStaff)
	a := w.want(w.call("GET", "/v1/gates/metro-1/bundle", gate, nil), 200, "")
	keys := []*ecdsa.PublicKey{&w.lists.key.PublicKey}
	if ct := a.header.Get("Content-Type"); ct != "application/vnd.kangma.gate-bundle+cbor" {
		t.Errorf("content type %q", ct)
	}
	w.want(w.call("GET", "/v1/gates/other/bundle", gate, nil), 403, "scope")
	for i := range a.body {
		bad := slices.Clone(a.body)
		bad[i] ^= 1 << (i % 8)
		if _, err := checkpoint.OpenBundle(bad, keys, w.now()); err == nil {
			t.Fatalf("byte %d changed, and it opens", i)
		}
	}
	for n := range a.body {
		if _, err := checkpoint.OpenBundle(a.body[:n], keys, w.now()); err == nil {
			t.Fatalf("cut to %d bytes, and it opens", n)
		}
	}
	if _, err := checkpoint.OpenBundle(a.body, []*ecdsa.PublicKey{w.lists.trusted[0].Public}, w.now()); !errors.Is(err, kangma.Forbidden) {
		t.Errorf("by another key: %v", err)
	}
}

func TestOfflinePassagesCountOnceInWhateverOrderTheyCome(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("402"), w.staff(api.GateStaff)
	o := w.offline(gate, "metro-1")
	var items []map[string]any
	for range 12 {
		code := w.code(p).Code
		_, pass := w.scanOffline(o, code)
		items = append(items, item(code, pass))
		w.pass(time.Minute)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for range 3 {
		rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		for part := range slices.Chunk(items, 5) {
			if out := w.sync(gate, "metro-1", part...); out.Kept != len(part) || out.Results[0].Conflict {
				t.Fatalf("%+v", out)
			}
		}
		w.ship()
	}
	var mine struct {
		Passages []struct{ Event, Decision string }
	}
	w.want(w.call("GET", "/v1/me/passages", p.token, nil), 200, "").into(t, &mine)
	if len(mine.Passages) != len(items) || mine.Passages[0].Decision != "pass" {
		t.Errorf("%d passages of %d: %+v", len(mine.Passages), len(items), mine)
	}
	var seen struct{ Accesses []struct{ Purpose string } }
	deadline := time.Now().Add(20 * time.Second)
	for len(seen.Accesses) < len(items) && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
		w.want(w.call("GET", "/v1/me/accesses", p.token, nil), 200, "").into(t, &seen)
	}
	if len(seen.Accesses) != len(items) {
		t.Errorf("%d accesses, want %d", len(seen.Accesses), len(items))
	}
}

func TestWhoPassedOfflineWhileRedIsReportedOnce(t *testing.T) {
	w := newTown(t)
	p, gate, feeder := w.resident("403"), w.staff(api.GateStaff), w.staff(api.Feeder)
	o := w.offline(gate, "metro-1")
	code := w.code(p).Code // green still
	at := w.now().Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(at), p.number, "441502", "金町湾小区", at)), 200, "")
	v, pass := w.scanOffline(o, code)
	if v.Decision != kangma.Pass {
		t.Fatalf("%+v", v)
	}
	for range 3 {
		if out := w.sync(gate, "metro-1", item(code, pass)); out.Kept != 1 || !out.Results[0].Conflict {
			t.Errorf("%+v", out)
		}
	}
	rec, err := w.registry.Records().Get(t.Context(), "inbox", pass.ID.String())
	var c inbox.Item
	if err != nil || json.Unmarshal(rec.Data, &c) != nil || rec.Version != 1 || c.Person.String() != p.id || c.Gate != "metro-1" || c.Operator != "gate-1" || c.Reason == "" || rec.Index["status"] != "new" {
		t.Errorf("%v %+v %s", err, c, rec.Data)
	}
	_, turned := w.scanOffline(o, w.code(p).Code) // red and turned back: as it should be
	if out := w.sync(gate, "metro-1", item(code, turned)); out.Results[0].Conflict {
		t.Errorf("%+v", out)
	}
}

func TestOfflinePassagesAreBoundedEachForItself(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("404"), w.staff(api.GateStaff)
	o := w.offline(gate, "metro-1")
	code := w.code(p).Code
	_, pass := w.scanOffline(o, code)
	with := func(k string, v any) map[string]any { m := item(code, pass); m[k] = v; return m }
	untold := with("reason", "expired")
	delete(untold, "colour")
	out := w.sync(gate, "metro-1",
		with("event", kangma.NewEventID(w.now().Add(time.Hour))),
		with("event", kangma.NewEventID(w.now().Add(-15*24*time.Hour))),
		with("event", "not-an-id"), with("event", kangma.NewPersonID()),
		with("reason", "a b\n"), with("temperature", 99), untold, item(code, pass))
	want := []string{"offline_future", "offline_old", "offline_item", "offline_item", "offline_item", "temperature", "offline_item", ""}
	for i, r := range out.Results {
		if r.Code != want[i] || r.Kept != (want[i] == "") {
			t.Errorf("%d: %+v, want %q", i, r, want[i])
		}
	}
	if len(out.Results) != len(want) || out.Kept != 1 {
		t.Errorf("%+v", out)
	}
	w.want(w.call("POST", "/v1/scans/sync", gate, map[string]any{"gate": "other", "passages": []any{item(code, pass)}}), 403, "scope")
}

// lateOpener knows no signing key any more.
type lateOpener struct{ now, late *codegen.Opener }

func (o lateOpener) Open(text string, at time.Time) (codegen.Claims, kangma.CannotTell) {
	return o.now.Open(text, at)
}

func (o lateOpener) OpenLate(text string, at time.Time) (codegen.Claims, kangma.CannotTell) {
	return o.late.Open(text, at)
}

func TestAnUploadAfterTheKeyRetiredStillFindsThePerson(t *testing.T) {
	empty, err := codegen.NewKeyring(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	strict, err1 := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{{4}}, Keys: empty})
	late, err2 := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{{4}}})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for found, opener := range map[int]checkpoint.Opener{0: strict, 1: lateOpener{strict, late}} {
		w := newTownWith(t, func(c *api.Config) { c.Checkpoint = checkpoint.New(c.Registry, opener) })
		p, gate := w.resident("405"), w.staff(api.GateStaff)
		o := w.offline(gate, "metro-1")
		code := w.code(p).Code
		_, pass := w.scanOffline(o, code)
		w.pass(10 * 24 * time.Hour)
		if out := w.sync(w.staff(api.GateStaff), "metro-1", item(code, pass)); out.Kept != 1 || out.Results[0].Conflict {
			t.Errorf("%+v", out)
		}
		w.ship()
		var mine struct{ Passages []struct{ Event string } }
		w.want(w.call("GET", "/v1/me/passages", p.token, nil), 200, "").into(t, &mine)
		if len(mine.Passages) != found {
			t.Errorf("%T: %d of the person's passages, want %d", opener, len(mine.Passages), found)
		}
	}
}
