package api

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

type feedsOut struct {
	Body struct {
		Feeds []registry.FeedStatus `json:"feeds" doc:"durations in nanoseconds"`
	}
}

func (s *Server) listFeeds(ctx context.Context, _ *emptyIn) (*feedsOut, error) {
	all, err := s.cfg.Registry.Feeds(ctx)
	out := &feedsOut{}
	out.Body.Feeds = append([]registry.FeedStatus{}, all...)
	return out, unavailable(err)
}

type setFeedIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"180"`
	Body struct {
		SilentFor string   `json:"silent_for,omitempty" maxLength:"20" doc:"nothing for longer is an alarm, e.g. 90m; default 24h"`
		LateBy    string   `json:"late_by,omitempty" maxLength:"20" doc:"a newest observation older than this is an alarm; default none"`
		Kinds     []string `json:"kinds,omitempty" maxItems:"20" enum:"stay,trip,entry,clinic,test,vaccination,contact,management,declaration,temperature,foreign-code,withdrawal" doc:"kinds of evidence the feed may send; default all but override"`
	}
}

type feedConfigView struct {
	Source    string                `json:"source"`
	SilentFor string                `json:"silent_for"`
	LateBy    string                `json:"late_by"`
	Kinds     []kangma.EvidenceKind `json:"kinds"`
	CSV       bool                  `json:"csv" doc:"a column mapping is set"`
}

type setFeedOut struct{ Body feedConfigView }

// setFeed sets a feed's limits, and what it may say.
func (s *Server) setFeed(ctx context.Context, in *setFeedIn) (*setFeedOut, error) {
	silent, err1 := duration("body.silent_for", in.Body.SilentFor)
	late, err2 := duration("body.late_by", in.Body.LateBy)
	faults := append(err1, err2...)
	var kinds []kangma.EvidenceKind
	for _, k := range in.Body.Kinds {
		kinds = append(kinds, kangma.EvidenceKind(k))
	}
	source, err := feedName(in.ID)
	if err := errors.Join(err, invalid(faults)); err != nil {
		return nil, err
	}
	c, err := s.cfg.Registry.SetFeed(ctx, source, func(c *registry.FeedConfig) { c.SilentFor, c.LateBy, c.Kinds = silent, late, kinds })
	if err != nil {
		return nil, unavailable(err)
	}
	return &setFeedOut{Body: feedConfigView{Source: c.Source, SilentFor: c.SilentFor.String(), LateBy: c.LateBy.String(),
		Kinds: append([]kangma.EvidenceKind{}, c.Kinds...), CSV: c.Mapping != ""}}, nil
}

// feedName reads a feed's name from a path: it may be Chinese.
func feedName(id string) (string, error) {
	name, err := url.PathUnescape(id)
	if err != nil {
		return "", kangma.E(kangma.Invalid, "feed_name", "a feed's name has 1 to 60 bytes without spaces or slashes")
	}
	return name, nil
}

func duration(where, text string) (time.Duration, []kangma.Fault) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 366*24*time.Hour {
		return 0, []kangma.Fault{{Where: where, Code: "out_of_range", What: "a duration such as 90m or 36h, up to a year"}}
	}
	return d, nil
}

type mappingIn struct {
	ID      string `path:"id" minLength:"1" maxLength:"180"`
	RawBody []byte `contentType:"application/yaml" doc:"the column mapping of the feed's CSV, see docs/feeds.md"`
}

func (s *Server) setMapping(ctx context.Context, in *mappingIn) (*noContent, error) {
	source, err := feedName(in.ID)
	if err == nil {
		err = s.cfg.Registry.SetMapping(ctx, source, bytes.Clone(in.RawBody))
	}
	return &noContent{Status: 204}, unavailable(err)
}

type feedIn struct {
	ID string `path:"id" maxLength:"180"`
}

type mappingOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) mapping(ctx context.Context, in *feedIn) (*mappingOut, error) {
	source, err := feedName(in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.cfg.Registry.FeedConfig(ctx, source)
	if err == nil && c.Mapping == "" {
		err = kangma.E(kangma.NotFound, "no_mapping", "this feed has no column mapping")
	}
	return &mappingOut{ContentType: "application/yaml", Body: []byte(c.Mapping)}, unavailable(err)
}
