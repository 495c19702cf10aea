package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint/entry"
)

func TestBadFilingsAreRefusedWithEveryFault(t *testing.T) {
	w := newTown(t)
	driver := w.resident("431")
	child := w.resident("432")
	many := make([]obj, 81)
	for i := range many {
		many[i] = obj{"infant": true}
	}
	with := func(k string, v any) obj { b := w.filing(obj{"self": true}); b[k] = v; return b }
	for what, c := range map[string]struct {
		body obj
		code string
	}{
		"a false plate":              {with("plate", "粤I12345"), "plate"},
		"no plate":                   {with("plate", ""), "plate"},
		"a trailer":                  {with("plate", "粤N1234挂"), "plate_trailer"},
		"nobody in it":               {with("occupants", []obj{}), "occupants"},
		"too many in it":             {with("occupants", many[:21]), "occupants"},
		"the same person twice":      {with("occupants", []obj{{"self": true}, {"name": "欧阳测试", "id_number": driver.number}}), "occupant_twice"},
		"a stranger twice":           {with("occupants", []obj{{"name": "某人", "id_number": number("44152119450101123")}, {"name": "某人", "id_number": number("44152119450101123")}}), "occupant_twice"},
		"oneself twice":              {with("occupants", []obj{{"self": true}, {"self": true}}), "occupant_twice"},
		"an unknown destination":     {with("destination", "449999"), "unknown_division"},
		"a destination of letters":   {with("destination", "海丰"), "division"},
		"a whole province":           {with("origin", "440000"), "origin"},
		"a destination without town": {with("destination", "441500"), "destination"},
		"arrival in the past":        {with("arrival_at", w.now().Add(-time.Hour)), "arrival_past"},
		"arrival next week":          {with("arrival_at", w.now().Add(8*24*time.Hour)), "arrival_far"},
		"nobody's dependent":         {with("occupants", []obj{{"person": child.id}}), "dependent"},
		"an unknown dependent":       {with("occupants", []obj{{"person": kangma.NewPersonID().String()}}), "dependent"},
		"no occupant at all":         {with("occupants", []obj{{}}), "occupant"},
		"two occupants in one":       {with("occupants", []obj{{"self": true, "infant": true}}), "occupant"},
		"an infant with an infant":   {with("occupants", []obj{{"infant": true}, {"infant": true, "guardian": 1}}), "infant_guardian"},
		"an infant with nobody":      {with("occupants", []obj{{"infant": true, "guardian": 7}}), "infant_guardian"},
		"a wrong ID number":          {with("occupants", []obj{{"name": "某人", "id_number": "441521194501011231"}}), "id_checksum"},
		"a number without a name":    {with("occupants", []obj{{"id_number": number("44152119450101123")}}), "name"},
		"a document type of nowhere": {with("occupants", []obj{{"name": "某人", "id_type": "11", "id_number": "A1234567"}}), "id_type"},
		"a false firm":               {with("occupants", []obj{{"self": true, "firm": "91440300MA5DA1234X"}}), "firm"},
		"an unknown stay":            {with("occupants", []obj{{"self": true, "stays": []string{"990000"}}}), "unknown_division"},
		"an unknown symptom":         {with("occupants", []obj{{"self": true, "symptoms": []string{"love"}}}), "symptoms"},
		"a control character":        {with("community", "a\u0000b"), "text"},
		"an unknown field":           {with("colour", "green"), "invalid"},
		"no id":                      {with("id", "1"), "bad_id"},
	} {
		status := 422
		if c.code == "dependent" {
			status = 403
		}
		a := w.call("POST", "/v1/me/vehicle-entries", driver.token, c.body)
		var p struct{ Code string }
		a.into(t, &p)
		if a.status != status || p.Code != c.code {
			t.Errorf("%s: got %d %q, want %d %q: %s", what, a.status, p.Code, status, c.code, a.body)
		}
		for _, secret := range []string{driver.number, "44152119450101123"} {
			if strings.Contains(string(a.body), secret) {
				t.Errorf("%s: the problem repeats what was sent", what)
			}
		}
	}
	bad := obj{"plate": "x", "origin": "1", "destination": "2", "arrival_at": w.now(), "occupants": []obj{{"name": "某人", "id_number": "12345"}}}
	var p struct{ Errors []struct{ Location string } }
	w.want(w.call("POST", "/v1/me/vehicle-entries", driver.token, bad), 422, "plate").into(t, &p)
	if len(p.Errors) != 4 {
		t.Errorf("every fault at once: %+v", p)
	}

	id := w.event()
	b := w.filing(obj{"self": true})
	b["id"] = id
	first, again := w.file(driver, b), w.file(driver, b)
	if first.ID != id || again.ID != id || first.Pass != again.Pass {
		t.Errorf("a retry: %+v and %+v", first, again)
	}
	w.want(w.call("POST", "/v1/me/vehicle-entries", child.token, b), 409, "entry_taken")
	w.want(w.call("GET", "/v1/me/vehicle-entries/"+id, child.token, nil), 404, "no_entry")
	w.want(w.call("DELETE", "/v1/me/vehicle-entries/"+id, child.token, nil), 404, "no_entry")
	var list struct{ Entries []entryAnswer }
	w.want(w.call("GET", "/v1/me/vehicle-entries", driver.token, nil), 200, "").into(t, &list)
	if len(list.Entries) != 1 || list.Entries[0].ID != id {
		t.Errorf("mine: %+v", list)
	}
}

