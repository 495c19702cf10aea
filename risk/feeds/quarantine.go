package feeds

import (
	"encoding/json"
	"io"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// Quarantined is a bad line as it is kept until somebody mends it: one JSON object a line of a quarantine file. It holds
// what the provider sent, personal data included, so the file is kept like a dossier and never logged.
type Quarantined struct {
	Line   int            `json:"line"`
	Faults []kangma.Fault `json:"faults"`
	Text   string         `json:"text,omitempty"`  // the line as it came, to be mended here
	Bytes  []byte         `json:"bytes,omitempty"` // instead of Text where the line is not UTF-8 (base64)
	Cut    bool           `json:"cut,omitempty"`   // the line was too long: only its beginning is here, it cannot be replayed
}

// Quarantine gives what is to be kept of a bad record.
func (r *Record) Quarantine() Quarantined {
	q := Quarantined{Line: r.Line, Faults: r.Faults}
	for _, f := range r.Faults {
		q.Cut = q.Cut || f.Code == LineTooLong
	}
	if utf8.Valid(r.Raw) {
		q.Text = string(r.Raw)
	} else {
		q.Bytes = append([]byte(nil), r.Raw...)
	}
	return q
}

// Append adds the quarantined line to a quarantine file.
func (q Quarantined) Append(w io.Writer) error {
	b, err := json.Marshal(q)
	if err != nil {
		return kangma.E(kangma.Internal, "quarantine", "").Because(err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return kangma.E(kangma.Unavailable, "quarantine", "the quarantine could not be written; nothing of the batch counts").Because(err)
	}
	return nil
}

// Replay reads a quarantine file whose texts were mended, and scans them as the lines they were, with their own line
// numbers. header is the first line of the CSV they came from, nil for NDJSON. A line of the quarantine file that is not
// one is an error, since it was ours.
func Replay(quarantine io.Reader, header []byte, o Options, yield func(*Record) error) (Tally, error) {
	t := Tally{Faults: map[string]int{}}
	if err := o.check(); err != nil {
		return t, err
	}
	var table *csvTable
	if o.Format == CSV {
		var err error
		if table, err = o.Mapping.open(header, false); err != nil {
			return t, err
		}
	}
	d := json.NewDecoder(quarantine)
	d.DisallowUnknownFields()
	for {
		var q Quarantined
		err := d.Decode(&q)
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return t, kangma.E(kangma.Invalid, "quarantine_file", "this is not a quarantine file, or it was damaged while it was mended").Because(err)
		}
		raw := []byte(q.Text)
		if q.Text == "" {
			raw = q.Bytes
		}
		rec := &Record{Line: q.Line, Raw: raw}
		o.line(raw, q.Cut || len(raw) > MaxLine, table, rec)
		t.count(rec)
		if err := yield(rec); err != nil {
			return t, err
		}
	}
}
