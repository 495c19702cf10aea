package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/keystore/presign"
	"github.com/kangma/kangma/ocr"
)

type serveCmd struct {
	Listen            string        `help:"Address to listen on." default:"127.0.0.1:8080" env:"KANGMA_LISTEN"`
	Region            string        `help:"Division whose codes these are (GB/T 2260)." default:"441500" env:"KANGMA_REGION"`
	Demo              bool          `help:"A small demo town: people, gates, risk areas, accounts with known passwords; one-time passwords are printed. NOT for real use." env:"KANGMA_DEMO"`
	SMSCommand        string        `help:"Program that sends a one-time password; it gets the phone as its argument and the text on standard input." env:"KANGMA_SMS_COMMAND"`
	Signers           string        `help:"Certificates of the signers of EU digital COVID certificates (HC1) to trust at gates: PEM, DER, Base64 lines or JSON." type:"existingfile" env:"KANGMA_SIGNERS"`
	SweepEvery        time.Duration `help:"How long to wait between two searches for colour changes." default:"10m" env:"KANGMA_SWEEP_EVERY"`
	SweepRate         int           `help:"People a second that a search looks at." default:"20000" env:"KANGMA_SWEEP_RATE"`
	SnapshotEvery     time.Duration `help:"How often a sealed snapshot of the state is made; 0: never, and the journal keeps everything." default:"6h" env:"KANGMA_SNAPSHOT_EVERY"`
	NonceStock        int           `help:"MiB of memory for nonces that signatures take, drawn ahead while there is nothing else to do; -1: by itself; 0: none, as it must be where the machine may be copied or set back together with its memory." default:"-1" env:"KANGMA_NONCE_STOCK"`
	TrustRequestStart bool          `help:"Believe X-Request-Start, by which a proxy says since when it has a request, of proxies on other machines too; their clocks must agree with this one to a tenth of a second." env:"KANGMA_TRUST_REQUEST_START"`

	Pprof string `help:"Serve profiles (pprof) at this loopback address, e.g. 127.0.0.1:6060." env:"KANGMA_PPROF"`
	keepFlags
	LogLevel string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"KANGMA_LOG_LEVEL"`
}

func (c *serveCmd) Run(w *world) (err error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(w.err, &slog.HandlerOptions{Level: level}))
	region, err := kangma.ParseDivision(c.Region)
	if err != nil {
		return err
	}
	if err := c.keepFlags.check(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Listen) // before anything is promised
	if err != nil {
		return err
	}
	defer ln.Close() // again, where Serve has done it: no harm
	if err := c.await(w, ln, log); err != nil {
		return err
	}
	w.copyState = true
	s, err := openStack(w.ctx, w.cli, region, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.Demo {
		if err := startDemo(w.ctx, s); err != nil && s.sharedState() == "" {
			return fmt.Errorf("demo town: %w", err)
		}
	}
	reader, closeReader, err := openReader(w.ctx, 0, func(what string) { log.Warn(what) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeReader()) }()
	if s.snapshots, err = s.newSnapshotter(w.cli, c.SnapshotEvery, log); err != nil {
		return err
	}
	nonces, err := s.useNonces(c.NonceStock)
	if err != nil {
		return err
	}
	tuneMemory(w.ctx)
	if err := servePprof(w.ctx, c.Pprof); err != nil {
		return err
	}
	stopShipping, err := s.startShipping(w.ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopShipping()) }()
	if c.Signers != "" {
		signers, err := readSigners(c.Signers)
		if err != nil {
			return err
		}
		s.checkpoint.TrustForeign(signers)
	}
	server, err := c.server(w, s, reader, log)
	if err != nil {
		return err
	}
	defer c.startBackground(w, s, server, nonces, log)()
	ctx, stopCopy := s.keepCopy(w.ctx, w.Node)
	defer stopCopy()
	c.greet(w, s, ln.Addr())
	err = server.Serve(ctx, ln)
	if cause := context.Cause(ctx); w.ctx.Err() == nil && cause != nil {
		err = errors.Join(cause, err)
	}
	return err
}

// startBackground starts what a node does besides answering. What it gives ends all of it, what was started last first.
func (c *serveCmd) startBackground(w *world, s *stack, server *api.Server, nonces *presign.Stock, log *slog.Logger) (stop func()) {
	var stops []func()
	run := func(work func(context.Context)) { stops = append(stops, s.background(w.ctx, work)) }
	s.busy = server.Load
	s.answering.Store(server)
	run(func(ctx context.Context) { s.codes.maintain(ctx, log) })
	run(func(ctx context.Context) { s.issuance.Run(ctx, func(ctx context.Context) { s.reconcile(ctx, log) }) })
	stops = append(stops, s.startWarming(w.ctx, server, log))
	run(func(ctx context.Context) { s.sweep(ctx, c.SweepEvery, c.SweepRate, server.Spare(spareShare), log) })
	if nonces != nil {
		run(func(ctx context.Context) { fillNonces(ctx, nonces, idleTime, server.Spare(spareShare)) })
	}
	s.ager = c.ager(s.registry)
	if s.redis != nil {
		run(func(ctx context.Context) { s.gossip(ctx, w.Node, log) })
	}
	run(func(ctx context.Context) { s.upkeep(ctx, log) })
	if c.SnapshotEvery > 0 {
		s.snapshots.yield = server.Spare(snapshotShare)
		run(s.snapshots.run)
	}
	return func() {
		for _, end := range slices.Backward(stops) {
			end()
		}
	}
}

func (c *serveCmd) server(w *world, s *stack, reader *ocr.Reader, log *slog.Logger) (*api.Server, error) {
	secret, err := s.keys.Secret("otp")
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Registry: s.registry, Checkpoint: s.checkpoint, Issuer: s.issuance, Issuance: s.issuance, Lists: s.codes, Venues: s.codes, Region: s.region, Warehouse: s.warehouse,
		Reader: reader, OTPSecret: secret, SendOTP: c.otpSender(w), BcryptCost: c.bcryptCost(), Version: version, Ready: s.ready, Metrics: s.metrics(), Log: log, Memory: memoryLimit(),
		TrustRequestStart: c.TrustRequestStart, FromMemory: s.redis == nil && s.keys.InMemory(),
	})
}

func (c *serveCmd) bcryptCost() int {
	if c.Demo {
		return 6 // the demo's passwords are printed anyway
	}
	return 12
}

// otpSender gives the way a one-time password reaches a phone.
func (c *serveCmd) otpSender(w *world) func(context.Context, kangma.Phone, string) error {
	switch {
	case c.SMSCommand != "":
		return func(ctx context.Context, phone kangma.Phone, code string) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, c.SMSCommand, phone.Reveal())
			cmd.Stdin = strings.NewReader("康码验证码 " + code + "，10 分钟内有效。Kangma code " + code + ", valid 10 minutes.\n")
			return cmd.Run()
		}
	case c.Demo:
		return func(_ context.Context, phone kangma.Phone, code string) error {
			_, err := fmt.Fprintf(w.out, "[demo] one-time password for %s: %s\n", phone.Masked(), code)
			return err
		}
	}
	return func(context.Context, kangma.Phone, string) error {
		return errors.New("no way to send one-time passwords: set --sms-command")
	}
}

// greet says where the server is, what was made, and what to try.
func (c *serveCmd) greet(w *world, s *stack, addr net.Addr) {
	url := "http://" + addr.String()
	for _, made := range s.keys.Created() {
		fmt.Fprintln(w.out, "made at first start:", made)
	}
	if c.Demo {
		printDemo(w.out, url)
	} else if !s.rulesInForce() {
		fmt.Fprintln(w.out, "no rule set is in force: no colour can be told. Put one in force: kangma rules publish national-9th-2022 (server stopped)")
	}
	fmt.Fprintf(w.out, "listening on %s (pid %d), data in %s\n", url, os.Getpid(), w.Data)
}

func (s *stack) rulesInForce() bool {
	ref, _, _ := s.registry.InForce()
	return ref.ID != ""
}

// ready says part by part what works.
func (s *stack) ready(ctx context.Context) map[string]string {
	parts := map[string]string{"journal": "ok", "state": "ok", "warehouse": "ok", "rules": "ok", "memory": s.warmth.String()}
	switch st := s.shipper.Stats(); {
	case st.Stalled:
		parts["warehouse"] = "no progress; passages wait in the journal"
	case st.LastError != "":
		parts["warehouse"] = "not answering; passages wait in the journal"
	}
	if _, err := s.records.Get(ctx, "active", "rules"); err != nil && !errors.Is(err, kangma.NotFound) {
		parts["state"] = "not answering"
		if from := s.sharedState(); from != "" {
			parts["state"], parts["shared_state"] = "ok", from
		}
	}
	if j := s.journal.Stats(); j.ReadOnly {
		parts["journal"] = fmt.Sprintf("read-only: damaged in %d places; nothing is taken in until kangma repair", len(j.Damage))
	}
	if s.keys.Ready() != nil {
		parts["keys"] = "the token with the signing keys does not answer: no code can be signed"
	}
	if silent := s.silentFeeds(ctx); len(silent) > 0 {
		parts["feeds"] = "silent: " + strings.Join(silent, ", ")
	}
	if !s.rulesInForce() {
		parts["rules"] = "none in force"
	}
	return parts
}

// background runs f until the returned function is called, which waits for it to end.
func (s *stack) background(ctx context.Context, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	return func() { cancel(); <-done }
}
