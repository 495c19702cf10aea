package api

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
)

type evidenceIn struct {
	Manifest string `header:"Kangma-Manifest" doc:"the signed manifest of the body, a compact JWS; required once the feed has a key"`
	RawBody  []byte `contentType:"application/x-ndjson" doc:"one JSON object a line: evidence, with person or id_number saying whom it is about"`
}

type lineFault struct {
	Line   int          `json:"line"`
	Errors []FieldFault `json:"errors"`
}

type evidenceOut struct {
	Status int
	Body   struct {
		Batch    string         `json:"batch" doc:"by which all of it can be taken back"`
		Lines    int            `json:"lines"`
		Accepted int            `json:"accepted" doc:"kept, or kept before: sending twice changes nothing"`
		Refused  []lineFault    `json:"refused" doc:"with their line numbers; mend and send them again"`
		Held     *registry.Held `json:"held,omitempty" doc:"too many people would change colour: nothing is kept until a second person releases it"`
	}
}

// submitEvidence takes a batch in: good lines are kept, bad ones are refused one by one.
func (s *Server) submitEvidence(ctx context.Context, in *evidenceIn) (*evidenceOut, error) {
	opt, err := s.feedOptions(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &evidenceOut{Status: http.StatusOK}
	out.Body.Refused = []lineFault{}
	res, err := s.cfg.Registry.TakeIn(ctx, bytes.NewReader(in.RawBody), opt, actor(ctx), func(r *feeds.Record) error {
		out.Body.Refused = append(out.Body.Refused, lineFault{Line: r.Line, Errors: viewFaults(r.Faults)})
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	out.Body.Batch, out.Body.Lines, out.Body.Accepted, out.Body.Held = res.Batch, res.Tally.Records, res.Accepted, res.Held
	if res.Held != nil {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

// feedOptions says how to read the body: as its manifest says, or as this account's feed where the feed has no key.
func (s *Server) feedOptions(ctx context.Context, in *evidenceIn) (feeds.Options, error) {
	source, now, retention := who(ctx).Account.Feed, s.auth.now(), s.cfg.Registry.Retention()
	if source == "" {
		return feeds.Options{}, kangma.E(kangma.Forbidden, "no_feed", "this account speaks for no feed; an administrator names it")
	}
	keys, err := s.feedKeys(ctx, source)
	if err != nil {
		return feeds.Options{}, unavailable(err)
	}
	if in.Manifest == "" && len(keys) == 0 {
		return feeds.Options{Provider: source, Batch: source + "/" + kangma.NewEventID(now).String(), Content: feeds.EvidenceContent,
			Format: feeds.NDJSON, Now: now, Retention: retention}, nil
	}
	if in.Manifest == "" {
		return feeds.Options{}, kangma.E(kangma.Invalid, "no_manifest", "this feed signs: send its manifest in Kangma-Manifest")
	}
	m, err := feeds.OpenManifest(in.Manifest, func(id string) (feeds.Key, error) {
		if k, ok := keys[id]; ok {
			return k, nil
		}
		return feeds.Key{}, kangma.NotFound
	}, now)
	if err != nil {
		return feeds.Options{}, err
	}
	if m.Provider != source || m.Content != feeds.EvidenceContent || m.Format != feeds.NDJSON {
		return feeds.Options{}, kangma.E(kangma.Forbidden, "manifest", "the manifest is not for evidence of this feed as NDJSON")
	}
	return m.For(now, retention), m.Check(bytes.NewReader(in.RawBody))
}

// feedKey is a provider's public key as kept in the records (kind "feed-key").
type feedKey struct {
	ID       string    `json:"id"`
	Provider string    `json:"provider"`
	PEM      string    `json:"pem"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until,omitzero"`
}

const feedKeyKind = "feed-key"

func (k feedKey) key() (feeds.Key, error) {
	block, _ := pem.Decode([]byte(k.PEM))
	if block == nil {
		return feeds.Key{}, kangma.E(kangma.Invalid, "pem", "a key is a PUBLIC KEY in PEM")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return feeds.Key{}, kangma.E(kangma.Invalid, "pem", "a key is a PUBLIC KEY in PEM").Because(err)
	}
	return feeds.Key{ID: k.ID, Provider: k.Provider, Public: public, From: k.From, Until: k.Until}, nil
}

// feedKeys gives a feed's keys by id.
func (s *Server) feedKeys(ctx context.Context, source string) (map[string]feeds.Key, error) {
	found := map[string]feeds.Key{}
	var bad error
	err := eachDoc(ctx, s.cfg.Registry.Records(), feedKeyKind, func(k feedKey) {
		if k.Provider == source {
			key, err := k.key()
			found[k.ID], bad = key, errors.Join(bad, err)
		}
	})
	return found, errors.Join(err, bad)
}

type putKeyIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64"`
	Body struct {
		Provider string    `json:"provider" minLength:"1" maxLength:"64"`
		PEM      string    `json:"pem" maxLength:"4000" doc:"Ed25519 or P-256 public key"`
		From     time.Time `json:"from,omitzero" doc:"default: now"`
		Until    time.Time `json:"until,omitzero"`
	}
}

type keyOut struct{ Body feedKey }

func (s *Server) putFeedKey(ctx context.Context, in *putKeyIn) (*keyOut, error) {
	k := feedKey{ID: in.ID, Provider: in.Body.Provider, PEM: in.Body.PEM, From: in.Body.From, Until: in.Body.Until}
	if k.From.IsZero() {
		k.From = s.auth.now().UTC()
	}
	if _, err := k.key(); err != nil {
		return nil, err
	}
	return &keyOut{Body: k}, unavailable(s.cfg.Registry.PutDoc(ctx, feedKeyKind, k.ID, k, map[string]string{"provider": k.Provider}))
}

type feedsOut struct {
	Body struct {
		Feeds []registry.FeedStatus `json:"feeds"`
	}
}

func (s *Server) listFeeds(ctx context.Context, _ *emptyIn) (*feedsOut, error) {
	all, err := s.cfg.Registry.Feeds(ctx)
	out := &feedsOut{}
	out.Body.Feeds = append([]registry.FeedStatus{}, all...)
	return out, unavailable(err)
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
