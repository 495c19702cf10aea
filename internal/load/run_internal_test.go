package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
)

// plain asks for /k/N and wants "yes" back.
type plain struct{}

func (plain) Kind(*rand.Rand) kind { return show }
func (plain) Append(dst []byte, t *ticket) []byte {
	return fmt.Appendf(dst, "GET /k/%d HTTP/1.1\r\nHost: x\r\n\r\n", t.n)
}
func (plain) Event(t *ticket) (id kangma.EventID) { return id }
func (plain) Valid(_ kind, status int, body []byte) bool {
	return status == 200 && bytes.Contains(body, []byte("yes")) || status != 200 && bytes.Contains(body, []byte("problem"))
}

// serve answers on a loopback port until the test ends.
func serve(t *testing.T, h http.HandlerFunc) (addr string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" { // the meter's, not a client's
			w.WriteHeader(http.StatusNotFound)
			return
		}
		h(w, r)
	})}
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	return ln.Addr().String(), func() { s.Close() }
}

// load runs a plan with nothing in it that depends on how fast the machine is.
func loadIt(t *testing.T, addr string, change func(*Plan)) *Report {
	t.Helper()
	p := &Plan{Mode: "show", Target: addr, Rates: []float64{500}, Duration: 400 * time.Millisecond, Connections: 8, Patience: time.Minute, Good: time.Minute, Seed: 1}
	change(p)
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	r, err := run(t.Context(), p, plain{}, newMeter(addr), func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func yes(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "yes") }

func TestEveryArrivalIsAskedOnceAndCounted(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"kept connections": func(*Plan) {}, "new connections": func(p *Plan) { p.NewConns = true }, "two loops": func(p *Plan) { p.Loops = 2 },
		"steps": func(p *Plan) {
			p.Rates, p.Duration, p.Settle = []float64{100, 300}, 500*time.Millisecond, 50*time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			asked := map[string]int{}
			addr, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked[r.URL.Path]++
				mu.Unlock()
				yes(w, r)
			})
			r := loadIt(t, addr, change)
			var all Tally
			for i := range r.Steps {
				all.add(&r.Steps[i].Tally)
			}
			n := 0
			for _, k := range asked {
				n += k
			}
			if all.Due != 200 || all.Good != 200 || n != 200 {
				t.Errorf("%+v, asked %d", all, n)
			}
			if r.Plan.NewConns != (r.Connections >= 200) {
				t.Errorf("%d connections", r.Connections)
			}
		})
	}
}

func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	var once sync.Once
	addr, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { time.Sleep(700 * time.Millisecond) }) // one request stalls, and all that come meanwhile wait for the one connection
		yes(w, r)
	})
	r := loadIt(t, addr, func(p *Plan) { p.Connections = 1 })
	if got := r.Steps[0].Latency.P50; got < 100 {
		t.Errorf("median %.1f ms: those who waited behind the stall do not show", got)
	}
}

func TestRefusedClientsComeAgainWhenTold(t *testing.T) {
	var n atomic.Int64
	refuse := func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) <= 50 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
			io.WriteString(w, "problem")
			return
		}
		yes(w, r)
	}
	addr, _ := serve(t, refuse)
	r := loadIt(t, addr, func(p *Plan) { p.HonourRetry, p.Drain = true, time.Minute })
	if s := r.Steps[0]; s.Served() != s.Due || s.Refused != 50 || s.Bare != 0 || s.MostRefuse < 1 || s.Total.Max < 1000 {
		t.Errorf("%+v", s)
	}
	n.Store(0)
	r = loadIt(t, addr, func(*Plan) {})
	if s := r.Steps[0]; s.Served() != s.Due-50 || s.Refused != 50 {
		t.Errorf("who does not come again: %+v", s)
	}
}

