package api

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestNewsOfWhoseTurnItIsAreNotLost(t *testing.T) {
	p := new(polled)
	if !p.claim() {
		t.Fatal("nobody has it")
	}
	if p.claim() || p.claim() {
		t.Fatal("two have the turn")
	}
	if p.turn.CompareAndSwap(turnTaken, turnFree) {
		t.Error("whoever has the turn does not hear that there is news")
	}
	p.turn.Store(turnFree)
	if !p.claim() {
		t.Error("it is free again")
	}
}

// looped is a front with loops, a connection to it and the same from inside.
func looped(t *testing.T) (f *front, client net.Conn, p *polled) {
	t.Helper()
	s := &Server{cfg: Config{FromMemory: true}, throttle: newThrottle(8, time.Now)}
	s.doors = newDoors(s.throttle, 0)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f = newFront(s, guard(ln, s.doors))
	run, err := f.startLoops(ln)
	if err != nil {
		t.Fatal(err)
	}
	f.served.Go(run)
	t.Cleanup(func() {
		f.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := f.shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := client.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		for i := range f.loops.places {
			if p = f.loops.places[i].Load(); p != nil {
				return true
			}
		}
		return false
	})
	return f, client, p
}

func until(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never")
		}
	}
}

// TestTheDoorCountsWhoWaitsForALoop: who has sent a request and was not looked at, and nobody else.
func TestTheDoorCountsWhoWaitsForALoop(t *testing.T) {
	f, _, _ := looped(t)
	d, addr := f.s.doors, f.doors.Addr().String()
	for range 2 * unheardLeast { // who says nothing waits for nobody and keeps nobody out
		newcomer(t, addr, "")
	}
	until(t, func() bool { open, _ := d.count(); return open > 2*unheardLeast })
	if n := d.waiting.Load(); n != 0 {
		t.Errorf("%d of those who say nothing are waited for", n)
	}
	d.waiting.Store(d.most + 1) // as if so many had asked
	late := newcomer(t, addr, "GET /v1/me/code HTTP/1.1\r\nHost: x\r\n\r\n")
	if answer, err := io.ReadAll(late); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") {
		t.Errorf("let in before a crowd that nobody has looked at: %q %v", answer, err)
	}
	d.waiting.Store(0)
}

func TestWhoSendsNothingMoreIsHungUpOn(t *testing.T) {
	for name, c := range map[string]struct{ sent, want string }{
		"nothing at all":    {"", ""},
		"half a head":       {"GET /v1/me/code HTTP/1.1\r\nHo", ""},
		"a body that waits": {"POST /v1/scans HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{", "HTTP/1.1 408 "},
	} {
		t.Run(name, func(t *testing.T) {
			f, client, p := looped(t)
			if _, err := io.WriteString(client, c.sent); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool { // it has been looked at
				if !p.turn.CompareAndSwap(turnFree, turnTaken) {
					return false
				}
				seen := (c.sent == "") == (p.stage == atRest)
				if seen && p.due.Load() <= time.Now().UnixNano() {
					t.Error("it has no time at all")
				}
				w := newHand(f, false)
				w.now = nanos()
				w.take(p, false) // gives the turn back, with what came meanwhile
				return seen
			})
			p.due.Store(1) // as if that were over
			answer, err := io.ReadAll(client)
			if err != nil || !strings.HasPrefix(string(answer), c.want) || c.want == "" && len(answer) > 0 {
				t.Errorf("%q %v", answer, err)
			}
			until(t, func() bool { return f.s.doors.held.Load() == 0 })
		})
	}
}

// The system gives what was set on the listener to its connections.
func TestConnectionsInheritWhatTheyNeed(t *testing.T) {
	_, _, p := looped(t)
	for name, o := range map[string][3]int{"TCP_NODELAY": {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1}, "SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1}, "TCP_KEEPIDLE": {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15}} {
		if got, err := unix.GetsockoptInt(p.sock.fd, o[0], o[1]); err != nil || got != o[2] {
			t.Errorf("%s is %d %v", name, got, err)
		}
	}
}

// At the limit the doors end a connection that a loop may be reading: its file is closed by who has the turn.
func TestWhoIsPutOutIsEndedByTheLoops(t *testing.T) {
	f, client, p := looped(t)
	p.conn.Close()
	if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
		t.Errorf("%q %v", rest, err)
	}
	until(t, func() bool { return f.loops.places[p.slot].Load() == nil })
	if err := p.sock.Close(); err != nil { // whoever else ends it comes too late
		t.Error(err)
	}
}

func TestNewsOfWhoHadThePlaceBeforeAreNobodys(t *testing.T) {
	f, _, p := looped(t)
	if f.loops.of(&unix.EpollEvent{Fd: p.slot, Pad: p.gen}) != p {
		t.Error("it is there")
	}
	if f.loops.of(&unix.EpollEvent{Fd: p.slot, Pad: p.gen - 1}) != nil {
		t.Error("another had this place")
	}
}

