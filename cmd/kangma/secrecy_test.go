package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/leak"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/ocr/synth"
)

// known is somebody whose name, number and phone are searched for. Some are never registered and are only sent in.
type known struct{ name, number, phone string }

// drawKnown draws people with names of three characters at random, which chance does not write anywhere.
func drawKnown(rnd *rand.Rand, n int, s *leak.Search) []known {
	han := func() string { return string(rune(0x4e00 + rnd.IntN(0x5000))) }
	all := make([]known, n)
	for i := range all {
		first := fmt.Sprintf("4415%02d%04d%02d%02d%03d", 2+rnd.IntN(20), 1930+rnd.IntN(75), 1+rnd.IntN(12), 1+rnd.IntN(28), rnd.IntN(1000))
		p := known{han() + han() + han(), first + string(kangma.IDCheckChar(first)), fmt.Sprintf("1%d%04d%05d", 3+rnd.IntN(7), rnd.IntN(10000), i)}
		s.Add("name", p.name)
		s.Add("number", p.number)
		s.Add("phone", p.phone)
		all[i] = p
	}
	return all
}

// TestNothingOnDiskNamesAnybodyAfterAFullRun lets people register, show, pass, drive in with others, check in, be reported, be mistyped
// and be photographed, with everything a node and its servers write in one folder: journal, state, warehouse, the node's copy, Redis'
// AOF and RDB, ClickHouse's parts and logs, the node's log, snapshots, backup and export. KANGMA_KNOWN (150) says how many people.
func TestNothingOnDiskNamesAnybodyAfterAFullRun(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { fullRun(t, nil, func() []string { return nil }) })
	t.Run("Redis and ClickHouse", func(t *testing.T) {
		redis, ch := realserver.StartRedis(t), realserver.StartClickHouse(t)
		flags := []string{"--redis", redis.Addr, "--redis-password", redis.Password, "--clickhouse", ch.Addr, "--clickhouse-user", ch.User, "--clickhouse-password", ch.Password}
		fullRun(t, flags, func() []string {
			redis.Must("SAVE")
			return []string{redis.Dir, ch.Dir}
		})
	})
}

func fullRun(t *testing.T, flags []string, theirs func() []string) {
	n, _ := strconv.Atoi(os.Getenv("KANGMA_KNOWN"))
	n = max(n, 150)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	var secrets leak.Search
	rnd := rand.New(rand.NewPCG(404, uint64(n)))
	t.Logf("seed 404, %d people", n)
	people := drawKnown(rnd, n+n/10, &secrets) // a tenth is never registered
	first := flags
	if len(flags) > 0 {
		first = append([]string{"--redis-new", "--copy-rate", "50000"}, flags...)
	}
	s := startServer(t, data, append(first, "--snapshot-every", "1s")...)
	defer func() { s.kill() }()
	r := &fullDay{t: t, s: s, secrets: &secrets, people: people[:n], strangers: people[n:]}
	r.everything()
	r.copies(dir, data, flags)
	s.kill() // what a crash leaves: no tidy end
	if err := os.WriteFile(filepath.Join(dir, "node.log"), []byte(s.output()), 0o600); err != nil {
		t.Fatal(err)
	}
	files, size := 0, int64(0)
	for _, d := range append(theirs(), dir) {
		hits, f, b, err := secrets.Folder(d)
		if err != nil {
			t.Fatal(err)
		}
		files, size = files+f, size+b
		for _, h := range hits[:min(len(hits), 10)] {
			t.Error(h)
		}
	}
	t.Logf("searched %d files, %d bytes, for %d values; answers: %v", files, size, secrets.Values(), r.answers)
	if size < int64(n)*1000 {
		t.Errorf("%d bytes are too few: this run proves nothing", size)
	}
	if len(flags) > 0 {
		if !r.copied(data, flags) {
			t.Error("the node's copy is not there or nearly empty")
		}
	}
}

// fullDay is what happens to the people of a town.
type fullDay struct {
	t                 *testing.T
	s                 *server
	secrets           *leak.Search
	people, strangers []known
	mu                sync.Mutex
	answers           map[string]int // by what was asked and the status
}

// ask calls and notes the answer; the statuses are those that must come at least once each.
func (r *fullDay) ask(what, method, path, token string, body any) json.RawMessage {
	var raw json.RawMessage
	status, err := r.s.call(r.t.Context(), method, path, token, body, &raw)
	for range 300 { // refused for want of room: as clients do, again
		if status != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(100 * time.Millisecond)
		status, err = r.s.call(r.t.Context(), method, path, token, body, &raw)
	}
	if err != nil && status == 0 {
		r.t.Errorf("%s: %v", what, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = map[string]int{}
	}
	r.answers[fmt.Sprintf("%s %d", what, status)]++
	return raw
}

// each does something for everybody, eight at a time.
func (r *fullDay) each(people []known, f func(i int, p known)) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := g; i < len(people); i += 8 {
				f(i, people[i])
			}
		})
	}
	wg.Wait()
}

