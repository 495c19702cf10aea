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

// tripTown is a town whose state is in Redis, behind a proxy that counts how often somebody waits for it. Nothing is
// remembered in front of Redis: every request is the first one.
func tripTown(t *testing.T) (*town, *realserver.TripCounter) {
	srv := realserver.StartRedis(t)
	c := realserver.CountTrips(t, srv.Addr)
	db, err := redis.Open(t.Context(), redis.Config{Addrs: []string{c.Addr}, Password: srv.Password, Key: bytes.Repeat([]byte{7}, 32), New: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := newTownOn(t, func(cfg *registry.Config) { cfg.Dossiers, cfg.Records, cfg.Shared = db.Dossiers(), db.Records(), db }, nil)
	return w, c
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
	w, c := tripTown(t)
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
		for range 3 {
			if r.before != nil {
				r.before()
				if me.token != "" {
					code = w.code(me).Code
				}
			}
			before := c.Trips()
			r.do()
			least = min(least, c.Trips()-before)
		}
		if least < 1 || least > r.most {
			t.Errorf("%s: %d round trips, want at most %d", r.what, least, r.most)
		}
		t.Logf("%-48s %d", r.what, least)
	}
}
