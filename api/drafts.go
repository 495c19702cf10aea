package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

type draftIn struct {
	ID      string `path:"id" minLength:"1" maxLength:"64"`
	RawBody []byte `contentType:"application/yaml" doc:"the rule file, or its case file"`
}

type ruleDraftView struct {
	registry.Draft
	YAML     string `json:"yaml"`
	CaseFile string `json:"case_file,omitempty"`
}

type ruleDraftOut struct{ Body ruleDraftView }

func viewRuleDraft(d registry.Draft, err error) (*ruleDraftOut, error) {
	v := ruleDraftView{Draft: d, YAML: string(d.YAML), CaseFile: string(d.CaseFile)}
	if v.Failed == nil {
		v.Failed = []string{}
	}
	return &ruleDraftOut{Body: v}, unavailable(err)
}

// putDraft type-checks a rule file and keeps it as a draft.
func (s *Server) putDraft(ctx context.Context, in *draftIn) (*ruleDraftOut, error) {
	return viewRuleDraft(s.cfg.Registry.SaveDraft(ctx, actor(ctx), in.ID, bytes.Clone(in.RawBody), nil))
}

// putCases runs a draft's cases.
func (s *Server) putCases(ctx context.Context, in *draftIn) (*ruleDraftOut, error) {
	return viewRuleDraft(s.cfg.Registry.SaveDraft(ctx, actor(ctx), in.ID, nil, bytes.Clone(in.RawBody)))
}

type draftIDIn struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) draft(ctx context.Context, in *draftIDIn) (*ruleDraftOut, error) {
	return viewRuleDraft(s.cfg.Registry.ReadDraft(ctx, in.ID))
}

type publishDraftIn struct {
	ID        string `path:"id" maxLength:"64"`
	Supersede bool   `query:"supersede" doc:"end whatever is in the way"`
}

// publishDraft puts a draft that passed every step before a second person.
func (s *Server) publishDraft(ctx context.Context, in *publishDraftIn) (*changeOut, error) {
	held, err := s.cfg.Registry.PublishDraft(ctx, actor(ctx), in.ID, in.Supersede)
	if err != nil {
		return nil, unavailable(err)
	}
	out := change(held)
	out.Body.From, out.Body.State = held.From, "held"
	return out, nil
}

type backtestIn struct {
	Body struct {
		Draft     string `json:"draft" minLength:"1" maxLength:"64" doc:"the draft to replay against the rules in force, over everyone stored"`
		From      string `json:"from" format:"date" doc:"first day"`
		To        string `json:"to" format:"date" doc:"last day"`
		Hindsight bool   `json:"hindsight,omitempty" doc:"judge every day by everything known today"`
	}
}

type backtestOut struct {
	Status int
	Body   registry.Backtest
}

func (s *Server) startBacktest(ctx context.Context, in *backtestIn) (*backtestOut, error) {
	zone := time.FixedZone("CST", 8*3600)
	from, err1 := time.ParseInLocation(time.DateOnly, in.Body.From, zone)
	to, err2 := time.ParseInLocation(time.DateOnly, in.Body.To, zone)
	if err1 != nil || err2 != nil || to.Before(from) {
		return nil, invalid([]kangma.Fault{{Where: "body.to", Code: "bad_order", What: "from and to are days, from not after to"}})
	}
	b, err := s.cfg.Registry.BacktestDraft(ctx, actor(ctx), in.Body.Draft, registry.BacktestRequest{
		From: from, Days: int(to.Sub(from).Hours()/24) + 1, Hindsight: in.Body.Hindsight})
	return &backtestOut{Status: http.StatusAccepted, Body: b}, unavailable(err)
}

type backtestIDIn struct {
	ID string `path:"id" maxLength:"36"`
}

func (s *Server) backtest(ctx context.Context, in *backtestIDIn) (*backtestOut, error) {
	b, err := s.cfg.Registry.ReadBacktest(ctx, in.ID)
	return &backtestOut{Status: http.StatusOK, Body: b}, unavailable(err)
}

func (s *Server) cancelBacktest(ctx context.Context, in *backtestIDIn) (*noContent, error) {
	err := s.cfg.Registry.CancelBacktest(ctx, in.ID)
	return &noContent{Status: http.StatusNoContent}, unavailable(err)
}

type backtestFileOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) backtestCSV(ctx context.Context, in *backtestIDIn) (*backtestFileOut, error) {
	r, err := s.cfg.Registry.BacktestReport(ctx, in.ID)
	if err != nil {
		return nil, unavailable(err)
	}
	var b bytes.Buffer
	err = r.WriteCSV(&b)
	return &backtestFileOut{ContentType: "text/csv; charset=utf-8", Body: b.Bytes()}, err
}

func (s *Server) backtestSVG(ctx context.Context, in *backtestIDIn) (*backtestFileOut, error) {
	r, err := s.cfg.Registry.BacktestReport(ctx, in.ID)
	if err != nil {
		return nil, unavailable(err)
	}
	var b bytes.Buffer
	err = r.WriteSVG(&b)
	return &backtestFileOut{ContentType: "image/svg+xml", Body: b.Bytes()}, err
}
