package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
)

// tally counts what was signed by key since it was last written down.
type tally struct {
	mu sync.Mutex
	n  map[codegen.KeyID]uint64
}

func (t *tally) add(k codegen.KeyID) { t.put(k, 1) }

func (t *tally) put(k codegen.KeyID, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[codegen.KeyID]uint64{}
	}
	t.n[k] += n
}

func (t *tally) take() map[codegen.KeyID]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.n
	t.n = nil
	return n
}

const countKind = "issued" // id: node and key; data: the number of codes, which only rises

// Log writes how many codes each key has signed here into the journal. Call it every few minutes and at the end, and
// count the keys' own signatures after it (keystore.Store.Flush): then a crash makes the log too high, never too low, and
// what the log lacks was signed by somebody else.
func (s *Service) Log(ctx context.Context) error {
	var errs []error
	for key, n := range s.counts.take() {
		if err := s.logCount(ctx, key, n); err != nil {
			s.counts.put(key, n) // next time
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *Service) logCount(ctx context.Context, key codegen.KeyID, n uint64) error {
	id := s.registry.Node() + "/" + key.String()
	before, _, err := registry.GetDoc[uint64](ctx, s.registry.Records(), countKind, id)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return unavailable(err)
	}
	return unavailable(s.registry.PutDoc(ctx, countKind, id, before+n, nil))
}

// Logged gives how many codes of each key the log of all nodes holds.
func (s *Service) Logged(ctx context.Context) (map[codegen.KeyID]uint64, error) {
	sum := map[codegen.KeyID]uint64{}
	err := s.each(ctx, countKind, func(id string, data []byte, _ uint64) error {
		var n uint64
		var key codegen.KeyID
		if err := errors.Join(key.UnmarshalText([]byte(id[strings.LastIndexByte(id, '/')+1:])), json.Unmarshal(data, &n)); err != nil {
			return fmt.Errorf("count %q: %w", id, err)
		}
		sum[key] += n
		return nil
	})
	return sum, err
}

// Unaccounted compares what the keys have signed (as they themselves count, taken before the last Log) with the log and
// gives what nobody issued, by key: signatures made behind our back.
func Unaccounted(signed, logged map[codegen.KeyID]uint64) map[codegen.KeyID]uint64 {
	missing := map[codegen.KeyID]uint64{}
	for key, n := range signed {
		if n > logged[key] {
			missing[key] = n - logged[key]
		}
	}
	return missing
}
