package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
)

// Quarantine says of a batch which lines could not stand: the record "quarantine", id the batch. Their texts are sealed:
// they hold what the provider sent, personal data included.
type Quarantine struct {
	Batch  string           `json:"batch"`
	Source string           `json:"source"`
	At     time.Time        `json:"at"`
	Format string           `json:"format"`
	Lines  []QuarantineLine `json:"lines"`         // without a text; in order
	Cut    bool             `json:"cut,omitempty"` // there were more; send the file again once these are mended
	Box    []byte           `json:"box,omitempty"` // sealed: the lines as a quarantine file, a CSV's header first
}

// QuarantineLine is one line and what is wrong with it. Faults never repeat a value.
type QuarantineLine struct {
	Line   int            `json:"line"`
	Faults []kangma.Fault `json:"faults"`
}

const (
	quarantineKind  = "quarantine"
	quarantineBytes = 8 << 20 // of texts kept of one batch
	quarantineLife  = 30 * 24 * time.Hour
)

// Quarantiner collects the bad lines of one file as a quarantine file.
type Quarantiner struct {
	q    Quarantine
	file bytes.Buffer
}

// NewQuarantiner begins a quarantine file. header is a CSV's first line, nil for NDJSON.
func NewQuarantiner(opt feeds.Options, header []byte) *Quarantiner {
	n := &Quarantiner{q: Quarantine{Batch: opt.Batch, Source: opt.Provider, At: opt.Now, Format: opt.Format}}
	if opt.Format == feeds.CSV {
		// a line without faults is the header; SplitQuarantine knows it
		if err := (feeds.Quarantined{Line: 1, Text: string(header)}).Append(&n.file); err != nil {
			n.q.Cut = true
		}
	}
	return n
}

// Add takes a bad record in.
func (n *Quarantiner) Add(r *feeds.Record) error {
	if n.file.Len()+len(r.Raw) > quarantineBytes {
		n.q.Cut = true
		return nil
	}
	n.q.Lines = append(n.q.Lines, QuarantineLine{Line: r.Line, Faults: r.Faults})
	return r.Quarantine().Append(&n.file)
}

// File gives the quarantine file, one JSON object a line.
func (n *Quarantiner) File() []byte { return n.file.Bytes() }

