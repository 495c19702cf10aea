package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/leak"
	"github.com/kangma/kangma/ocr/synth"
)

const (
	dayWorkers  = 8
	vehicleSize = 12 // a driver and who travels along
	postSize    = 60 // vehicles that one officer looks at: their budget of scans is an hour's
)

// fullDay is what happens to the people of a town. Everybody registers, logs in, shows a code, passes a gate, declares, enters a venue and
// drives in with eleven others; who is refused for want of room comes again when the answer says, as the same request.
type fullDay struct {
	t                 *testing.T
	s                 *server
	secrets           *leak.Search
	people, strangers []known
	client            http.Client
	device            string // key of a turnstile
	venue             string // code on the venue's screen
	posts             []string
	mu                sync.Mutex
	answers           map[string]int // by what was asked and the status
	waited            int            // refusals that were waited out
	read              int            // bytes of the node's output looked at
	otps              map[string]string
}

// ask calls as a patient client and notes the answer.
func (r *fullDay) ask(what, method, path, token string, body any) json.RawMessage {
	raw, err := json.Marshal(body)
	if err != nil {
		r.t.Error(err)
	}
	return r.send(what, method, path, token, "application/json", raw)
}

// send sends a request, and the same again after every refusal for want of room, when that says.
func (r *fullDay) send(what, method, path, token, kind string, body []byte) json.RawMessage {
	key := kangma.NewEventID(time.Now()).String()
	status, got := 0, []byte(nil)
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
		req, err := http.NewRequestWithContext(r.t.Context(), method, r.s.url+path, bytes.NewReader(body))
		if err != nil {
			r.t.Error(err)
			return nil
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Idempotency-Key", key)
		var again time.Duration
		if status, got, again, err = r.once(req); err == nil && status != http.StatusServiceUnavailable {
			break
		}
		r.count(&r.waited)
		time.Sleep(again)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = map[string]int{}
	}
	r.answers[fmt.Sprintf("%s %d", what, status)]++
	return got
}

func (r *fullDay) once(req *http.Request) (status int, body []byte, again time.Duration, err error) {
	again = time.Second
	res, err := r.client.Do(req)
	if err != nil {
		return 0, nil, again, err
	}
	defer res.Body.Close()
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		again = time.Duration(s) * time.Second
	}
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, again, err
}

func (r *fullDay) count(n *int) {
	r.mu.Lock()
	*n++
	r.mu.Unlock()
}

