// Package storetest holds one conformance suite for each storage contract, with the cases that break stores, and
// wrappers that make a good store fail. Only tests import it. A backend's test is a few lines:
//
//	func TestDossiers(t *testing.T) {
//		dir := t.TempDir()
//		storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers {
//			db, err := embedded.Open(filepath.Join(dir, name+".db"), embedded.Options{})
//			if err != nil {
//				tb.Fatal(err)
//			}
//			tb.Cleanup(func() { db.Close() })
//			return db.Dossiers()
//		})
//	}
package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Opener opens the store of a name (lower-case letters, digits and '-') that nobody else uses. Opened again under the
// same name, after the first tb is done, it shows the same data. It closes what it opened by tb.Cleanup and fails tb
// when it cannot open.
type Opener[S any] func(tb testing.TB, name string) S

// State is the two stores that a journal is applied to; they share their marks.
type State struct {
	Dossiers store.Dossiers
	Records  store.Records
}

// nameOf makes a store's name of a test's name.
func nameOf(t testing.TB) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, t.Name())
}

// check runs one sentence of a suite on a store of its own.
func check[S any](t *testing.T, open Opener[S], sentence string, f func(t *testing.T, s S)) {
	t.Run(sentence, func(t *testing.T) { f(t, open(t, nameOf(t))) })
}

// reopened runs write on a store, lets it be closed, and runs read on it opened again.
func reopened[S any](t *testing.T, open Opener[S], sentence string, write, read func(t *testing.T, s S)) {
	t.Run(sentence, func(t *testing.T) {
		name := nameOf(t)
		t.Run("write", func(t *testing.T) { write(t, open(t, name)) })
		t.Run("read", func(t *testing.T) { read(t, open(t, name)) })
	})
}

// canceled is a context that is over.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func wantKind(t testing.TB, err error, kind kangma.Kind) {
	t.Helper()
	if err == nil || !errors.Is(err, kind) || kangma.KindOf(err) != kind {
		t.Errorf("got error %v (%v), want kind %q", err, kangma.KindOf(err), kind)
	}
}

func wantCanceled(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
}

func wantOK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// source is a deterministic source of randomness that names its seed in the log.
func source(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0x6b616e676d61))
}
