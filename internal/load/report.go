package load

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/kangma/kangma"
)

// Quantiles are latencies in milliseconds.
type Quantiles struct {
	P50, P90, P99, P999, Max float64
}

func quantiles(h *hdrhistogram.Histogram) Quantiles {
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Quantiles{ms(50), ms(90), ms(99), ms(99.9), float64(h.Max()) / 1000}
}

// Step is what one rate gave.
type Step struct {
	Rate    float64 `json:"rate"`    // asked for, a second
	Seconds float64 `json:"seconds"` // arrivals came in
	Goodput float64 `json:"goodput"` // good answers a second of that
	Tally
	Latency     Quantiles            `json:"latency_ms"`       // of served, from when the attempt was due
	Total       Quantiles            `json:"total_latency_ms"` // from when the client first came, refusals included
	Held        Quantiles            `json:"held_ms"`          // from when the attempt was due until a connection was free: this wait the server cannot see (unless Proxied)
	ByKind      map[string]Quantiles `json:"by_kind_ms,omitempty"`
	LastServed  float64              `json:"last_served_s"` // seconds after the step's first arrival
	ServerCPU   float64              `json:"server_cpu_s"`
	CPUPerServe float64              `json:"server_cpu_us_per_request"` // of requests served; shown where nothing else was asked
}

