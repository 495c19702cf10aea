package registry

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
)

// FeedStatus is how a feed does: record kind "feed", id the source.
type FeedStatus struct {
	Source  string        `json:"source"`
	Last    time.Time     `json:"last"`            // when something last came
	Newest  time.Time     `json:"newest,omitzero"` // newest observation it ever reported
	Lines   int64         `json:"lines"`
	Bad     int64         `json:"bad"`
	Batch   string        `json:"batch,omitempty"` // of last time
	Every   time.Duration `json:"every,omitempty"` // how often something should come; 0: a day
	Silence time.Duration `json:"silence"`         // since Last, when read
	Lag     time.Duration `json:"lag"`             // age of Newest, when read
	Silent  bool          `json:"silent"`          // longer than Every: an alarm
}

const (
	feedKind  = "feed"
	feedEvery = 24 * time.Hour
)

// noteFeed keeps how the feed does. It is not journaled: the next batch says it again.
func (s *Service) noteFeed(ctx context.Context, opt feeds.Options, res FeedResult) error {
	if opt.Provider == "" {
		return nil
	}
	for range casAttempts {
		st, version, err := GetDoc[FeedStatus](ctx, s.cfg.Records, feedKind, opt.Provider)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		st.Source, st.Last, st.Batch = opt.Provider, s.cfg.Now().UTC(), opt.Batch
		st.Lines += int64(res.Tally.Records)
		st.Bad += int64(res.Tally.Bad)
		if res.Tally.Newest.After(st.Newest) {
			st.Newest = res.Tally.Newest
		}
		data, err := json.Marshal(st)
		if err != nil {
			return err
		}
		err = s.cfg.Records.Put(ctx, store.Record{Kind: feedKind, ID: opt.Provider, Version: version + 1, Data: data})
		if !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return nil
}

// Feeds says how every feed does now.
func (s *Service) Feeds(ctx context.Context) (all []FeedStatus, err error) {
	now := s.cfg.Now()
	recs, _, err := s.cfg.Records.List(ctx, store.RecordQuery{Kind: feedKind, Limit: 1000})
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		var st FeedStatus
		if err := json.Unmarshal(r.Data, &st); err != nil {
			return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
		}
		every := st.Every
		if every == 0 {
			every = feedEvery
		}
		st.Silence = now.Sub(st.Last)
		st.Silent = st.Silence > every
		if !st.Newest.IsZero() {
			st.Lag = now.Sub(st.Newest)
		}
		all = append(all, st)
	}
	return all, nil
}
