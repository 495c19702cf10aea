package store

import (
	"context"
	"errors"
)

// ErrNotRemembered is the answer, under a context of Remembered, to a read that memory alone cannot answer. It is for the caller, who
// asks again without haste, and never for a user.
var ErrNotRemembered = errors.New("store: that is not in memory")

// remembered marks the contexts of Remembered.
type remembered struct{ context.Context }

// Remembered gives a context under which a store that keeps people and records in memory (store/cached) answers from there or
// with ErrNotRemembered, and asks nobody: for callers who may not wait for a disk. Other stores know nothing of it and answer as always.
func Remembered(ctx context.Context) context.Context { return remembered{ctx} }

// IsRemembered reports whether ctx is one that Remembered gave. (A context made of such a one is none: its reads may wait.)
func IsRemembered(ctx context.Context) bool {
	_, ok := ctx.(remembered)
	return ok
}