func (r *fullDay) everything() {
	staff := map[string]string{}
	for _, who := range []string{"gate", "feeder", "official", "admin"} {
		staff[who] = r.s.logIn(r.t, map[string]string{"username": who, "password": demoPassword(who)})
	}
	r.each(r.people, func(_ int, p known) {
		r.ask("register", "POST", "/v1/residents", "", map[string]any{"name": p.name, "id_number": p.number, "phone": p.phone, "home": "441502"})
	})
	r.feed(staff["feeder"])
	var drivers []string
	for _, p := range r.people[:12] {
		drivers = append(drivers, r.s.resident(r.t, p.phone))
	}
	for i, token := range drivers {
		r.resident(i, token, staff)
	}
	r.photo(staff["gate"])
	r.errors(staff)
	r.must("register 201", "feed 200", "show 200", "scan 200", "vehicle 201", "find 200", "inspect 200", "check in 201", "declare 202", "bad scan 422", "wrong log-in 401", "page 200")
}

func (r *fullDay) must(wanted ...string) {
	for _, w := range wanted {
		if r.answers[w] == 0 {
			r.t.Errorf("never seen: %s; %v", w, r.answers)
		}
	}
}

// feed reports everybody, strangers too, with lines that are wrong in between.
func (r *fullDay) feed(token string) {
	var lines []string
	at := time.Now().Add(-20 * time.Hour)
	for i, p := range append(append([]known{}, r.people...), r.strangers...) {
		line := fmt.Sprintf(`{"id":%q,"kind":"test","id_number":%q,"name":%q,"observed_at":%q,"test":{"method":"pcr","result":"negative"}}`,
			kangma.NewEventID(at), p.number, p.name, at.Format(time.RFC3339))
		if i%10 == 3 {
			line = strings.Replace(line, `"negative"`, fmt.Sprintf(`"%s"`, p.name), 1)
		}
		if i%4 != 0 {
			line = strings.Replace(line, fmt.Sprintf(`"name":%q,`, p.name), "", 1)
		}
		lines = append(lines, line)
	}
	for len(lines) > 0 {
		some := lines[:min(len(lines), 1000)]
		lines = lines[len(some):]
		r.post("feed", "/v1/evidence", token, "application/x-ndjson", strings.NewReader(strings.Join(some, "\n")))
	}
}

// resident shows, passes a gate, declares, drives in with the people of their share, and enters a venue.
func (r *fullDay) resident(i int, token string, staff map[string]string) {
	var code struct{ Code string }
	json.Unmarshal(r.ask("show", "GET", "/v1/me/code", token, nil), &code)
	r.ask("scan", "POST", "/v1/scans", staff["gate"], map[string]any{"code": code.Code, "gate": "metro-1", "direction": "in"})
	r.ask("declare", "POST", "/v1/me/declarations", token, map[string]any{"temperature": 36.6, "contact": "no"})
	r.ask("me", "GET", "/v1/me", token, nil)
	r.ask("accesses", "GET", "/v1/me/accesses", token, nil)
	r.ask("short code", "POST", "/v1/me/short-code", token, nil)
	var shown struct{ Code string }
	json.Unmarshal(r.ask("venue code", "GET", "/v1/venues/mall-1/code", staff["official"], nil), &shown)
	r.ask("check in", "POST", "/v1/venues/mall-1/check-ins", token, map[string]any{"code": shown.Code, "event": kangma.NewEventID(time.Now())})
	share := r.people[12:]
	share = append(share[i*len(share)/12:(i+1)*len(share)/12], r.strangers[i%len(r.strangers)])
	for from := 0; from < len(share); from += 12 {
		r.vehicle(i*1000+from, token, staff["gate"], share[from:min(len(share), from+12)])
	}
}

