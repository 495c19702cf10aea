package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/replica"
)

// volatile are the kinds of records that are worth nothing in a copy, or nothing later.
var volatile = []string{"otp", "claim", "shown-proofs", "shown-codes", "seen-where"}

// fleeting are the kinds of which nothing stays once they are deleted: none is in a journal.
var fleeting = []string{"otp", "claim", "session", "tries", "short-code", "shown-proofs"}

// openReplica opens this node's copy of the state in Redis. A damaged one is thrown away and made again: it is a copy.
func openReplica(db *redis.DB, c *cli, log *slog.Logger, onClose func(func() error)) (*replica.Copy, error) {
	path := filepath.Join(c.Data, "replica.db")
	local, err := embedded.Open(path, embedded.Options{Relaxed: true})
	if kangma.CodeOf(err) == "store_damaged" {
		log.Warn("this node's copy of the state is damaged; it is made again", "err", err)
		for _, file := range []string{path, path + "-wal", path + "-shm"} {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
		local, err = embedded.Open(path, embedded.Options{Relaxed: true})
	}
	if err != nil {
		return nil, fmt.Errorf("copy of the state: %w", err)
	}
	onClose(local.Close)
	shared := replica.Shared{Dossiers: db.Dossiers(), Records: db.Records(), Changes: db.Changes}
	return replica.New(shared, embedded.Mirror{DB: local}, replica.Options{Rate: c.CopyRate, Skip: volatile, Log: log})
}

// hasCopy reports whether this node could go on without Redis.
func (c *cli) hasCopy() bool {
	if c.CopyRate <= 0 {
		return false
	}
	path := filepath.Join(c.Data, "replica.db")
	if _, err := os.Stat(path); err != nil {
		return false
	}
	local, err := embedded.Open(path, embedded.Options{Relaxed: true, SkipCheck: true, Readers: 1})
	if err != nil {
		return false
	}
	defer local.Close()
	nothing := func(context.Context) (out [store.Partitions]string, err error) { return out, err }
	copied, err := replica.New(replica.Shared{Dossiers: local.Dossiers(), Records: local.Records(), Changes: nothing}, embedded.Mirror{DB: local}, replica.Options{})
	return err == nil && copied.Whole()
}

// watchReturn waits for a state that was away at the start, and looks then whether it knows more of this node's journal than
// there is: an old copy of the journal was put in place. The error says so.
func (s *stack) watchReturn(ctx context.Context, node string) error {
	for {
		rec, err := s.redis.Records().Get(ctx, "applied", node)
		if err == nil || errors.Is(err, kangma.NotFound) {
			var applied uint64
			if len(rec.Data) > 0 {
				if applied, err = strconv.ParseUint(string(rec.Data), 10, 64); err != nil {
					return err
				}
			}
			return refuseOlderJournal(store.Position(applied), s.journal)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// keepCopy keeps the copy of a shared state until the returned function is called. The returned context ends with an error of
// its own when the state comes back and is not that of this journal.
func (s *stack) keepCopy(ctx context.Context, node string) (_ context.Context, stop func()) {
	if s.replica == nil {
		return ctx, func() {}
	}
	ctx, fail := context.WithCancelCause(ctx)
	stopCopy := s.background(ctx, s.replica.Run)
	stopWatch := s.background(ctx, func(ctx context.Context) {
		if err := s.watchReturn(ctx, node); err != nil {
			fail(err)
		}
	})
	return ctx, func() { stopWatch(); stopCopy(); fail(nil) }
}

// sharedState says for readiness what answers come from while Redis does not answer; "": there is nothing to come from.
func (s *stack) sharedState() string {
	if s.replica == nil || !s.replica.Whole() {
		return ""
	}
	return "not answering; answers come from this node's copy, as of " + s.replica.AsOf().Format(time.RFC3339)
}
