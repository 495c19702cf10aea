package journal_test

import (
	"context"
	"testing"

	"github.com/kangma/kangma/internal/soak"
)

var noContext = context.Background()

// seedOf gives the seed of a test's chance, printed with its figures; KANGMA_SEED sets another one.
func seedOf(t *testing.T) uint64 { return soak.Seed(t, 20221123) }
