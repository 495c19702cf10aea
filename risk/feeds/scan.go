package feeds

import (
	"io"
	"time"

	"github.com/kangma/kangma"
)

// Tally counts what a scan met.
type Tally struct {
	Records int            `json:"records"`
	Good    int            `json:"good"`
	Bad     int            `json:"bad"`
	Faults  map[string]int `json:"faults"` // by code
	// Oldest and Newest are the outermost Observed of good evidence: how far behind the feed is.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
}

// Scan reads a file line by line in bounded memory and gives every record, good or not, in order. A bad line never stops
// it; what stops it is an error of yield, of reading, a CSV whose header is not the mapping's, or too many lines.
// Whether the file is what its manifest says is Manifest.Check's to find out, before.
func Scan(r io.Reader, o Options, yield func(*Record) error) (Tally, error) {
	t := Tally{Faults: map[string]int{}}
	if err := o.check(); err != nil {
		return t, err
	}
	lines := newLines(r)
	var table *csvTable
	if o.Format == CSV {
		if !lines.next() {
			return t, lines.err
		}
		var err error
		if table, err = o.Mapping.open(lines.line, lines.long); err != nil {
			return t, err
		}
	}
	for lines.next() {
		rec := &Record{Line: lines.number, Raw: lines.line}
		o.line(lines.line, lines.long, table, rec)
		t.count(rec)
		if err := yield(rec); err != nil {
			return t, err
		}
	}
	return t, lines.err
}

// line reads one line, of a CSV by way of the JSON it stands for.
func (o *Options) line(raw []byte, long bool, table *csvTable, rec *Record) {
	if long {
		rec.fault("line", LineTooLong, "a line has at most 64 KiB")
		return
	}
	if table != nil {
		doc, faults := table.json(raw, o)
		if len(faults) > 0 {
			rec.Faults = faults
			return
		}
		raw = doc
	}
	o.decode(raw, rec)
}

func (o *Options) check() error {
	switch {
	case o.Content != EvidenceContent && o.Content != PeopleContent, o.Format != NDJSON && o.Format != CSV, o.Now.IsZero():
		return kangma.E(kangma.Invalid, "feed_options", "a feed holds evidence or people, as ndjson or csv, and is read at some time")
	case o.Content == EvidenceContent && o.Provider == "":
		return kangma.E(kangma.Invalid, "feed_options", "evidence has a provider")
	case o.Format == CSV && o.Mapping == nil:
		return kangma.E(kangma.Invalid, "feed_mapping", "a CSV is read by the column mapping of its provider; register one")
	case o.Format == CSV && o.Mapping.Content != o.Content:
		return kangma.E(kangma.Invalid, "feed_mapping", "the column mapping is for another content")
	}
	return nil
}

func (t *Tally) count(rec *Record) {
	t.Records++
	if len(rec.Faults) > 0 {
		t.Bad++
		for _, f := range rec.Faults {
			t.Faults[f.Code]++
		}
		return
	}
	t.Good++
	at := rec.Evidence.Observed
	if at.IsZero() {
		return
	}
	if t.Oldest.IsZero() || at.Before(t.Oldest) {
		t.Oldest = at
	}
	if at.After(t.Newest) {
		t.Newest = at
	}
}
