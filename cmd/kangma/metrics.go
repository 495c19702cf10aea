package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kangma/kangma/api"
)

// figures gives the node's figures to Prometheus when it asks. Labels come from closed sets and the names of feeds; no
// person, no code.
type figures struct{ s *stack }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kangma_"+name, help, labels, nil)
}

var (
	descAppended = desc("journal_appended_total", "Events made durable since the start.")
	descFsyncs   = desc("journal_fsyncs_total", "Group commits since the start.")
	descFailures = desc("journal_failures_total", "Group commits that failed; nothing of them was acknowledged.")
	descReadOnly = desc("journal_read_only", "1 when damage keeps the journal from taking anything in.")
	descSize     = desc("journal_bytes", "Bytes of the kept segments.")
	descReleased = desc("journal_released", "Last entry that is in the warehouse and in the snapshots.")
	descLast     = desc("journal_last", "Last entry of the journal.")
	descSnapshot = desc("snapshot_age_seconds", "Age of the newest snapshot of the state; 0: there is none.")
	descShipLag  = desc("ship_lag_entries", "Journal entries that the warehouse has not yet.")
	descShipTime = desc("ship_lag_seconds", "Age of the oldest of them.")
	descStalled  = desc("ship_stalled", "1 when the warehouse makes no progress.")
	descSweep    = desc("sweep_progress", "Share of people the search for colour changes has looked at; 1 between two searches.")
	descAbsent   = desc("state_absent", "1 while the shared state does not answer; answers then come from this node's copy, if it has one.")
	descCopyAge  = desc("state_copy_age_seconds", "Age of what this node's copy of the shared state is at least as new as; -1: it is not whole yet. How stale a colour is while state_absent is 1.")
	descDropped  = desc("state_copy_dropped_total", "Writes of this node that reached its copy later, with a round of copying.")
	descSilence  = desc("feed_silence_seconds", "Time since a feed last sent something.", "feed")
	descFeedLag  = desc("feed_lag_seconds", "Age of the newest observation of a feed.", "feed")
	descSilent   = desc("feed_silent", "1 when a feed has been silent for too long.", "feed")
	descLate     = desc("feed_late", "1 when the newest observation of a feed is older than allowed.", "feed")
	descBad      = desc("feed_bad_lines_total", "Lines of a feed that were refused.", "feed")
	descSigned   = desc("key_signatures_total", "Codes that a key has signed, as the key store counts.", "key", "purpose", "state")
	descMissing  = desc("key_unaccounted_signatures", "Signatures of a key that no log holds; more than 0 means that it was stolen.", "key")
	descOrphans  = desc("orphan_codes_total", "Genuine codes shown at online gates that nobody has a record of issuing; more than 0 means that a key was stolen.")
	descListAge  = desc("list_age_seconds", "Age of the newest signed list for gates.", "list")
	descListed   = desc("status_list_entries", "Living codes that are no longer what they say.")
	descChanged  = desc("sweep_recoloured_people", "People whose colour the last whole search found changed.")
	descSwept    = desc("sweep_people", "People the last whole search looked at.")
	descPlanned  = desc("rules_next_activation_timestamp_seconds", "When another rule set takes over; 0: none is planned.")
	descRules    = desc("rules_in_force", "1 when a rule set is in force; 0 means that no colour can be told.")
)

// Describe is Prometheus' way to ask what there is.
func (f figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descAppended, descFsyncs, descFailures, descReadOnly, descSize, descReleased, descLast, descSnapshot, descShipLag, descShipTime,
		descStalled, descAbsent, descCopyAge, descDropped, descSweep, descSilence, descFeedLag, descSilent, descLate, descBad, descChanged, descSwept, descPlanned, descRules, descSigned, descMissing, descOrphans, descListAge, descListed, descNonces, descNonceMiss, descNonceLost} {
		ch <- d
	}
}

// Collect is Prometheus' way to ask for the figures.
func (f figures) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	j := f.s.journal.Stats()
	count(descAppended, float64(j.Appended))
	count(descFsyncs, float64(j.Fsyncs))
	count(descFailures, float64(j.Failures))
	gauge(descReadOnly, flag(j.ReadOnly))
	gauge(descSize, float64(j.Size))
	gauge(descReleased, float64(j.Released))
	gauge(descLast, float64(j.Last))
	gauge(descSnapshot, f.s.snapshots.age(time.Now()).Seconds())
	w := f.s.shipper.Stats()
	gauge(descShipLag, float64(w.Lag))
	gauge(descShipTime, w.LagTime.Seconds())
	gauge(descStalled, flag(w.Stalled))
	gauge(descRules, flag(f.s.rulesInForce()))
	f.copy(gauge, count)
	f.nonces(gauge, count)
	planned := 0.0
	if at := f.s.registry.NextActivation(); !at.IsZero() {
		planned = float64(at.Unix())
	}
	gauge(descPlanned, planned)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if f.s.redis != nil && len(f.s.redis.Down()) > 0 {
		return // the rest is asked of the state
	}
	f.codes(ctx, gauge, count)
	if st, err := f.s.registry.SweepStatus(ctx); err == nil {
		gauge(descSweep, st.Progress())
		gauge(descChanged, float64(st.Recolours))
		gauge(descSwept, float64(st.Whole))
	}
	all, err := f.s.registry.Feeds(ctx)
	if err != nil {
		return // a scrape without feeds is better than none
	}
	for _, st := range all {
		gauge(descSilence, st.Silence.Seconds(), st.Source)
		gauge(descFeedLag, st.Lag.Seconds(), st.Source)
		gauge(descSilent, flag(st.Silent), st.Source)
		gauge(descLate, flag(st.Late), st.Source)
		count(descBad, float64(st.Bad), st.Source)
	}
}

// copy gives the figures of a state that is shared.
func (f figures) copy(gauge, count func(*prometheus.Desc, float64, ...string)) {
	if f.s.redis == nil {
		return
	}
	gauge(descAbsent, flag(len(f.s.redis.Down()) > 0))
	if f.s.replica == nil {
		return
	}
	age := -1.0
	if f.s.replica.Whole() {
		age = time.Since(f.s.replica.AsOf()).Seconds()
	}
	gauge(descCopyAge, age)
	_, dropped := f.s.replica.Stats()
	count(descDropped, float64(dropped))
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics answers GET /metrics.
func (s *stack) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(figures{s}, aged{s}, busyness{func() api.Load {
		if s.busy == nil {
			return api.Load{} // not serving yet
		}
		return s.busy()
	}}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// silentFeeds names the feeds that have been silent for too long.
func (s *stack) silentFeeds(ctx context.Context) (names []string) {
	all, err := s.registry.Feeds(ctx)
	if err != nil {
		return nil // the part that does not answer is named by itself
	}
	for _, st := range all {
		if st.Silent {
			names = append(names, st.Source)
		}
	}
	return names
}

// alarm says aloud which feeds have been silent for too long, or lag too far behind.
func (s *stack) alarm(ctx context.Context, log *slog.Logger) {
	all, err := s.registry.Feeds(ctx)
	if err != nil {
		log.Warn("feeds", "err", err)
		return
	}
	for _, st := range all {
		if st.Silent {
			log.Error("a feed is silent", "feed", st.Source, "since", st.Last.Format(time.RFC3339))
		}
		if st.Late {
			log.Error("a feed lags behind", "feed", st.Source, "newest", st.Newest.Format(time.RFC3339))
		}
	}
}
