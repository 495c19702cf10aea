package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
)

type evidenceIn struct {
	RawBody []byte `contentType:"application/x-ndjson" doc:"one JSON object a line: evidence, with person or id_number saying whom it is about"`
}

// feedLine is one line of a feed: the evidence, and whom it is about by person id or by document.
type feedLine struct {
	Person   string `json:"person,omitempty"`
	IDType   string `json:"id_type,omitempty"`
	IDNumber string `json:"id_number,omitempty"`
	kangma.Evidence
}

type lineFault struct {
	Line   int          `json:"line"`
	Errors []FieldFault `json:"errors"`
}

type evidenceOut struct {
	Body struct {
		Lines    int         `json:"lines"`
		Accepted int         `json:"accepted" doc:"kept, or kept before: sending twice changes nothing"`
		Refused  []lineFault `json:"refused" doc:"with their line numbers; mend and send them again"`
	}
}

const maxLine = 64 << 10

// submitEvidence takes a batch in: good lines are kept in one durable append, bad ones are refused one by one.
func (s *Server) submitEvidence(ctx context.Context, in *evidenceIn) (*evidenceOut, error) {
	out := &evidenceOut{}
	out.Body.Refused = []lineFault{}
	var items []registry.Item
	sc := bufio.NewScanner(bytes.NewReader(in.RawBody))
	sc.Buffer(make([]byte, 0, 4096), maxLine)
	line := 0
	for sc.Scan() {
		line++
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		out.Body.Lines++
		item, faults, err := s.readLine(ctx, sc.Bytes())
		if err != nil {
			return nil, unavailable(err)
		}
		if len(faults) > 0 {
			out.Body.Refused = append(out.Body.Refused, lineFault{Line: line, Errors: viewFaults(faults)})
			continue
		}
		items = append(items, item)
	}
	if errors.Is(sc.Err(), bufio.ErrTooLong) {
		return nil, kangma.E(kangma.TooLarge, "line", "a line has at most 64 KiB; nothing was kept")
	}
	if err := s.cfg.Registry.Submit(ctx, items...); err != nil {
		return nil, unavailable(err)
	}
	out.Body.Accepted = len(items)
	return out, nil
}

// readLine parses and checks one line; faults are the sender's, an error is ours.
func (s *Server) readLine(ctx context.Context, raw []byte) (registry.Item, []kangma.Fault, error) {
	var l feedLine
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil || dec.More() {
		return registry.Item{}, []kangma.Fault{{Where: "line", Code: "malformed", What: "not one JSON object of the evidence format"}}, nil
	}
	l.Source = who(ctx).Account.Feed
	faults := feeds.Validate(&l.Evidence, s.auth.now(), s.cfg.Registry.Retention())
	person, err := s.personOf(ctx, l)
	switch {
	case kangma.KindOf(err) == kangma.Invalid || errors.Is(err, kangma.NotFound):
		faults = append(faults, faultOf("person", err))
	case err != nil:
		return registry.Item{}, nil, err
	}
	return registry.Item{Person: person, Evidence: l.Evidence}, faults, nil
}

var errUnknownPerson = kangma.E(kangma.NotFound, "unknown_person", "nobody of this number is registered here")

func (s *Server) personOf(ctx context.Context, l feedLine) (kangma.PersonID, error) {
	if l.Person != "" {
		id, err := kangma.ParsePersonID(l.Person)
		if err != nil {
			return id, err
		}
		if _, err := s.cfg.Registry.Dossier(ctx, id); errors.Is(err, kangma.NotFound) {
			return id, errUnknownPerson
		} else if err != nil {
			return id, err
		}
		return id, nil
	}
	if l.IDType == "" {
		l.IDType = kangma.DocResidentID
	}
	n, err := kangma.NewIDNumber(l.IDType, l.IDNumber, s.auth.now())
	if err != nil {
		return kangma.PersonID{}, err
	}
	id, err := s.cfg.Registry.ByDocument(ctx, l.IDType, n)
	if errors.Is(err, kangma.NotFound) {
		return id, errUnknownPerson
	}
	return id, err
}

func viewFaults(faults []kangma.Fault) []FieldFault {
	out := make([]FieldFault, len(faults))
	for i, f := range faults {
		out[i] = FieldFault{Location: f.Where, Code: f.Code, Message: f.What}
	}
	return out
}
