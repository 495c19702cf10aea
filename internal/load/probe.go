package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kangma/kangma"
)

const (
	probeEvery    = 10 * time.Millisecond // between two scans of one person
	probePatience = time.Minute
)

// probe follows one positive test: the person shows a code, the test arrives when it is due, and a gate scans the code until
// the verdict is red. The scans go on while the test is on its way: the verdict may be red before the feed has its answer.
func (f *feeder) probe(ctx context.Context, n int, due time.Time) {
	// From the end: nobody is probed twice. Random batches may meet them too, with negative tests, which do not take a positive back.
	person := f.pop.Resident(f.shown - 1 - n%f.shown)
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	code, err := f.show(ctx, person)
	if err != nil {
		f.probed(0, 0, err)
		return
	}
	arrived := time.Now() // the show before it is no part of it
	posted := make(chan error, 1)
	go func() {
		var body bytes.Buffer
		now := arrived.UTC().Truncate(time.Second)
		f.line(&body, person, now.Add(-time.Hour), "positive")
		for {
			_, wait, err := f.post(ctx, fmt.Sprintf("%s-p%d", f.run, n), body.Bytes(), 1, now)
			if wait == 0 || ctx.Err() != nil {
				posted <- err
				return
			}
			time.Sleep(min(wait, time.Second)) // an urgent line is tried again soon
		}
	}()
	scans := 0
	for ctx.Err() == nil {
		scans++
		red, err := f.scan(ctx, n, code)
		if err != nil {
			f.probed(0, scans, err)
			return
		}
		if red {
			f.probed(time.Since(arrived), scans, <-posted)
			return
		}
		select {
		case err := <-posted:
			if posted <- err; err != nil {
				f.probed(0, scans, err)
				return
			}
		default:
		}
		time.Sleep(probeEvery)
	}
	f.probed(0, scans, errors.New("a positive test did not turn the gate red within a minute"))
}

// show gives the code of a person, who comes again when there is no room.
func (f *feeder) show(ctx context.Context, person int) (string, error) {
	for {
		var shown struct{ Code string }
		_, wait, err := f.ask(ctx, "/v1/me/code", f.pop.ResidentToken(person), nil, nil, &shown)
		if wait == 0 || ctx.Err() != nil {
			if err == nil && shown.Code == "" {
				err = errors.New("a person without a code")
			}
			return shown.Code, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// scan reports whether the gate's verdict is red. A refusal for lack of room is no verdict.
func (f *feeder) scan(ctx context.Context, n int, code string) (red bool, err error) {
	gate := n % f.pop.Gates
	body, err := json.Marshal(map[string]string{"code": code, "gate": f.pop.GateID(gate), "event": kangma.NewEventID(time.Now()).String(), "direction": "in"})
	if err != nil {
		return false, err
	}
	var verdict struct {
		Told bool   `json:"told"`
		Wire string `json:"wire"`
	}
	_, wait, err := f.ask(ctx, "/v1/scans", f.pop.DeviceKey(gate), http.Header{"Content-Type": {"application/json"}}, body, &verdict)
	if wait > 0 {
		return false, nil
	}
	return err == nil && verdict.Told && verdict.Wire == "10", err
}

// probed counts what became of a probe.
func (f *feeder) probed(took time.Duration, scans int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rep.Scans += scans
	if err != nil || took == 0 {
		f.rep.Lost++
		f.fault(errors.Join(err))
		return
	}
	f.rep.Probes++
	_ = f.toRed.RecordValue(took.Microseconds())
}

// Print writes the report for people.
func (r *FeedReport) Print(w interface{ Write([]byte) (int, error) }) error {
	_, err := fmt.Fprintf(w, `feed: %d items in %d batches accepted in %.1f s, %.0f a second (asked for %.0f); refused and sent again %d, errors %d %s
batch, from when it was due (ms): p50 %.0f, p90 %.0f, p99 %.0f, most %.0f
positive test to red at a gate (ms): %d probes, p50 %.0f, p90 %.0f, p99 %.0f, most %.0f; lost %d; %d scans
server: %.1f µs of processor an item, %.0f MiB; generator: %.1f s of processor
`, r.Items, r.Batches, r.Took, r.PerSecond, r.Plan.Rate, r.Refused, r.Errors, r.FirstErr,
		r.Latency.P50, r.Latency.P90, r.Latency.P99, r.Latency.Max, r.Probes, r.ToRed.P50, r.ToRed.P90, r.ToRed.P99, r.ToRed.Max, r.Lost, r.Scans,
		r.CPUPerItem, r.Memory/(1<<20), r.GeneratorCPU)
	return err
}
