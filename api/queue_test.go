package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/queue"
)

// sealed gives what a gate keeps of a passage.
func (w *town) sealed(o *checkpoint.Offline, code string, p kangma.Passage) map[string]any {
	w.t.Helper()
	s, err := o.Seal(code, p)
	if err != nil {
		w.t.Fatal(err)
	}
	return asMap(w.t, s)
}

func asMap(t *testing.T, s queue.Sealed) (m map[string]any) {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil || json.Unmarshal(raw, &m) != nil {
		t.Fatal(err)
	}
	return m
}

func TestSealedPassagesCountOnceInWhateverOrderTheyCome(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("402"), w.staff(api.GateStaff)
	o := w.offline(gate, "metro-1")
	var items []map[string]any
	for i := range 12 {
		code := w.code(p).Code
		_, pass := w.scanOffline(o, code)
		it := w.sealed(o, code, pass)
		if i%4 == 3 { // an older gate sends in plain
			it = item(code, pass)
		}
		items = append(items, it)
		w.pass(time.Minute)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 3 {
		rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		if out := w.sync(gate, "metro-1", items...); out.Kept != len(items) || out.Results[0].Conflict {
			t.Fatalf("%+v", out)
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
}

func TestWhoPassedASealingGateWhileRedIsReported(t *testing.T) {
	w := newTown(t)
	p, gate, feeder := w.resident("403"), w.staff(api.GateStaff), w.staff(api.Feeder)
	o := w.offline(gate, "metro-1")
	code := w.code(p).Code // green still
	at := w.now().Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(at), p.number, "441502", "金町湾小区", at)), 200, "")
	_, pass := w.scanOffline(o, code)
	for range 2 {
		if out := w.sync(gate, "metro-1", w.sealed(o, code, pass)); out.Kept != 1 || !out.Results[0].Conflict {
			t.Errorf("%+v", out)
		}
	}
	if rec, err := w.registry.Records().Get(t.Context(), "inbox", pass.ID.String()); err != nil || rec.Version != 1 {
		t.Errorf("%v, version %d", err, rec.Version)
	}
}

