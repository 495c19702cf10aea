package ship

import (
	"context"
	"fmt"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Rows gives the rows of one node with positions in [from, to], in order, as far as a warehouse keeps positions.
type Rows func(ctx context.Context, node string, from, to store.Position) ([]store.Row, error)

// FromRows makes of a warehouse's rows the entries that a damaged journal lost: a source for journal.Repair. When they
// were recorded the warehouse does not know, so Recorded is zero; events other than passages it never had.
func FromRows(node string, rows Rows) func(ctx context.Context, from, to store.Position) ([]store.Entry, error) {
	return func(ctx context.Context, from, to store.Position) ([]store.Entry, error) {
		got, err := rows(ctx, node, from, to)
		if err != nil {
			return nil, fmt.Errorf("rows of the warehouse: %w", err)
		}
		entries := make([]store.Entry, len(got))
		for i, r := range got {
			entries[i] = store.Entry{Position: r.Position, Event: wire.PassageEvent(r.Passage)}
		}
		return entries, nil
	}
}
