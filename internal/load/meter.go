package load

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sample is the server process as its /metrics tells it.
type sample struct {
	at                        int64 // ns since the start of the run
	cpu, memory, files, begun float64
	routines                  float64
}

// meter asks the server how it is, once a second.
type meter struct {
	url    string
	client *http.Client

	mu      sync.Mutex
	samples []sample
}

func newMeter(target string) *meter {
	return &meter{url: "http://" + target + "/metrics", client: &http.Client{Timeout: 3 * time.Second}}
}

var wanted = map[string]func(*sample) *float64{
	"process_cpu_seconds_total":     func(s *sample) *float64 { return &s.cpu },
	"process_resident_memory_bytes": func(s *sample) *float64 { return &s.memory },
	"process_open_fds":              func(s *sample) *float64 { return &s.files },
	"process_start_time_seconds":    func(s *sample) *float64 { return &s.begun },
	"go_goroutines":                 func(s *sample) *float64 { return &s.routines },
}

func (m *meter) look(ctx context.Context, at int64) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url, nil)
	if err != nil {
		return false
	}
	res, err := m.client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	s := sample{at: at}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if f := wanted[name]; f != nil {
			*f(&s), _ = strconv.ParseFloat(value, 64)
		}
	}
	if res.StatusCode != http.StatusOK || s.begun == 0 {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, s)
	return true
}

// run looks once a second until ctx ends.
func (m *meter) run(ctx context.Context, start time.Time) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.look(ctx, int64(time.Since(start)))
		}
	}
}

// between gives the CPU seconds the server spent in a span of the run, and how often it was started anew.
func (m *meter) between(from, to int64) (cpu float64, restarts int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var before *sample
	for i := range m.samples {
		s := &m.samples[i]
		if before != nil && s.at > from && before.at < to {
			if s.begun != before.begun {
				restarts++
				cpu += s.cpu
			} else if span := float64(s.at - before.at); span > 0 { // the part of it that lies in the span
				cpu += (s.cpu - before.cpu) * (float64(min(s.at, to)) - float64(max(before.at, from))) / span
			}
		}
		before = s
	}
	return cpu, restarts
}

// most gives the highest memory, open files and goroutines seen.
func (m *meter) most() (memory, files, routines float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.samples {
		memory, files, routines = max(memory, s.memory), max(files, s.files), max(routines, s.routines)
	}
	return memory, files, routines
}
