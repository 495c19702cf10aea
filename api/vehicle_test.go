package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/store/wire"
)

type (
	entryAnswer struct {
		ID, Plate, Pass, Status string
		Kind                    string `json:"plate_kind"`
		TripCode                string `json:"trip_code"`
		People                  int
		Occupants               []struct {
			ID, Decision    string
			MaskedName      string `json:"masked_name"`
			Self, Inspected bool
		}
	}
	foundAnswer struct {
		Entry, Plate string
		People       []postAnswer
	}
	postAnswer struct {
		Occupant, Document, Wire, Colour, Proposal, Rule string
		MaskedName                                       string `json:"masked_name"`
		Registered, Told, Infant                         bool
		CannotTell                                       string `json:"cannot_tell"`
		Decided                                          *decidedAnswer
	}
	decidedAnswer struct {
		Event, Occupant, Decision, Reason, Wire, Colour string
		MaskedName                                      string `json:"masked_name"`
		Told                                            bool
		Temperature                                     float64
		Flags                                           []string
		At                                              time.Time
	}
	inspectAnswer struct {
		Entry   string
		Decided []decidedAnswer
		Waiting []string
	}
)

type obj = map[string]any

// filing is a good filing; change what a test is about.
func (w *town) filing(occupants ...obj) obj {
	return obj{"plate": "粤N·12345", "origin": "440103", "destination": "441521101", "community": "莲花新村", "arrival_at": w.now().Add(3 * time.Hour), "occupants": occupants}
}

func (w *town) file(p person, body obj) (e entryAnswer) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/me/vehicle-entries", p.token, body), 201, "").into(w.t, &e)
	return e
}

func (w *town) find(token string, body obj) (f foundAnswer) {
	w.t.Helper()
	body["gate"] = "post-1"
	w.want(w.call("POST", "/v1/vehicle-entries/find", token, body), 200, "").into(w.t, &f)
	return f
}

func (w *town) inspect(token, id string, people ...obj) (out inspectAnswer) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/vehicle-entries/"+id+"/inspection", token, obj{"gate": "post-1", "people": people}), 200, "").into(w.t, &out)
	return out
}

func (w *town) event() string { return kangma.NewEventID(w.now()).String() }

func number(first17 string) string { return first17 + string(kangma.IDCheckChar(first17)) }

