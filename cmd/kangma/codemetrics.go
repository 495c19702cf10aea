package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// codes gives the figures of signing keys and of the lists that gates carry.
func (f figures) codes(ctx context.Context, gauge, count func(*prometheus.Desc, float64, ...string)) {
	now := f.s.registry.Now()
	count(descOrphans, float64(f.s.issuance.Orphans()))
	if keys, err := f.s.keys.Keys(now); err == nil {
		for _, k := range keys {
			if k.Purpose.ForCodes() {
				count(descSigned, float64(k.Issued), k.ID.String(), string(k.Purpose), k.State.String())
			}
		}
	}
	if missing := f.s.unaccounted.Load(); missing != nil {
		for id, n := range *missing {
			gauge(descMissing, float64(n), id.String())
		}
	}
	if l, err := f.s.issuance.TrustList(ctx); err == nil {
		gauge(descListAge, now.Sub(l.Issued).Seconds(), "trust")
	}
	if l, err := f.s.issuance.StatusList(ctx); err == nil {
		gauge(descListAge, now.Sub(l.Issued).Seconds(), "status")
		gauge(descListed, float64(l.Entries))
	}
}
