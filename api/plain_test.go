package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/internal/cputime"
)

// TestAPlainHandlerAnswersTheSame holds the hot routes against handlers of net/http and encoding/json, and with
// KANGMA_REQUESTS=20000 and -v measures what each costs, the client's part in all alike, in turn in one run.
func TestAPlainHandlerAnswersTheSame(t *testing.T) {
	w := newTownWith(t, func(c *api.Config) { c.ScanBudget = 10_000_000 })
	p, gate := w.resident("171"), w.staff(api.GateStaff)
	plain := httptest.NewServer(api.Plain(w.server))
	defer plain.Close()
	general := httptest.NewServer(w.server)
	defer general.Close()
	var shown struct{ Code string }
	w.want(w.call("GET", "/v1/me/code", p.token, nil), 200, "").into(t, &shown)
	body := fmt.Sprintf(`{"code":%q,"gate":"metro-1","direction":"in"}`, shown.Code)
	requests := map[string]string{
		"show": "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n\r\n",
		"scan": fmt.Sprintf("POST /v1/scans?brief=true HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", gate, len(body), body),
	}
	ways := []struct{ name, addr string }{
		{"the front", listen(t, w.server)}, {"hot routes under net/http", general.Listener.Addr().String()}, {"net/http and encoding/json", plain.Listener.Addr().String()},
	}
	n, measured := 40, os.Getenv("KANGMA_REQUESTS") != ""
	if measured {
		n, _ = strconv.Atoi(os.Getenv("KANGMA_REQUESTS"))
	}
	for _, what := range []string{"show", "scan", "show", "scan"} {
		want := ""
		for _, way := range ways {
			before := cputime.Process()
			answer := askMany(t, way.addr, requests[what], n)
			cost := float64(cputime.Process()-before) / float64(time.Microsecond) / float64(n)
			if answer = changing.ReplaceAllString(answer, "…"); want == "" {
				want = answer
			} else if answer != want {
				t.Errorf("%s, %s: %s\nwant %s", what, way.name, answer, want)
			}
			if measured {
				t.Logf("%s, %-28s %6.1f µs of processor a request, client included", what, way.name, cost)
			}
		}
	}
}

// askMany sends a request until n were answered as asked, on eight connections, and gives one of the bodies.
func askMany(t *testing.T, addr, request string, n int) (body string) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 8 {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			for good, tried := 0, 0; good < n/8; tried++ {
				if _, err := io.WriteString(c, request); err != nil {
					t.Error(err)
					return
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				raw, err := io.ReadAll(res.Body)
				switch {
				case err == nil && res.StatusCode == http.StatusOK:
					good++
				case err == nil && res.StatusCode == http.StatusServiceUnavailable && tried < 100*n: // too busy a machine
					continue
				default:
					t.Errorf("%d %s %v", res.StatusCode, raw, err)
					return
				}
				mu.Lock()
				body = string(bytes.TrimSpace(raw))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return body
}