// TestAVehicleFromFilingToTheTownship is the whole story: filed at home, read at the post by its pass, everybody decided,
// somebody without a phone added by ID card, the township told, and the township has read it.
func TestAVehicleFromFilingToTheTownship(t *testing.T) {
	w := newTown(t)
	driver, yellow, red := w.resident("401"), w.resident("402"), w.resident("403")
	feeder, gate, township := w.staff(api.Feeder), w.staff(api.GateStaff), w.official("haicheng", "441521101")
	at := w.now().Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(at), yellow.number, "441521", "二环西路12号", at)+"\n"+
		stayLine(kangma.NewEventID(at), red.number, "441502", "金町湾小区", at)), 200, "")

	e := w.file(driver, w.filing(obj{"self": true},
		obj{"name": "欧阳测试", "id_number": yellow.number}, obj{"name": "欧阳测试", "id_number": red.number},
		obj{"name": "无码老人", "id_number": number("44152119450101123"), "phone": "13900000001"}, obj{"infant": true, "guardian": 2}))
	if e.Plate != "粤N***45" || e.Kind != "civil" || !strings.HasPrefix(e.Pass, "KMV:") || e.People != 5 || len(e.Occupants) != 5 || e.Status != "filed" {
		t.Fatalf("filed: %+v", e)
	}
	svg := w.want(w.call("GET", "/v1/me/vehicle-entries/"+e.ID+"/pass.svg", driver.token, nil), 200, "")
	if !strings.Contains(string(svg.body), "<svg") {
		t.Errorf("pass: %.60s", svg.body)
	}

	found := w.find(gate, obj{"pass": e.Pass})
	if again := w.find(gate, obj{"plate": "粤n12345"}); again.Entry != found.Entry {
		t.Errorf("by plate: %+v", again)
	}
	want := []struct{ colour, proposal string }{{"green", "pass"}, {"yellow", "home-isolate"}, {"red", "central-isolate"}, {"", "refer"}, {"", "as-guardian"}}
	for i, p := range found.People {
		if p.Colour != want[i].colour || p.Proposal != want[i].proposal || (p.Wire == "") != (p.Colour == "") || p.Registered != (i < 3) {
			t.Errorf("occupant %d: %+v, want %+v", i+1, p, want[i])
		}
	}
	if found.Entry != e.ID || len(found.People) != 5 || found.People[3].CannotTell != "unknown_person" {
		t.Fatalf("found: %+v", found)
	}

	people := []obj{
		{"event": w.event(), "occupant": "1", "temperature": 36.6}, {"event": w.event(), "occupant": "2", "temperature": 36.7},
		{"event": w.event(), "occupant": "3", "temperature": 36.8}, {"event": w.event(), "occupant": "4", "temperature": 36.4, "document_seen": true},
		{"event": w.event(), "occupant": "5"},
		{"event": w.event(), "temperature": 36.5, "card": obj{"number": number("44150219690502774"), "name": "路上乘客", "sex": "女", "nation": "汉", "birth": "1969-05-02",
			"address": "广东省汕尾市城区某路一号", "home": "441502", "confirmed": true}},
	}
	decisions := []string{"pass", "home-isolate", "central-isolate", "pass", "home-isolate", "pass"}
	var first inspectAnswer
	for try := range 3 { // the network is bad: the post sends it again, once the next day
		got := w.inspect(gate, e.ID, people...)
		if try == 0 {
			first = got
			w.pass(30 * time.Minute)
		}
		for i, d := range got.Decided {
			if d.Decision != decisions[i] || d.Event != people[i]["event"] || !d.At.Equal(first.Decided[i].At) {
				t.Errorf("try %d, person %d: %+v, want %s", try, i+1, d, decisions[i])
			}
		}
		if len(got.Decided) != 6 || len(got.Waiting) != 0 || got.Decided[5].MaskedName != "路**客" || got.Decided[1].Wire != "01" {
			t.Fatalf("%+v", got)
		}
	}

	w.ship()
	var atGate struct {
		Passages []struct {
			Decision, Reason string
			Temperature      float64
		}
	}
	w.want(w.call("GET", "/v1/gates/post-1/passages", gate, nil), 200, "").into(t, &atGate)
	if len(atGate.Passages) != 6 {
		t.Errorf("%d passages, want one for each of six people: %+v", len(atGate.Passages), atGate)
	}
	items := w.inboxOf(township, "limit=2")
	if len(items) != 5 {
		t.Fatalf("%d in the inbox, want the five who were released or sent home: %+v", len(items), items)
	}
	for _, it := range items {
		if it.Kind != "arrival" || it.Entry != e.ID || it.Community != "莲花新村" || it.District != "441521101" || it.Name == "" {
			t.Errorf("%+v", it)
		}
		w.want(w.call("POST", "/v1/inbox/"+it.ID+"/acknowledge", township, nil), 200, "")
	}
	if left := w.inboxOf(township, "status=new"); len(left) != 0 {
		t.Errorf("after the acknowledgement: %+v", left)
	}
	var mine entryAnswer
	w.want(w.call("GET", "/v1/me/vehicle-entries/"+e.ID, driver.token, nil), 200, "").into(t, &mine)
	if mine.Status != "inspected" || mine.Occupants[0].Decision != "pass" || mine.Occupants[1].Decision != "" || !mine.Occupants[1].Inspected {
		t.Errorf("the driver sees %+v", mine)
	}
	w.want(w.call("GET", "/v1/me/vehicle-entries/"+e.ID, red.token, nil), 200, "").into(t, &mine)
	if len(mine.Occupants) != 1 || mine.Occupants[0].Decision != "central-isolate" {
		t.Errorf("who is isolated sees %+v", mine)
	}
	w.nothingNamed(e.ID, "路上乘客", "无码老人", "12345", "莲花新村一号", number("44152119450101123"), "13900000001")
}