// each does something for everybody, a few at a time.
func (r *fullDay) each(people []known, f func(i int, p known)) {
	var wg sync.WaitGroup
	for g := range dayWorkers {
		wg.Go(func() {
			for i := g; i < len(people); i += dayWorkers {
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
	r.equip(staff)
	r.each(r.people, func(_ int, p known) {
		r.ask("register", "POST", "/v1/residents", "", map[string]any{"name": p.name, "id_number": p.number, "phone": p.phone, "home": "441502"})
	})
	r.feed(staff["feeder"])
	r.each(r.people, r.resident)
	r.photo(staff["gate"])
	r.errors(staff)
	for what, want := range map[string]int{"register 201": len(r.people), "log-in 200": len(r.people), "show 200": len(r.people), "scan 200": len(r.people),
		"declare 202": len(r.people), "check in 201": len(r.people), "vehicle 201": r.vehicles(), "find 200": r.vehicles(), "inspect 200": r.vehicles()} {
		if got := r.answers[what]; got != want {
			r.t.Errorf("%s: %d, want %d; %v", what, got, want, r.answers)
		}
	}
	for _, w := range []string{"feed 200", "bad scan 422", "wrong log-in 401", "page 200"} {
		if r.answers[w] == 0 {
			r.t.Errorf("never seen: %s; %v", w, r.answers)
		}
	}
}

func (r *fullDay) vehicles() int { return (len(r.people) + vehicleSize - 1) / vehicleSize }

// equip gives the gate a turnstile, and the posts enough officers: one may look at so many people an hour.
func (r *fullDay) equip(staff map[string]string) {
	var device struct{ Key string }
	var shown struct{ Code string }
	r.into(&device, r.ask("device", "PUT", "/v1/devices/turnstile-1", staff["admin"], map[string]any{"organisation": "metro", "gates": []string{"metro-1"}}))
	r.into(&shown, r.ask("venue code", "GET", "/v1/venues/mall-1/code", staff["official"], nil))
	r.device, r.venue = device.Key, shown.Code
	for i := range (r.vehicles() + postSize - 1) / postSize {
		name := fmt.Sprint("post-", i)
		r.ask("account", "PUT", "/v1/accounts/"+name, staff["admin"],
			map[string]any{"role": "gate", "organisation": "海丰检查站", "password": "post-demo-2022", "gates": []string{"g15-haifeng"}})
		r.posts = append(r.posts, r.s.logIn(r.t, map[string]string{"username": name, "password": "post-demo-2022"}))
	}
}

func (r *fullDay) into(v any, raw []byte) {
	if err := json.Unmarshal(raw, v); err != nil {
		r.t.Errorf("%v: %s", err, raw)
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
		r.send("feed", "POST", "/v1/evidence", token, "application/x-ndjson", []byte(strings.Join(some, "\n")))
	}
}

var printedOTP = regexp.MustCompile(`one-time password for (\S+): (\d{6})\n`)

// otp waits for the one-time password that the node prints for a phone. No two people's phones have the same last digits.
func (r *fullDay) otp(phone string) (code string) {
	for end := time.Now().Add(time.Minute); code == "" && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		r.mu.Lock()
		if r.otps == nil {
			r.otps = map[string]string{}
		}
		r.s.mu.Lock()
		fresh := r.s.out.Bytes()[r.read:]
		fresh = fresh[:bytes.LastIndexByte(fresh, '\n')+1]
		for _, m := range printedOTP.FindAllSubmatch(fresh, -1) {
			r.otps[string(m[1])] = string(m[2])
		}
		r.read += len(fresh)
		r.s.mu.Unlock()
		code = r.otps[phone[:3]+"****"+phone[7:]]
		r.mu.Unlock()
	}
	return code
}

// resident logs in, shows, passes a gate, declares and enters a venue; every twelfth drives in with the next eleven.
func (r *fullDay) resident(i int, p known) {
	r.ask("ask to log in", "POST", "/v1/sessions", "", map[string]string{"phone": p.phone})
	var log struct{ Token string }
	r.into(&log, r.ask("log-in", "POST", "/v1/sessions", "", map[string]string{"phone": p.phone, "otp": r.otp(p.phone)}))
	var code struct{ Code string }
	r.into(&code, r.ask("show", "GET", "/v1/me/code", log.Token, nil))
	r.ask("scan", "POST", "/v1/scans", r.device, map[string]any{"code": code.Code, "gate": "metro-1", "direction": "in"})
	r.ask("declare", "POST", "/v1/me/declarations", log.Token, map[string]any{"temperature": 36.6, "contact": "no"})
	r.ask("check in", "POST", "/v1/venues/mall-1/check-ins", log.Token, map[string]any{"code": r.venue})
	if i%50 == 0 {
		r.ask("me", "GET", "/v1/me", log.Token, nil)
		r.ask("accesses", "GET", "/v1/me/accesses", log.Token, nil)
		r.ask("short code", "POST", "/v1/me/short-code", log.Token, nil)
	}
	if i%vehicleSize == 0 {
		n := i / vehicleSize
		r.vehicle(n, log.Token, r.posts[n/postSize], r.people[i+1:min(i+vehicleSize, len(r.people))])
	}
}

func (r *fullDay) vehicle(n int, token, post string, others []known) {
	occupants := []map[string]any{{"self": true}}
	for _, p := range others {
		occupants = append(occupants, map[string]any{"name": p.name, "id_number": p.number, "phone": p.phone})
	}
	var e filed
	r.into(&e, r.ask("vehicle", "POST", "/v1/me/vehicle-entries", token, map[string]any{"plate": fmt.Sprintf("粤A%05d", n), "origin": "440103",
		"destination": "441521101", "arrival_at": time.Now().Add(time.Hour), "occupants": occupants}))
	r.ask("find", "POST", "/v1/vehicle-entries/find", post, map[string]string{"gate": "g15-haifeng", "pass": e.Pass})
	var people []map[string]any
	for i := range occupants {
		people = append(people, map[string]any{"occupant": fmt.Sprint(i + 1), "temperature": 36.5, "event": kangma.NewEventID(time.Now()).String()})
	}
	stranger := r.strangers[n%len(r.strangers)]
	people = append(people, map[string]any{"card": map[string]any{"number": stranger.number, "name": stranger.name, "confirmed": true}, "temperature": 36.8,
		"event": kangma.NewEventID(time.Now()).String()})
	r.ask("inspect", "POST", "/v1/vehicle-entries/"+e.ID+"/inspection", post, map[string]any{"gate": "g15-haifeng", "pass": e.Pass, "people": people})
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
	read := r.send("photo", "POST", "/v1/ocr/id-card", gate, m.FormDataContentType(), body.Bytes())
	if !bytes.Contains(read, []byte(card.Truth.Person.Number)) { // a busy machine may need more than the time a reading has
		r.t.Logf("the card was not read: %s", read)
	}
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
	r.send("page", "GET", "/resident?phone="+r.people[0].phone, "", "", nil)
}
