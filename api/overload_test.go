package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/codegen"
)

// slowIssuer signs when it is let: it stands for a processor that is full.
type slowIssuer struct {
	inner api.Issuer
	each  time.Duration
	block chan struct{} // nil: do not
}

func (s *slowIssuer) Issue(c codegen.Claims) (codegen.Code, error) {
	time.Sleep(s.each)
	if s.block != nil {
		<-s.block
	}
	return s.inner.Issue(c)
}

// listen serves a town on a port of its own, behind its doors.
func listen(t *testing.T, s *api.Server) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listenOn(t, s, ln)
}

func get(t *testing.T, addr, token string) (status int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+addr+"/v1/me/code", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}).Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(raw)
}

// untilSo waits for a condition, generously.
func untilSo(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestARefusalIsAProblemWithAPlace(t *testing.T) {
	block := make(chan struct{})
	w := newTownWith(t, func(c *api.Config) {
		c.Running, c.Issuer = 4, &slowIssuer{inner: c.Issuer, block: block}
	})
	addr, p, gate := listen(t, w.server), w.resident("101"), w.staff(api.GateStaff)
	var wg sync.WaitGroup
	for range 3 { // all the room residents have
		wg.Go(func() {
			if status, _, body := get(t, addr, p.token); status != 200 {
				t.Errorf("who was inside: %d %s", status, body)
			}
		})
	}
	untilSo(t, "three inside", func() bool { return w.server.Load().Running == 3 })
	status, header, body := get(t, addr, p.token) // waits in the queue, then is refused
	if status != 503 || header.Get("Retry-After") == "" || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"overloaded"`) {
		t.Errorf("%d %v %s", status, header, body)
	}
	// gates and health checks are let in meanwhile
	req, _ := http.NewRequest("POST", "http://"+addr+"/v1/scans", strings.NewReader(`{"code":"x","gate":"metro-1"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+gate)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("a gate: %v %v", res, err)
	}
	res.Body.Close()
	if res, err := http.Get("http://" + addr + "/healthz"); err != nil || res.StatusCode != 200 {
		t.Errorf("health: %v %v", res, err)
	}
	close(block)
	wg.Wait()
	if l := w.server.Load(); l.Refused["residents"] == 0 || l.Refused["gates"] != 0 {
		t.Errorf("%+v", l)
	}
	if status, _, body := get(t, addr, p.token); status != 200 {
		t.Errorf("afterwards: %d %s", status, body)
	}
}

func TestSlowSendersKeepNobodyOut(t *testing.T) {
	w := newTownWith(t, func(c *api.Config) { c.Running = 4 })
	addr, p := listen(t, w.server), w.resident("101")
	var slow []net.Conn
	for i := range 60 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		head := "GET /v1/me/code HTTP/1.1\r\nHost: x\r\nX-Slow: " // never ends
		if i%2 == 1 {
			head = "POST /v1/scans HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{" // its body never does
		}
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	untilSo(t, "all are connected", func() bool { return w.server.Load().Connections >= 60 })
	for range 10 {
		if status, _, body := get(t, addr, p.token); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	if l := w.server.Load(); l.Running != 0 {
		t.Errorf("the slow are inside: %+v", l)
	}
	for i, c := range slow { // and each is closed in the end; those with half a body a little later
		if i%2 == 1 {
			continue
		}
		c.SetReadDeadline(time.Now().Add(60 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("slow sender %d is still connected: %v", i, err)
		}
	}
}

func TestAHerdIsServedInTheEnd(t *testing.T) {
	w := newTownWith(t, func(c *api.Config) {
		c.Running, c.Issuer = 8, &slowIssuer{inner: c.Issuer, each: 5 * time.Millisecond}
	})
	addr, p := listen(t, w.server), w.resident("101")
	const clients = 300
	var wg sync.WaitGroup
	var mu sync.Mutex
	refused, served, bad := 0, 0, map[string]int{}
	for i := range clients {
		wg.Go(func() {
			for range 100 {
				status, header, body := get(t, addr, p.token)
				mu.Lock()
				switch {
				case status == 200:
					served++
				case status == 503 && header.Get("Retry-After") != "" && strings.Contains(body, `"overloaded"`):
					refused++
				case status == 0: // the connection broke: come again as after a refusal
				default:
					bad[fmt.Sprintf("%d %s", status, body)]++
				}
				mu.Unlock()
				if status == 200 {
					return
				}
				after := time.Second
				if d, err := time.ParseDuration(header.Get("Retry-After") + "s"); err == nil {
					after = d
				}
				time.Sleep(after + time.Duration(i)*time.Second/clients) // jitter
			}
		})
	}
	wg.Wait()
	t.Logf("%d served, %d refusals", served, refused)
	if served != clients || len(bad) > 0 {
		t.Errorf("%d of %d served; %v", served, clients, bad)
	}
}

// crowdIssuer counts how often several were inside at once.
type crowdIssuer struct {
	inner  api.Issuer
	inside func() int
	all    atomic.Int64
	crowds atomic.Int64
}

func (c *crowdIssuer) Issue(claims codegen.Claims) (codegen.Code, error) {
	c.all.Add(1)
	if c.inside() >= 4 {
		c.crowds.Add(1)
	}
	return c.inner.Issue(claims)
}

// TestAFullProcessorSeesWhoWaits is about answers that only need the processor: each would run from its beginning to its
// end, and nobody would ever meet another one inside, however many wait.
func TestAFullProcessorSeesWhoWaits(t *testing.T) {
	crowd := &crowdIssuer{}
	w := newTownWith(t, func(c *api.Config) { crowd.inner, c.Issuer = c.Issuer, crowd })
	crowd.inside = func() int { return w.server.Load().Running }
	addr, p := listen(t, w.server), w.resident("101")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	request := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n\r\n"
	conns := make([]net.Conn, 50)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
	}
	untilSo(t, "a third of the shows had company", func() bool {
		all, crowds := crowd.all.Load(), crowd.crowds.Load()
		for range 10 {
			for _, c := range conns {
				if _, err := io.WriteString(c, request); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range conns {
				if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 200 && res.StatusCode != 503 { // a slow machine refuses some by their age
					t.Fatalf("%v %v", res, err)
				} else if _, err := io.Copy(io.Discard, res.Body); err != nil {
					t.Fatal(err)
				}
			}
		}
		all, crowds = crowd.all.Load()-all, crowd.crowds.Load()-crowds
		t.Logf("%d of %d", crowds, all)
		return crowds > all/3
	})
}
