package api

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// whoever is refused at the door gets a problem with a time to come again, also when the request comes later.
func TestWhoComesWhileNobodyHasTimeIsToldAtTheDoor(t *testing.T) {
	for name, asksFirst := range map[string]bool{"the request is there": true, "the request comes later": false, "a long request is there": true, "a long request comes later": false} {
		t.Run(name, func(t *testing.T) {
			request := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\n\r\n"
			if strings.HasPrefix(name, "a long") { // as browsers send, with all they tell of themselves
				request = "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("x", 5000) + "\r\n\r\n"
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			d := newDoors(newThrottle(8, time.Now), 0)
			d.waiting.Store(d.most + 1)
			client, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if asksFirst {
				if _, err := io.WriteString(client, request); err != nil {
					t.Fatal(err)
				}
			}
			let := make(chan net.Conn, 1)
			go func() {
				if c, err := guard(ln, d).Accept(); err == nil {
					let <- c
				}
			}()
			if !asksFirst {
				untilAway(t, d)
				if _, err := io.WriteString(client, request); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(client)
			if err != nil || !strings.HasPrefix(string(raw), "HTTP/1.1 503 ") || !strings.Contains(string(raw), "\r\nRetry-After: 1\r\n") || !strings.HasSuffix(string(raw), cannedBody) {
				t.Errorf("%q %v", raw, err)
			}
			d.waiting.Store(0)
			var in net.Conn // there is time again; but whoever comes in the same moment may still be refused
			for end := time.Now().Add(time.Minute); in == nil; {
				next, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer next.Close()
				select {
				case in = <-let:
				case <-time.After(100 * time.Millisecond):
				}
				if time.Now().After(end) {
					t.Fatal("nobody is let in")
				}
			}
			in.Close()
			ln.Close()
		})
	}
}

// newcomer comes to a listener and asks, or says nothing.
func newcomer(t *testing.T, addr, request string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return c
}

func untilAway(t *testing.T, d *doors) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, away := d.count(); away > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nobody was turned away")
		}
	}
}

// A goroutine that has served one connection serves the next, and none is left when the server ends.
func TestWorkersServeOneConnectionAfterTheOther(t *testing.T) {
	s := &Server{throttle: newThrottle(8, time.Now)}
	s.doors = newDoors(s.throttle, 0)
	f := newFront(s, nil)
	var clients []net.Conn
	serve := func() *hotConn {
		ours, theirs := net.Pipe()
		clients = append(clients, theirs)
		h := &hotConn{front: f, conn: s.doors.admit(ours).(*conn)}
		h.conn.state.Store(int32(http.StateNew))
		s.doors.waiting.Add(1)
		return h
	}
	first := serve()
	f.served.Go(func() { f.worker(first) })
	clients[0].Close() // the first is over
	f.work <- serve()  // and whoever served it takes the second
	clients[1].Close()
	for end := time.Now().Add(time.Minute); f.idle.Load() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no worker is idle")
		}
	}
	f.end(net.ErrClosed)
	f.served.Wait()
	if n := s.doors.waiting.Load(); n != 0 || s.doors.held.Load() != 0 {
		t.Errorf("%d wait, %d held", n, s.doors.held.Load())
	}
}

// TestRefusingTakesNoMoreThanItsShare: beyond that nobody is accepted, until there is time again or the server is no longer full.
func TestRefusingTakesNoMoreThanItsShare(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d := newDoors(newThrottle(8, time.Now), 0)
	d.waiting.Store(d.most + 1)
	newcomer(t, ln.Addr().String(), "GET /v1/me/code HTTP/1.1\r\nHost: a\r\n\r\n")
	g := guard(ln, d)
	g.keeper.budget = -time.Hour
	let := make(chan net.Conn, 1)
	go func() {
		if c, err := g.Accept(); err == nil {
			let <- c
		}
	}()
	for end := time.Now().Add(time.Minute); d.shut.Load() < 20; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the door was not shut")
		}
	}
	if _, away := d.count(); away != 0 {
		t.Error("somebody was refused though refusing had taken its share")
	}
	d.waiting.Store(0)
	c := <-let // who came first is let in: they are still there
	defer c.Close()
	if g.keeper.shut.IsZero() {
		t.Error("the kernel's queue is to be long again, and is not known to be short")
	}
}

// TestTheShareOfRefusingGrowsWithTheWork says how much it may take, and that it is not saved up.
func TestTheShareOfRefusingGrowsWithTheWork(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	k := newDoorkeeper(ln, newDoors(newThrottle(8, time.Now), 0))
	now := k.filled
	k.budget = -time.Second
	if k.affords(now) {
		t.Error("a second too much was forgotten")
	}
	if k.affords(now.Add(time.Second)) || k.budget > -900*time.Millisecond {
		t.Errorf("a second of waiting gave %v", k.budget+time.Second)
	}
	if !k.affords(now.Add(time.Hour)) || k.budget != refusalSaved {
		t.Errorf("an hour later it may take %v at once", k.budget)
	}
}