func TestABadSealIsRefusedAloneAndSaysWhy(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("404"), w.staff(api.GateStaff)
	o := w.offline(gate, "metro-1")
	code := w.code(p).Code
	_, pass := w.scanOffline(o, code)
	good := w.sealed(o, code, pass)
	with := func(k string, v any) map[string]any {
		m := map[string]any{}
		for key, v := range good {
			m[key] = v
		}
		m[k] = v
		return m
	}
	text := good["sealed"].(string)
	spoilt := []byte(text)
	spoilt[400] ^= 1
	key, err := w.lists.QueueKey(w.now())
	if err != nil {
		t.Fatal(err)
	}
	sealing := func(content string) map[string]any {
		s, err := queue.Seal(key, "metro-1", 1, kangma.NewEventID(w.now()), []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		return asMap(t, s)
	}
	const plain = `"code":"x","decision":"refer","reason":"not_ours"`
	for what, c := range map[string]struct {
		item map[string]any
		want string
	}{
		"an unknown key":             {with("key", "00000000"), "queue_key"},
		"no key":                     {with("key", ""), "queue_sealed"},
		"a key that is none":         {with("key", "zz"), "queue_sealed"},
		"another gate":               {with("gate", "post-1"), "queue_gate"},
		"no gate":                    {with("gate", ""), "queue_gate"},
		"another bundle":             {with("bundle", 5), "queue_sealed"},
		"another event":              {with("event", kangma.NewEventID(w.now())), "queue_sealed"},
		"a changed byte":             {with("sealed", string(spoilt)), "queue_sealed"},
		"cut off":                    {with("sealed", text[:len(text)-4]), "queue_sealed"},
		"cut to nothing much":        {with("sealed", "AAAA"), "queue_sealed"},
		"no Base64":                  {with("sealed", "!"+text[1:]), "queue_sealed"},
		"Base64 in another form":     {with("sealed", text[:76]+"\n"+text[76:]), "queue_sealed"},
		"huge":                       {with("sealed", strings.Repeat("A", 60_000)), "queue_sealed"},
		"a part of it in plain":      {with("code", code), "queue_plain"},
		"no event":                   {with("event", "not-an-id"), "offline_item"},
		"from the future":            {with("event", kangma.NewEventID(w.now().Add(time.Hour))), "offline_future"},
		"long ago":                   {with("event", kangma.NewEventID(w.now().Add(-15*24*time.Hour))), "offline_old"},
		"sealed nothing":             {sealing(""), "offline_item"},
		"sealed nonsense":            {sealing("[1]"), "offline_item"},
		"sealed two items":           {sealing("{" + plain + "}{" + plain + "}"), "offline_item"},
		"an unknown field sealed":    {sealing("{" + plain + `,"person":"x"}`), "offline_item"},
		"a pass without a colour":    {sealing(`{"code":"x","decision":"pass","reason":"ok"}`), "offline_item"},
		"a decision that is none":    {sealing(`{"code":"x","decision":"go","reason":"ok"}`), "offline_item"},
		"a temperature that is none": {sealing("{" + plain + `,"temperature":99}`), "temperature"},
		"a code of 5,000":            {sealing(`{"code":"` + strings.Repeat("x", 5000) + `","decision":"refer","reason":"ok"}`), "code"},
	} {
		t.Run(what, func(t *testing.T) {
			w := w.in(t)
			w.pass(time.Second)
			code := w.code(p).Code
			_, pass := w.scanOffline(o, code)
			out := w.sync(gate, "metro-1", c.item, w.sealed(o, code, pass)) // the other one of the batch is kept
			if len(out.Results) != 2 || out.Results[0].Code != c.want || out.Results[0].Kept || !out.Results[1].Kept || out.Kept != 1 {
				t.Errorf("%+v, want %q", out, c.want)
			}
		})
	}
	if out := w.sync(gate, "metro-1", good); out.Kept != 1 {
		t.Errorf("the good one: %+v", out)
	}
}

var errAway = kangma.E(kangma.Unavailable, "keystore_token", "the PKCS#11 token did not answer")

func TestNothingIsTakenWhileTheQueueKeyIsAway(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("406"), w.staff(api.GateStaff)
	o := w.offline(gate, "metro-1")
	code := w.code(p).Code
	_, first := w.scanOffline(o, code)
	_, second := w.scanOffline(o, code)
	w.lists.away.Store(true)
	body := map[string]any{"gate": "metro-1", "passages": []any{item(code, first), w.sealed(o, code, second)}}
	w.want(w.call("POST", "/v1/scans/sync", gate, body), 503, "keystore_token")
	w.ship()
	var mine struct{ Passages []struct{ Event string } }
	w.want(w.call("GET", "/v1/me/passages", p.token, nil), 200, "").into(t, &mine)
	if len(mine.Passages) != 0 {
		t.Errorf("half of a batch was taken: %+v", mine)
	}
	w.lists.away.Store(false)
	if out := w.sync(gate, "metro-1", item(code, first), w.sealed(o, code, second)); out.Kept != 2 {
		t.Errorf("%+v", out)
	}
}

// A revoked device can send nothing and read nothing; whoever has a right to the gate sends what it sealed.
func TestARevokedDevicesQueueIsSentByAnother(t *testing.T) {
	w := newTown(t)
	p, gate, admin := w.resident("407"), w.staff(api.GateStaff), w.staff(api.Admin)
	register := func() string {
		var out struct{ Key string }
		w.want(w.call("PUT", "/v1/devices/turnstile-1", admin, map[string]any{"organisation": "metro", "gates": []string{"metro-1"}}), 200, "").into(t, &out)
		return out.Key
	}
	stolen := register()
	o := w.offline(stolen, "metro-1")
	code := w.code(p).Code
	_, pass := w.scanOffline(o, code)
	kept := w.sealed(o, code, pass)
	register()
	w.want(w.call("POST", "/v1/scans/sync", stolen, map[string]any{"gate": "metro-1", "passages": []any{kept}}), 401, "")
	if raw, err := json.Marshal(kept); err != nil || bytes.Contains(raw, []byte(code)) || bytes.Contains(raw, []byte(base64.StdEncoding.EncodeToString([]byte(code))[:40])) {
		t.Errorf("%v, or the code is in what the device keeps: %s", err, raw)
	}
	if out := w.sync(gate, "metro-1", kept); out.Kept != 1 {
		t.Errorf("%+v", out)
	}
}
