package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store/redis"
)

// waits says how often something waits for Redis while it is done; try is how often it was done before.
type waits func(try int, do func()) int64

// townOnRedis is a town whose state is in Redis. Nothing is remembered in front of it: every request is the first one.
func townOnRedis(t *testing.T, cfg redis.Config) *town {
	cfg.Key, cfg.New, cfg.Timeout = bytes.Repeat([]byte{7}, 32), true, 10*time.Second
	db, err := redis.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return newTownOn(t, func(cfg *registry.Config) { cfg.Dossiers, cfg.Records, cfg.Shared = db.Dossiers(), db.Records(), db }, nil)
}

// countedOne is one server behind a proxy that counts.
func countedOne(t *testing.T) (*town, waits) {
	srv := realserver.StartRedis(t)
	c := realserver.CountTrips(t, srv.Addr)
	return townOnRedis(t, redis.Config{Addrs: []string{c.Addr}, Password: srv.Password}), func(_ int, do func()) int64 {
		before := c.Trips()
		do()
		return c.Trips() - before
	}
}

// far is how long everything takes between a client and a cluster that is far away, there and back.
const far = 60 * time.Millisecond

// countedCluster is a cluster of three masters so far away that the time something takes says how often it waited: masters that are
// asked side by side are one wait. It is never counted too low; what keeps a machine busy can make it too high, so the cluster moves
// farther away with every try.
func countedCluster(t *testing.T) (*town, waits) {
	c := realserver.StartRedisCluster(t)
	proxies := c.Behind(t)
	cfg := redis.Config{Cluster: true, Password: c.Password}
	for _, p := range proxies {
		cfg.Addrs = append(cfg.Addrs, p.Addr)
	}
	w := townOnRedis(t, cfg)
	return w, func(try int, do func()) int64 {
		far := far * time.Duration(1+try)
		for _, p := range proxies {
			p.Delay(far / 2)
		}
		began := time.Now()
		do()
		took := time.Since(began)
		for _, p := range proxies {
			p.Delay(0)
		}
		return int64(took / far)
	}
}

// nobodysDigits gives digits with a right check digit that are not these.
func nobodysDigits(t *testing.T, not string) string {
	t.Helper()
	for n := range 10_000 {
		if typed := fmt.Sprintf("1234%04d", n); typed != strings.ReplaceAll(not, " ", "") {
			if _, tell := codegen.ParseShortCode(typed); tell == "" {
				return typed
			}
		}
	}
	t.Fatal("no digits are right")
	return ""
}

// TestNoRequestOfAGateWaitsForRedisMoreThanTwice counts the round trips of every kind of scan, of showing a code and of
// logging in. Each is done several times, because a server's own work (marks, publications) may ask in between: the least counts.
func TestNoRequestOfAGateWaitsForRedisMoreThanTwice(t *testing.T) {
	t.Run("one server", func(t *testing.T) {
		w, waited := countedOne(t)
		tripsOf(t, w, waited, 3)
	})
	t.Run("a cluster of three", func(t *testing.T) {
		w, waited := countedCluster(t)
		tripsOf(t, w, waited, 1)
	})
}

func tripsOf(t *testing.T, w *town, waited waits, tries int) {
	me := w.resident("591")
	staff := w.staff(api.GateStaff)
	var device struct{ Key string }
	w.want(w.call("PUT", "/v1/devices/turnstile-1", w.staff(api.Admin), obj{"organisation": "o", "gates": []string{"metro-1"}}), 200, "").into(t, &device)
	show := w.credential(me)
	var paper struct{ Code string }
	w.want(w.call("POST", "/v1/me/paper-codes", me.token, obj{}), 200, "").into(t, &paper)
	var digits struct {
		Digits string `json:"digits"`
	}
	scan := func(token, want string, body obj) func() {
		return func() {
			w.t.Helper()
			var v scanned
			body["gate"] = "metro-1"
			w.want(w.call("POST", "/v1/scans", token, body), 200, "").into(t, &v)
			if v.Decision != want && v.CannotTell != want {
				t.Errorf("%+v, want %s", v, want)
			}
		}
	}
	raw := w.want(w.call("POST", "/v1/me/short-code", me.token, obj{}), 200, "")
	raw.into(t, &digits)
	if digits.Digits == "" || paper.Code == "" {
		t.Fatalf("%s", raw.body)
	}
	code := w.code(me).Code
	if got := waited(0, func() { w.code(me); w.code(me) }); got < 3 {
		t.Errorf("two shows, one after the other, are counted as %d waits: this cannot fail", got)
	}
	for _, r := range []struct {
		what   string
		most   int64
		before func()
		do     func()
	}{
		{"show", 2, nil, func() { w.code(me) }},
		{"scan of a dynamic code by a device", 2, nil, scan(device.Key, "pass", obj{"code": code})},
		{"scan of a dynamic code by staff", 2, nil, scan(staff, "pass", obj{"code": code})},
		{"scan of a credential with the holder's proof", 2, func() { w.pass(30 * time.Second) }, func() { scan(device.Key, "pass", obj{"code": show(w.now())})() }},
		{"scan of the same proof again", 2, nil, func() { scan(staff, "replayed", obj{"code": show(w.now())})() }},
		{"scan of a paper code", 2, nil, scan(staff, "pass", obj{"code": paper.Code})},
		{"scan by digits", 2, nil, scan(staff, "pass", obj{"short_code": digits.Digits})},
		{"scan by digits that are nobody's", 2, nil, scan(staff, "unknown_person", obj{"short_code": nobodysDigits(t, digits.Digits)})},
		{"scan by document", 2, nil, scan(staff, "pass", obj{"document": obj{"number": me.number, "name": "欧阳测试"}})},
		// that it was a miss is told to the other nodes when the answer is on its way: that may be counted too
		{"scan by a document under a wrong name", 3, nil, scan(staff, "unknown_person", obj{"document": obj{"number": me.number, "name": "无此人"}})},
		{"scan by a document that nobody has", 3, nil, scan(staff, "unknown_person", obj{"document": obj{"number": "11010519491231002X", "name": "欧阳测试"}})},
		{"log-in of staff", 2, nil, func() { w.staff(api.GateStaff) }},
		{"log-in of a resident, asking for the password", 2, func() { w.pass(3 * time.Minute) }, func() {
			w.want(w.call("POST", "/v1/sessions", "", obj{"phone": me.phone}), 202, "")
		}},
		{"log-in of a resident", 2, func() {
			w.pass(3 * time.Minute)
			w.want(w.call("POST", "/v1/sessions", "", obj{"phone": me.phone}), 202, "")
		}, func() {
			w.want(w.call("POST", "/v1/sessions", "", obj{"phone": me.phone, "otp": w.otps["138****0591"]}), 200, "")
		}},
	} {
		least := int64(1 << 20)
		for try := 0; try < tries || least > r.most && try < 40; try++ {
			if r.before != nil {
				r.before()
				if me.token != "" {
					code = w.code(me).Code
				}
			}
			least = min(least, waited(try, r.do))
		}
		if least < 1 || least > r.most {
			t.Errorf("%s: %d round trips, want at most %d", r.what, least, r.most)
		}
		t.Logf("%-48s %d", r.what, least)
	}
}
