package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

// FeedPlan says what a feed brings: batches of negative tests of random people with a signed manifest each, at a fixed rate
// whether or not the server keeps up, and beside them positive tests of single people who are then scanned until they are red.
type FeedPlan struct {
	Target   string        `json:"target"`
	Allowed  []string      `json:"-"`
	Rate     float64       `json:"rate"`     // items a second
	Lines    int           `json:"lines"`    // of a batch
	Duration time.Duration `json:"duration"` // in which batches are due
	Senders  int           `json:"senders"`  // batches on their way at once, at most
	Probes   float64       `json:"probes"`   // positive tests a second
	People   int           `json:"people"`   // the first so many of the population; 0: all
}

// FeedReport is what a feed found.
type FeedReport struct {
	Plan      FeedPlan  `json:"plan"`
	Took      float64   `json:"took_s"`     // until the last answer
	Batches   int       `json:"batches"`    // answered 200
	Items     int       `json:"items"`      // accepted
	PerSecond float64   `json:"per_second"` // accepted, until the last answer
	Refused   int       `json:"refused"`    // answers 429 and 503: the batch was sent again
	Errors    int       `json:"errors"`     // anything else
	FirstErr  string    `json:"first_error,omitempty"`
	Latency   Quantiles `json:"batch_ms"` // from when a batch was due to its answer
	Probes    int       `json:"probes"`   // positive tests that turned a gate red
	Lost      int       `json:"lost"`     // that did not within a minute
	Scans     int       `json:"scans"`
	ToRed     Quantiles `json:"to_red_ms"` // from when a positive test was due to arrive to a red verdict at a gate

	ServerCPU    float64 `json:"server_cpu_s"`
	CPUPerItem   float64 `json:"server_cpu_us_per_item"` // probes and scans are in it
	GeneratorCPU float64 `json:"generator_cpu_s"`
	Memory       float64 `json:"server_memory_most_bytes"`
}

// Check reports every fault of a plan.
func (p *FeedPlan) Check() error {
	var faults []kangma.Fault
	bad := func(where, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: "plan", What: what})
	}
	t := Plan{Target: p.Target, Allowed: p.Allowed}
	if err := t.checkTarget(); err != nil {
		bad("target", err.Error())
	}
	if !(p.Rate >= 1 && p.Rate <= MaxRate) {
		bad("rate", fmt.Sprintf("a rate is 1 to %d items a second", MaxRate))
	}
	if p.Lines < 1 || p.Lines > 20_000 {
		bad("lines", "a batch has 1 to 20,000 lines")
	}
	if p.Duration <= 0 || p.Duration > MaxDuration {
		bad("duration", "a feed lasts up to an hour")
	}
	if p.Senders < 1 || p.Senders > 256 {
		bad("senders", "1 to 256 batches are sent at once")
	}
	if !(p.Probes >= 0 && p.Probes <= 1000) {
		bad("probes", "0 to 1,000 positive tests a second")
	}
	if len(faults) > 0 {
		err := kangma.E(kangma.Invalid, "plan", "this feed cannot be run")
		err.Faults = faults
		return err
	}
	return nil
}

// feeder is a run of a feed.
type feeder struct {
	plan  *FeedPlan
	pop   *Population
	all   int // people
	shown int // of them logged in, who can be probed
	http  *http.Client
	start time.Time
	run   string // names its batches

	mu     sync.Mutex
	rep    FeedReport
	took   *hdrhistogram.Histogram // µs
	toRed  *hdrhistogram.Histogram // µs
	last   time.Time
	beaten atomic.Int64
}

// Feed runs a plan that was checked. When ctx ends early the report is of what was done until then.
func Feed(ctx context.Context, p *FeedPlan, pop *Population, watch Watch) (*FeedReport, error) {
	f := &feeder{plan: p, pop: pop, all: pop.People, shown: pop.Residents(), start: time.Now(), run: strconv.FormatInt(time.Now().UnixMilli(), 36),
		took: hdrhistogram.New(1, maxLatency, 3), toRed: hdrhistogram.New(1, maxLatency, 3),
		http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}}}
	if p.People > 0 {
		f.all = min(f.all, p.People)
		f.shown = max(1, int(int64(f.shown)*int64(f.all)/int64(pop.People)))
	}
	defer f.http.CloseIdleConnections()
	if watch == nil {
		watch = func(string, int, int) {}
	}
	m := newMeter(p.Target)
	if !m.look(ctx, 0) {
		return nil, kangma.E(kangma.Unavailable, "target", "the target does not answer")
	}
	own := ownCPU()
	var wg sync.WaitGroup
	batches := int(p.Rate * p.Duration.Seconds() / float64(p.Lines))
	tell := gently(watch, "batches")
	due := f.schedule(ctx, batches, p.Rate/float64(p.Lines))
	for range p.Senders {
		wg.Go(func() {
			for at := range due {
				f.batch(ctx, at.n, at.due)
				tell(int(f.beaten.Add(1)), batches)
			}
		})
	}
	probes := int(p.Probes * p.Duration.Seconds())
	for at := range f.schedule(ctx, probes, p.Probes) {
		wg.Go(func() { f.probe(ctx, at.n, at.due) })
	}
	wg.Wait()
	if f.last.IsZero() {
		f.last = time.Now()
	}
	m.look(context.WithoutCancel(ctx), int64(time.Since(f.start)))
	return f.report(m, ownCPU()-own), ctx.Err()
}

