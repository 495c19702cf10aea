package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

// VenueKeys signs the venue codes of a town.
func (l *lists) VenueKeys(time.Time) (crypto.Signer, []*ecdsa.PublicKey, error) {
	return l.key, []*ecdsa.PublicKey{&l.key.PublicKey}, nil
}

type visitAnswer struct {
	CheckIn  string `json:"check_in"`
	Verified bool
	Presence string
	At       time.Time
	Out      time.Time `json:"checked_out_at"`
	People   []struct {
		Event, Decision, Reason, Wire, Colour string
		MaskedName                            string `json:"masked_name"`
		Told                                  bool
	}
}

var shanwei = obj{"lat": 22.7787, "lon": 115.3753}

// venues makes a mall with a screen and a market with a printed code, both in Shanwei's city district.
func (w *town) venues() (official string) {
	w.t.Helper()
	official = w.staff(api.Official)
	w.want(w.call("PUT", "/v1/venues/mall-1", official, obj{"name": obj{"zh": "信利广场", "en": "Xinli mall"}, "kind": "mall", "district": "441502", "organisation": "test", "mode": "screen"}), 200, "")
	w.want(w.call("PUT", "/v1/venues/market-1", official, obj{"name": obj{"zh": "城北市场", "en": "North market"}, "kind": "market", "district": "441502", "organisation": "test", "mode": "printed",
		"centre": shanwei, "radius": 150, "check_out": true}), 200, "")
	return official
}

func (w *town) venueCode(token, id string) string {
	w.t.Helper()
	var out struct{ Code string }
	w.want(w.call("GET", "/v1/venues/"+id+"/code", token, nil), 200, "").into(w.t, &out)
	return out.Code
}

// at is a position so many metres east of the market.
func (w *town) at(metres float64) obj {
	return obj{"lat": 22.7787, "lon": 115.3753 + metres/102_660, "accuracy": 20, "at": w.now()}
}

func (w *town) checkIn(p person, id string, body obj) (v visitAnswer) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/venues/"+id+"/check-ins", p.token, body), 201, "").into(w.t, &v)
	return v
}

func TestAVisitFromTheScanToTheCheckOut(t *testing.T) {
	w := newTown(t)
	official, gate := w.venues(), w.staff(api.GateStaff)
	p, friend := w.resident("501"), w.resident("502")
	code := w.venueCode(gate, "mall-1")
	if !strings.HasPrefix(code, venue.Prefix) || len(code) > 262 {
		t.Errorf("%d characters: %s", len(code), code)
	}
	event := w.event()
	body := obj{"event": event, "code": code, "companions": []obj{{"code": w.code(friend).Code}}}
	for range 3 { // and retries
		v := w.checkIn(p, "mall-1", body)
		if !v.Verified || v.CheckIn != event || len(v.People) != 2 || v.People[0].Decision != "pass" || v.People[0].Wire != "00" || v.People[1].MaskedName != "欧**试" || v.People[0].Event == v.People[1].Event {
			t.Fatalf("%+v", v)
		}
		w.pass(20 * time.Second)
	}
	w.want(w.call("POST", "/v1/venues/mall-1/check-ins", friend.token, obj{"event": event, "code": w.venueCode(gate, "mall-1")}), 409, "event_taken")
	third := w.resident("503")
	w.want(w.call("POST", "/v1/venues/mall-1/check-ins", friend.token, obj{"event": event, "code": w.venueCode(gate, "mall-1"), "companions": []obj{{"code": w.code(third).Code}}}), 409, "event_taken")
	w.want(w.call("POST", "/v1/venues/mall-1/check-ins", p.token, obj{"event": event, "code": w.venueCode(gate, "mall-1"), "companions": []obj{{"code": w.code(third).Code}}}), 409, "event_taken")
	out := obj{"check_in": event, "event": w.event()}
	var v visitAnswer
	for range 2 {
		w.want(w.call("POST", "/v1/venues/mall-1/check-outs", p.token, out), 200, "").into(t, &v)
		if v.Out.IsZero() {
			t.Errorf("%+v", v)
		}
	}
	w.want(w.call("POST", "/v1/venues/mall-1/check-outs", p.token, obj{"check_in": event, "event": w.event()}), 409, "checked_out")
	w.want(w.call("POST", "/v1/venues/mall-1/check-outs", friend.token, obj{"check_in": event}), 404, "no_check_in")
	w.want(w.call("POST", "/v1/venues/mall-1/check-outs", p.token, obj{"check_in": w.event()}), 404, "no_check_in")
	w.want(w.call("POST", "/v1/venues/market-1/check-outs", p.token, out), 404, "no_check_in")
	w.want(w.call("POST", "/v1/venues/mall-1/check-outs", p.token, obj{"check_in": "x"}), 422, "bad_id")
	w.want(w.call("POST", "/v1/venues/mall-1/check-outs", p.token, obj{"check_in": event, "event": kangma.NewEventID(w.now().Add(time.Hour)).String()}), 422, "event_future")
	w.ship()
	var mine, atVenue struct {
		Passages []struct{ Gate, Direction, Reason string }
	}
	w.want(w.call("GET", "/v1/me/passages", p.token, nil), 200, "").into(t, &mine)
	w.want(w.call("GET", "/v1/venues/mall-1/passages", official, nil), 200, "").into(t, &atVenue)
	if len(mine.Passages) != 2 || len(atVenue.Passages) != 4 || mine.Passages[0].Direction != "out" || mine.Passages[1].Gate != "venue:mall-1" {
		t.Errorf("mine %+v, at the venue %+v", mine, atVenue)
	}
}

