package load

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"github.com/kangma/kangma"
)

// Tally counts what became of clients.
type Tally struct {
	Due        uint64 `json:"due"`          // clients that came
	Good       uint64 `json:"good"`         // answered as asked, in time
	Late       uint64 `json:"late"`         // answered as asked, too late to be good
	Wrong      uint64 `json:"wrong"`        // 200, but not what was asked for
	Refused    uint64 `json:"refused"`      // 429 and 503, each time
	Bare       uint64 `json:"bare_refused"` // of those, without Retry-After or no problem document
	Other      uint64 `json:"other"`        // any other status
	GaveUp     uint64 `json:"gave_up"`      // no answer within the client's patience
	NeverSent  uint64 `json:"never_sent"`   // of those, no connection was free in all that time
	Broken     uint64 `json:"broken"`       // connection refused, reset or closed
	MostRefuse uint16 `json:"most_refusals_of_one_client"`
}

// Served is how many got what they asked for.
func (t *Tally) Served() uint64 { return t.Good + t.Late }

func (t *Tally) add(o *Tally) {
	t.Due += o.Due
	t.Good += o.Good
	t.Late += o.Late
	t.Wrong += o.Wrong
	t.Refused += o.Refused
	t.Bare += o.Bare
	t.Other += o.Other
	t.GaveUp += o.GaveUp
	t.NeverSent += o.NeverSent
	t.Broken += o.Broken
	t.MostRefuse = max(t.MostRefuse, o.MostRefuse)
}

// bin is one step, or one second, with its latencies in microseconds.
type bin struct {
	Tally
	attempt *hdrhistogram.Histogram // from when the attempt was due
	total   *hdrhistogram.Histogram // from when the client first came
	held    *hdrhistogram.Histogram // from when it was due until a connection was free to send it
	kinds   [2]*hdrhistogram.Histogram
	last    int64 // when the last good answer came, ns since the start
}

const maxLatency = int64(2 * time.Hour / time.Microsecond)

func newBin(digits int) *bin {
	b := &bin{attempt: hdrhistogram.New(1, maxLatency, digits)}
	if digits > 2 {
		b.total = hdrhistogram.New(1, maxLatency, digits)
		b.held = hdrhistogram.New(1, maxLatency, digits)
		b.kinds = [2]*hdrhistogram.Histogram{hdrhistogram.New(1, maxLatency, digits), hdrhistogram.New(1, maxLatency, digits)}
	}
	return b
}

func (b *bin) merge(o *bin) {
	b.add(&o.Tally)
	b.attempt.Merge(o.attempt)
	if b.total != nil && o.total != nil {
		b.total.Merge(o.total)
		b.held.Merge(o.held)
		b.kinds[0].Merge(o.kinds[0])
		b.kinds[1].Merge(o.kinds[1])
	}
	b.last = max(b.last, o.last)
}

// recorder is one loop's book. Only live is read by others while the loop runs.
type recorder struct {
	plan    *Plan
	steps   []*bin
	seconds []*bin // by when the client first came
	opened  uint64
	down    []int64 // seconds in which no connection could be made
	errors  map[string]uint64
	live    atomic.Uint64
	acked   []kangma.EventID // of scans, where the plan says so
}

func newRecorder(p *Plan) *recorder {
	r := &recorder{plan: p, errors: map[string]uint64{}}
	for range len(p.Rates) + 1 {
		r.steps = append(r.steps, newBin(3))
	}
	return r
}

func (r *recorder) second(at int64) *bin {
	s := int(at / int64(time.Second))
	for len(r.seconds) <= s {
		r.seconds = append(r.seconds, newBin(1))
	}
	return r.seconds[s]
}

func (r *recorder) each(t ticket, f func(b *bin)) {
	f(r.steps[t.step])
	f(r.second(t.first))
}

func (r *recorder) arrived(t ticket) { r.each(t, func(b *bin) { b.Due++ }) }

// sent notes how long a request was held back for want of a connection.
func (r *recorder) sent(t ticket, now int64) { record(r.steps[t.step].held, (now-t.due)/1000) }

func (r *recorder) answered(t ticket, now int64, res *response, valid bool) {
	r.live.Add(1)
	attempt := (now - t.due) / 1000
	r.each(t, func(b *bin) {
		b.MostRefuse = max(b.MostRefuse, t.refused)
		switch {
		case res.status == 200 && valid:
			if now-t.due <= int64(r.plan.Good) {
				b.Good++
			} else {
				b.Late++
			}
			b.last = max(b.last, now)
			record(b.attempt, attempt)
			if b.total != nil {
				record(b.total, (now-t.first)/1000)
				record(b.kinds[t.kind], attempt)
			}
		case res.status == 200:
			b.Wrong++
		case res.status == 503 || res.status == 429:
			b.Refused++
			b.MostRefuse = max(b.MostRefuse, t.refused+1)
			if res.retryAfter == 0 || !valid {
				b.Bare++
			}
		default:
			b.Other++
		}
	})
	if res.status != 200 && res.status != 503 {
		r.errors[fmt.Sprintf("status %d", res.status)]++
	}
}

func record(h *hdrhistogram.Histogram, µs int64) {
	_ = h.RecordValue(min(max(µs, 1), maxLatency)) // within its bounds by construction
}

func (r *recorder) gaveUp(t ticket, sent bool) {
	r.each(t, func(b *bin) {
		b.GaveUp++
		if !sent {
			b.NeverSent++
		}
	})
}

func (r *recorder) failed(t ticket, _ int64, err error) {
	r.each(t, func(b *bin) { b.Broken++ })
	r.errors[nameOf(err)]++
}

func nameOf(err error) string {
	var errno unix.Errno
	switch {
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	case errors.Is(err, io.EOF):
		return "closed by the server"
	}
	return err.Error()
}

// unreachable notes a second in which no connection could be made.
func (r *recorder) unreachable(at int64) {
	s := at / int64(time.Second)
	if n := len(r.down); n == 0 || r.down[n-1] != s {
		r.down = append(r.down, s)
	}
}

func (r *recorder) merge(o *recorder) {
	for i, b := range o.steps {
		r.steps[i].merge(b)
	}
	for i, b := range o.seconds {
		r.second(int64(i) * int64(time.Second)).merge(b)
	}
	r.opened += o.opened
	r.down = append(r.down, o.down...)
	r.acked = append(r.acked, o.acked...)
	for k, n := range o.errors {
		r.errors[k] += n
	}
}
