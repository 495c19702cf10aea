package api

import (
	"bytes"
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
)

type quarantineOut struct {
	Body struct {
		Batches []registry.Quarantine `json:"batches" doc:"with the line numbers and reasons, never the texts"`
	}
}

// listQuarantine shows what waits to be mended: a feeder its own feed's, officials everybody's.
func (s *Server) listQuarantine(ctx context.Context, _ *emptyIn) (*quarantineOut, error) {
	acc, source := who(ctx).Account, ""
	if acc.Role == Feeder {
		if source = acc.Feed; source == "" {
			return nil, kangma.E(kangma.Forbidden, "no_feed", "this account speaks for no feed; an administrator names it")
		}
	}
	all, err := s.cfg.Registry.ListQuarantine(ctx, source)
	out := &quarantineOut{}
	out.Body.Batches = append([]registry.Quarantine{}, all...)
	return out, unavailable(err)
}

type quarantineFileIn struct {
	Batch string `query:"batch" required:"true" maxLength:"200"`
}

type quarantineFileOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// quarantineFile gives a feeder the lines of its own feed with their texts, to be mended.
func (s *Server) quarantineFile(ctx context.Context, in *quarantineFileIn) (*quarantineFileOut, error) {
	_, file, err := s.cfg.Registry.QuarantineFile(ctx, who(ctx).Account.Feed, in.Batch)
	return &quarantineFileOut{ContentType: "application/x-ndjson", Body: file}, unavailable(err)
}

type replayIn struct {
	Batch    string `query:"batch" required:"true" maxLength:"200"`
	Manifest string `header:"Kangma-Manifest" doc:"the signed manifest of the body, for this batch; required once the feed has a key"`
	RawBody  []byte `contentType:"application/x-ndjson" doc:"lines of the quarantine file with mended texts; what is left out goes on waiting"`
}

// replayQuarantine takes mended lines in under their old batch and numbers.
func (s *Server) replayQuarantine(ctx context.Context, in *replayIn) (*evidenceOut, error) {
	source := who(ctx).Account.Feed
	m, signed, err := s.manifest(ctx, source, in.Manifest, in.RawBody)
	if err != nil {
		return nil, err
	}
	q, _, err := s.cfg.Registry.QuarantineFile(ctx, source, in.Batch)
	if err != nil {
		return nil, unavailable(err)
	}
	opt := feeds.Options{Provider: source, Batch: in.Batch, Content: feeds.EvidenceContent, Format: q.Format, Now: s.auth.now(), Retention: s.cfg.Registry.Retention()}
	if signed {
		if m.Batch != in.Batch || m.Format != feeds.NDJSON {
			return nil, kangma.E(kangma.Forbidden, "manifest_batch", "the manifest is not for mended lines of this batch")
		}
		opt.Reported = m.Date
	}
	if err := s.cfg.Registry.Configure(ctx, &opt); err != nil {
		return nil, unavailable(err)
	}
	out := newEvidenceOut()
	res, err := s.cfg.Registry.Mend(ctx, bytes.Clone(in.RawBody), opt, actor(ctx), func(r *feeds.Record) error {
		out.refuse(r)
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return out.with(res), nil
}
