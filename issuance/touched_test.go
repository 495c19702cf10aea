package issuance_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// counted counts the dossiers that are read.
type counted struct {
	store.Dossiers
	reads atomic.Int64
}

func (c *counted) Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	c.reads.Add(1)
	return c.Dossiers.Get(ctx, id)
}

// watching makes the desk's lists from suspects, as a server does.
func (d *desk) watching(node string, touched *issuance.Touched) *issuance.Service {
	d.t.Helper()
	s, err := issuance.New(issuance.Config{Registry: d.registry, Keys: d.keys, Region: region, ShortKey: [32]byte{5}, Node: node, Touched: touched})
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *desk) contact(person kangma.PersonID) {
	d.t.Helper()
	at := d.now().Add(-time.Hour)
	err := d.registry.Submit(context.Background(), registry.Item{Person: person, Evidence: kangma.Evidence{ID: kangma.NewEventID(at), Kind: kangma.KindContact,
		Observed: at, Received: d.now(), Source: "test", Contact: &kangma.Contact{Degree: "close"}}})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) sweep() {
	d.t.Helper()
	if _, err := d.registry.Sweep(context.Background(), registry.SweepConfig{PerSecond: 1 << 30}); err != nil {
		d.t.Fatal(err)
	}
}

// The list holds exactly what is wrong, whoever was asked about: void codes, who turned red before the sweep, after it, and at
// another node; and it asks about those alone.
func TestAStatusListAsksOnlyAboutWhoMayHaveChanged(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	d.Service = d.watching("n1", &d.touched)
	const people = 60
	ids, codes := make([]kangma.PersonID, people), make([]codegen.CodeID, people)
	for i := range people {
		ids[i] = d.register(fmt.Sprintf("4415021990%02d%02d%03d", 1+i/28, 1+i%28, 601))
		code, err := d.Paper(ctx, ids[i], false, 0)
		if err != nil {
			t.Fatal(err)
		}
		codes[i] = code.Claims.ID
	}
	wrong := map[int]bool{}
	check := func(when string, most int64) {
		t.Helper()
		before := d.dossiers.reads.Load()
		l := d.status()
		if n := d.dossiers.reads.Load() - before; n > most {
			t.Errorf("%s: %d dossiers were read, at most %d", when, n, most)
		}
		if l.Len() != len(wrong) {
			t.Errorf("%s: %d on the list, want %d", when, l.Len(), len(wrong))
		}
		for i, id := range codes {
			if l.Hit(id) != wrong[i] {
				t.Errorf("%s: person %d on the list: %t", when, i, l.Hit(id))
			}
		}
	}
	red := func(i int) { d.contact(ids[i]); wrong[i] = true }
	red(0)
	check("before any sweep everybody is asked about", 1000)
	d.pass(2 * time.Minute)
	d.sweep()
	check("after a sweep the red one alone", 3)
	red(1)
	if _, err := d.Void(ctx, ids[2], codes[2], issuance.VoidLost); err != nil {
		t.Fatal(err)
	}
	wrong[2] = true
	check("red and void since the sweep", 8)
	check("and they stay", 8)
	d.pass(2 * time.Minute)
	d.sweep()
	check("after the next sweep", 8)
	if n := d.kept("touched"); n > 2 {
		t.Errorf("%d records of who was touched are left after the sweep", n)
	}
	red(3)
	d.Service = d.watching("n2", new(issuance.Touched)) // it has just started and knows nothing of what the node before it did not write down
	check("a new node asks about everybody", 1000)
	d.pass(2 * time.Minute)
	d.sweep()
	check("and less after a sweep", 10)
	red(4)                                                                       // at a node that dies before it writes it down
	if err := d.watching("n3", new(issuance.Touched)).Publish(ctx); err != nil { // and starts again; another one makes the list
		t.Fatal(err)
	}
	check("a node that has started makes the others ask about everybody", 1000)
	d.pass(2 * time.Hour)
	check("a sweep of long ago counts for nothing", 1000)
}

func (d *desk) kept(kind string) int {
	recs, _, err := d.records.List(context.Background(), store.RecordQuery{Kind: kind, Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	return len(recs)
}

// BenchmarkStatusList makes a list of KANGMA_HOLDERS people (100,000) who hold one code each, one in a hundred not green, 500 of
// them touched since the sweep: by asking about everybody, and about the suspects.
func BenchmarkStatusList(b *testing.B) {
	holders := 100_000
	if n, err := strconv.Atoi(os.Getenv("KANGMA_HOLDERS")); err == nil {
		holders = n
	}
	d := newDesk(b)
	ctx := context.Background()
	people := d.fill(holders)
	for i := 0; i < holders; i += 100 {
		d.contact(people[i])
	}
	plain, watching := d.service(), d.watching("n1", &d.touched)
	d.pass(2 * time.Minute)
	d.sweep()
	for i := range 500 {
		d.contact(people[(i*100+50)%holders])
	}
	d.Service = watching
	d.status() // of a node that has just started: asks about everybody
	d.pass(2 * time.Minute)
	d.sweep()
	for name, s := range map[string]*issuance.Service{"everybody": plain, "suspects": watching} {
		b.Run(name, func(b *testing.B) {
			start := cputime.Process()
			for b.Loop() {
				d.pass(issuance.StatusEach)
				if err := s.Publish(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cputime.Process()-start).Milliseconds())/float64(b.N), "cpu-ms/list")
			runtime.GC()
		})
	}
}
