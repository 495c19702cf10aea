package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
)

type evidenceIn struct {
	Manifest    string `header:"Kangma-Manifest" doc:"the signed manifest of the body, a compact JWS; required once the feed has a key"`
	Name        string `header:"Kangma-Batch" maxLength:"60" doc:"the batch's own name, without a manifest; default: made of the body, so that the same body is the same batch"`
	ContentType string `header:"Content-Type" doc:"text/csv is read by the feed's column mapping, anything else as NDJSON"`
	RawBody     []byte `contentType:"application/x-ndjson" doc:"one JSON object a line (evidence, with person or id_number saying whom it is about), or CSV"`
}

type lineFault struct {
	Line   int          `json:"line"`
	Errors []FieldFault `json:"errors"`
}

type evidenceOut struct {
	Status int
	Body   struct {
		Batch      string         `json:"batch" doc:"by which all of it can be taken back"`
		Lines      int            `json:"lines"`
		Accepted   int            `json:"accepted" doc:"kept, or kept before: sending twice changes nothing"`
		Refused    []lineFault    `json:"refused" doc:"with their line numbers"`
		Quarantine bool           `json:"quarantine" doc:"the refused lines wait: GET /v1/quarantine/file, mend the texts, POST /v1/quarantine/replay"`
		Held       *registry.Held `json:"held,omitempty" doc:"too many people would change colour: nothing is kept until a second person releases it"`
	}
}

// submitEvidence takes a batch in: good lines are kept, bad ones are refused one by one and wait in quarantine.
func (s *Server) submitEvidence(ctx context.Context, in *evidenceIn) (*evidenceOut, error) {
	format := feeds.NDJSON
	if media, _, err := mime.ParseMediaType(in.ContentType); err == nil && media == "text/csv" {
		format = feeds.CSV
	}
	opt, err := s.feedOptions(ctx, in, format)
	if err != nil {
		return nil, err
	}
	var header []byte
	if format == feeds.CSV {
		header = registry.CSVHeader(in.RawBody)
	}
	n := registry.NewQuarantiner(opt, header)
	out := newEvidenceOut()
	res, err := s.cfg.Registry.TakeIn(ctx, bytes.NewReader(in.RawBody), opt, actor(ctx), func(r *feeds.Record) error {
		out.refuse(r)
		return n.Add(r)
	})
	if err == nil {
		err = s.cfg.Registry.KeepQuarantine(ctx, n)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return out.with(res), nil
}

func newEvidenceOut() *evidenceOut {
	out := &evidenceOut{Status: http.StatusOK}
	out.Body.Refused = []lineFault{}
	return out
}

func (out *evidenceOut) refuse(r *feeds.Record) {
	out.Body.Refused = append(out.Body.Refused, lineFault{Line: r.Line, Errors: viewFaults(r.Faults)})
}

func (out *evidenceOut) with(res registry.FeedResult) *evidenceOut {
	b := &out.Body
	b.Batch, b.Lines, b.Accepted, b.Held, b.Quarantine = res.Batch, res.Tally.Records, res.Accepted, res.Held, len(b.Refused) > 0
	if res.Held != nil {
		out.Status = http.StatusAccepted
	}
	return out
}

// feedOptions says how to read the body: as its manifest says, or as this account's feed where the feed has no key.
func (s *Server) feedOptions(ctx context.Context, in *evidenceIn, format string) (feeds.Options, error) {
	source, now, retention := who(ctx).Account.Feed, s.auth.now(), s.cfg.Registry.Retention()
	if source == "" {
		return feeds.Options{}, kangma.E(kangma.Forbidden, "no_feed", "this account speaks for no feed; an administrator names it")
	}
	m, signed, err := s.manifest(ctx, source, in.Manifest, in.RawBody)
	if err != nil {
		return feeds.Options{}, err
	}
	opt := feeds.Options{Provider: source, Batch: source + "/" + batchName(in), Content: feeds.EvidenceContent, Format: format, Now: now, Retention: retention}
	if signed {
		if m.Format != format {
			return feeds.Options{}, kangma.E(kangma.Forbidden, "manifest", "the manifest is not for evidence of this feed in this format")
		}
		opt = m.For(now, retention)
	}
	return opt, unavailable(s.cfg.Registry.Configure(ctx, &opt))
}

// batchName names an unsigned batch: as asked, or by the body, so that a retry is the same batch.
func batchName(in *evidenceIn) string {
	if in.Name != "" {
		return in.Name
	}
	h := sha256.Sum256(in.RawBody)
	return hex.EncodeToString(h[:16])
}

// manifest opens and checks the manifest of a body. signed is false where the feed has no key and sent none.
func (s *Server) manifest(ctx context.Context, source, manifest string, body []byte) (m feeds.Manifest, signed bool, err error) {
	keys, err := s.feedKeys(ctx, source)
	if err != nil {
		return m, false, unavailable(err)
	}
	if manifest == "" {
		if len(keys) > 0 {
			err = kangma.E(kangma.Invalid, "no_manifest", "this feed signs: send its manifest in Kangma-Manifest")
		}
		return m, false, err
	}
	m, err = feeds.OpenManifest(manifest, func(id string) (feeds.Key, error) {
		if k, ok := keys[id]; ok {
			return k, nil
		}
		return feeds.Key{}, kangma.NotFound
	}, s.auth.now())
	if err != nil {
		return m, false, err
	}
	if m.Provider != source || m.Content != feeds.EvidenceContent {
		return m, false, kangma.E(kangma.Forbidden, "manifest", "the manifest is not for evidence of this feed in this format")
	}
	return m, true, m.Check(bytes.NewReader(body))
}

type withdrawBatchIn struct {
	Body struct {
		Batch  string `json:"batch" minLength:"1" maxLength:"200"`
		Reason string `json:"reason" minLength:"1" maxLength:"200"`
	}
}

type withdrawBatchOut struct {
	Body struct {
		People int `json:"people"`
	}
}

func (s *Server) withdrawBatch(ctx context.Context, in *withdrawBatchIn) (*withdrawBatchOut, error) {
	n, err := s.cfg.Registry.WithdrawBatch(ctx, in.Body.Batch, in.Body.Reason)
	out := &withdrawBatchOut{}
	out.Body.People = n
	return out, unavailable(err)
}

func viewFaults(faults []kangma.Fault) []FieldFault {
	out := make([]FieldFault, len(faults))
	for i, f := range faults {
		out[i] = FieldFault{Location: f.Where, Code: f.Code, Message: f.What}
	}
	return out
}
