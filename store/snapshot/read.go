package snapshot

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/wire"
)

// Target is what a copy goes into. What is nil is looked through and not stored.
type Target struct {
	State store.Loader
	Rows  func(ctx context.Context, node string, rows []store.Row) error
	// Progress, if not nil, is told after each frame how many bytes of the file are done.
	Progress func(bytes int64)
}

// Read puts a copy into a target that must be empty or of the same installation. What it has put is good only when it returns without an
// error: that the copy is whole is known at its end. kangma.Invalid: no copy, or sealed with another key; kangma.Internal with
// code snapshot_cut or snapshot_damaged: it is not as it was written.
func Read(ctx context.Context, r io.Reader, key Key, t Target) (Head, Summary, error) {
	in, err := newReader(r, key)
	if err != nil {
		return Head{}, Summary{}, err
	}
	h, err := in.head()
	if err != nil {
		return h, Summary{}, err
	}
	p := putting{t: t, sum: digest.NewSummer(true)}
	p.loads, p.ctx = errgroup.WithContext(ctx)
	p.loads.SetLimit(loadsAtOnce)
	h, s, err := p.read(in, h)
	if failed := p.loads.Wait(); failed != nil { // it is why reading ended, or it came behind
		return h, Summary{}, failed
	}
	if err == nil {
		err = p.agree()
	}
	if err != nil {
		return h, Summary{}, err
	}
	p.ctx = ctx
	return h, s, p.marks(h)
}

// loadsAtOnce is how many frames are on their way into the store while the next ones are opened.
const loadsAtOnce = 4

func (p *putting) read(in *reader, h Head) (Head, Summary, error) {
	for p.tail == nil {
		kind, content, err := in.next()
		if errors.Is(err, io.EOF) {
			return h, Summary{}, errCut
		}
		if err != nil {
			return h, Summary{}, err
		}
		if err := errors.Join(p.ctx.Err(), p.frame(kind, content)); err != nil {
			return h, Summary{}, err
		}
		if p.t.Progress != nil {
			p.t.Progress(in.size)
		}
	}
	if _, _, err := in.next(); !errors.Is(err, io.EOF) {
		return h, Summary{}, errBroken.Because(errors.New("something behind the end"))
	}
	p.tail.Bytes = in.size
	return h, *p.tail, nil
}

// Verify looks through a copy from end to end.
func Verify(ctx context.Context, r io.Reader, key Key) (Head, Summary, error) {
	return Read(ctx, r, key, Target{})
}

// ReadHead reads what a copy says it is of, without looking through it.
func ReadHead(r io.Reader, key Key) (Head, error) {
	in, err := newReader(r, key)
	if err != nil {
		return Head{}, err
	}
	return in.head()
}

func (r *reader) head() (h Head, err error) {
	kind, content, err := r.next()
	if errors.Is(err, io.EOF) {
		return h, errCut
	}
	if err == nil && (kind != typeHead || strict(content, &h) != nil) {
		err = errBroken
	}
	return h, err
}

func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

type putting struct {
	ctx   context.Context
	loads *errgroup.Group
	t     Target
	tail  *Summary

	mu  sync.Mutex
	sum *digest.Summer
	got Summary
}

// count adds what one frame held.
func (p *putting) count(sum *digest.Summer, records int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.Add(sum)
	p.got.Records += uint64(records)
}

func (p *putting) frame(kind byte, b []byte) error {
	switch kind {
	case typeDossiers:
		p.loads.Go(func() error { return p.dossiers(b) })
		return nil
	case typeRecords:
		p.loads.Go(func() error { return p.records(b) })
		return nil
	case typeRows:
		return p.rows(b)
	case typeTail:
		p.tail = &Summary{}
		if err := strict(b, p.tail); err != nil {
			return errBroken.Because(err)
		}
		return nil
	}
	return errBroken.Because(fmt.Errorf("frame of type %d", kind))
}