func TestAPrintedCodeCountsInsideItsFenceAndUntilTheReprint(t *testing.T) {
	w := newTown(t)
	official := w.venues()
	code := w.venueCode(official, "market-1")
	w.pass(40 * 24 * time.Hour) // printed codes hang for months
	official = w.staff(api.Official)
	p := w.resident("511")
	for _, c := range []struct {
		position obj
		presence string
	}{
		{w.at(100), "verified"}, {w.at(160), "verified"}, {w.at(400), "elsewhere"}, {w.at(800_000), "elsewhere"}, {nil, "no_position"},
		{obj{"lat": 22.7787, "lon": 115.3753, "accuracy": 20, "at": w.now().Add(-5 * time.Minute)}, "old_position"},
		{obj{"lat": 22.7787, "lon": 115.3753, "accuracy": 3000, "at": w.now()}, "vague"},
	} {
		body := obj{"code": code}
		if c.position != nil {
			body["position"] = c.position
		}
		v := w.checkIn(p, "market-1", body)
		if v.Presence != c.presence || v.Verified != (c.presence == "verified") || (v.People[0].Decision == "pass") != v.Verified || !v.People[0].Told {
			t.Errorf("%v: %+v", c, v)
		}
	}
	poster := w.want(w.call("GET", "/v1/venues/market-1/poster.svg", official, nil), 200, "")
	if !strings.Contains(string(poster.body), "城北市场") || !strings.Contains(string(poster.body), "210mm") {
		t.Errorf("%.200s", poster.body)
	}
	w.want(w.call("GET", "/v1/venues/mall-1/poster.svg", official, nil), 409, "venue_mode")
	w.want(w.call("POST", "/v1/venues/mall-1/reprint", official, nil), 409, "venue_mode")
	w.want(w.call("POST", "/v1/venues/market-1/reprint", official, nil), 200, "")
	if v := w.checkIn(p, "market-1", obj{"code": code, "position": w.at(10)}); v.Presence != "void_code" {
		t.Errorf("after the reprint: %+v", v)
	}
	if v := w.checkIn(p, "market-1", obj{"code": w.venueCode(official, "market-1"), "position": w.at(10)}); !v.Verified {
		t.Errorf("the new code: %+v", v)
	}
}

