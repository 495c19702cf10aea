package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store/cached"
)

// newTownInMemory is a town whose shows loops answer themselves.
func newTownInMemory(t *testing.T) *town {
	t.Helper()
	return newTownOn(t, func(c *registry.Config) {
		c.Dossiers, c.Records = cached.New(c.Dossiers, cached.Options{Entries: 1000}), cached.NewRecords(c.Records, cached.Options{Entries: 1000})
	}, func(c *api.Config) { c.FromMemory = true })
}

// ways are how a town's connections are read.
var ways = map[string]func(*testing.T) *town{"by a goroutine each": newTown, "by loops": newTownInMemory}

// In pieces of any size, several requests behind each other, everything is answered in its order.
func TestRequestsInPiecesAreAnsweredInTheirOrder(t *testing.T) {
	for name, newTown := range ways {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			p, addr := w.resident("101"), listen(t, w.server)
			show := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n\r\n"
			nobody := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\n\r\n"
			rng := rand.New(rand.NewPCG(7, 7))
			for range 10 {
				sent, want := "", []int{}
				for range 20 {
					if rng.IntN(2) == 0 {
						sent, want = sent+show, append(want, 200)
					} else {
						sent, want = sent+nobody, append(want, 401)
					}
				}
				c, pieces := dial(t, addr), rand.New(rand.NewPCG(rng.Uint64(), 7))
				go func() {
					for len(sent) > 0 {
						n := min(len(sent), 1+pieces.IntN(300))
						if _, err := io.WriteString(c, sent[:n]); err != nil {
							return // the reader notices
						}
						sent = sent[n:]
						time.Sleep(time.Duration(pieces.IntN(300)) * time.Microsecond)
					}
				}()
				in := bufio.NewReader(c)
				for i, status := range want {
					if got := readStatus(t, in); got != status {
						t.Fatalf("answer %d: %d, want %d", i, got, status)
					}
				}
				c.Close()
			}
		})
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func readStatus(t *testing.T, in *bufio.Reader) int {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

// Who asks much and reads nothing holds nobody up, and gets everything once they read.
func TestWhoDoesNotReadHoldsNobodyUp(t *testing.T) {
	for name, newTown := range ways {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			p, addr := w.resident("101"), listen(t, w.server)
			request := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n\r\n"
			const asked = 5000 // of more than a kilobyte each: more than the system takes for a socket
			c := dial(t, addr)
			if err := c.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
				t.Fatal(err)
			}
			var sending sync.WaitGroup
			sending.Go(func() {
				for range asked {
					if _, err := io.WriteString(c, request); err != nil {
						t.Error(err)
						return
					}
				}
			})
			for range 50 {
				if status, _, body := get(t, addr, p.token); status != 200 {
					t.Fatalf("somebody else: %d %s", status, body)
				}
			}
			in := bufio.NewReader(c)
			for i := range asked {
				if got := readStatus(t, in); got != 200 && got != 503 { // a slow machine refuses some by their age
					t.Fatalf("answer %d: %d", i, got)
				}
			}
			sending.Wait()
		})
	}
}

// Many connections at once, kept and new ones, some of which break off, get their answers and leave nothing behind.
func TestManyConnectionsAtOnce(t *testing.T) {
	w := newTownInMemory(t)
	p, addr := w.resident("101"), listen(t, w.server)
	request := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n"
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			for round := range 5 {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				in := bufio.NewReader(c)
				for k := range 5 {
					end := "\r\n"
					if k == 4 && i%2 == 0 {
						end = "Connection: close\r\n\r\n"
					}
					if _, err := io.WriteString(c, request+end); err != nil {
						t.Error(err)
					}
					if i%5 == 0 && k == 3 {
						break // without reading the answer
					}
					res, err := http.ReadResponse(in, nil)
					if err != nil || res.StatusCode != 200 && res.StatusCode != 503 {
						t.Errorf("connection %d.%d, request %d: %v %v", i, round, k, res, err)
						break
					}
					_, _ = io.Copy(io.Discard, res.Body)
				}
				c.Close()
			}
		})
	}
	wg.Wait()
	untilSo(t, "no connection is left", func() bool { l := w.server.Load(); return l.Connections == 0 && l.Running == 0 })
}

// Who is not in memory is read by a worker, and answered alike.
func TestWhoIsNotInMemoryIsAnsweredAlike(t *testing.T) {
	w := newTownOn(t, func(c *registry.Config) { // of one person at a time
		c.Dossiers, c.Records = cached.New(c.Dossiers, cached.Options{Entries: 1, Bytes: 1}), cached.NewRecords(c.Records, cached.Options{Entries: 1, Bytes: 1})
	}, func(c *api.Config) { c.FromMemory = true })
	addr := listen(t, w.server)
	for i := range 20 {
		p := w.resident(fmt.Sprint(101 + i))
		status, _, body := get(t, addr, p.token)
		if status != 200 || !strings.Contains(body, `"code":"KM1:`) {
			t.Fatalf("%d %s", status, body)
		}
	}
}

func listenOn(t *testing.T, s *api.Server, ln net.Listener) (addr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the end: %v", err)
		}
	})
	return ln.Addr().String()
}