// nothingNamed searches the stored entry and its journal for clear text.
func (w *town) nothingNamed(id string, secrets ...string) {
	w.t.Helper()
	entries, err := w.journal.After(w.t.Context(), 0, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		all.Write(e.Event.Data)
		if e.Event.Kind == kangma.EventRecord {
			if rec, err := wire.DecodeRecord(e.Event.Data); err == nil {
				all.Write(rec.Data)
			}
		}
	}
	all.WriteString(w.log.String())
	for _, s := range secrets {
		if strings.Contains(all.String(), s) {
			w.t.Errorf("%q stands in clear in the journal or the log", s)
		}
	}
	if !strings.Contains(all.String(), id) {
		w.t.Error("the entry is not in the journal")
	}
}

func TestAFeverIsMeasuredAgainAndAnOfficerSettlesWhoIsReferred(t *testing.T) {
	w := newTown(t)
	driver, gate := w.resident("411"), w.staff(api.GateStaff)
	e := w.file(driver, w.filing(obj{"self": true}, obj{"name": "Chan Tai Man", "id_type": "14", "id_number": "H1234567890"}, obj{"name": "JOHN DOE", "id_type": "20", "id_number": "E12345678"}))
	post := func(want int, code string, p obj) (out inspectAnswer) {
		t.Helper()
		if p["event"] == nil {
			p["event"] = w.event()
		}
		a := w.want(w.call("POST", "/v1/vehicle-entries/"+e.ID+"/inspection", gate, obj{"gate": "post-1", "people": []obj{p}}), want, code)
		if code == "" {
			a.into(t, &out)
		}
		return out
	}
	for _, c := range []struct {
		temperature float64
		reason      string
	}{{37.3, "fever"}, {38.9, "fever"}} {
		if got := post(200, "", obj{"occupant": "1", "temperature": c.temperature}); got.Decided[0].Decision != "refer" || got.Decided[0].Reason != c.reason || !slices.Contains(got.Waiting, "1") {
			t.Errorf("%v: %+v", c.temperature, got)
		}
	}
	if got := post(200, "", obj{"occupant": "1", "temperature": 37.2}); got.Decided[0].Decision != "pass" {
		t.Errorf("37.2: %+v", got)
	}
	post(409, "already_decided", obj{"occupant": "1", "temperature": 36.5})

	// the document lane: neither is registered, both are referred, and the officer settles them.
	for _, o := range []string{"2", "3"} {
		if got := post(200, "", obj{"occupant": o, "temperature": 36.5}); got.Decided[0].Decision != "refer" || got.Decided[0].Reason != "no_colour" {
			t.Errorf("before the document: %+v", got)
		}
		got := post(200, "", obj{"occupant": o, "temperature": 36.5, "document_seen": true})
		if got.Decided[0].Decision != "refer" || got.Decided[0].Reason != "document_lane" || !got.Decided[0].Told {
			t.Errorf("the lane: %+v", got)
		}
		got = post(200, "", obj{"occupant": o, "temperature": 36.5, "by_hand": obj{"decision": "pass", "reason": "test-seen"}})
		if got.Decided[0].Decision != "pass" || got.Decided[0].Reason != "by_hand.test-seen" {
			t.Errorf("by hand: %+v", got)
		}
	}
	e = w.file(driver, w.filing(obj{"self": true}))
	post(422, "by_hand", obj{"occupant": "1", "temperature": 36.5, "by_hand": obj{"decision": "pass", "reason": "order"}})
	if got := post(200, "", obj{"occupant": "1", "temperature": 36.5, "by_hand": obj{"decision": "home-isolate", "reason": "order"}}); got.Decided[0].Decision != "home-isolate" {
		t.Errorf("stricter by hand: %+v", got)
	}
}

