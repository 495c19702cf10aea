package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
)

// Plan says what is sent. The zero values of optional fields mean what Check fills in.
type Plan struct {
	Mode        string        `yaml:"mode" json:"mode"`               // show, scan or mixed
	Target      string        `yaml:"target" json:"target"`           // host:port, a literal address
	Allowed     []string      `yaml:"-" json:"-"`                     // targets that are allowed though not loopback, host:port; never from a file
	Rates       []float64     `yaml:"rates" json:"rates"`             // arrivals a second, one step each
	Duration    time.Duration `yaml:"duration" json:"duration"`       // of each step
	Settle      time.Duration `yaml:"settle" json:"settle"`           // pause between two steps
	Warmup      time.Duration `yaml:"warmup" json:"warmup"`           // at the first rate, not counted
	Connections int           `yaml:"connections" json:"connections"` // at most open at once
	NewConns    bool          `yaml:"new_connections" json:"new_connections"`
	Proxied     bool          `yaml:"proxied" json:"proxied"`           // as a proxy that says since when it has a request (X-Request-Start)
	Patience    time.Duration `yaml:"patience" json:"patience"`         // after which a client gives up
	Good        time.Duration `yaml:"good" json:"good"`                 // an answer this fast is goodput
	HonourRetry bool          `yaml:"honour_retry" json:"honour_retry"` // refused clients come again when Retry-After says, plus 0 to 1 s
	Drain       time.Duration `yaml:"drain" json:"drain"`               // how long to wait for those after the last arrival
	ShowShare   float64       `yaml:"show_share" json:"show_share"`     // mixed: share of shows
	Codes       int           `yaml:"codes" json:"codes"`               // scan, mixed: codes drawn beforehand and refreshed
	People      int           `yaml:"people" json:"people"`             // use the first so many of the population; 0: all
	Brief       bool          `yaml:"brief" json:"brief"`               // scan as machines: short answers, no name
	Devices     bool          `yaml:"devices" json:"devices"`           // scan with device keys, not as staff
	Loops       int           `yaml:"loops" json:"loops"`               // threads of the generator
	Seed        uint64        `yaml:"seed" json:"seed"`

	Acknowledged bool `yaml:"-" json:"-"` // remember the event ids of acknowledged scans, 16 bytes each
}

// Bounds of a plan.
const (
	MaxRate     = 1_000_000
	MaxDuration = time.Hour
	MaxCount    = 500_000_000 // requests of a whole plan
	maxBytes    = 1 << 20     // of a plan file
)

// Modes is the closed set of modes.
var Modes = []string{"show", "scan", "mixed"}

// ReadPlan reads a plan file (YAML). An unknown key is an error. Check it next.
func ReadPlan(r io.Reader) (p Plan, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return p, err
	}
	if len(raw) > maxBytes {
		return p, kangma.E(kangma.TooLarge, "plan", "a load plan has at most 1 MiB")
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil {
		return p, kangma.E(kangma.Invalid, "plan", "this is no load plan: "+err.Error())
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return p, kangma.E(kangma.Invalid, "plan", "a load plan is one YAML document")
	}
	return p, nil
}

// Check fills in what was left out and reports every fault.
func (p *Plan) Check() error {
	p.fill()
	var faults []kangma.Fault
	bad := func(where, what string, args ...any) {
		faults = append(faults, kangma.Fault{Where: where, Code: "plan", What: fmt.Sprintf(what, args...)})
	}
	if !slices.Contains(Modes, p.Mode) {
		bad("mode", "a mode is one of %v", Modes)
	}
	if err := p.checkTarget(); err != nil {
		bad("target", "%s", err)
	}
	total := 0.0
	for _, r := range p.Rates {
		if !(r >= 0.1 && r <= MaxRate) {
			bad("rates", "a rate is 0.1 to %d a second", MaxRate)
		}
		total += r * p.Duration.Seconds()
	}
	if len(p.Rates) == 0 || len(p.Rates) > 100 {
		bad("rates", "give 1 to 100 rates")
	}
	if total > MaxCount {
		bad("duration", "this would be %.0f requests; at most %d", total, MaxCount)
	}
	for where, d := range map[string]time.Duration{"duration": p.Duration, "patience": p.Patience, "good": p.Good} {
		if d < time.Millisecond || d > MaxDuration {
			bad(where, "1ms to %v", MaxDuration)
		}
	}
	for where, d := range map[string]time.Duration{"settle": p.Settle, "warmup": p.Warmup, "drain": p.Drain} {
		if d < 0 || d > MaxDuration {
			bad(where, "0 to %v", MaxDuration)
		}
	}
	if p.Connections < 1 || p.Loops < 1 || p.Loops > 64 || p.Connections < p.Loops {
		bad("connections", "at least one connection a loop, and 1 to 64 loops")
	}
	if !(p.ShowShare >= 0 && p.ShowShare <= 1) {
		bad("show_share", "a share is 0 to 1")
	}
	if p.Codes < 1 || p.People < 0 {
		bad("codes", "codes and people are positive")
	}
	if len(faults) > 0 {
		return &kangma.Error{Kind: kangma.Invalid, Code: "plan", Public: "the load plan is not valid: " + faults[0].Where + ": " + faults[0].What, Faults: faults}
	}
	return checkFiles(p.Connections)
}

func (p *Plan) fill() {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&p.Duration, 10*time.Second)
	def(&p.Patience, 5*time.Second)
	def(&p.Good, 500*time.Millisecond)
	if p.Connections == 0 {
		p.Connections = 64
	}
	if p.Loops == 0 {
		p.Loops = 1
	}
	if p.Codes == 0 {
		p.Codes = 20_000
	}
	if p.ShowShare == 0 && p.Mode == "mixed" {
		p.ShowShare = 0.9
	}
}

// checkTarget wants a literal loopback address, so that a typing error does not load somebody else's machine.
func (p *Plan) checkTarget() error {
	addr, err := netip.ParseAddrPort(p.Target)
	if err != nil {
		return errors.New("a target is ADDRESS:PORT with a literal address, such as 127.0.0.1:8080")
	}
	if !addr.Addr().IsLoopback() && !slices.Contains(p.Allowed, p.Target) {
		return fmt.Errorf("%s is not this machine; name it with --allow-target %s if you may load it", p.Target, p.Target)
	}
	return nil
}
