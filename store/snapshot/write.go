package snapshot

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/wire"
)

// Head says what a copy is of.
type Head struct {
	Node    string                    `json:"node"` // who wrote it
	Created time.Time                 `json:"created"`
	Marks   map[string]store.Position `json:"marks"`            // of each node: everything of its journal up to here is in it
	Loaded  map[string]store.Position `json:"loaded,omitempty"` // of each node, of the passages; none without passages
}

// Summary says what a copy holds.
type Summary struct {
	People  uint64 `json:"people"`
	Records uint64 `json:"records"` // tombstones too
	Rows    uint64 `json:"rows"`    // passages
	State   string `json:"state"`   // hexadecimal; digest.Digest of people and records, with versions, in wire form Wire
	Wire    int    `json:"wire"`
	Bytes   int64  `json:"-"` // of the file
}

// Source is what a copy is made of.
type Source struct {
	Dossiers store.Dossiers
	Records  store.Records // must be a store.Dumper
	Archive  store.Archive // nil: without passages
}

// Options of Write.
type Options struct {
	// Rest waits after each page of people or records for this many times as long as the page took, so that a copy made while the
	// node serves leaves it the rest of the machine; 0: not at all.
	Rest float64
	// Yield, if not nil, is asked before each page, also when Folder.Add reads the copy back: it may wait for whoever is more urgent. That is no part of the page's time, or
	// resting after the wait and waiting after the rest would each lengthen the other.
	Yield func(context.Context) error
	// Progress, if not nil, is told after each of the 256 partitions how many are done.
	Progress func(partitions int)
}

const page = 500

// MarkKind is the kind of the records that say how far a journal is applied (see store.Mark).
const MarkKind = "applied"

// Write writes a copy of src, which may be in use. Only node and created are taken from head. Errors are those of the stores and
// of w; after one the file is of no use.
func Write(ctx context.Context, w io.Writer, key Key, head Head, src Source, o Options) (Head, Summary, error) {
	out, err := newWriter(w, key)
	if err != nil {
		return head, Summary{}, err
	}
	if head, err = complete(ctx, head, src); err != nil {
		return head, Summary{}, err
	}
	c := copying{ctx: ctx, w: out, o: o, sum: digest.NewSummer(true)}
	if err := c.run(head, src); err != nil {
		return head, Summary{}, err
	}
	c.total.Bytes = out.size
	return head, c.total, out.w.Flush()
}

// complete reads the marks, before anything they promise is read.
func complete(ctx context.Context, head Head, src Source) (_ Head, err error) {
	if head.Marks, err = marks(ctx, src.Records); err != nil {
		return head, err
	}
	head.Loaded = nil
	if src.Archive != nil {
		head.Loaded, err = src.Archive.Nodes(ctx)
	}
	return head, err
}

// marks gives up to where the journal of each node is applied.
func marks(ctx context.Context, records store.Records) (map[string]store.Position, error) {
	out := map[string]store.Position{}
	for q := (store.RecordQuery{Kind: MarkKind, Limit: 1000}); ; {
		found, next, err := records.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			n, err := strconv.ParseUint(string(r.Data), 10, 64)
			if err != nil {
				return nil, errBroken.Because(err)
			}
			out[r.ID] = store.Position(n)
		}
		if q.After = next; next == "" {
			return out, nil
		}
	}
}

type copying struct {
	ctx   context.Context
	w     *writer
	o     Options
	sum   *digest.Summer
	total Summary
	buf   []byte

	loaded map[string]store.Position
}

func (c *copying) run(head Head, src Source) error {
	if err := c.json(typeHead, head); err != nil {
		return err
	}
	for p := range store.Partitions {
		if err := c.partition(src.Dossiers, p); err != nil {
			return err
		}
		if c.o.Progress != nil {
			c.o.Progress(p + 1)
		}
	}
	if err := c.flush(typeDossiers); err != nil {
		return err
	}
	if err := c.records(src.Records); err != nil {
		return err
	}
	if src.Archive != nil {
		c.loaded = head.Loaded
		if err := src.Archive.All(c.ctx, c.rows); err != nil {
			return err
		}
	}
	d := c.sum.Digest()
	c.total.People, c.total.State, c.total.Wire = d.People, d.String(), wire.DossierVersion
	return c.json(typeTail, c.total)
}