func TestCoachPassengersJoinByTheTripCode(t *testing.T) {
	w := newTown(t)
	driver, a, b, c := w.resident("421"), w.resident("422"), w.resident("423"), w.resident("424")
	body := w.filing(obj{"self": true})
	body["coach"] = true
	e := w.file(driver, body)
	if len(e.TripCode) != entry.TripLength {
		t.Fatalf("%+v", e)
	}
	join := func(p person, code, plate string, occupants ...obj) answer {
		return w.call("POST", "/v1/me/vehicle-trips", p.token, obj{"trip_code": code, "plate": plate, "occupants": occupants})
	}
	var got entryAnswer
	for range 2 { // and a retry
		w.want(join(a, strings.ToLower(e.TripCode[:4]+"-"+e.TripCode[4:]), "粤N12345"), 200, "").into(t, &got)
	}
	if got.People != 2 || got.TripCode != "" || len(got.Occupants) != 1 {
		t.Errorf("joined: %+v", got)
	}
	w.want(join(b, e.TripCode, "粤N12345", obj{"self": true}, obj{"name": "同行老人", "id_number": number("44152119450101123")}), 200, "").into(t, &got)
	if got.People != 4 {
		t.Errorf("with a companion: %+v", got)
	}
	w.want(join(c, e.TripCode, "粤N54321"), 404, "trip_code")
	w.want(join(c, "BBBBBBBB", "粤N12345"), 404, "trip_code")
	w.want(join(c, "short", "粤N12345"), 404, "trip_code")
	w.want(join(c, e.TripCode, "no plate"), 422, "plate")
	w.want(join(c, e.TripCode, "粤N12345", obj{"self": true}, obj{"name": "欧阳测试", "id_number": a.number}), 422, "occupant_twice")
	for range 6 { // guesses are few
		join(c, "CCCCCCCC", "粤N12345")
	}
	w.want(join(c, e.TripCode, "粤N12345"), 429, "too_many")

	gate := w.staff(api.GateStaff)
	found := w.find(gate, obj{"plate": "粤N12345"})
	if len(found.People) != 4 {
		t.Errorf("%+v", found)
	}
	out := w.inspect(gate, e.ID, obj{"event": w.event(), "occupant": "1", "temperature": 36.5}, obj{"event": w.event(), "occupant": "2", "temperature": 36.5})
	if len(out.Waiting) != 2 {
		t.Errorf("two are decided, two wait: %+v", out)
	}
	w.want(join(w.resident("425"), e.TripCode, "粤N12345"), 409, "entry_inspected")
}

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