func TestBadInspectionsAreRefused(t *testing.T) {
	w := newTown(t)
	driver, admin, gate := w.resident("441"), w.staff(api.Admin), w.staff(api.GateStaff)
	e, other := w.file(driver, w.filing(obj{"self": true})), w.filing(obj{"self": true})
	other["plate"] = "粤AD12345"
	second := w.file(driver, other)
	w.want(w.call("PUT", "/v1/gates/post-2", admin, obj{"name": obj{"zh": "二", "en": "two"}, "kind": "highway", "district": "441581"}), 200, "")
	w.want(w.call("PUT", "/v1/accounts/far", admin, obj{"role": "gate", "organisation": "far", "gates": []string{"post-2"}, "password": "long enough"}), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", obj{"username": "far", "password": "long enough"}), 200, "").into(t, &login)
	far := login.Token

	find := func(token, gate string, b obj, status int, code string) {
		t.Helper()
		b["gate"] = gate
		w.want(w.call("POST", "/v1/vehicle-entries/find", token, b), status, code)
	}
	pass, err := entry.ParsePass(e.Pass)
	if err != nil {
		t.Fatal(err)
	}
	forged := pass
	forged.Secret[3] ^= 1
	nobody := pass
	nobody.Entry = kangma.NewEventID(w.now())
	find(gate, "post-1", obj{}, 422, "no_vehicle")
	find(gate, "post-1", obj{"pass": "KM1:NOTHING"}, 422, "pass")
	find(gate, "post-1", obj{"pass": forged.String()}, 403, "pass_forged")
	find(gate, "post-1", obj{"pass": nobody.String()}, 404, "no_entry")
	find(gate, "post-1", obj{"pass": e.Pass, "plate": "粤AD12345"}, 409, "other_vehicle")
	find(gate, "post-1", obj{"plate": "粤A99999"}, 404, "no_entry")
	find(gate, "post-1", obj{"plate": "nonsense"}, 422, "plate")
	find(gate, "metro-1", obj{"pass": e.Pass}, 422, "not_a_post")
	find(gate, "post-2", obj{"pass": e.Pass}, 403, "scope")
	find(far, "post-1", obj{"pass": e.Pass}, 403, "scope")

	inspect := func(token string, b obj, status int, code string) {
		t.Helper()
		if b["gate"] == nil {
			b["gate"] = "post-1"
		}
		w.want(w.call("POST", "/v1/vehicle-entries/"+e.ID+"/inspection", token, b), status, code)
	}
	one := func(p obj) obj {
		if p["event"] == nil {
			p["event"] = w.event()
		}
		return obj{"people": []obj{p}}
	}
	card := func(k string, v any) obj {
		c := obj{"number": number("44150219690502774"), "name": "某人", "sex": "女", "birth": "1969-05-02", "nation": "汉族", "confirmed": true}
		c[k] = v
		return one(obj{"card": c})
	}
	same := w.event()
	for what, c := range map[string]struct {
		body   obj
		status int
		code   string
	}{
		"nobody":                    {obj{"people": []obj{}}, 422, "people"},
		"an unknown occupant":       {one(obj{"occupant": "9"}), 422, "occupant_unknown"},
		"an absurd temperature":     {one(obj{"occupant": "1", "temperature": 99}), 422, "temperature"},
		"a huge temperature":        {one(obj{"occupant": "1", "temperature": 1e300}), 422, "temperature"},
		"a cold temperature":        {one(obj{"occupant": "1", "temperature": -5}), 422, "temperature"},
		"an event without time":     {one(obj{"occupant": "1", "event": kangma.NewPersonID().String()}), 422, "event"},
		"two people of one event":   {obj{"people": []obj{{"occupant": "1", "event": same}, {"infant": true, "guardian": "1", "event": same}}}, 422, "event"},
		"one person twice":          {obj{"people": []obj{{"occupant": "1", "event": w.event()}, {"occupant": "1", "event": w.event()}}}, 422, "occupant_twice"},
		"no card":                   {one(obj{}), 422, "new_person"},
		"a draft nobody confirmed":  {card("confirmed", false), 422, "not_confirmed"},
		"a card with a wrong digit": {card("number", "441502196905027741"), 422, "id_checksum"},
		"a card of another birth":   {card("birth", "1970-05-02"), 422, "card_differs"},
		"a card of another sex":     {card("sex", "男"), 422, "card_differs"},
		"a nation of nowhere":       {card("nation", "火星"), 422, "card_differs"},
		"a card without a name":     {card("name", ""), 422, "name"},
		"a card's unknown home":     {card("home", "449999"), 422, "unknown_division"},
		"an infant of nobody":       {one(obj{"infant": true, "guardian": "7"}), 422, "infant_guardian"},
		"a pass of another vehicle": {obj{"pass": second.Pass, "people": []obj{{"occupant": "1", "event": w.event()}}}, 409, "other_vehicle"},
		"another plate":             {obj{"plate": "粤AD12345", "people": []obj{{"occupant": "1", "event": w.event()}}}, 409, "other_vehicle"},
		"made in the future":        {one(obj{"occupant": "1", "event": kangma.NewEventID(w.now().Add(time.Hour)).String(), "made": obj{"decision": "pass", "reason": "code"}}), 422, "offline_future"},
		"made long ago":             {one(obj{"occupant": "1", "event": kangma.NewEventID(w.now().Add(-15 * 24 * time.Hour)).String(), "made": obj{"decision": "pass", "reason": "code"}}), 422, "offline_old"},
		"made for a strange reason": {one(obj{"occupant": "1", "made": obj{"decision": "pass", "reason": "<script>"}}), 422, "made"},
		"at a metro gate":           {obj{"gate": "metro-1", "people": []obj{{"occupant": "1", "event": w.event()}}}, 422, "not_a_post"},
		"of another post":           {obj{"gate": "post-2", "people": []obj{{"occupant": "1", "event": w.event()}}}, 403, "scope"},
	} {
		t.Run(what, func(t *testing.T) {
			w := w.in(t)
			w.want(w.call("POST", "/v1/vehicle-entries/"+e.ID+"/inspection", gate, atPost1(c.body)), c.status, c.code)
		})
	}
	w.inspect(gate, e.ID, obj{"event": w.event(), "occupant": "1", "temperature": 36.5})
	find(far, "post-2", obj{"pass": e.Pass}, 403, "other_post")
	inspect(far, obj{"gate": "post-2", "people": []obj{{"event": w.event(), "occupant": "1"}}}, 403, "other_post")
	w.want(w.call("DELETE", "/v1/me/vehicle-entries/"+e.ID, driver.token, nil), 409, "entry_inspected")
	w.want(w.call("DELETE", "/v1/me/vehicle-entries/"+second.ID, driver.token, nil), 200, "")
	find(gate, "post-1", obj{"pass": second.Pass}, 409, "entry_cancelled")
	find(gate, "post-1", obj{"plate": "粤AD12345"}, 404, "no_entry")
	w.pass(28 * time.Hour)
	gate = w.staff(api.GateStaff)
	find(gate, "post-1", obj{"pass": e.Pass}, 409, "pass_expired")
	find(gate, "post-1", obj{"plate": "粤N12345"}, 404, "no_entry")
	w.want(w.call("POST", "/v1/vehicle-entries/"+w.event()+"/inspection", gate, obj{"gate": "post-1", "people": []obj{{"event": w.event(), "occupant": "1"}}}), 404, "no_entry")
}

func atPost1(b obj) obj {
	if b["gate"] == nil {
		b["gate"] = "post-1"
	}
	return b
}