func TestClientsGiveUpAndAreCounted(t *testing.T) {
	hang := make(chan struct{})
	addr, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	r := loadIt(t, addr, func(p *Plan) { p.Patience, p.Connections = 200*time.Millisecond, 2 })
	if s := r.Steps[0]; s.GaveUp != s.Due || s.NeverSent == 0 || s.Good != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAServerThatEndsInTheMiddleShowsInTheReport(t *testing.T) {
	var n atomic.Int64
	var stop func()
	addr, stop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 40 {
			go stop()
		}
		yes(w, r)
	})
	r := loadIt(t, addr, func(*Plan) {})
	if s := r.Steps[0]; s.Broken == 0 || s.Good+s.Broken != s.Due || len(r.Down) == 0 || r.Errors["ECONNREFUSED"] == 0 {
		t.Errorf("%+v, down %v, %v", s, r.Down, r.Errors)
	}
	out := &strings.Builder{}
	if err := r.Print(out); err != nil || !strings.Contains(out.String(), "no connection could be made") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestARestartedServerShowsInTheReport(t *testing.T) {
	m := newMeter("127.0.0.1:1")
	m.samples = []sample{{at: 0, cpu: 5, begun: 1}, {at: 1e9, cpu: 6, begun: 1}, {at: 2e9, cpu: 0.5, begun: 2}, {at: 3e9, cpu: 1.5, begun: 2}}
	if cpu, restarts := m.between(0, 3e9); cpu != 2.5 || restarts != 1 {
		t.Errorf("%v s CPU, %d restarts", cpu, restarts)
	}
	if cpu, _ := m.between(5e8, 1e9); cpu != 0.5 {
		t.Errorf("half a second: %v", cpu)
	}
}

func TestAKeptConnectionThatTheServerClosedIsNoFailure(t *testing.T) {
	addr, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		yes(w, r)
	})
	if s := loadIt(t, addr, func(*Plan) {}).Steps[0]; s.Good != s.Due {
		t.Errorf("%+v", s)
	}
}

func TestAnInterruptedRunReportsWhatWasDone(t *testing.T) {
	var n atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	addr, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 20 {
			cancel()
		}
		yes(w, r)
	})
	p := &Plan{Mode: "show", Target: addr, Rates: []float64{100}, Duration: time.Hour, Connections: 4}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	r, err := run(ctx, p, plain{}, newMeter(addr), func(string, int, int) {})
	if err != nil || !r.Interrupted || r.Steps[0].Good == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if raw, err := json.Marshal(r); err != nil || !bytes.Contains(raw, []byte(`"interrupted":true`)) {
		t.Errorf("%v", err)
	}
	svg := &bytes.Buffer{}
	if err := r.Draw(svg); err != nil || !strings.HasPrefix(svg.String(), "<svg") || strings.Contains(svg.String(), "NaN") {
		t.Errorf("picture: %v %s", err, svg)
	}
}

// FuzzResponse: any bytes, cut anywhere, end in an answer, a refusal or a wait, and never beyond what is there.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", "HTTP/1.1 503 x\r\nRetry-After: 7\r\nConnection: close\r\ncontent-length:0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"} {
		f.Add([]byte(s), 10)
	}
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		var r response
		for _, end := range []int{min(max(cut, 0), len(raw)), len(raw)} {
			done, ok := r.read(raw[:end])
			if !ok {
				return
			}
			if done {
				r.body(raw[:end])
				return
			}
		}
	})
}

// scans asks as gates do; every third request is refused once.
type scans struct{ plain }

func (scans) Kind(*rand.Rand) kind { return scan }
func (scans) Append(dst []byte, t *ticket) []byte {
	return fmt.Appendf(dst, "GET /k/%s HTTP/1.1\r\nHost: x\r\n\r\n", scans{}.Event(t))
}
func (scans) Event(t *ticket) (id kangma.EventID) {
	id[14], id[15] = byte(t.n>>8), byte(t.n)
	return id
}

func TestTheScansThatWereAcknowledgedAreNamed(t *testing.T) {
	var mu sync.Mutex
	answered, n := map[string]bool{}, 0
	addr, stop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "problem")
			return
		}
		answered[r.URL.Path[len("/k/"):]] = true
		fmt.Fprint(w, "yes")
	})
	defer stop()
	p := &Plan{Mode: "scan", Target: addr, Rates: []float64{200}, Duration: 300 * time.Millisecond, Connections: 4, Patience: 30 * time.Second, Acknowledged: true}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	rep, err := run(t.Context(), p, scans{}, newMeter(addr), func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := rep.WriteAcknowledged(&out); err != nil {
		t.Fatal(err)
	}
	ids := strings.Fields(out.String())
	if len(ids) == 0 || len(ids) != len(answered) || rep.Acknowledged != uint64(len(ids)) {
		t.Errorf("%d ids for %d answers, the report says %d", len(ids), len(answered), rep.Acknowledged)
	}
	for _, id := range ids {
		if !answered[id] {
			t.Errorf("%s was not acknowledged", id)
		}
	}
}