type dueAt struct {
	n   int
	due time.Time
}

// schedule gives what is due when it is due; what nobody takes in time waits, and its latency counts.
func (f *feeder) schedule(ctx context.Context, n int, perSecond float64) <-chan dueAt {
	out := make(chan dueAt, n)
	go func() {
		defer close(out)
		for i := range n {
			due := f.start.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))
			select {
			case <-time.After(time.Until(due)):
				out <- dueAt{i, due}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (f *feeder) report(m *meter, own time.Duration) *FeedReport {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rep
	took := f.last.Sub(f.start)
	r.Plan, r.Took, r.Latency, r.ToRed, r.GeneratorCPU = *f.plan, took.Seconds(), quantiles(f.took), quantiles(f.toRed), own.Seconds()
	r.PerSecond = float64(r.Items) / took.Seconds()
	r.ServerCPU, _ = m.between(0, 1<<62)
	r.Memory, _, _ = m.most()
	r.CPUPerItem = r.ServerCPU * 1e6 / max(1, float64(r.Items))
	return &r
}

// batch sends one batch until it is taken, lost or ctx ends. It is the same batch however often it is sent.
func (f *feeder) batch(ctx context.Context, n int, due time.Time) {
	h := mix(uint64(f.start.UnixNano()) ^ uint64(n)<<32)
	var body bytes.Buffer
	now := time.Now().UTC().Truncate(time.Second)
	for i := range f.plan.Lines {
		h = mix(h)
		f.line(&body, int(h%uint64(f.all)), now.Add(-time.Duration(i%3600+60)*time.Second), "negative")
	}
	for {
		accepted, wait, err := f.post(ctx, fmt.Sprintf("%s-%d", f.run, n), body.Bytes(), f.plan.Lines, now)
		f.mu.Lock()
		switch f.last = time.Now(); {
		case err == nil:
			f.rep.Batches++
			f.rep.Items += accepted
			_ = f.took.RecordValue(time.Since(due).Microseconds())
		case wait > 0 && ctx.Err() == nil:
			f.rep.Refused++
		default:
			f.fault(err)
		}
		f.mu.Unlock()
		if wait == 0 || ctx.Err() != nil {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// fault counts an error. The caller holds f.mu.
func (f *feeder) fault(err error) {
	if f.rep.Errors++; f.rep.FirstErr == "" {
		f.rep.FirstErr = err.Error()
	}
}

func (f *feeder) line(b *bytes.Buffer, person int, at time.Time, result string) {
	id := f.pop.Person(person)
	fmt.Fprintf(b, `{"id":%q,"kind":"test","person":%q,"observed_at":%q,"test":{"method":"pcr","result":%q,"lab":"lab-07"}}`+"\n",
		kangma.NewEventID(at).String(), id.String(), at.Format(time.RFC3339), result)
}

// post sends a file with its signed manifest. wait is how long to wait before it is sent again; 0: not at all.
func (f *feeder) post(ctx context.Context, name string, body []byte, lines int, now time.Time) (accepted int, wait time.Duration, err error) {
	sum := sha256.Sum256(body)
	signed, err := feeds.SignManifest(feeds.Manifest{Provider: FeedName, Batch: FeedName + "/" + name, Content: feeds.EvidenceContent, Format: feeds.NDJSON,
		Date: now, Count: lines, SHA256: hex.EncodeToString(sum[:])}, FeedKeyID, f.pop.FeedKey())
	if err != nil {
		return 0, 0, err
	}
	var out struct {
		Accepted int             `json:"accepted"`
		Held     json.RawMessage `json:"held"`
	}
	head := http.Header{"Kangma-Manifest": {signed}, "Content-Type": {"application/x-ndjson"}}
	status, wait, err := f.ask(ctx, "/v1/evidence", f.pop.FeederToken(), head, body, &out)
	if err != nil {
		return 0, wait, err
	}
	if status != http.StatusOK || out.Accepted != lines {
		return 0, 0, fmt.Errorf("a batch of %d lines: status %d, %d accepted, held: %s", lines, status, out.Accepted, out.Held)
	}
	return out.Accepted, 0, nil
}

// ask posts and reads an answer of status 2xx. A refusal gives how long to wait.
func (f *feeder) ask(ctx context.Context, path, token string, head http.Header, body []byte, v any) (status int, wait time.Duration, err error) {
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+f.plan.Target+path, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	for k, vs := range head {
		req.Header[k] = vs
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := f.http.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return res.StatusCode, 0, err
	}
	if res.StatusCode/100 != 2 {
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests {
			wait = time.Duration(max(1, seconds)) * time.Second
		}
		return res.StatusCode, wait, errors.New(path + ": status " + strconv.Itoa(res.StatusCode) + ": " + string(raw[:min(len(raw), 300)]))
	}
	return res.StatusCode, 0, json.Unmarshal(raw, v)
}
