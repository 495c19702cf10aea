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
	second := w.second(admin)
	held := w.call("PUT", "/v1/vehicle-rules?reason=rain", admin, preset)
	w.want(w.call("GET", "/v1/vehicle-rules", "", nil), 200, "").into(t, &in)
	if in.ID != entry.DefaultPreset {
		t.Error("one person's rules are in force")
	}
	w.release(held, second)
	w.want(w.call("GET", "/v1/vehicle-rules", "", nil), 200, "").into(t, &in)
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
	w.release(w.call("PUT", "/v1/firms/"+firm+"?reason=rain", official, obj{"name": "某厂", "division": "441502", "until": w.now().Add(240 * time.Hour)}), second)
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