// items calls f with each of what is written in a frame with its length before it.
func items(b []byte, f func([]byte) error) error {
	for len(b) > 0 {
		raw, rest, err := item(b)
		if err == nil {
			err = f(raw)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func item(b []byte) (raw, rest []byte, err error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, errBroken.Because(errors.New("a length is beyond its frame"))
	}
	return b[used : used+int(n)], b[used+int(n):], nil
}

// dossiers puts the people of a frame in. What is sealed is as it was encoded: of the present form no more is read than a store
// asks for, and the hash at the end tells that it is what was written.
func (p *putting) dossiers(b []byte) error {
	var packed []store.Packed
	var indexes [][]kangma.BlindIndex
	present, sum := true, digest.NewSummer(true)
	err := items(b, func(raw []byte) error {
		x, found, ok := wire.PackedHead(raw)
		if !ok {
			d, err := wire.DecodeDossier(raw)
			if err != nil {
				return err
			}
			present, x, found = false, store.Packed{Person: d.Person, Version: d.Version, Data: raw}, d.Sealed.Indexes
		}
		packed, indexes = append(packed, x), append(indexes, found)
		return sum.Packed(x)
	})
	if err != nil {
		return err
	}
	p.count(sum, 0)
	if p.t.State == nil {
		return nil
	}
	if l, ok := p.t.State.(store.PackedLoader); ok && present {
		return l.Packed(p.ctx, packed, indexes)
	}
	people := make([]kangma.Dossier, len(packed))
	for i, x := range packed {
		if people[i], err = wire.DecodeDossier(x.Data); err != nil {
			return err
		}
	}
	return p.t.State.Dossiers(p.ctx, people...)
}

func (p *putting) records(b []byte) error {
	var records []store.Record
	var data [][]byte
	sum := digest.NewSummer(true)
	err := items(b, func(raw []byte) error {
		r, err := wire.DecodeRecord(raw)
		if err == nil {
			sum.RecordEncoded(r, raw)
			records, data = append(records, r), append(data, raw)
		}
		return err
	})
	if err != nil {
		return err
	}
	p.count(sum, len(records))
	if p.t.State == nil {
		return nil
	}
	if l, ok := p.t.State.(store.PackedLoader); ok {
		return l.PackedRecords(p.ctx, records, data)
	}
	return p.t.State.Records(p.ctx, records...)
}

func (p *putting) rows(b []byte) error {
	name, b, err := item(b)
	if err != nil {
		return err
	}
	var rows []store.Row
	for len(b) > 0 {
		pos, used := binary.Uvarint(b)
		if used <= 0 {
			return errBroken.Because(errors.New("a position is beyond its frame"))
		}
		raw, rest, err := item(b[used:])
		if err != nil {
			return err
		}
		passage, err := wire.DecodePassage(raw)
		if err != nil {
			return err
		}
		rows, b = append(rows, store.Row{Position: store.Position(pos), Passage: passage}), rest
	}
	p.got.Rows += uint64(len(rows))
	if p.t.Rows == nil {
		return nil
	}
	return p.t.Rows(p.ctx, string(name), rows)
}

// agree compares what came with what the tail says was written.
func (p *putting) agree() error {
	d := p.sum.Digest()
	p.got.People, p.got.State, p.got.Wire = d.People, d.String(), wire.DossierVersion
	want := *p.tail
	want.Bytes = 0
	if want.Wire != wire.DossierVersion { // what an older program wrote has other bytes for the same state
		want.Wire, want.State = p.got.Wire, p.got.State
	}
	if p.got != want {
		return errBroken.Because(fmt.Errorf("got %+v, written were %+v", p.got, want))
	}
	return nil
}

// marks writes last how far the journals are applied: a load that is cut short must be done again from its beginning.
func (p *putting) marks(h Head) error {
	if p.t.State == nil {
		return nil
	}
	for node, pos := range h.Marks {
		r := store.Record{Kind: MarkKind, ID: node, Version: 1, Data: strconv.AppendUint(nil, uint64(pos), 10)}
		if err := p.t.State.Records(p.ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// ErrKey tells a copy that was sealed with other keys (errors.Is).
func ErrKey(err error) bool { return kangma.CodeOf(err) == errKey.Code }
