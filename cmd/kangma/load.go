package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/load"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
)

type loadCmd struct {
	Prepare  loadPrepareCmd  `cmd:"" help:"Fill an empty data folder with invented people, their sessions, gates, staff and devices (server stopped). NOT for real use."`
	Show     loadShowCmd     `cmd:"" help:"Residents open their code (GET /v1/me/code)."`
	Scan     loadScanCmd     `cmd:"" help:"Gates scan codes (POST /v1/scans)."`
	Mixed    loadMixedCmd    `cmd:"" help:"Both."`
	Feed     loadFeedCmd     `cmd:"" help:"A feed brings evidence (POST /v1/evidence) while positive tests are followed to a gate."`
	Simulate loadSimulateCmd `cmd:"" help:"A day of a province whose phones hold credentials, computed."`
	Run      loadRunCmd      `cmd:"" help:"Run a load plan (YAML)."`
}

// loadFlags are what every run understands. Arrivals are open loop: a slow server does not slow them.
type loadFlags struct {
	Target      string        `help:"Server, ADDRESS:PORT." default:"127.0.0.1:8080"`
	AllowTarget []string      `help:"Targets (ADDRESS:PORT) that may be loaded though they are not this machine."`
	Population  string        `help:"Population file; default: the one in the data folder." type:"path"`
	Rate        []float64     `help:"Arrivals a second; several are run one after the other." default:"1000"`
	Duration    time.Duration `help:"Length of each rate." default:"10s"`
	Settle      time.Duration `help:"Pause between two rates."`
	Warmup      time.Duration `help:"At the first rate, not counted." default:"2s"`
	Connections int           `help:"Open at once, at most." default:"64"`
	New         bool          `help:"A new connection for every request."`
	Proxied     bool          `help:"Behave as a proxy with so many kept connections that tells the server since when it has a request (X-Request-Start)."`
	Patience    time.Duration `help:"After which a client gives up." default:"5s"`
	Good        time.Duration `help:"An answer this fast is goodput." default:"500ms"`
	HonourRetry bool          `help:"Refused clients come again when Retry-After says, plus up to a second."`
	Drain       time.Duration `help:"How long to wait for those after the last arrival." default:"60s"`
	People      int           `help:"Use the first so many of those who are logged in; 0: all."`
	Loops       int           `help:"Threads of the generator." default:"1"`
	Seed        uint64        `help:"Of who comes when." default:"1"`
	Picture     string        `help:"Draw latency over time and goodput over offered load here (SVG)." type:"path"`

	Acknowledged string `help:"Write the event ids of acknowledged scans here, for kangma audit passages." type:"path"`
}

func (f *loadFlags) plan(mode string) *load.Plan {
	return &load.Plan{Mode: mode, Target: f.Target, Allowed: f.AllowTarget, Rates: f.Rate, Duration: f.Duration, Settle: f.Settle, Warmup: f.Warmup,
		Connections: f.Connections, NewConns: f.New, Proxied: f.Proxied, Patience: f.Patience, Good: f.Good, HonourRetry: f.HonourRetry, Drain: f.Drain,
		People: f.People, Loops: f.Loops, Seed: f.Seed, Acknowledged: f.Acknowledged != ""}
}

type loadShowCmd struct{ loadFlags }

func (c *loadShowCmd) Run(w *world) error {
	return runLoad(w, c.plan("show"), c.Population, c.Picture, c.Acknowledged)
}

// scanFlags are what runs with scans understand besides.
type scanFlags struct {
	Codes   int  `help:"Codes drawn from the server beforehand and refreshed each minute." default:"20000"`
	Brief   bool `help:"Ask as machines do: short answers without a name."`
	Devices bool `help:"Scan with device keys, not as staff."`
}

func (f *scanFlags) in(p *load.Plan) *load.Plan {
	p.Codes, p.Brief, p.Devices = f.Codes, f.Brief, f.Devices
	return p
}

type loadScanCmd struct {
	loadFlags
	scanFlags
}

func (c *loadScanCmd) Run(w *world) error {
	return runLoad(w, c.in(c.plan("scan")), c.Population, c.Picture, c.Acknowledged)
}

type loadMixedCmd struct {
	loadFlags
	scanFlags
	ShowShare float64 `help:"Share of shows." default:"0.9"`
}

func (c *loadMixedCmd) Run(w *world) error {
	p := c.in(c.plan("mixed"))
	p.ShowShare = c.ShowShare
	return runLoad(w, p, c.Population, c.Picture, c.Acknowledged)
}

type loadRunCmd struct {
	Plan        string   `arg:"" help:"Plan file." type:"existingfile"`
	AllowTarget []string `help:"Targets (ADDRESS:PORT) that may be loaded though they are not this machine."`
	Population  string   `help:"Population file; default: the one in the data folder." type:"path"`
	Picture     string   `help:"Draw it here (SVG)." type:"path"`
}

func (c *loadRunCmd) Run(w *world) error {
	f, err := os.Open(c.Plan)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := load.ReadPlan(f)
	if err != nil {
		return err
	}
	p.Allowed = c.AllowTarget
	return runLoad(w, &p, c.Population, c.Picture, "")
}

