// Package storetest holds one conformance suite per storage contract. Only tests import it.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Journal runs the conformance suite of store.Journal. open opens the journal kept in dir, making it if dir is empty; the
// suite calls it again on the same dir after closing what it got, where that is an io.Closer.
func Journal(t *testing.T, open func(tb testing.TB, dir string) store.Journal) {
	for _, c := range journalChecks {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir)
			reopen := func() store.Journal {
				journalClose(t, j)
				j = open(t, dir)
				return j
			}
			defer func() { journalClose(t, j) }()
			c.run(t, j, reopen)
		})
	}
}

var journalChecks = []struct {
	name string
	run  func(t *testing.T, j store.Journal, reopen func() store.Journal)
}{
	{"positions start at 1 and have no gaps", journalPositions},
	{"events come back as they went in", journalRoundTrip},
	{"racing writers get each position once, in the order of their own calls", journalRace},
	{"After never skips nor repeats, whatever the limit", journalCursor},
	{"After sees only what was acknowledged or is being acknowledged, in order, while others write", journalTail},
	{"Recorded is UTC in microseconds and never goes back", journalRecorded},
	{"appending nothing changes nothing", journalEmpty},
	{"an event that is not one is refused, and those with it", journalInvalid},
	{"a cancelled call is not acknowledged", journalCancelled},
	{"the caller may change its bytes after Append", journalAliasing},
	{"the same event twice is two entries", journalTwice},
	{"a limit below 1 is invalid", journalLimit},
	{"releasing what is not written is invalid, releasing twice is not", journalRelease},
	{"reopening keeps every entry and goes on counting", journalReopen},
}

func journalClose(t *testing.T, j store.Journal) {
	if c, ok := j.(io.Closer); ok {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// Event makes a random event: Han letters, separators and zeros in its data, times to the microsecond.
func Event(rnd *rand.Rand) kangma.Event {
	all := []kangma.EventKind{kangma.EventPerson, kangma.EventEvidence, kangma.EventPassage, kangma.EventRecord,
		kangma.EventAccess, kangma.EventErase}
	at := time.UnixMicro(1_650_000_000_000_000 + rnd.Int64N(1e13)).UTC()
	e := kangma.Event{ID: kangma.NewEventID(at), Kind: all[rnd.IntN(len(all))], At: at}
	if rnd.IntN(2) == 0 {
		e.Person = kangma.NewPersonID()
	}
	for range rnd.IntN(8) {
		e.Data = append(e.Data, []string{"杭州市余杭区", "a:b%c\x00", "\r\n", "42", "\xff\xfe"}[rnd.IntN(5)]...)
	}
	return e
}

func journalEvents(n int) []kangma.Event {
	rnd := rand.New(rand.NewPCG(7, uint64(n)))
	out := make([]kangma.Event, n)
	for i := range out {
		out[i] = Event(rnd)
	}
	return out
}

func journalAppend(t *testing.T, j store.Journal, events ...kangma.Event) store.Position {
	t.Helper()
	pos, err := j.Append(t.Context(), events...)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return pos
}

// journalAll reads to the end with a limit and checks positions on the way.
func journalAll(t *testing.T, j store.Journal, pos store.Position, limit int) []store.Entry {
	t.Helper()
	var out []store.Entry
	for {
		got, err := j.After(t.Context(), pos, limit)
		if err != nil {
			t.Fatalf("after %d: %v", pos, err)
		}
		if len(got) == 0 {
			return out
		}
		if len(got) > limit {
			t.Fatalf("after %d gave %d entries, limit %d", pos, len(got), limit)
		}
		for _, e := range got {
			if pos++; e.Position != pos {
				t.Fatalf("got position %d, want %d", e.Position, pos)
			}
		}
		out = append(out, got...)
	}
}

func journalSame(a, b kangma.Event) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.At.Equal(b.At) && a.Person == b.Person && bytes.Equal(a.Data, b.Data)
}

func journalWant(t *testing.T, got []store.Entry, want []kangma.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d entries, want %d", len(got), len(want))
	}
	for i := range want {
		if !journalSame(got[i].Event, want[i]) {
			t.Fatalf("entry %d: got %+v, want %+v", i, got[i].Event, want[i])
		}
	}
}

func wantJournalKind(t *testing.T, err error, kind kangma.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want %v", err, kind)
	}
}

func journalPositions(t *testing.T, j store.Journal, _ func() store.Journal) {
	if got := journalAll(t, j, 0, 10); len(got) != 0 {
		t.Fatalf("a new journal has %d entries", len(got))
	}
	want := store.Position(0)
	for n := 1; n < 5; n++ {
		want += store.Position(n)
		if got := journalAppend(t, j, journalEvents(n)...); got != want {
			t.Fatalf("got position %d, want %d", got, want)
		}
	}
	if got := journalAll(t, j, 0, 100); len(got) != int(want) {
		t.Fatalf("got %d entries, want %d", len(got), want)
	}
}

