package feeds

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// Subject says whom a line is about: by person id, or by a document.
type Subject struct {
	Person  kangma.PersonID
	DocType string
	Number  kangma.IDNumber
}

// Applicant is one person of a people file, checked, to be registered.
type Applicant struct {
	Name    kangma.Name
	DocType string
	Number  kangma.IDNumber
	Phone   kangma.Phone
	Home    kangma.Place
}

// Record is one line of a file: what it says when Faults is empty, and why it cannot stand otherwise. Raw is the line as
// it came, personal data and all; it belongs in quarantine and nowhere else.
type Record struct {
	Line      int
	Subject   Subject
	Evidence  kangma.Evidence
	Applicant Applicant
	Faults    []kangma.Fault
	Raw       []byte // valid during yield
}

// More codes of faults, of lines.
const (
	Malformed   = "malformed"     // not one JSON object, or not the columns of the CSV
	LineTooLong = "line_too_long" // over MaxLine
	NotAllowed  = "not_allowed"   // this provider may not say this
)

// Options say how to read the lines of a file. Provider and Batch become the Source and Batch of all evidence.
type Options struct {
	Provider  string
	Batch     string
	Reported  time.Time // Reported of lines that do not say; the manifest's date
	Content   string    // EvidenceContent or PeopleContent
	Format    string    // NDJSON or CSV
	Mapping   *Mapping  // for CSV
	Now       time.Time
	Retention time.Duration
	Kinds     []kangma.EvidenceKind // what the provider may say; nil: everything but a colour set by hand
}

// For gives the options that follow from a manifest.
func (m Manifest) For(now time.Time, retention time.Duration) Options {
	return Options{Provider: m.Provider, Batch: m.Batch, Reported: m.Date, Content: m.Content, Format: m.Format, Now: now, Retention: retention}
}

// wireEvidence is one evidence line: the fields of kangma.Evidence, and whom it is about.
type wireEvidence struct {
	Person   string `json:"person,omitempty"`
	IDType   string `json:"id_type,omitempty"`
	IDNumber string `json:"id_number,omitempty"`
	kangma.Evidence
}

// wirePerson is one line of a people file.
type wirePerson struct {
	Name     string       `json:"name"`
	IDType   string       `json:"id_type,omitempty"` // resident ID card when empty
	IDNumber string       `json:"id_number"`
	Phone    string       `json:"phone"`
	Home     kangma.Place `json:"home"`
}

// decode reads the JSON of one line into rec and checks it.
func (o *Options) decode(raw []byte, rec *Record) {
	switch {
	case !utf8.Valid(raw):
		rec.fault("line", BadText, "the line is not UTF-8")
	case o.Content == PeopleContent:
		o.decodePerson(raw, rec)
	default:
		o.decodeEvidence(raw, rec)
	}
}

func (r *Record) fault(where, code, what string) {
	r.Faults = append(r.Faults, kangma.Fault{Where: where, Code: code, What: what})
}

// faultOf records what a constructor of the root package said.
func (r *Record) faultOf(where string, err error) {
	if err != nil {
		r.fault(where, kangma.CodeOf(err), publicOf(err))
	}
}

// malformed says where JSON did not fit, as far as the decoder knows, without repeating what was there.
func (r *Record) malformed(err error, what string) {
	var kind *json.UnmarshalTypeError
	var ours *kangma.Error
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		r.fault(strings.TrimPrefix(kind.Field, "Evidence."), Malformed, "a value of another type is expected here")
	case errors.As(err, &ours):
		r.fault("line", ours.Code, ours.Public)
	default:
		r.fault("line", Malformed, what)
	}
}

func publicOf(err error) string {
	var e *kangma.Error
	if errors.As(err, &e) {
		return e.Public
	}
	return "not valid"
}

func (o *Options) decodeEvidence(raw []byte, rec *Record) {
	var w wireEvidence
	if !plainEvidence(raw, &w) {
		w = wireEvidence{} // what was read of it so far
		if err := strictJSON(raw, &w); err != nil {
			rec.malformed(err, "the line is not one JSON object of the evidence format")
			return
		}
	}
	ev := w.Evidence
	if !ev.Received.IsZero() {
		rec.fault("received_at", Unexpected, "when we received it is for us to say")
		ev.Received = time.Time{}
	}
	if ev.Source != "" && ev.Source != o.Provider {
		rec.fault("source", NotAllowed, "the source is the provider of the file")
	}
	if ev.Batch != "" && ev.Batch != o.Batch {
		rec.fault("batch", NotAllowed, "the batch is that of the file")
	}
	ev.Source, ev.Batch = o.Provider, o.Batch
	if ev.Reported.IsZero() {
		ev.Reported = o.Reported
	}
	if !o.mayKind(ev.Kind) {
		rec.fault("kind", NotAllowed, "this provider may not send evidence of this kind")
	}
	if wd := ev.Withdrawal; wd != nil && wd.Batch != "" && !strings.HasPrefix(wd.Batch, o.Provider+"/") {
		rec.fault("withdrawal.batch", NotAllowed, "a provider takes back its own batches only")
	}
	rec.Evidence = ev
	rec.Subject = o.subject(w.Person, w.IDType, w.IDNumber, rec)
	rec.Faults = append(rec.Faults, Validate(&ev, o.Now, o.Retention)...)
}

func (o *Options) mayKind(k kangma.EvidenceKind) bool {
	if o.Kinds == nil {
		return k != kangma.KindOverride
	}
	return slices.Contains(o.Kinds, k)
}

// subject reads whom a line is about.
func (o *Options) subject(person, docType, number string, rec *Record) (s Subject) {
	switch {
	case person != "" && number != "":
		rec.fault("person", Unexpected, "either a person id or a document, not both")
	case person != "":
		id, err := kangma.ParsePersonID(person)
		if err == nil && id.IsZero() {
			rec.fault("person", Required, "the zero id names nobody")
		}
		rec.faultOf("person", err)
		s.Person = id
	case number != "":
		s.DocType = docType
		if docType == "" {
			s.DocType = kangma.DocResidentID
		}
		n, err := kangma.NewIDNumber(s.DocType, number, o.Now)
		rec.faultOf("id_number", err)
		s.Number = n
	default:
		rec.fault("id_number", Required, "a document number, or the person id")
	}
	return s
}

func (o *Options) decodePerson(raw []byte, rec *Record) {
	var w wirePerson
	if err := strictJSON(raw, &w); err != nil {
		rec.malformed(err, "the line is not one JSON object of the people format")
		return
	}
	a := Applicant{DocType: w.IDType, Home: w.Home}
	if a.DocType == "" {
		a.DocType = kangma.DocResidentID
	}
	var err error
	a.Name, err = kangma.NewName(w.Name)
	rec.faultOf("name", err)
	a.Number, err = kangma.NewIDNumber(a.DocType, w.IDNumber, o.Now)
	rec.faultOf("id_number", err)
	a.Phone, err = kangma.NewPhone(w.Phone)
	rec.faultOf("phone", err)
	c := &check{}
	c.place("home", w.Home, true)
	rec.Faults = append(rec.Faults, c.faults...)
	rec.Applicant = a
}
