package load

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
)

// Source writes requests. It is used by all loops at once.
type Source interface {
	// Kind draws what the next client wants.
	Kind(rng *rand.Rand) kind
	// Append appends the request of a ticket; the same ticket gives the same request again.
	Append(dst []byte, t *ticket) []byte
	// Event gives the event id that the request of a ticket carries; zero: none.
	Event(t *ticket) kangma.EventID
	// Valid reports whether an answer is what was asked for: for a refusal, a problem document.
	Valid(k kind, status int, body []byte) bool
}

// town is the Source for a prepared population.
type town struct {
	plan   *Plan
	pop    *Population
	people int
	tokens []byte // of residents, tokenSize each
	staff  []string
	codes  []atomic.Pointer[string]
	epoch  int64 // milliseconds since 1970 of the start
	head   []byte
}

const tokenSize = 43

func newTown(p *Plan, pop *Population) *town {
	t := &town{plan: p, pop: pop, people: pop.Residents(), epoch: time.Now().UnixMilli(), head: []byte(" HTTP/1.1\r\nHost: " + p.Target + "\r\nAuthorization: Bearer ")}
	if p.People > 0 {
		t.people = min(t.people, p.People)
	}
	t.tokens = make([]byte, 0, tokenSize*t.people)
	for i := range t.people {
		t.tokens = append(t.tokens, pop.ResidentToken(pop.Resident(i))...)
	}
	if p.Mode == "show" {
		return t
	}
	for j := range pop.Gates {
		if p.Devices {
			t.staff = append(t.staff, pop.DeviceKey(j))
		} else {
			t.staff = append(t.staff, pop.StaffToken(j))
		}
	}
	t.codes = make([]atomic.Pointer[string], min(p.Codes, t.people))
	return t
}

func (s *town) token(i int) []byte { return s.tokens[i*tokenSize : (i+1)*tokenSize] }

// Kind draws by the plan's mode.
func (s *town) Kind(rng *rand.Rand) kind {
	if s.plan.Mode == "show" || s.plan.Mode == "mixed" && rng.Float64() < s.plan.ShowShare {
		return show
	}
	return scan
}

// mix spreads a number over 64 bits (SplitMix64, Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Append writes a show or a scan.
func (s *town) Append(dst []byte, t *ticket) []byte {
	h := s.hash(t)
	if t.kind == show {
		dst = append(dst, "GET /v1/me/code"...)
		dst = append(dst, s.head...)
		dst = append(dst, s.token(int(h%uint64(s.people)))...)
		return append(s.appendStart(dst, t), "\r\n\r\n"...)
	}
	i := int(h % uint64(len(s.codes)))
	gate := i % len(s.staff)
	dst = append(dst, "POST /v1/scans"...)
	if s.plan.Brief {
		dst = append(dst, "?brief=true"...)
	}
	dst = append(dst, s.head...)
	dst = append(dst, s.staff[gate]...)
	dst = s.appendStart(dst, t)
	code := *s.codes[i].Load()
	size := len(`{"code":"","gate":"","event":"","direction":"in"}`) + len(code) + len(s.pop.GateID(gate)) + 36
	dst = append(dst, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	dst = append(dst, byte('0'+size/100), byte('0'+size/10%10), byte('0'+size%10))
	dst = append(append(dst, "\r\n\r\n{\"code\":\""...), code...)
	dst = append(append(dst, `","gate":"`...), s.pop.GateID(gate)...)
	dst = appendID(append(dst, `","event":"`...), s.event(t, h))
	return append(dst, `","direction":"in"}`...)
}

// appendStart says as a proxy does since when it has the request: since the client came.
func (s *town) appendStart(dst []byte, t *ticket) []byte {
	if !s.plan.Proxied {
		return dst
	}
	return strconv.AppendInt(append(dst, "\r\nX-Request-Start: t="...), s.epoch+t.due/int64(time.Millisecond), 10)
}

// Event gives a scan's.
func (s *town) Event(t *ticket) (id kangma.EventID) {
	if t.kind == scan {
		id = s.event(t, s.hash(t))
	}
	return id
}

func (s *town) hash(t *ticket) uint64 { return mix(s.plan.Seed ^ mix(uint64(t.step)<<48^t.n)) }

// event makes a UUIDv7 that the same ticket repeats.
func (s *town) event(t *ticket, h uint64) (id kangma.EventID) {
	ms := uint64(s.epoch) + uint64(t.first/int64(time.Millisecond))
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	a, b := mix(h), mix(h^0x5bd1e995)
	for i := range 8 {
		id[8+i] = byte(a >> (8 * i))
	}
	id[6], id[7] = 0x70|byte(b)&0x0f, byte(b>>8)
	id[8] = id[8]&0x3f | 0x80
	return id
}

func appendID(dst []byte, id kangma.EventID) []byte {
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

var (
	toldMark    = []byte(`"told":true`)
	codeMark    = []byte(`"code":"KM1:`)
	decideMark  = []byte(`"decision":"`)
	problemMark = []byte(`"status":`)
)

// Valid looks for what the answer must say.
func (s *town) Valid(k kind, status int, body []byte) bool {
	switch {
	case status == 200 && k == show:
		return bytes.Contains(body, codeMark)
	case status == 200:
		return bytes.Contains(body, decideMark) && bytes.Contains(body, toldMark)
	}
	return bytes.Contains(body, problemMark)
}
