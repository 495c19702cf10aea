package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/checkpoint/inbox"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/registry"
)

// keepFlags say how long records about what people did are kept.
type keepFlags struct {
	KeepEntries  time.Duration `help:"How long vehicle entries are kept after the arrival." default:"672h" env:"KANGMA_KEEP_ENTRIES"`
	KeepCheckIns time.Duration `help:"How long check-ins at venues are kept." default:"504h" env:"KANGMA_KEEP_CHECK_INS"`
	KeepInbox    time.Duration `help:"How long acknowledged inbox items are kept; others three times as long." default:"1440h" env:"KANGMA_KEEP_INBOX"`
}

// check refuses what would delete records before anybody has read them.
func (k keepFlags) check() error {
	for _, d := range []time.Duration{k.KeepEntries, k.KeepCheckIns, k.KeepInbox} {
		if d < 24*time.Hour {
			return errors.New("records are kept for at least 24h: --keep-entries, --keep-check-ins, --keep-inbox")
		}
	}
	return nil
}

const (
	carryEvery = 5 * time.Second // a released change takes effect within this of its time
	ageEvery   = 10 * time.Minute
	ageAtOnce  = 2000 // records of each kind looked at in one go
	agePause   = time.Second
)

func (k keepFlags) ager(r *registry.Service) *registry.Ager {
	rules := []registry.AgeRule{entry.Ageing(k.KeepEntries), venue.Ageing(k.KeepCheckIns), inbox.Ageing(k.KeepInbox), issuance.Ageing(), checkpoint.Ageing()}
	return r.NewAger(append(rules, api.Ageing()...)...)
}

// upkeep puts released changes into force at their time, and deletes what has been kept long enough.
func (s *stack) upkeep(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(carryEvery)
	defer tick.Stop()
	next := time.Now().Add(ageEvery / 10)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n, err := s.registry.CarryScheduled(ctx); err != nil && ctx.Err() == nil {
			log.Warn("put released changes in force", "err", err)
		} else if n > 0 {
			log.Info("released changes took effect", "changes", n)
		}
		if time.Now().Before(next) {
			continue
		}
		more, err := s.ager.Run(ctx, ageAtOnce)
		if err != nil && ctx.Err() == nil {
			log.Warn("delete what has been kept long enough", "err", err)
		}
		if next = time.Now().Add(ageEvery); more && err == nil {
			next = time.Now().Add(agePause)
		}
	}
}

// gossip tells the other nodes what was shown at gates here.
func (s *stack) gossip(ctx context.Context, node string, log *slog.Logger) {
	tick := time.NewTicker(checkpoint.GossipEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		late, err := s.checkpoint.Exchange(ctx, node)
		if err != nil && ctx.Err() == nil {
			log.Warn("tell the other nodes what was shown", "err", err)
		}
		if late > 0 {
			log.Warn("codes were at two gates sooner than anybody travels, found after the scans", "codes", late)
		}
	}
}

// aged are the figures of the deletions.
type aged struct{ s *stack }

var descAged = desc("aged_records_total", "Records this node has deleted because they had been kept long enough.", "kind")

// Describe is Prometheus' way to ask what there is.
func (a aged) Describe(ch chan<- *prometheus.Desc) { ch <- descAged }

// Collect is Prometheus' way to ask for the figures.
func (a aged) Collect(ch chan<- prometheus.Metric) {
	if a.s.ager == nil {
		return // not serving yet
	}
	for kind, n := range a.s.ager.Deleted() {
		ch <- prometheus.MustNewConstMetric(descAged, prometheus.CounterValue, float64(n), kind)
	}
}
