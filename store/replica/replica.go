package replica

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Local is where the copy lies: embedded.Mirror is one.
type Local interface {
	Dossiers() store.Dossiers
	Records() store.Records
	Loader() store.Loader
	// Page makes the people with ids after one and up to another those of the page and nobody else.
	Page(ctx context.Context, after, through kangma.PersonID, page []kangma.Dossier) error
	// Copy stores records as they are, whatever is there.
	Copy(ctx context.Context, all []store.Record) error
	// Clear forgets everything.
	Clear(ctx context.Context) error
}

// Shared is the state that is copied. Its Records must be a store.Dumper.
type Shared struct {
	Dossiers store.Dossiers
	Records  store.Records
	// Changes tells of each partition a text "EPOCH/WRITES" that changes with every write to its people; another epoch
	// means that the partition was made anew. "": the partition has lost its data.
	Changes func(context.Context) ([store.Partitions]string, error)
}

// Options of New. The zero Options are good for a million people.
type Options struct {
	Rate  int           // people and records a second that are looked at; 0: 5,000
	Pause time.Duration // between two rounds; 0: 5 s
	Skip  []string      // kinds of records that are not copied: what is worth nothing later
	Now   func() time.Time
	Log   *slog.Logger
}

// Copy is a copy of a shared state. Its methods may be called concurrently, Run by one caller.
type Copy struct {
	shared   Shared
	local    Local
	o        Options
	limit    *rate.Limiter
	queue    chan written // what this node wrote and the copy has not yet
	asOf     [store.Partitions]atomic.Int64
	state    progress     // belongs to Run
	recorded atomic.Int64 // when the records were last copied
	dropped  atomic.Uint64
	rounds   atomic.Uint64
}

// written is one acknowledged write of this node.
type written struct {
	dossier []byte // in wire form: the caller may go on with its own
	record  store.Record
}

const (
	queueLength = 4096
	pageSize    = 500
	batchSize   = 256
	defaultRate = 5000
	defaultRest = 5 * time.Second
	recordsRest = 30 * time.Second // records have no count of changes: all are looked at again
)

// New opens the copy with what it held before. Nothing is copied until Run.
func New(shared Shared, local Local, o Options) (*Copy, error) {
	if _, ok := shared.Records.(store.Dumper); !ok || shared.Dossiers == nil || shared.Changes == nil || local == nil {
		return nil, errors.New("replica: incomplete configuration")
	}
	if o.Rate <= 0 {
		o.Rate = defaultRate
	}
	if o.Pause <= 0 {
		o.Pause = defaultRest
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Copy{shared: shared, local: local, o: o, limit: rate.NewLimiter(rate.Limit(o.Rate), max(o.Rate, pageSize)), queue: make(chan written, queueLength)}
	if err := c.load(context.Background()); err != nil {
		return nil, err
	}
	return c, nil
}

// errNoCopy says that the copy cannot stand in.
var errNoCopy = kangma.E(kangma.Unavailable, "no_copy", "the state store does not answer and this node has no whole copy yet; try again in a moment")

// Whole reports whether everybody and all records were copied at least once.
func (c *Copy) Whole() bool { return !c.AsOf().IsZero() && c.recorded.Load() != 0 }

// AsOf is the time of which the whole copy is at least as new; zero: something was never copied.
func (c *Copy) AsOf() time.Time {
	oldest := c.asOf[0].Load()
	for i := range c.asOf {
		oldest = min(oldest, c.asOf[i].Load())
	}
	return timeOf(oldest)
}

// Stats tells how often everything was looked at, and how many of this node's writes the queue had no room for: they
// come with the next round.
func (c *Copy) Stats() (rounds, dropped uint64) { return c.rounds.Load(), c.dropped.Load() }

func timeOf(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// LastDossier gives a person as the copy has them, and the time of which that is at least as new. kangma.NotFound: the copy
// has nobody of that id; they may have come since. kangma.Unavailable: their partition was never copied.
func (c *Copy) LastDossier(ctx context.Context, id kangma.PersonID) (kangma.Dossier, time.Time, error) {
	asOf := timeOf(c.asOf[store.PartitionOf(id)].Load())
	if asOf.IsZero() {
		return kangma.Dossier{}, asOf, errNoCopy
	}
	d, err := c.local.Dossiers().Get(ctx, id)
	return d, asOf, err
}

// LastRecord gives a record as the copy has it. kangma.NotFound: it has none, or it is deleted.
// kangma.Unavailable: not everything was copied yet.
func (c *Copy) LastRecord(ctx context.Context, kind, id string) (store.Record, error) {
	if !c.Whole() {
		return store.Record{}, errNoCopy
	}
	return c.local.Records().Get(ctx, kind, id)
}

// LastList lists records as the copy has them.
func (c *Copy) LastList(ctx context.Context, q store.RecordQuery) ([]store.Record, string, error) {
	if !c.Whole() {
		return nil, "", errNoCopy
	}
	return c.local.Records().List(ctx, q)
}

// note puts what was written into the queue, or counts that there was no room.
func (c *Copy) note(w written) {
	select {
	case c.queue <- w:
	default:
		c.dropped.Add(1)
	}
}

// Dossiers is the shared store of dossiers; what is written through it reaches the copy.
func (c *Copy) Dossiers() store.Dossiers { return dossiers{c.shared.Dossiers, c} }

type dossiers struct {
	store.Dossiers
	c *Copy
}

// Update is that of the shared store.
func (d dossiers) Update(ctx context.Context, mark store.Mark, all ...kangma.Dossier) error {
	err := d.Dossiers.Update(ctx, mark, all...)
	var lost *store.Lost
	if err != nil && !errors.As(err, &lost) {
		return err
	}
	for _, one := range all {
		if lost == nil || !contains(lost.People, one.Person) {
			d.c.note(written{dossier: wire.EncodeDossier(one)})
		}
	}
	return err
}

func contains(people []kangma.PersonID, id kangma.PersonID) bool {
	for _, p := range people {
		if p == id {
			return true
		}
	}
	return false
}

// Records is the shared store of records; what is written through it reaches the copy.
func (c *Copy) Records() store.Records { return records{c.shared.Records, c} }

type records struct {
	store.Records
	c *Copy
}

// Put is that of the shared store.
func (r records) Put(ctx context.Context, rec store.Record) error {
	err := r.Records.Put(ctx, rec)
	if err == nil && r.c.wanted(rec.Kind) {
		rec.Index = maps.Clone(rec.Index)
		r.c.note(written{record: rec})
	}
	return err
}

// Dump is that of the shared store.
func (r records) Dump(ctx context.Context, f func([]store.Record) error) error {
	return r.Records.(store.Dumper).Dump(ctx, f)
}

// LastRecord is that of the copy, for readers that can do with it.
func (r records) LastRecord(ctx context.Context, kind, id string) (store.Record, error) {
	return r.c.LastRecord(ctx, kind, id)
}
