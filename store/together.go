package store

import (
	"context"
	"time"

	"github.com/kangma/kangma"
)

// Shared is what a state on a server, which several nodes share, can do besides Dossiers and Records.
type Shared interface {
	Together
	Moments
	// Find is Lookup that gives the dossier it has read to be sure. guess, where it is not nil, is told whose it seems to be
	// before that: after the first of two exchanges. It may be told again, and it may be wrong.
	Find(ctx context.Context, index kangma.BlindIndex, guess func(kangma.PersonID)) (kangma.Dossier, error)
}

// Together is the further power of a state on a server: to have several functions wait for it side by side.
type Together interface {
	// Together runs the functions in turn. Where one waits for the state the next one runs, and what they all wait for travels
	// in one exchange (in a cluster: one with each server, side by side). They share the caller's goroutine, so they need no
	// locks among themselves, and none may hold a lock while it asks the state. The context of each is for it alone.
	Together(ctx context.Context, fs ...func(context.Context))
}

// Moments is the further power of a state that several nodes share: to keep, for minutes, facts of which each costs one
// exchange. They are in no journal, and a state that lost its data lost them.
type Moments interface {
	// Once keeps for life, at most an hour, that something was used, unless it is kept that somebody used it already. It
	// reports whether u.By is the one who did.
	Once(ctx context.Context, u Use, life time.Duration) (mine bool, err error)
	// Undo lets go of what Once keeps for u.By. What is not there, or somebody else's, is left alone.
	Undo(ctx context.Context, u Use) error
	// Spend takes one of the most that key has in a window, which begins with the first. Where nothing is left it takes
	// nothing, and wait says when the window ends.
	Spend(ctx context.Context, key string, most int, window time.Duration) (ok bool, wait time.Duration, err error)
	// Left is Spend without taking.
	Left(ctx context.Context, key string, most int) (ok bool, wait time.Duration, err error)
}

// Use is one use of something that has steps, each of which is used once.
type Use struct {
	Key     string // of what
	Step    int
	Through bool   // it uses up the steps before it too
	By      string // who: the same one may say it again
}