// TestAScanFromAfarNeverRaisesAnybodysRisk is Zhengzhou, 2022: a venue's code is photographed and sent around; people who
// were never there scan it; then the venue becomes a high-risk area, by every rule set that comes with Kangma.
func TestAScanFromAfarNeverRaisesAnybodysRisk(t *testing.T) {
	w := newTown(t)
	official, gate := w.venues(), w.staff(api.GateStaff)
	victim := w.resident("521")
	photo, poster := w.venueCode(gate, "mall-1"), w.venueCode(official, "market-1")
	pid, _ := kangma.ParsePersonID(victim.id)
	before, err := w.registry.Dossier(t.Context(), pid)
	if err != nil {
		t.Fatal(err)
	}
	// seen at a gate in another province's border town a moment ago
	w.want(w.call("PUT", "/v1/gates/far", w.staff(api.Admin), obj{"name": obj{"zh": "远", "en": "far"}, "kind": "highway", "district": "350603"}), 200, "")
	w.want(w.call("PUT", "/v1/accounts/faraway", w.staff(api.Admin), obj{"role": "gate", "organisation": "far", "gates": []string{"far"}, "password": "long enough"}), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", obj{"username": "faraway", "password": "long enough"}), 200, "").into(t, &login)
	if v := w.scan(login.Token, "far", w.code(victim).Code); v.Decision != "pass" {
		t.Fatalf("%+v", v)
	}
	tries := map[string]visitAnswer{}
	tries["too_fast"] = w.checkIn(victim, "mall-1", obj{"code": photo})
	w.pass(10 * time.Minute)
	tries["stale_code"] = w.checkIn(victim, "mall-1", obj{"code": photo})
	tries["no_position"] = w.checkIn(victim, "market-1", obj{"code": poster})
	tries["elsewhere"] = w.checkIn(victim, "market-1", obj{"code": poster, "position": obj{"lat": 34.75, "lon": 113.66, "accuracy": 10, "at": w.now()}})
	for presence, v := range tries {
		if v.Verified || v.Presence != presence || v.People[0].Decision != "refer" || v.People[0].Reason != "unverified_"+presence || v.People[0].Colour != "green" {
			t.Errorf("%s: %+v", presence, v)
		}
	}
	after, err := w.registry.Dossier(t.Context(), pid)
	if err != nil || after.Version != before.Version || len(after.Evidence) != 0 {
		t.Errorf("the dossier changed: %d evidence, version %d then %d, %v", len(after.Evidence), before.Version, after.Version, err)
	}

	// the venue's own community, then its whole district, become high
	for hour, community := range map[string]string{"13": "信利广场", "14": "全域"} {
		w.pass(time.Hour)
		if a := w.call("PUT", "/v1/risk-areas", official, []byte(areaList("2022-08-11 "+hour, community))); a.status != 200 && a.status != 409 && a.status != 422 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	for _, id := range rules.Presets() {
		file, err := rules.PresetFile(id)
		if err != nil {
			t.Fatal(err)
		}
		set, err := rules.Load(id, file)
		if err != nil {
			t.Fatal(err)
		}
		d0, d1 := before, after
		a0, a1 := set.Evaluate(rules.Input{Dossier: &d0, At: w.now()}), set.Evaluate(rules.Input{Dossier: &d1, At: w.now()})
		if a0.Told != a1.Told || a0.Colour != a1.Colour || len(a0.Assignments) != len(a1.Assignments) {
			t.Errorf("%s: %v before, %v after", id, a0.Colour, a1.Colour)
		}
	}
	if c := w.code(victim); c.Colour != "green" {
		t.Errorf("the victim is %s", c.Colour)
	}

	// and who asks the warehouse for the venue, its district or its kind does not find them; the resident does
	w.ship()
	for _, gates := range [][]string{{"venue:mall-1"}, {"venue:market-1"}, {"mall-1"}, {"market-1"}} {
		ps, err := w.warehouse.Passages(t.Context(), store.PassageQuery{Gates: gates, Since: w.now().Add(-time.Hour * 24), Until: w.now().Add(time.Hour), Limit: 100})
		if err != nil || len(ps) != 0 {
			t.Errorf("%v: %d passages, %v", gates, len(ps), err)
		}
	}
	var mine struct {
		Passages []struct{ Gate, District string }
	}
	w.want(w.call("GET", "/v1/me/passages", victim.token, nil), 200, "").into(t, &mine)
	n := 0
	for _, p := range mine.Passages {
		if strings.HasPrefix(p.Gate, "unverified:") {
			n++
			if p.District != "" {
				t.Errorf("an unverified presence has a district: %+v", p)
			}
		}
	}
	if n != 4 {
		t.Errorf("%d unverified presences are in the resident's own list, want 4: %+v", n, mine)
	}
}

func TestBadCheckInsAreRefused(t *testing.T) {
	w := newTown(t)
	official, gate := w.venues(), w.staff(api.GateStaff)
	p, friend := w.resident("531"), w.resident("532")
	code, other := w.venueCode(gate, "mall-1"), w.venueCode(official, "market-1")
	w.want(w.call("PUT", "/v1/venues/shut", official, obj{"name": both("关"), "kind": "other", "district": "441502", "mode": "screen", "organisation": "test"}), 200, "")
	shut := w.venueCode(official, "shut")
	w.want(w.call("PUT", "/v1/venues/shut", official, obj{"name": both("关"), "kind": "other", "district": "441502", "mode": "screen", "organisation": "test", "closed": true}), 200, "")
	forged := code[:len(code)-6] + map[bool]string{true: "000000", false: "111111"}[code[len(code)-6:] != "000000"]
	position := func(k string, v any) obj { b := w.at(10); b[k] = v; return obj{"code": code, "position": b} }
	many := make([]obj, 9)
	for i := range many {
		many[i] = obj{"person": kangma.NewPersonID().String()}
	}
	for what, c := range map[string]struct {
		venue  string
		body   obj
		status int
		code   string
	}{
		"a web address":            {"mall-1", obj{"code": "https://kangma.example/venue/mall-1"}, 422, "not_venue_code"},
		"a lookalike host":         {"mall-1", obj{"code": "HTTPS://KANGMA.XN--CN-9SF/V?M=" + url.QueryEscape(code[:40])}, 422, "not_venue_code"},
		"a health code":            {"mall-1", obj{"code": w.code(p).Code}, 422, "not_venue_code"},
		"a forged code":            {"mall-1", obj{"code": forged}, 0, ""},
		"half a code":              {"mall-1", obj{"code": code[:100]}, 422, "not_venue_code"},
		"another venue's code":     {"mall-1", obj{"code": other}, 409, "other_venue"},
		"no such venue":            {"nowhere", obj{"code": code}, 404, "no_venue"},
		"a venue of strange name":  {"x' OR 1=1", obj{"code": code}, 404, "no_venue"},
		"a closed venue":           {"shut", obj{"code": shut}, 409, "venue_closed"},
		"a latitude of 91":         {"mall-1", position("lat", 91), 422, "position"},
		"a longitude of -181":      {"mall-1", position("lon", -181), 422, "position"},
		"a latitude that is text":  {"mall-1", position("lat", "NaN"), 422, "invalid"},
		"no accuracy":              {"mall-1", position("accuracy", 0), 422, "position"},
		"a negative accuracy":      {"mall-1", position("accuracy", -5), 422, "position"},
		"an endless accuracy":      {"mall-1", position("accuracy", 1e300), 422, "position"},
		"a position of tomorrow":   {"mall-1", position("at", w.now().Add(24*time.Hour)), 422, "position_time"},
		"an event of tomorrow":     {"mall-1", obj{"code": code, "event": kangma.NewEventID(w.now().Add(24 * time.Hour)).String()}, 422, "event_future"},
		"an event without a time":  {"mall-1", obj{"code": code, "event": kangma.NewPersonID().String()}, 422, "bad_id"},
		"an unknown companion":     {"mall-1", obj{"code": code, "companions": []obj{{"person": kangma.NewPersonID().String()}}}, 403, "companion"},
		"somebody else's person":   {"mall-1", obj{"code": code, "companions": []obj{{"person": friend.id}}}, 403, "companion"},
		"a companion's false code": {"mall-1", obj{"code": code, "companions": []obj{{"code": "KM1:NOTHING"}}}, 422, "companion_code"},
		"oneself as companion":     {"mall-1", obj{"code": code, "companions": []obj{{"code": w.code(p).Code}}}, 422, "companion_twice"},
		"an empty companion":       {"mall-1", obj{"code": code, "companions": []obj{{}}}, 422, "companion_code"},
		"too many companions":      {"mall-1", obj{"code": code, "companions": many}, 413, "companions"},
		"a form nobody asked for":  {"mall-1", obj{"code": code, "form": obj{"x": 1}}, 422, "form_field"},
	} {
		a := w.call("POST", "/v1/venues/"+url.PathEscape(c.venue)+"/check-ins", p.token, c.body)
		var got struct{ Code string }
		a.into(t, &got)
		if what == "a forged code" {
			if a.status != 403 && a.status != 422 {
				t.Errorf("%s: %d %s", what, a.status, a.body)
			}
		} else if a.status != c.status || got.Code != c.code {
			t.Errorf("%s: got %d %q, want %d %q: %s", what, a.status, got.Code, c.status, c.code, a.body)
		}
	}
	if a := w.call("POST", "/v1/venues/mall-1/check-ins", p.token, fmt.Sprintf(`{"code":%q,"position":{"lat":1e999,"lon":1,"accuracy":1,"at":"2022-08-11T04:00:00Z"}}`, code)); a.status != 400 && a.status != 422 {
		t.Errorf("infinity: %d %s", a.status, a.body)
	}
}

func TestAScenarioCodeAsksItsForm(t *testing.T) {
	w := newTown(t)
	official, p := w.staff(api.Official), w.resident("541")
	forest := obj{"name": obj{"zh": "莲花山护林点", "en": "Lianhua forest post"}, "kind": "forest", "district": "441521", "mode": "printed", "centre": obj{"lat": 23.05, "lon": 115.25}, "radius": 500,
		"check_out": true, "organisation": "林业局", "form": []obj{
			{"id": "purpose", "label": obj{"zh": "入山事由", "en": "Why"}, "type": "choice", "required": true, "choices": []obj{both("祭扫"), both("生产"), both("游览")}},
			{"id": "people", "label": both("人数"), "type": "number", "min": 1, "max": 50, "required": true},
			{"id": "fire", "label": both("是否携带火种"), "type": "yes-no", "required": true}, {"id": "until", "label": both("预计离开"), "type": "date"},
		}}
	w.want(w.call("PUT", "/v1/venues/forest-1", official, forest), 200, "")
	var page struct {
		Position bool
		CheckOut bool `json:"check_out"`
		Form     []struct{ ID, Type string }
	}
	w.want(w.call("GET", "/v1/venues/forest-1", p.token, nil), 200, "").into(t, &page)
	if !page.Position || !page.CheckOut || len(page.Form) != 4 {
		t.Errorf("%+v", page)
	}
	code := w.venueCode(official, "forest-1")
	here := obj{"lat": 23.0502, "lon": 115.2501, "accuracy": 30, "at": w.now()}
	good := obj{"purpose": "祭扫", "people": 3, "fire": false, "until": "2022-08-12"}
	with := func(k string, v any) obj {
		f := obj{}
		for a, b := range good {
			f[a] = b
		}
		if v == nil {
			delete(f, k)
		} else {
			f[k] = v
		}
		return obj{"code": code, "position": here, "form": f}
	}
	if v := w.checkIn(p, "forest-1", with("purpose", "祭扫")); !v.Verified {
		t.Errorf("%+v", v)
	}
	for what, body := range map[string]obj{
		"no purpose": with("purpose", nil), "a purpose of one's own": with("purpose", "放火"), "half a person": with("people", 1.5), "nobody": with("people", 0), "a crowd": with("people", 51),
		"fire in words": with("fire", "no"), "a day that is none": with("until", "2022-13-01"), "a purpose that is a list": with("purpose", []string{"祭扫"}),
	} {
		if a := w.call("POST", "/v1/venues/forest-1/check-ins", p.token, body); a.status != 422 || !strings.Contains(string(a.body), `"form"`) {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	for what, bad := range map[string]obj{
		"no fence":         {"mode": "printed", "centre": nil},
		"a tiny fence":     {"radius": 1},
		"a fence on Mars":  {"centre": obj{"lat": 123, "lon": 1}},
		"a fence at zero":  {"centre": obj{"lat": 0, "lon": 0}},
		"free text":        {"form": []obj{{"id": "name", "label": both("姓名"), "type": "text"}}},
		"two fields alike": {"form": []obj{{"id": "a", "label": both("甲"), "type": "date"}, {"id": "a", "label": both("乙"), "type": "date"}}},
		"a choice of one":  {"form": []obj{{"id": "a", "label": both("甲"), "type": "choice", "choices": []obj{both("一")}}}},
		"no name":          {"name": obj{"zh": "", "en": ""}},
		"a whole city":     {"district": "441500"},
	} {
		b := obj{}
		for k, v := range forest {
			b[k] = v
		}
		for k, v := range bad {
			if v == nil {
				delete(b, k)
			} else {
				b[k] = v
			}
		}
		w.want(w.call("PUT", "/v1/venues/forest-2", official, b), 422, "venue")
		_ = what
	}
}

func TestOnlyThoseWhoRunAVenueGetItsCode(t *testing.T) {
	w := newTown(t)
	official := w.venues()
	w.want(w.call("PUT", "/v1/accounts/stranger", w.staff(api.Admin), obj{"role": "gate", "organisation": "another", "password": "long enough"}), 200, "")
	w.want(w.call("PUT", "/v1/accounts/owner", w.staff(api.Admin), obj{"role": "gate", "organisation": "mall company", "divisions": []string{"441502"}, "password": "long enough"}), 200, "")
	login := func(name string) string {
		var out struct{ Token string }
		w.want(w.call("POST", "/v1/sessions", "", obj{"username": name, "password": "long enough"}), 200, "").into(t, &out)
		return out.Token
	}
	stranger, owner, county := login("stranger"), login("owner"), w.official("county", "441521")
	for _, path := range []string{"code", "code.svg", "poster.svg", "passages"} {
		for _, token := range []string{stranger, owner, county} {
			w.want(w.call("GET", "/v1/venues/market-1/"+path, token, nil), 403, "scope")
		}
		w.want(w.call("GET", "/v1/venues/market-1/"+path, official, nil), 200, "")
	}
	mine := obj{"name": both("我的店"), "kind": "restaurant", "district": "441502", "mode": "screen"}
	w.want(w.call("PUT", "/v1/venues/my-shop", stranger, mine), 403, "scope")
	w.want(w.call("PUT", "/v1/venues/my-shop", owner, mine), 200, "")
	w.want(w.call("PUT", "/v1/venues/market-1", owner, mine), 403, "scope")
	mine["district"] = "441521"
	w.want(w.call("PUT", "/v1/venues/my-other-shop", owner, mine), 403, "scope")
	var list struct{ Venues []struct{ ID string } }
	w.want(w.call("GET", "/v1/venues", owner, nil), 200, "").into(t, &list)
	if len(list.Venues) != 1 || list.Venues[0].ID != "my-shop" {
		t.Errorf("%+v", list)
	}
	w.want(w.call("GET", "/v1/venues", official, nil), 200, "").into(t, &list)
	if len(list.Venues) != 3 {
		t.Errorf("%+v", list)
	}
}

// both is a text that is the same in both languages.
func both(s string) obj { return obj{"zh": s, "en": s} }
