package redis

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
)

const lineTimeout = 30 * time.Second

func openLine(t *testing.T, srv *realserver.Redis, addr string, timeout time.Duration) *DB {
	t.Helper()
	cfg := Config{Addrs: []string{addr}, Password: srv.Password, Key: make([]byte, 32), New: true, Timeout: timeout}
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// crowd lets n ask while as many exchanges as may be are under way, and ends one when all of them stand in line.
func crowd(t *testing.T, db *DB, n int, ask func(i int) error) []error {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	l := db.line(db.single.Options().Addr)
	l.mu.Lock()
	l.riding = maxRiding
	l.mu.Unlock()
	for i := range n {
		wg.Go(func() { errs[i] = ask(i) })
	}
	for end, in := time.Now().Add(lineTimeout), 0; in < n; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		in = len(l.waiting)
		l.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("%d of %d stand in line", in, n)
		}
	}
	l.pass()
	wg.Wait()
	if l.riding != maxRiding-1 || l.waiting != nil {
		t.Errorf("the line is not as before: %d under way, %d wait", l.riding, len(l.waiting))
	}
	l.riding = 0
	return errs
}

func TestRequestsThatComeTogetherShareAnExchange(t *testing.T) {
	srv := realserver.StartRedis(t)
	c := realserver.CountTrips(t, srv.Addr)
	db := openLine(t, srv, c.Addr, lineTimeout)
	if _, err := db.Once(t.Context(), store.Use{Key: "warm", By: "by"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	const n = 10 // one piece on the wire
	mine := make([]bool, n)
	before := c.Trips()
	errs := crowd(t, db, n, func(i int) (err error) {
		mine[i], err = db.Once(t.Context(), store.Use{Key: strconv.Itoa(i / 2 * 2), By: strconv.Itoa(i)}, time.Minute)
		return err
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < n; i += 2 { // each has its own answer: of two who want the same one gets it
		if mine[i] == mine[i+1] {
			t.Errorf("%d and %d: both %v", i, i+1, mine[i])
		}
	}
	if got := c.Trips() - before; got != 1 {
		t.Errorf("%d requests took %d exchanges, want 1", n, got)
	}
}

func TestAFewExchangesMayBeUnderWay(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := openLine(t, srv, srv.Addr, lineTimeout)
	l := db.line(db.single.Options().Addr)
	l.riding = maxRiding - 1 // none of these ever ends
	if err := db.do(t.Context(), 0, &call{args: []any{"PING"}}); err != nil {
		t.Fatal(err)
	}
	if l.riding != maxRiding-1 {
		t.Errorf("%d under way afterwards", l.riding)
	}
}

func TestWhoIsRefusedInALineDoesNotHarmTheOthers(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := openLine(t, srv, srv.Addr, lineTimeout)
	ask := func(i int) error {
		c := &call{args: []any{"INCR", "n" + strconv.Itoa(i)}}
		if i%3 == 1 {
			c.args = []any{"INCR"} // wrong number of arguments
		}
		err := db.do(t.Context(), 0, c)
		if err == nil && c.reply != int64(1) {
			return errors.New("another's reply")
		}
		return err
	}
	for i, err := range crowd(t, db, 20, ask) {
		if refused := i%3 == 1; refused != (kangma.CodeOf(err) == "redis") || !refused && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestWhoWaitsInALineIsToldWhenTheServerHangs(t *testing.T) {
	srv := realserver.StartRedis(t)
	p := realserver.StartProxy(t, srv.Addr)
	db := openLine(t, srv, p.Addr, 2*time.Second)
	ask := func(int) error { return db.do(t.Context(), 0, &call{args: []any{"PING"}}) }
	if err := ask(0); err != nil {
		t.Fatal(err)
	}
	p.Set(realserver.Hole)
	for i, err := range crowd(t, db, 20, ask) {
		if kangma.KindOf(err) != kangma.Unavailable {
			t.Errorf("%d: %v", i, err)
		}
	}
	if len(db.Down()) != 1 {
		t.Error("one exchange for many that had no answer left the breaker closed")
	}
}

func TestWhoHasLittleTimeDoesNotStandInLine(t *testing.T) {
	db := &DB{cfg: Config{Timeout: time.Second}}
	short, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	for what, got := range map[string]bool{
		"a usual request":               db.sharable(t.Context(), 0, someCalls(3)),
		"little time":                   !db.sharable(short, 0, someCalls(3)),
		"a large value":                 !db.sharable(t.Context(), time.Second, someCalls(1)),
		"very many calls":               !db.sharable(t.Context(), 0, someCalls(maxShared+1)),
		"one call for very many people": !db.sharable(t.Context(), 0, []*call{{people: maxShared + 1}}),
		"just as many":                  db.sharable(t.Context(), 0, someCalls(maxShared)),
	} {
		if !got {
			t.Error(what)
		}
	}
}

func someCalls(n int) []*call {
	out := make([]*call, n)
	for i := range out {
		out[i] = &call{}
	}
	return out
}