// CSVHeader gives the first line of a CSV file.
func CSVHeader(file []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimPrefix(file, []byte("\ufeff")), []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// SplitQuarantine parts the header of a CSV, which stands first and has no faults, from the lines of a quarantine file.
func SplitQuarantine(file []byte) (header, lines []byte, err error) {
	first, rest, _ := bytes.Cut(file, []byte("\n"))
	var q feeds.Quarantined
	if err := json.Unmarshal(first, &q); err != nil {
		return nil, nil, kangma.E(kangma.Invalid, "quarantine_file", "this is not a quarantine file, or it was damaged while it was mended").Because(err)
	}
	if q.Line == 1 && len(q.Faults) == 0 && len(q.Text) > 0 {
		return []byte(q.Text), rest, nil
	}
	return nil, file, nil
}

func quarantinePlace(batch string) string { return quarantineKind + " " + batch }

// KeepQuarantine keeps the bad lines of a batch in place of those kept before; none forgets it.
func (s *Service) KeepQuarantine(ctx context.Context, n *Quarantiner) (err error) {
	q := n.q
	for range casAttempts {
		old, err := s.cfg.Records.Get(ctx, quarantineKind, q.Batch)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		rec := store.Record{Kind: quarantineKind, ID: q.Batch, Version: old.Version + 1, Index: map[string]string{"source": q.Source}}
		if len(q.Lines) == 0 {
			if err != nil {
				return nil // there is nothing to forget
			}
			rec.Deleted, rec.Index = true, nil
		} else {
			if q.Box, err = s.cfg.Sealer.SealBox(quarantinePlace(q.Batch), n.file.Bytes()); err != nil {
				return err
			}
			if rec.Data, err = json.Marshal(q); err != nil {
				return err
			}
		}
		if err := s.PutRecord(ctx, rec); !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this document is being changed by many at once; try again")
}

// ListQuarantine gives what a source (empty: any) has in quarantine, without the texts.
func (s *Service) ListQuarantine(ctx context.Context, source string) (all []Quarantine, err error) {
	q := store.RecordQuery{Kind: quarantineKind, Limit: 100}
	if source != "" {
		q.Index, q.Value = "source", source
	}
	for more := true; more; more = q.After != "" {
		recs, next, err := s.cfg.Records.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			var one Quarantine
			if err := json.Unmarshal(r.Data, &one); err != nil {
				return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
			}
			one.Box = nil
			all = append(all, one)
		}
		q.After = next
	}
	return all, nil
}

// QuarantineFile opens the quarantine file of a source's batch, to be mended. kangma.NotFound: there is none of this
// source.
func (s *Service) QuarantineFile(ctx context.Context, source, batch string) (Quarantine, []byte, error) {
	q, _, err := GetDoc[Quarantine](ctx, s.cfg.Records, quarantineKind, batch)
	if errors.Is(err, kangma.NotFound) || err == nil && q.Source != source {
		return q, nil, kangma.E(kangma.NotFound, "no_quarantine", "nothing of this batch is in quarantine")
	}
	if err != nil {
		return q, nil, err
	}
	file, err := s.cfg.Sealer.OpenBox(quarantinePlace(batch), q.Box)
	return q, file, err
}

// Mend replays lines of a batch's quarantine that were mended: a quarantine file with the same line numbers and new texts.
// What stands now is taken in under the same batch; what does not, and what was not mended, stays in quarantine.
func (s *Service) Mend(ctx context.Context, mended []byte, opt feeds.Options, by Actor, bad func(*feeds.Record) error) (FeedResult, error) {
	q, file, err := s.QuarantineFile(ctx, opt.Provider, opt.Batch)
	if err != nil {
		return FeedResult{}, err
	}
	header, lines, err := SplitQuarantine(file)
	if err != nil {
		return FeedResult{}, err
	}
	opt.Format = q.Format
	next := NewQuarantiner(opt, header)
	next.q.Cut = q.Cut
	tried, put, err := known(mended, q.Lines)
	if err != nil {
		return FeedResult{}, err
	}
	if err := next.keep(lines, tried); err != nil {
		return FeedResult{}, err
	}
	res, err := s.takeIn(ctx, opt, by, func(r *feeds.Record) error { return errors.Join(next.Add(r), bad(r)) },
		func(yield func(*feeds.Record) error) (feeds.Tally, error) {
			return feeds.Replay(bytes.NewReader(put), header, opt, yield)
		})
	if err != nil {
		return res, err
	}
	return res, s.KeepQuarantine(ctx, next)
}

// known reads which lines were mended; one that is not in quarantine, or stands there twice, is a fault.
func known(mended []byte, in []QuarantineLine) (tried map[int]bool, lines []byte, err error) {
	waiting := map[int]bool{}
	for _, l := range in {
		waiting[l.Line] = true
	}
	tried = map[int]bool{}
	var out bytes.Buffer
	d := json.NewDecoder(bytes.NewReader(mended))
	d.DisallowUnknownFields()
	for d.More() {
		var q feeds.Quarantined
		if err := d.Decode(&q); err != nil {
			return nil, nil, kangma.E(kangma.Invalid, "quarantine_file", "this is not a quarantine file, or it was damaged while it was mended").Because(err)
		}
		if q.Line == 1 && len(q.Faults) == 0 && !waiting[1] {
			continue // the header came along
		}
		if !waiting[q.Line] || tried[q.Line] {
			return nil, nil, kangma.E(kangma.Invalid, "quarantine_line", "a line that was sent is not in quarantine, or stands there twice")
		}
		tried[q.Line] = true
		if err := q.Append(&out); err != nil {
			return nil, nil, err
		}
	}
	return tried, out.Bytes(), nil
}

// keep takes the lines over that were not tried.
func (n *Quarantiner) keep(lines []byte, tried map[int]bool) error {
	d := json.NewDecoder(bytes.NewReader(lines))
	for d.More() {
		var q feeds.Quarantined
		if err := d.Decode(&q); err != nil {
			return kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
		}
		if tried[q.Line] {
			continue
		}
		n.q.Lines = append(n.q.Lines, QuarantineLine{Line: q.Line, Faults: q.Faults})
		if err := q.Append(&n.file); err != nil {
			return err
		}
	}
	return nil
}

// forgetQuarantine deletes what nobody mended for a month: it holds personal data.
func (s *Service) forgetQuarantine(ctx context.Context) error {
	all, err := s.ListQuarantine(ctx, "")
	if err != nil {
		return err
	}
	for _, q := range all {
		if s.cfg.Now().Sub(q.At) <= quarantineLife {
			continue
		}
		if err := s.KeepQuarantine(ctx, &Quarantiner{q: Quarantine{Batch: q.Batch, Source: q.Source}}); err != nil {
			return err
		}
	}
	return nil
}