func runLoad(w *world, p *load.Plan, population, picture, acknowledged string) error {
	if err := p.Check(); err != nil {
		return err
	}
	if population == "" {
		population = filepath.Join(w.Data, load.PopulationFile)
	}
	pop, err := load.OpenPopulation(population)
	if err != nil {
		return err
	}
	watch, finish := watchBars(w)
	report, err := load.Run(w.ctx, p, pop, watch)
	finish()
	if report == nil {
		return err
	}
	if picture != "" {
		err = errors.Join(err, writeTo(picture, report.Draw))
	}
	if acknowledged != "" {
		err = errors.Join(err, writeTo(acknowledged, report.WriteAcknowledged))
	}
	if w.JSON {
		return errors.Join(err, json.NewEncoder(w.out).Encode(report))
	}
	return errors.Join(err, report.Print(w.out))
}

// watchBars shows each stage of a run as a progress bar.
func watchBars(w *world) (watch load.Watch, finish func()) {
	var b bar
	now := ""
	return func(stage string, done, all int) {
			if stage != now {
				b.Finish()
				b, now = progress(w.err, all, stage), stage
			}
			b.Set(int64(done))
		}, func() {
			b.Finish()
		}
}

type loadPrepareCmd struct {
	People    int  `help:"People." default:"100000"`
	Logins    int  `help:"Log in only so many of them, evenly spread; 0: all. Loads then ask for these."`
	StateOnly bool `help:"Journal no people: half the time and disk. Such a folder cannot be rebuilt from its journal or audited against it."`
	Gates     int  `help:"Gates, each with an account and a device." default:"1000"`
}

func (c *loadPrepareCmd) Run(w *world) error {
	const region = kangma.Division(441500000)
	path := filepath.Join(w.Data, load.PopulationFile)
	if _, err := os.Stat(path); err == nil {
		return kangma.E(kangma.Conflict, "population", path+" is there already; take an empty data folder")
	}
	pop, err := load.NewPopulation(c.People, c.Logins, c.Gates, region)
	if err != nil {
		return kangma.E(kangma.Invalid, "population", "give 1 to 50,000,000 people, as many logins at most and 1 to 100,000 gates")
	}
	if len(w.Redis) > 0 {
		return kangma.E(kangma.Invalid, "flags", "a population is prepared on embedded stores; move it with kangma export and kangma rebuild")
	}
	if _, err := os.Stat(filepath.Join(w.Data, "state.db")); err == nil {
		return kangma.E(kangma.Conflict, "population", "there is a state in "+w.Data+" already; take an empty data folder")
	}
	watch, finish := watchBars(w)
	defer finish()
	s := &stack{region: region}
	err = c.fill(w.ctx, w, s, pop, watch)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	filled := s.journal.Last()
	err = withStack(w, region, func(s *stack) error {
		if err := nothingToShip(w.ctx, s.warehouse, w.Node, filled); err != nil {
			return err
		}
		if err := startDemo(w.ctx, s); err != nil {
			return err
		}
		if err := pop.FillFeeder(w.ctx, s.registry, time.Now()); err != nil {
			return err
		}
		return pop.FillGates(w.ctx, s.registry, time.Now(), watch)
	})
	if err != nil {
		return err
	}
	if err := pop.Write(path); err != nil {
		return err
	}
	finish()
	_, err = fmt.Fprintf(w.out, "%d people and %d gates in %s; now: kangma serve --data %s, and kangma load show --data %s\n", c.People, c.Gates, w.Data, w.Data, w.Data)
	return err
}

// nothingToShip tells the warehouse that it has everything up to a position behind which there are no passages: the first server need
// not look for them among millions of events.
func nothingToShip(ctx context.Context, wh store.Warehouse, node string, upTo store.Position) error {
	loaded, err := wh.Loaded(ctx, node)
	if err != nil || loaded >= upTo {
		return err
	}
	return wh.Load(ctx, store.Batch{Node: node, From: loaded, To: upTo})
}

// fill puts the people in without the registry, whose background work would apply the journal a second time, and into a new
// file (embedded.Options.Bulk): one by one a million would take a quarter of an hour.
func (c *loadPrepareCmd) fill(ctx context.Context, w *world, s *stack, pop *load.Population, watch load.Watch) (err error) {
	if err := os.MkdirAll(w.Data, 0o700); err != nil {
		return err
	}
	if err := s.openKeys(w.cli); err != nil {
		return err
	}
	sealer, err := s.sealer()
	if err != nil {
		return err
	}
	if err := s.openJournal(w.cli, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	db, err := embedded.Open(filepath.Join(w.Data, "state.db"), embedded.Options{Bulk: true, SkipCheck: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	to := load.Stores{Node: w.Node, Journal: s.journal, Loader: db.Loader(), Sealer: sealer}
	if c.StateOnly {
		to.Journal = nil
	}
	return pop.FillPeople(ctx, to, time.Now().UTC(), watch)
}