func journalRoundTrip(t *testing.T, j store.Journal, _ func() store.Journal) {
	want := journalEvents(300)
	want[0].Data = bytes.Repeat([]byte("长"), 1<<20)
	want[1].At = time.Date(1900, 1, 1, 0, 0, 0, 1000, time.UTC)
	want[2].At = time.Date(2038, 1, 19, 3, 14, 8, 999_999_000, time.FixedZone("", 8*3600))
	want[3].Data = nil
	journalAppend(t, j, want...)
	journalWant(t, journalAll(t, j, 0, 7), want)
}

func journalRace(t *testing.T, j store.Journal, _ func() store.Journal) {
	const writers, each = 64, 20
	at := make([]map[store.Position]kangma.EventID, writers)
	var wg sync.WaitGroup
	for w := range writers {
		at[w] = map[store.Position]kangma.EventID{}
		wg.Go(func() {
			before := store.Position(0)
			for range each {
				e := kangma.Event{ID: kangma.NewEventID(time.UnixMilli(1)), Kind: kangma.EventPassage, Data: []byte{byte(w)}}
				pos, err := j.Append(t.Context(), e)
				if err != nil || pos <= before {
					t.Errorf("append after position %d gave %d, %v", before, pos, err)
					return
				}
				before, at[w][pos] = pos, e.ID
			}
		})
	}
	wg.Wait()
	all := journalAll(t, j, 0, 100)
	if len(all) != writers*each {
		t.Fatalf("got %d entries, want %d", len(all), writers*each)
	}
	for w := range at {
		for pos, id := range at[w] {
			if all[pos-1].Event.ID != id {
				t.Fatalf("position %d was promised to another event", pos)
			}
		}
	}
}

func journalCursor(t *testing.T, j store.Journal, _ func() store.Journal) {
	want := journalEvents(500)
	for part := range slices.Chunk(want, 13) {
		journalAppend(t, j, part...)
	}
	for _, limit := range []int{1, 2, 13, 499, 500, 501, 100_000} {
		journalWant(t, journalAll(t, j, 0, limit), want)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		pos := rnd.IntN(501)
		journalWant(t, journalAll(t, j, store.Position(pos), 1+rnd.IntN(200)), want[pos:])
	}
	for _, pos := range []store.Position{500, 501, 1 << 60} {
		if got, err := j.After(t.Context(), pos, 5); err != nil || len(got) != 0 {
			t.Fatalf("after %d: got %d entries, %v", pos, len(got), err)
		}
	}
}

func journalTail(t *testing.T, j store.Journal, _ func() store.Journal) {
	const writers, each = 4, 100
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for _, e := range journalEvents(each) {
				if _, err := j.Append(t.Context(), e); err != nil {
					t.Errorf("append: %v", err)
				}
			}
		})
	}
	for pos := store.Position(0); pos < writers*each; {
		got, err := j.After(t.Context(), pos, 9)
		if err != nil {
			t.Fatalf("after %d: %v", pos, err)
		}
		for _, e := range got {
			if pos++; e.Position != pos {
				t.Fatalf("got position %d, want %d", e.Position, pos)
			}
		}
	}
	wg.Wait()
}

func journalRecorded(t *testing.T, j store.Journal, _ func() store.Journal) {
	for _, e := range journalEvents(50) {
		journalAppend(t, j, e)
	}
	var before time.Time
	for _, e := range journalAll(t, j, 0, 50) {
		if e.Recorded.Before(before) || e.Recorded.Location() != time.UTC || e.Recorded.Nanosecond()%1000 != 0 {
			t.Fatalf("position %d was recorded at %v, after %v", e.Position, e.Recorded, before)
		}
		before = e.Recorded
	}
}

func journalEmpty(t *testing.T, j store.Journal, _ func() store.Journal) {
	journalAppend(t, j, journalEvents(3)...)
	if got := journalAppend(t, j); got != 3 {
		t.Fatalf("got position %d, want 3", got)
	}
	if got := journalAll(t, j, 0, 10); len(got) != 3 {
		t.Fatalf("got %d entries, want 3", len(got))
	}
}

func journalInvalid(t *testing.T, j store.Journal, _ func() store.Journal) {
	good := journalEvents(1)[0]
	noID, noKind, strange, lost, huge := good, good, good, good, good
	noID.ID, noKind.Kind, strange.Kind, lost.Kind = kangma.EventID{}, "", "rumour", kangma.EventLost
	huge.Data = make([]byte, 32<<20)
	for i, bad := range []kangma.Event{noID, noKind, strange, lost} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			_, err := j.Append(t.Context(), good, bad)
			wantJournalKind(t, err, kangma.Invalid)
		})
	}
	_, err := j.Append(t.Context(), good, huge)
	wantJournalKind(t, err, kangma.TooLarge)
	if got := journalAll(t, j, 0, 10); len(got) != 0 {
		t.Fatalf("%d entries were written", len(got))
	}
}

func journalTwice(t *testing.T, j store.Journal, _ func() store.Journal) {
	e := journalEvents(1)[0]
	journalAppend(t, j, e)
	journalAppend(t, j, e)
	journalWant(t, journalAll(t, j, 0, 10), []kangma.Event{e, e})
}

func journalLimit(t *testing.T, j store.Journal, _ func() store.Journal) {
	for _, limit := range []int{0, -1} {
		_, err := j.After(t.Context(), 0, limit)
		wantJournalKind(t, err, kangma.Invalid)
	}
}
