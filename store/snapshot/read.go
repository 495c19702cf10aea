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
	if err := p.agree(); err != nil {
		return h, Summary{}, err
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
	sum   *digest.Summer
	got   Summary
	tail  *Summary
}

func (p *putting) frame(kind byte, b []byte) error {
	switch kind {
	case typeDossiers:
		return p.dossiers(b)
	case typeRecords:
		return p.records(b)
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

// items cuts a frame into what is written with its length before it.
func items[T any](b []byte, decode func([]byte) (T, error)) ([]T, error) {
	var out []T
	for len(b) > 0 {
		raw, rest, err := item(b)
		if err != nil {
			return nil, err
		}
		v, err := decode(raw)
		if err != nil {
			return nil, err
		}
		out, b = append(out, v), rest
	}
	return out, nil
}

func item(b []byte) (raw, rest []byte, err error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, errBroken.Because(errors.New("a length is beyond its frame"))
	}
	return b[used : used+int(n)], b[used+int(n):], nil
}

func (p *putting) dossiers(b []byte) error {
	loader, ok := p.t.State.(store.PackedLoader)
	var packed []store.Packed // as far as they are in the present form
	people, err := items(b, func(raw []byte) (kangma.Dossier, error) {
		d, err := wire.DecodeDossier(raw)
		if err == nil && raw[0] == wire.DossierVersion {
			p.sum.Encoded(d, raw) // decoding is strict: it would be encoded to the same bytes
			packed = append(packed, store.Packed{Person: d.Person, Version: d.Version, Data: raw})
		} else if err == nil {
			p.sum.Dossier(d)
		}
		return d, err
	})
	if err != nil {
		return err
	}
	if p.t.State == nil {
		return nil
	}
	if !ok || len(packed) < len(people) {
		p.loads.Go(func() error { return p.t.State.Dossiers(p.ctx, people...) })
		return nil
	}
	indexes := make([][]kangma.BlindIndex, len(people))
	for i := range people {
		indexes[i] = people[i].Sealed.Indexes
	}
	p.loads.Go(func() error { return loader.Packed(p.ctx, packed, indexes) })
	return nil
}

func (p *putting) records(b []byte) error {
	records, err := items(b, wire.DecodeRecord)
	if err != nil {
		return err
	}
	for _, r := range records {
		p.sum.Record(r)
	}
	p.got.Records += uint64(len(records))
	if p.t.State == nil {
		return nil
	}
	p.loads.Go(func() error { return p.t.State.Records(p.ctx, records...) })
	return nil
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
