package ship

import (
	"context"
	"fmt"
	"time"

	"github.com/kangma/kangma/store"
)

// replayChunk is the most entries given to Apply at once.
const replayChunk = 1000

// Apply applies entries, in order. It must take an entry again without harm: after an error, or a crash before the mark
// was written, it is given again.
type Apply func(ctx context.Context, entries []store.Entry) error

// Replay gives every entry after mark.Applied to apply, in order and each once, until the journal has no more. The mark it
// returns says how far it came, also with an error; hand it in again to go on. progress, if not nil, is told after each
// chunk.
func Replay(ctx context.Context, j store.Journal, mark store.Mark, apply Apply, progress func(store.Mark)) (store.Mark, error) {
	for {
		entries, err := j.After(ctx, mark.Applied, replayChunk)
		if err != nil {
			return mark, fmt.Errorf("replay after %d: %w", mark.Applied, err)
		}
		if len(entries) == 0 {
			return mark, nil
		}
		if err := apply(ctx, entries); err != nil {
			return mark, fmt.Errorf("replay %d to %d: %w", entries[0].Position, entries[len(entries)-1].Position, err)
		}
		mark.Applied = entries[len(entries)-1].Position
		if progress != nil {
			progress(mark)
		}
	}
}

// Follow replays for ever: what fails is tried again after a wait that doubles from every up to 60 times it, what is not
// there yet is looked for each every. It returns how far it came when ctx is done. failed, if not nil, is told of errors.
func Follow(ctx context.Context, j store.Journal, mark store.Mark, every time.Duration, apply Apply, progress func(store.Mark), failed func(error)) store.Mark {
	for wait := every; ; {
		before := mark.Applied
		var err error
		mark, err = Replay(ctx, j, mark, apply, progress)
		if ctx.Err() != nil {
			return mark
		}
		if err != nil && failed != nil {
			failed(err)
		}
		if err == nil || mark.Applied > before {
			wait = every
		}
		if !sleep(ctx, wait, nil, nil) {
			return mark
		}
		if err != nil {
			wait = min(2*wait, 60*every)
		}
	}
}
