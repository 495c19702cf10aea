package journal_test

import (
	"context"
	"os"
	"strconv"
	"testing"
)

var noContext = context.Background()

// seedOf gives the seed of a test's chance, printed with its figures; KANGMA_SEED sets another one.
func seedOf(t *testing.T) uint64 {
	if s := os.Getenv("KANGMA_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("KANGMA_SEED is not a number: %v", err)
		}
		return n
	}
	return 20221123
}