func (c *copying) json(kind byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.w.frame(kind, raw)
}

// flush sends what is gathered.
func (c *copying) flush(kind byte) error {
	if len(c.buf) == 0 {
		return nil
	}
	err := c.w.frame(kind, c.buf)
	c.buf = c.buf[:0]
	return err
}

func (c *copying) add(kind byte, raw []byte) error {
	c.buf = binary.AppendUvarint(c.buf, uint64(len(raw)))
	c.buf = append(c.buf, raw...)
	if len(c.buf) < fullFrame {
		return nil
	}
	return c.flush(kind)
}

func (c *copying) partition(s store.Dossiers, p int) error {
	for after := (kangma.PersonID{}); ; {
		if err := c.yield(); err != nil {
			return err
		}
		began := time.Now()
		people, err := s.Scan(c.ctx, p, after, page)
		if err != nil || len(people) == 0 {
			return err
		}
		for _, d := range people {
			raw := wire.EncodeDossier(d)
			if err := c.sum.Packed(store.Packed{Person: d.Person, Version: d.Version, Data: raw}); err != nil {
				return err
			}
			if err := c.add(typeDossiers, raw); err != nil {
				return err
			}
		}
		after = people[len(people)-1].Person
		if err := c.rest(time.Since(began)); err != nil {
			return err
		}
	}
}

// yield waits for whoever is more urgent.
func (c *copying) yield() error {
	if c.o.Yield == nil {
		return nil
	}
	return c.o.Yield(c.ctx)
}

// rest leaves the machine to others.
func (c *copying) rest(took time.Duration) error {
	if c.o.Rest <= 0 {
		return c.ctx.Err()
	}
	t := time.NewTimer(time.Duration(c.o.Rest * float64(took)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

func (c *copying) records(s store.Records) error {
	d, ok := s.(store.Dumper)
	if !ok {
		return kangma.E(kangma.Internal, "snapshot_source", "this store of records cannot be copied as a whole")
	}
	err := d.Dump(c.ctx, func(page []store.Record) error {
		if err := c.yield(); err != nil {
			return err
		}
		began := time.Now()
		for _, r := range page {
			if r.Kind == MarkKind {
				continue // the head has them as they were first
			}
			c.sum.Record(r)
			c.total.Records++
			if err := c.add(typeRecords, wire.EncodeRecord(r)); err != nil {
				return err
			}
		}
		return c.rest(time.Since(began))
	})
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return c.flush(typeRecords)
}

// rows writes passages of one node. What was loaded after the head was made is left out: of that only a part may come, and the journal has
// all of it.
func (c *copying) rows(node string, rows []store.Row) error {
	if upTo, known := c.loaded[node]; known {
		rows = slices.DeleteFunc(rows, func(r store.Row) bool { return r.Position > upTo })
	} else if node != "" {
		return nil
	}
	if len(rows) == 0 {
		return nil
	}
	begin := func() { c.buf = append(binary.AppendUvarint(c.buf[:0], uint64(len(node))), node...) }
	begin()
	for i, r := range rows {
		raw := wire.EncodePassage(r.Passage)
		c.buf = binary.AppendUvarint(c.buf, uint64(r.Position))
		c.buf = binary.AppendUvarint(c.buf, uint64(len(raw)))
		c.buf = append(c.buf, raw...)
		if len(c.buf) >= fullFrame && i+1 < len(rows) {
			if err := c.flush(typeRows); err != nil {
				return err
			}
			begin()
		}
	}
	c.total.Rows += uint64(len(rows))
	return c.flush(typeRows)
}