// Second is one second of arrivals.
type Second struct {
	At      int     `json:"at"`
	Due     uint64  `json:"due"`
	Good    uint64  `json:"good"`
	Refused uint64  `json:"refused"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

// Report is what a run found.
type Report struct {
	Plan         Plan              `json:"plan"`
	Started      time.Time         `json:"started"`
	Took         float64           `json:"took_s"`
	Interrupted  bool              `json:"interrupted,omitempty"`
	Steps        []Step            `json:"steps"`
	Seconds      []Second          `json:"seconds"`
	Connections  uint64            `json:"connections_opened"`
	Errors       map[string]uint64 `json:"errors,omitempty"`
	Down         []int64           `json:"unreachable_seconds,omitempty"` // in which no connection could be made
	Restarts     int               `json:"server_restarts"`
	ServerCPU    float64           `json:"server_cpu_s"`
	GeneratorCPU float64           `json:"generator_cpu_s"`
	Memory       float64           `json:"server_memory_most_bytes"`
	Files        float64           `json:"server_files_most"`
	Routines     float64           `json:"server_goroutines_most"`
	Acknowledged uint64            `json:"acknowledged_scans,omitempty"` // warm-up included; only where the plan says so

	acked []kangma.EventID
}

// WriteAcknowledged writes the event ids of the scans that were acknowledged, one a line; there are none unless the plan said so.
func (r *Report) WriteAcknowledged(w io.Writer) error {
	b := bufio.NewWriter(w)
	var line []byte
	for _, id := range r.acked {
		line = append(appendID(line[:0], id), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

func newReport(p *Plan, r *recorder, m *meter, start time.Time, took, own time.Duration, interrupted bool) *Report {
	rep := &Report{Plan: *p, Started: start.UTC(), Took: took.Seconds(), Interrupted: interrupted, Connections: r.opened, Errors: r.errors, GeneratorCPU: own.Seconds(),
		Acknowledged: uint64(len(r.acked)), acked: r.acked}
	slices.Sort(r.down)
	rep.Down = slices.Compact(r.down)
	rep.ServerCPU, rep.Restarts = m.between(0, int64(took)+1)
	rep.Memory, rep.Files, rep.Routines = m.most()
	steps, _ := stepsOf(p)
	for i, st := range steps[1:] {
		rep.Steps = append(rep.Steps, newStep(p, st, r.steps[i+1], m, took))
	}
	for i, b := range r.seconds {
		q := quantiles(b.attempt)
		rep.Seconds = append(rep.Seconds, Second{i, b.Due, b.Good, b.Refused, q.P50, q.P99, q.Max})
	}
	return rep
}

func newStep(p *Plan, st step, b *bin, m *meter, took time.Duration) Step {
	until := min(st.From+int64(p.Duration), int64(took))
	s := Step{Rate: st.Rate, Seconds: max(0, time.Duration(until-st.From).Seconds()), Tally: b.Tally, Latency: quantiles(b.attempt), Total: quantiles(b.total), Held: quantiles(b.held)}
	if s.Seconds > 0 {
		s.Goodput = float64(b.Good) / s.Seconds
	}
	s.LastServed = max(0, time.Duration(b.last-st.From).Seconds())
	s.ByKind = map[string]Quantiles{}
	for k, name := range []string{"show", "scan"} {
		if b.kinds[k].TotalCount() > 0 {
			s.ByKind[name] = quantiles(b.kinds[k])
		}
	}
	s.ServerCPU, _ = m.between(st.From, max(until, b.last))
	if n := b.Served(); n > 0 {
		s.CPUPerServe = s.ServerCPU / float64(n) * 1e6
	}
	return s
}

// heldShown is how many milliseconds of waiting in the generator are worth a line.
const heldShown = 20

// Print writes the report for a person.
func (r *Report) Print(w io.Writer) error {
	b := &strings.Builder{}
	p := &r.Plan
	way := "kept connections"
	if p.NewConns {
		way = "a new connection each"
	}
	fmt.Fprintf(b, "kangma load %s: %s, %d %s, patience %v, good within %v\n", p.Mode, p.Target, p.Connections, way, p.Patience, p.Good)
	for _, s := range r.Steps {
		fmt.Fprintf(b, "  %8.0f/s for %.0f s: %8.0f good/s (%.1f %% of those who came)  p50 %.2f  p99 %.2f  p99.9 %.2f  max %.1f ms  server %.1f µs CPU a request\n",
			s.Rate, s.Seconds, s.Goodput, percent(s.Good, s.Due), s.Latency.P50, s.Latency.P99, s.Latency.P999, s.Latency.Max, s.CPUPerServe)
		s.printTrouble(b)
		if s.Held.P99 > heldShown {
			fmt.Fprintf(b, "           waited for a free connection: p50 %.0f  p99 %.0f ms (the server cannot see that: more --connections, or --proxied)\n", s.Held.P50, s.Held.P99)
		}
		for _, name := range []string{"show", "scan"} {
			if q, ok := s.ByKind[name]; ok && len(s.ByKind) > 1 {
				fmt.Fprintf(b, "           %s: p50 %.2f  p99 %.2f  max %.1f ms\n", name, q.P50, q.P99, q.Max)
			}
		}
	}
	fmt.Fprintf(b, "server: %.1f s CPU, most memory %.0f MiB, open files %.0f, goroutines %.0f; generator: %.1f s CPU, %d connections opened\n",
		r.ServerCPU, r.Memory/(1<<20), r.Files, r.Routines, r.GeneratorCPU, r.Connections)
	for _, k := range sortedKeys(r.Errors) {
		fmt.Fprintf(b, "  %s: %d\n", k, r.Errors[k])
	}
	if len(r.Down) > 0 {
		fmt.Fprintf(b, "no connection could be made in the seconds %v\n", r.Down)
	}
	if r.Restarts > 0 {
		fmt.Fprintf(b, "the server was started anew %d times during the run\n", r.Restarts)
	}
	if r.Acknowledged > 0 {
		fmt.Fprintf(b, "%d scans were acknowledged\n", r.Acknowledged)
	}
	if r.Interrupted {
		fmt.Fprintln(b, "interrupted: figures are of what was done until then")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Step) printTrouble(b *strings.Builder) {
	if s.Good == s.Due {
		return
	}
	fmt.Fprintf(b, "           late %d, refused %d (%d not as they should), gave up %d (%d never sent), broken %d, wrong %d, other %d; refusals a client %.2f, at most %d; last served after %.1f s\n",
		s.Late, s.Refused, s.Bare, s.GaveUp, s.NeverSent, s.Broken, s.Wrong, s.Other, float64(s.Refused)/float64(max(1, s.Due)), s.MostRefuse, s.LastServed)
}

func percent(n, of uint64) float64 { return 100 * float64(n) / float64(max(1, of)) }

func sortedKeys(m map[string]uint64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