func (r *fullDay) vehicle(n int, token, gate string, others []known) {
	occupants := []map[string]any{{"self": true}}
	for _, p := range others {
		occupants = append(occupants, map[string]any{"name": p.name, "id_number": p.number, "phone": p.phone})
	}
	var e filed
	json.Unmarshal(r.ask("vehicle", "POST", "/v1/me/vehicle-entries", token, map[string]any{"plate": fmt.Sprintf("粤A%05d", n%100000), "origin": "440103",
		"destination": "441521101", "arrival_at": time.Now().Add(time.Hour), "occupants": occupants}), &e)
	r.ask("find", "POST", "/v1/vehicle-entries/find", gate, map[string]string{"gate": "g15-haifeng", "pass": e.Pass})
	var people []map[string]any
	for i := range occupants {
		people = append(people, map[string]any{"occupant": fmt.Sprint(i + 1), "temperature": 36.5, "event": kangma.NewEventID(time.Now()).String()})
	}
	stranger := r.strangers[n%len(r.strangers)]
	people = append(people, map[string]any{"card": map[string]any{"number": stranger.number, "name": stranger.name, "confirmed": true}, "temperature": 36.8,
		"event": kangma.NewEventID(time.Now()).String()})
	r.ask("inspect", "POST", "/v1/vehicle-entries/"+e.ID+"/inspection", gate, map[string]any{"gate": "g15-haifeng", "pass": e.Pass, "people": people})
}

// photo has an ID card read; what stands on it and the photo's own bytes are searched for too.
func (r *fullDay) photo(gate string) {
	card, err := synth.IDCard(7, 0, synth.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.secrets.Add("number on the card", card.Truth.Person.Number)
	r.secrets.Add("photo", string(card.JPEG[len(card.JPEG)/2:][:24]))
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile("image", "photo.jpg")
	if err != nil {
		r.t.Fatal(err)
	}
	part.Write(card.JPEG)
	m.Close()
	read := r.post("photo", "/v1/ocr/id-card", gate, m.FormDataContentType(), &body)
	if !bytes.Contains(read, []byte(card.Truth.Person.Number)) { // a busy machine may need more than the time a reading has
		r.t.Logf("the card was not read: %s", read)
	}
}

// post sends a body that is not JSON.
func (r *fullDay) post(what, path, token, kind string, body io.Reader) []byte {
	req, err := http.NewRequestWithContext(r.t.Context(), "POST", r.s.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	r.answers[fmt.Sprintf("%s %d", what, res.StatusCode)]++
	return got
}

// errors puts names, numbers and phones where they do not belong.
func (r *fullDay) errors(staff map[string]string) {
	r.each(append(append([]known{}, r.people[:12]...), r.strangers...), func(_ int, p known) {
		r.ask("bad scan", "POST", "/v1/scans", staff["gate"], map[string]any{"code": p.number, "gate": "metro-1", "direction": p.name})
		r.ask("bad scan", "POST", "/v1/scans", staff["gate"], map[string]any{"code": p.name, "gate": "metro-1", p.phone: p.number})
		r.ask("bad registration", "POST", "/v1/residents", "", map[string]any{"name": p.number, "id_number": p.name, "phone": p.phone + "9"})
		r.ask("bad registration", "POST", "/v1/residents", "", map[string]any{"name": p.name, "id_number": p.number[:17] + "Y", "phone": p.phone})
		r.ask("wrong log-in", "POST", "/v1/sessions", "", map[string]any{"username": p.name, "password": p.number})
		r.ask("wrong log-in", "POST", "/v1/sessions", "", map[string]any{"phone": p.phone, "otp": "000000"})
		r.ask("wrong path", "GET", "/v1/venues/"+p.number+"?name="+p.phone, staff["official"], nil)
		r.ask("wrong path", "GET", "/"+p.phone+"/"+p.number, "", nil)
		r.ask("wrong token", "GET", "/v1/me", p.number, nil)
		r.ask("bad photo", "POST", "/v1/ocr/id-card", staff["gate"], map[string]any{"image": p.number + p.name})
	})
	res, err := http.Get(r.s.url + "/resident?phone=" + r.people[0].phone)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	r.answers[fmt.Sprintf("page %d", res.StatusCode)]++
}

// copies waits until everything is everywhere and makes what an operator makes.
func (r *fullDay) copies(dir, data string, flags []string) {
	within(r.t, "all is shipped and a snapshot is there", func() bool {
		res, err := http.Get(r.s.url + "/metrics")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(res.Body); err != nil {
			return false
		}
		snapshots, _ := filepath.Glob(filepath.Join(data, "snapshots", "*"))
		return strings.Contains(b.String(), "kangma_ship_lag_entries 0\n") && len(snapshots) > 0 && r.copied(data, flags)
	})
	for _, args := range [][]string{{"export", filepath.Join(dir, "town.kms")}, {"backup", filepath.Join(dir, "backup")}} {
		cmd := exec.Command(testCommand(r.t), append(append(args, "--data", data), flags...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			r.t.Errorf("%v: %v %s", args, err, out)
		}
		if err := os.WriteFile(filepath.Join(dir, args[0]+".out"), out, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
}

// copied says whether the node's own copy of a shared state has grown to hold everybody.
func (r *fullDay) copied(data string, flags []string) bool {
	if len(flags) == 0 {
		return true
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(data, "replica.db*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	return size > int64(len(r.people))*300
}
