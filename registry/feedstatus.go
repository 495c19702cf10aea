package registry

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
)

// FeedConfig is what officials set for a feed: record kind "feed-config", id the source.
type FeedConfig struct {
	Source     string                `json:"source"`
	SilentFor  time.Duration         `json:"silent_for"`      // nothing for longer is an alarm; 0: a day
	LateBy     time.Duration         `json:"late_by"`         // a newest observation older than this is an alarm; 0: none
	Kinds      []kangma.EvidenceKind `json:"kinds,omitempty"` // what it may say; none: everything but a colour set by hand
	Mapping    string                `json:"mapping,omitempty"`
	Configured time.Time             `json:"configured"` // when it was first set: silence counts from here until something comes
}

// FeedStatus is how a feed does: record kind "feed", id the source.
type FeedStatus struct {
	Source string    `json:"source"`
	Last   time.Time `json:"last,omitzero"`   // when something last came; zero: never
	Newest time.Time `json:"newest,omitzero"` // newest observation it ever reported
	Lines  int64     `json:"lines"`
	Bad    int64     `json:"bad"`
	Batch  string    `json:"batch,omitempty"` // of last time

	// As of now, when read:
	Every   time.Duration `json:"every"`   // silent for longer than this is an alarm
	LateBy  time.Duration `json:"late_by"` // lagging by more than this is an alarm; 0: never
	Silence time.Duration `json:"silence"` // since Last
	Lag     time.Duration `json:"lag"`     // age of Newest
	Silent  bool          `json:"silent"`  // longer than Every: an alarm
	Late    bool          `json:"late"`    // Lag beyond LateBy: an alarm
	CSV     bool          `json:"csv"`     // a column mapping is set
}

const (
	feedKind       = "feed"
	feedConfigKind = "feed-config"
	feedEvery      = 24 * time.Hour
)

// FeedConfig reads a feed's configuration; one that was never set is the zero one with its source.
func (s *Service) FeedConfig(ctx context.Context, source string) (FeedConfig, error) {
	c, _, err := GetDoc[FeedConfig](ctx, s.cfg.Records, feedConfigKind, source)
	if errors.Is(err, kangma.NotFound) {
		return FeedConfig{Source: source}, nil
	}
	return c, err
}

// SetFeed changes a feed's configuration.
func (s *Service) SetFeed(ctx context.Context, source string, set func(*FeedConfig)) (FeedConfig, error) {
	if source == "" || len(source) > 60 || strings.ContainsAny(source, "/ \t\n") {
		return FeedConfig{}, kangma.E(kangma.Invalid, "feed_name", "a feed's name has 1 to 60 bytes without spaces or slashes")
	}
	c, err := s.FeedConfig(ctx, source)
	if err != nil {
		return c, err
	}
	set(&c)
	if c.SilentFor < 0 || c.LateBy < 0 {
		return c, kangma.E(kangma.Invalid, "feed_limits", "the limits of a feed are not negative")
	}
	if c.Configured.IsZero() {
		c.Configured = s.cfg.Now().UTC()
	}
	return c, s.PutDoc(ctx, feedConfigKind, source, c, nil)
}

// SetMapping keeps a feed's column mapping for CSV, after checking it.
func (s *Service) SetMapping(ctx context.Context, source string, yaml []byte) error {
	m, err := feeds.LoadMapping(yaml)
	if err != nil {
		return err
	}
	if m.Provider != source {
		return kangma.E(kangma.Invalid, "mapping_provider", "the mapping is for another provider than this feed")
	}
	if m.Content != feeds.EvidenceContent {
		return kangma.E(kangma.Invalid, "mapping_content_kind", "a feed's mapping is for evidence")
	}
	_, err = s.SetFeed(ctx, source, func(c *FeedConfig) { c.Mapping = string(yaml) })
	return err
}

// Configure puts what is set for the feed into options: what it may say and, for CSV, how its columns are read.
func (s *Service) Configure(ctx context.Context, opt *feeds.Options) error {
	c, err := s.FeedConfig(ctx, opt.Provider)
	if err != nil {
		return err
	}
	if len(c.Kinds) > 0 {
		opt.Kinds = c.Kinds
	}
	if opt.Format != feeds.CSV || opt.Mapping != nil {
		return nil
	}
	if c.Mapping == "" {
		return kangma.E(kangma.Invalid, "feed_mapping", "a CSV is read by the column mapping of its provider; register one")
	}
	opt.Mapping, err = feeds.LoadMapping([]byte(c.Mapping))
	return err
}

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

// Feeds says how every feed does now: those that sent something and those that were set up, by name.
// While the state does not answer it says how they did when that was last known.
func (s *Service) Feeds(ctx context.Context) ([]FeedStatus, error) {
	all, err := s.feedsOf(ctx, s.cfg.Records)
	if s.away(ctx, err) {
		all, err = s.feedsOf(ctx, lastRecords{s.cfg.LastKnown})
	}
	return all, err
}

func (s *Service) feedsOf(ctx context.Context, records store.Records) ([]FeedStatus, error) {
	configs := map[string]FeedConfig{}
	if err := eachRecord(ctx, records, feedConfigKind, func(c FeedConfig) { configs[c.Source] = c }); err != nil {
		return nil, err
	}
	var all []FeedStatus
	now := s.cfg.Now()
	err := eachRecord(ctx, records, feedKind, func(st FeedStatus) {
		all = append(all, st.asOf(now, configs[st.Source]))
		delete(configs, st.Source)
	})
	for source, c := range configs { // never heard of
		all = append(all, FeedStatus{Source: source}.asOf(now, c))
	}
	slices.SortFunc(all, func(a, b FeedStatus) int { return strings.Compare(a.Source, b.Source) })
	return all, err
}

// asOf fills in what depends on the moment.
func (st FeedStatus) asOf(now time.Time, c FeedConfig) FeedStatus {
	st.Every, st.LateBy, st.CSV = c.SilentFor, c.LateBy, c.Mapping != ""
	if st.Every == 0 {
		st.Every = feedEvery
	}
	since := st.Last
	if since.IsZero() {
		since = c.Configured
	}
	st.Silence = now.Sub(since)
	st.Silent = st.Silence > st.Every
	if !st.Newest.IsZero() {
		st.Lag = now.Sub(st.Newest)
	}
	st.Late = st.LateBy > 0 && st.Lag > st.LateBy
	return st
}

// eachRecord gives every document of a kind.
func eachRecord[T any](ctx context.Context, r store.Records, kind string, yield func(T)) error {
	q := store.RecordQuery{Kind: kind, Limit: 500}
	for more := true; more; more = q.After != "" {
		recs, next, err := r.List(ctx, q)
		if err != nil {
			return err
		}
		for _, rec := range recs {
			var v T
			if err := json.Unmarshal(rec.Data, &v); err != nil {
				return kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
			}
			yield(v)
		}
		q.After = next
	}
	return nil
}
