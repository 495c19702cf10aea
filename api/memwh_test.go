package api_test

import (
	"context"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/storetest"
)

type memWH struct {
	mu   sync.Mutex
	ps   []kangma.Passage
	seen map[kangma.EventID]bool
	at   store.Position
}

func (m *memWH) Load(_ context.Context, b store.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range b.Rows {
		if !m.seen[r.Passage.ID] {
			m.seen[r.Passage.ID] = true
			m.ps = append(m.ps, r.Passage)
		}
	}
	m.at = b.To
	return nil
}
func (m *memWH) Loaded(context.Context, string) (store.Position, error) { return m.at, nil }
func (m *memWH) Query(_ context.Context, q store.Query) (store.Result, error) {
	return storetest.Evaluate(m.ps, q), nil
}
func (m *memWH) Passages(_ context.Context, q store.PassageQuery) ([]kangma.Passage, error) {
	return storetest.EvaluatePassages(m.ps, q), nil
}
func (m *memWH) Close() error { return nil }
