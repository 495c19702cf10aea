package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
)

// TestAVehicleFromFilingToTheTownship tells the whole story over the real command, on the embedded stores and on Redis: a
// driver files, the post finds everybody by the pass, decides, is killed after the answer, sends it all again to the
// restarted server, and the township finds each arrival once and acknowledges it.
func TestAVehicleFromFilingToTheTownship(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { vehicleStory(t, nil, nil) })
	t.Run("redis", func(t *testing.T) {
		redis := realserver.StartRedis(t)
		flags := []string{"--redis", redis.Addr, "--redis-password", redis.Password}
		vehicleStory(t, append(flags, "--redis-new"), flags)
	})
}

type filed struct {
	ID, Pass  string
	Occupants []struct{ ID string }
}

type inspected struct {
	Decided []struct{ Occupant, Decision, Reason, Event string }
	Waiting []string
}

func vehicleStory(t *testing.T, flags, again []string) {
	data := filepath.Join(t.TempDir(), "data")
	s := startServer(t, data, flags...)
	defer func() { s.kill() }()
	do := func(method, path, token string, body, into any, want int) {
		t.Helper()
		var raw json.RawMessage
		status, err := s.call(t.Context(), method, path, token, body, &raw)
		if err != nil || status != want {
			t.Fatalf("%s %s: %d %v %s\n%s", method, path, status, err, raw, s.output())
		}
		if into != nil {
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		}
	}
	red, yellow := demoPeople[2], demoPeople[1]
	driver := s.resident(t, demoPeople[0].phone)
	var e filed
	do("POST", "/v1/me/vehicle-entries", driver, map[string]any{
		"plate": "粤AD54321", "origin": "440103", "destination": "441521101", "arrival_at": time.Now().Add(time.Hour),
		"occupants": []map[string]any{{"self": true}, {"name": yellow.name, "id_number": yellow.number()}, {"name": red.name, "id_number": red.number()}},
	}, &e, 201)
	gate := s.logIn(t, map[string]string{"username": "gate", "password": demoPassword("gate")})
	var found struct {
		Entry  string
		People []struct{ Colour, Proposal string }
	}
	do("POST", "/v1/vehicle-entries/find", gate, map[string]string{"gate": "g15-haifeng", "pass": e.Pass}, &found, 200)
	if found.Entry != e.ID || fmt.Sprint(found.People) != "[{green pass} {yellow home-isolate} {red central-isolate}]" {
		t.Fatalf("at the post: %+v", found)
	}
	card := map[string]any{"number": "44150219690502774" + string(kangma.IDCheckChar("44150219690502774")), "name": "路上乘客", "confirmed": true}
	people := []map[string]any{
		{"occupant": "1", "temperature": 36.5}, {"occupant": "2", "temperature": 36.6}, {"occupant": "3", "temperature": 36.7}, {"card": card, "temperature": 36.8},
	}
	for i := range people {
		people[i]["event"] = kangma.NewEventID(time.Now()).String()
	}
	body := map[string]any{"gate": "g15-haifeng", "pass": e.Pass, "people": people}
	path := "/v1/vehicle-entries/" + e.ID + "/inspection"
	var first, second inspected
	do("POST", path, gate, body, &first, 200)
	s.kill() // the answer was sent: nothing of it may be lost
	s = startServer(t, data, again...)
	do("POST", path, gate, body, &second, 200)
	if fmt.Sprint(first) != fmt.Sprint(second) || len(first.Decided) != 4 || first.Decided[0].Decision != "pass" || first.Decided[1].Decision != "home-isolate" ||
		first.Decided[2].Decision != "central-isolate" || first.Decided[3].Decision != "pass" {
		t.Errorf("decided %+v, then %+v", first, second)
	}
	official := s.logIn(t, map[string]string{"username": "official", "password": demoPassword("official")})
	var inbox struct {
		Items []struct{ ID, Kind, Decision, District string }
	}
	do("GET", "/v1/inbox?division=441521101", official, nil, &inbox, 200)
	if len(inbox.Items) != 3 {
		t.Fatalf("the township's inbox: %+v", inbox)
	}
	for _, it := range inbox.Items {
		do("POST", "/v1/inbox/"+it.ID+"/acknowledge", official, nil, nil, 200)
	}
	do("POST", path, gate, body, nil, 200) // once more: it stays acknowledged
	do("GET", "/v1/inbox?division=441521101", official, nil, &inbox, 200)
	if len(inbox.Items) != 0 {
		t.Errorf("after the acknowledgement: %+v", inbox)
	}
	await(t, "four passages are at the gate, each once", func() bool {
		var at struct{ Passages []struct{ Event string } }
		_, err := s.call(t.Context(), "GET", "/v1/gates/g15-haifeng/passages", gate, nil, &at)
		return err == nil && len(at.Passages) == 4
	})
}
