package registry

import (
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/store"
)

// People gives every stored dossier, a partition a chunk, as the source of a back-test.
func (s *Service) People() backtest.Stored {
	return backtest.Stored{Partitions: store.Partitions, ScanPage: s.cfg.Dossiers.Scan}
}