func TestAnInspectionWithoutANetworkCountsOnceAndAConflictIsReported(t *testing.T) {
	w := newTown(t)
	driver, red, gate := w.resident("451"), w.resident("452"), w.staff(api.GateStaff)
	e := w.file(driver, w.filing(obj{"self": true}, obj{"name": "欧阳测试", "id_number": red.number}))
	w.pass(3 * time.Hour)
	at := w.now()
	people := []obj{
		{"event": kangma.NewEventID(at).String(), "occupant": "1", "temperature": 36.5, "made": obj{"decision": "pass", "reason": "code_green"}},
		{"event": kangma.NewEventID(at).String(), "occupant": "2", "temperature": 36.5, "made": obj{"decision": "pass", "reason": "code_green"}},
	}
	stay := at.Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", w.staff(api.Feeder), stayLine(kangma.NewEventID(stay), red.number, "441502", "金町湾小区", stay)), 200, "")
	w.pass(3 * 24 * time.Hour) // the pass is long over, the upload is not too late
	gate = w.staff(api.GateStaff)
	for _, order := range [][]obj{{people[1]}, {people[0], people[1]}, {people[1], people[0]}} {
		for _, d := range w.inspect(gate, e.ID, order...).Decided {
			if d.Decision != "pass" || d.Reason != "code_green" || !slices.Contains(d.Flags, "offline") || !d.At.Equal(at.Truncate(time.Millisecond)) ||
				slices.Contains(d.Flags, "conflict") != (d.Occupant == "2") {
				t.Errorf("%+v", d)
			}
		}
	}
	w.ship()
	entries, err := w.journal.After(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[kangma.EventID]bool{}
	for _, e := range entries {
		if e.Event.Kind == kangma.EventPassage {
			seen[e.Event.ID] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d passages, want 2", len(seen))
	}
	kinds := map[string]int{}
	for _, it := range w.inboxOf(w.staff(api.Official), "") {
		kinds[it.Kind]++
	}
	if kinds["arrival"] != 2 || kinds["offline_conflict"] != 1 {
		t.Errorf("inbox: %v", kinds)
	}
}

func TestRulesAndFirmsOfVehiclePostsArePublished(t *testing.T) {
	w := newTown(t)
	admin, official, gate := w.staff(api.Admin), w.staff(api.Official), w.staff(api.GateStaff)
	driver := w.resident("461")
	firm := "91440300708461136T"
	body := w.filing(obj{"self": true, "firm": firm})
	e := w.file(driver, body)
	preset, err := entry.PresetFile("wuxing-2020")
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ ID, Digest string }
	w.want(w.call("GET", "/v1/vehicle-rules", "", nil), 200, "").into(t, &in)
	if in.ID != entry.DefaultPreset {
		t.Errorf("in force: %+v", in)
	}
	w.want(w.call("PUT", "/v1/vehicle-rules", admin, []byte("id: x")), 422, "vehicle_rules")
	w.want(w.call("PUT", "/v1/vehicle-rules", admin, preset), 200, "").into(t, &in)
	if in.ID != "wuxing-2020" || len(in.Digest) != 64 {
		t.Errorf("published: %+v", in)
	}
	look := func() postAnswer { t.Helper(); return w.find(gate, obj{"pass": e.Pass}).People[0] }
	if p := look(); p.Rule != "not_measured" {
		t.Errorf("the new rules: %+v", p)
	}
	// the driver's household is of Shanwei, as the post: sent home without the firm, passing with it.
	w.want(w.call("PUT", "/v1/firms/123", official, obj{"name": "某厂", "division": "441502", "until": w.now().Add(240 * time.Hour)}), 422, "firm")
	w.want(w.call("PUT", "/v1/firms/"+firm, official, obj{"name": "某厂", "division": "449999", "until": w.now().Add(240 * time.Hour)}), 422, "unknown_division")
	w.want(w.call("PUT", "/v1/firms/"+firm, official, obj{"name": "某厂", "division": "441502", "until": w.now().Add(-time.Hour)}), 422, "firm")
	w.want(w.call("PUT", "/v1/firms/"+firm, official, obj{"name": "某厂", "division": "441502", "until": w.now().Add(240 * time.Hour)}), 200, "")
	got := w.inspect(gate, e.ID, obj{"event": w.event(), "occupant": "1", "temperature": 36.5})
	if got.Decided[0].Decision != "pass" || got.Decided[0].Reason != "firm" {
		t.Errorf("%+v", got)
	}
	e = w.file(driver, w.filing(obj{"self": true}))
	if got := w.inspect(gate, e.ID, obj{"event": w.event(), "occupant": "1", "temperature": 36.5}); got.Decided[0].Decision != "home-isolate" || got.Decided[0].Reason != "returning" {
		t.Errorf("without the firm: %+v", got)
	}
	e = w.file(driver, w.filing(obj{"self": true, "firm": firm, "stays": []string{"420106"}}))
	if got := w.inspect(gate, e.ID, obj{"event": w.event(), "occupant": "1", "temperature": 36.5}); got.Decided[0].Decision != "central-isolate" || got.Decided[0].Reason != "epidemic_local" {
		t.Errorf("was in Wuhan: %+v", got)
	}
}

func TestAPersonOfThePostMayBeFoundAgainAndAnotherNameIsRefused(t *testing.T) {
	w := newTown(t)
	driver, known, gate := w.resident("481"), w.resident("482"), w.staff(api.GateStaff)
	e := w.file(driver, w.filing(obj{"self": true}))
	card := func(name string) obj {
		return obj{"event": w.event(), "temperature": 36.5, "card": obj{"number": known.number, "name": name, "confirmed": true}}
	}
	w.want(w.call("POST", "/v1/vehicle-entries/"+e.ID+"/inspection", gate, obj{"gate": "post-1", "people": []obj{card("别的名字")}}), 409, "name_differs")
	if got := w.inspect(gate, e.ID, card("欧阳测试")); got.Decided[0].Decision != "pass" || got.Decided[0].Occupant != "2" {
		t.Errorf("%+v", got)
	}
	w.ship()
	var mine struct{ Passages []struct{ Gate string } }
	w.want(w.call("GET", "/v1/me/passages", known.token, nil), 200, "").into(t, &mine)
	if len(mine.Passages) != 1 {
		t.Errorf("the passage is not the person's: %+v", mine)
	}
}
