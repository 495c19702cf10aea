package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
)

type whatIfIn struct {
	RawBody []byte `contentType:"application/x-ndjson" doc:"evidence, one JSON object a line; ids may be left out; nothing is kept"`
}

// myWhatIf says what the resident's own colour would be with more evidence, e.g. a negative test tomorrow.
func (s *Server) myWhatIf(ctx context.Context, in *whatIfIn) (*assessmentOut, error) {
	return s.whatIf(ctx, who(ctx).Person, in.RawBody)
}

type whatIfOfIn struct {
	Person  string `query:"person" required:"true" maxLength:"36"`
	Reason  string `query:"reason" required:"true" minLength:"1" maxLength:"100" doc:"why; the person sees it"`
	RawBody []byte `contentType:"application/x-ndjson" doc:"evidence, one JSON object a line; ids may be left out; nothing is kept"`
}

// whatIfOf is myWhatIf for officials, about somebody who lives in their divisions. The person sees that it was asked.
func (s *Server) whatIfOf(ctx context.Context, in *whatIfOfIn) (*assessmentOut, error) {
	id, err := kangma.ParsePersonID(in.Person)
	if err != nil {
		return nil, invalid([]kangma.Fault{faultOf("query.person", err)})
	}
	d, err := s.cfg.Registry.Dossier(ctx, id)
	if errors.Is(err, kangma.NotFound) {
		return nil, kangma.E(kangma.NotFound, "unknown_person", "nobody of this id is registered here")
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if !inScope(who(ctx), d.Home.Division) {
		return nil, errScope
	}
	now, acc := s.auth.now().UTC(), who(ctx).Account
	err = s.cfg.Registry.AppendPassages(ctx, nil, []registry.View{{ID: kangma.NewEventID(now), At: now.Truncate(time.Millisecond), Person: id, Access: kangma.Access{
		Account: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role), Purpose: "what-if", Case: in.Reason, Fields: []string{"assessment"},
	}}})
	if err != nil {
		return nil, err // no trace, no answer
	}
	return s.whatIf(ctx, id, in.RawBody)
}

func (s *Server) whatIf(ctx context.Context, id kangma.PersonID, lines []byte) (*assessmentOut, error) {
	extra, err := readExtra(lines, s.auth.now().UTC(), s.cfg.Registry.Retention())
	if err != nil {
		return nil, err
	}
	a, err := s.cfg.Registry.WhatIf(ctx, id, s.auth.now().UTC(), extra...)
	if a.Assignments == nil {
		a.Assignments = []kangma.Assignment{}
	}
	return &assessmentOut{Body: a}, unavailable(err)
}

const maxExtra = 50

// readExtra reads evidence that is only supposed; every line must stand.
func readExtra(lines []byte, now time.Time, retention time.Duration) (all []kangma.Evidence, err error) {
	d := json.NewDecoder(bytes.NewReader(lines))
	d.DisallowUnknownFields()
	for {
		ev := kangma.Evidence{ID: kangma.NewEventID(now), Source: "what-if"}
		err := d.Decode(&ev)
		if errors.Is(err, io.EOF) {
			break
		}
		where := fmt.Sprintf("body[%d]", len(all))
		if err != nil {
			return nil, invalid([]kangma.Fault{{Where: where, Code: feeds.Malformed, What: "not one JSON object of the evidence format"}})
		}
		faults := feeds.Validate(&ev, now, retention)
		for i := range faults {
			faults[i].Where = where + "." + faults[i].Where
		}
		if err := invalid(faults); err != nil {
			return nil, err
		}
		if all = append(all, ev); len(all) > maxExtra {
			return nil, kangma.E(kangma.TooLarge, "what_if_size", "suppose at most 50 pieces of evidence")
		}
	}
	if len(all) == 0 {
		return nil, invalid([]kangma.Fault{{Where: "body", Code: feeds.Required, What: "evidence, one JSON object a line"}})
	}
	return all, nil
}