// What does not go at once is a worker's, and the client gets all of it in its order.
func TestWhatDoesNotGoAtOnceIsWrittenByAWorker(t *testing.T) {
	f, client, p := looped(t)
	until(t, p.claim)
	sent, errno := 0, unix.Errno(0)
	for errno == 0 {
		var n int
		n, errno = p.sock.write([]byte(strings.Repeat("-", 10_000)))
		sent += max(n, 0)
	}
	if errno != unix.EAGAIN {
		t.Fatal(errno)
	}
	w := newHand(f, true)
	w.out, p.ending = append(w.out, "the end"...), true
	if w.flush(p, nil, false) {
		t.Fatal("it went at once")
	}
	got, err := io.ReadAll(client)
	if rest := strings.TrimLeft(string(got), "-"); err != nil || rest != "the end" || len(got) < sent {
		t.Errorf("%d bytes of %d, then %q: %v", len(got), sent, rest, err)
	}
}

func TestWhoIsHeardTooLateByALoopIsRefused(t *testing.T) {
	f, client, p := looped(t)
	th := f.s.throttle
	until(t, p.claim)
	if _, err := io.WriteString(client, "GET /v1/me/code HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return p.sock.silent() > showWait })
	th.lag.Store(int64(time.Hour))
	th.heard.Store(time.Now().Add(time.Hour).UnixNano())
	w := newHand(f, true)
	w.now, w.aged = nanos(), true
	w.take(p, false)
	res, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || res.Close {
		t.Errorf("%+v %v", res, err)
	}
}

func TestWhoFindsNoPlaceIsTold(t *testing.T) {
	f, client, _ := looped(t)
	f.loops.mu.Lock()
	f.loops.free = nil
	f.loops.mu.Unlock()
	second, err := net.Dial("tcp", client.RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if _, err := io.WriteString(second, "GET /v1/me/code HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := second.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(second); err != nil || !strings.HasPrefix(string(raw), "HTTP/1.1 503 ") || !strings.HasSuffix(string(raw), cannedBody) {
		t.Errorf("%q %v", raw, err)
	}
	if n := f.s.doors.held.Load(); n != 1 {
		t.Errorf("%d hold a place", n)
	}
}

// Who stops the loops ends whom they have, but not a connection that is just being let in: its file would be closed beneath who does that,
// and its place given back twice.
func TestWhoIsComingInIsNotEndedByOthers(t *testing.T) {
	f, _, _ := looped(t)
	both, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(both[1])
	p := f.newPolled(both[0])
	defer p.sock.release()
	place := &f.loops.places[len(f.loops.places)-1]
	place.Store(p) // as add does before the poller knows it
	defer place.Store(nil)
	f.stopping.Store(true)
	f.loops.finish(false)
	if _, err := unix.Write(both[1], []byte("x")); err != nil {
		t.Errorf("it is closed: %v", err)
	}
}

// At the end nobody is hung up on whose request has come, though no loop has had time for it yet.
func TestWhatHasComeIsAnsweredAtTheEnd(t *testing.T) {
	f, client, p := looped(t)
	f.s.log = slog.New(slog.DiscardHandler)
	until(t, p.claim)
	if _, err := io.WriteString(client, "GET /v1/me/code HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return p.turn.CompareAndSwap(turnNews, turnFree) }) // and nobody hears of it again
	f.stopping.Store(true)
	f.loops.finish(false)
	if answer, err := io.ReadAll(client); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 ") || !strings.Contains(string(answer), "\r\nConnection: close\r\n") {
		t.Errorf("%q %v", answer, err)
	}
}

// A loop that was told of the end may pass the connection on before it has read so far: the worker reads to the end, of which nobody hears again.
func TestTheEndOfWhatWasPassedOnIsRead(t *testing.T) {
	f, client, p := looped(t)
	until(t, p.claim)
	if _, err := io.WriteString(client, "GET /v1/me"); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { // the loops have been told of all of it
		info, err := unix.GetsockoptTCPInfo(p.sock.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err == nil && info.State == 8 /* CLOSE_WAIT */ && p.turn.Load() == turnNews
	})
	time.Sleep(10 * time.Millisecond) // or later, which only hides what is looked for
	p.turn.Store(turnTaken)
	p.passed, p.more = true, true
	w := newHand(f, false)
	w.now = nanos()
	w.take(p, false)
	if f.loops.places[p.slot].Load() == p {
		t.Error("it is still open")
	}
}

// What comes before it is in is read by a worker: the poller does not say so again.
func TestWhatComesWhileSomebodyIsLetInIsRead(t *testing.T) {
	f, client, p := looped(t)
	until(t, p.claim)
	if _, err := io.WriteString(client, "GET /v1/me"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return p.turn.Load() == turnNews })
	if p.turn.CompareAndSwap(turnTaken, turnFree) {
		t.Fatal("who lets it in does not hear of it")
	}
	f.crew.readAll(p)
	until(t, p.claim)
	if p.stage != partHead || p.rest == nil || string(*p.rest) != "GET /v1/me" {
		t.Errorf("stage %d, %v", p.stage, p.rest)
	}
	p.over()
}

func TestATurnThatTakesLongIsNoticed(t *testing.T) {
	th := newThrottle(128, time.Now)
	now := time.Now().UnixNano()
	for range 3 * hearSmooth {
		th.noteTurn(now-int64(2*time.Millisecond), time.Now().Add(time.Hour).UnixNano())
	}
	for range 3 * hearSmooth { // who is heard beside that is heard at once
		th.note(now, now)
	}
	if !th.cramped() {
		t.Error("it is not")
	}
	if th.turnAt.Store(now - int64(time.Hour)); th.cramped() {
		t.Error("it is, though that was long ago")
	}
}
