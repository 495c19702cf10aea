package storetest

import (
	"context"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Fault makes one writing call of a wrapped store fail.
type Fault struct {
	Call    int  // which writing call, from 1; 0: every one
	Persist bool // the call did its work before it failed: a retry must do no harm
}

// Fail makes the n-th writing call fail without doing anything.
func Fail(n int) Fault { return Fault{Call: n} }

// FailButPersist makes the n-th writing call fail after it did its work.
func FailButPersist(n int) Fault { return Fault{Call: n, Persist: true} }

// Injected is the error of a call that was made to fail. It is kangma.Unavailable.
var Injected = kangma.E(kangma.Unavailable, "injected", "a fault injected by a test")

// Faults counts the writing calls of the stores that share it and makes some fail. It may be used concurrently.
type Faults struct {
	mu    sync.Mutex
	calls int
	plan  []Fault
}

// NewFaults makes a plan of faults. Without any it only counts.
func NewFaults(plan ...Fault) *Faults { return &Faults{plan: plan} }

// Calls tells how many writing calls were made.
func (f *Faults) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Set replaces the plan; calls are counted from 1 again.
func (f *Faults) Set(plan ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.plan = 0, plan
}

func (f *Faults) next() (fault Fault, hit bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	for _, x := range f.plan {
		if x.Call == 0 || x.Call == f.calls {
			return x, true
		}
	}
	return Fault{}, false
}

func (f *Faults) do(op func() error) error {
	fault, hit := f.next()
	if hit && !fault.Persist {
		return Injected
	}
	err := op()
	if hit && err == nil {
		return Injected
	}
	return err
}

// FaultyDossiers is s with faults in Update.
func FaultyDossiers(s store.Dossiers, f *Faults) store.Dossiers { return faultyDossiers{s, f} }

// FaultyRecords is s with faults in Put.
func FaultyRecords(s store.Records, f *Faults) store.Records { return faultyRecords{s, f} }

// FaultyWarehouse is s with faults in Load.
func FaultyWarehouse(s store.Warehouse, f *Faults) store.Warehouse { return faultyWarehouse{s, f} }

// FaultyJournal is j with faults in Append.
func FaultyJournal(j store.Journal, f *Faults) store.Journal { return faultyJournal{j, f} }

type faultyDossiers struct {
	store.Dossiers
	faults *Faults
}

func (s faultyDossiers) Update(ctx context.Context, m store.Mark, ds ...kangma.Dossier) error {
	return s.faults.do(func() error { return s.Dossiers.Update(ctx, m, ds...) })
}

type faultyRecords struct {
	store.Records
	faults *Faults
}

func (s faultyRecords) Put(ctx context.Context, r store.Record) error {
	return s.faults.do(func() error { return s.Records.Put(ctx, r) })
}

type faultyWarehouse struct {
	store.Warehouse
	faults *Faults
}

func (s faultyWarehouse) Load(ctx context.Context, b store.Batch) error {
	return s.faults.do(func() error { return s.Warehouse.Load(ctx, b) })
}

type faultyJournal struct {
	store.Journal
	faults *Faults
}

func (j faultyJournal) Append(ctx context.Context, events ...kangma.Event) (store.Position, error) {
	var pos store.Position
	err := j.faults.do(func() (err error) {
		pos, err = j.Journal.Append(ctx, events...)
		return err
	})
	if err != nil {
		pos = 0
	}
	return pos, err
}
