package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store/seal"
)

// feedFlags say how the files of a provider are read.
type feedFlags struct {
	Files      []string `arg:"" name:"file" help:"NDJSON, or CSV with --mapping." type:"existingfile"`
	Source     string   `required:"" help:"The provider the files are of."`
	Batch      string   `help:"Name of the batch, by which it can be taken back; default: the provider and the file's name."`
	Mapping    string   `help:"YAML file that maps the columns of this provider's CSV; default for evidence in a .csv file: what was set for the feed." type:"existingfile"`
	Manifest   string   `help:"The provider's signed manifest of the file (one file at a time)." type:"existingfile"`
	Key        string   `help:"The provider's public key (PEM) that checks the manifest; its id is the file's name without .pem." type:"existingfile"`
	Quarantine string   `help:"Where bad lines go, to be mended and replayed; default: beside the file, .quarantine. Holds personal data." type:"path"`
	Replay     bool     `help:"The files are quarantine files whose texts were mended."`
}

type importEvidenceCmd struct {
	feedFlags `embed:""`
}

type importPeopleCmd struct {
	feedFlags `embed:""`
}

// options gives how to read one file, after its manifest was checked against its bytes.
func (f *feedFlags) options(path string, raw []byte, content string) (feeds.Options, error) {
	if f.Quarantine != "" && len(f.Files) > 1 {
		return feeds.Options{}, kangma.E(kangma.Invalid, "quarantine", "give --quarantine with one file at a time: line numbers are those of a file")
	}
	now := time.Now().UTC()
	o := feeds.Options{Provider: f.Source, Batch: f.Batch, Content: content, Format: feeds.NDJSON, Now: now, Retention: evidenceRetention}
	if o.Batch == "" {
		o.Batch = f.Source + "/" + path[strings.LastIndexByte(path, '/')+1:]
	}
	if f.Mapping != "" {
		yaml, err := os.ReadFile(f.Mapping)
		if err != nil {
			return o, err
		}
		if o.Mapping, err = feeds.LoadMapping(yaml); err != nil {
			return o, fmt.Errorf("%s: %w", f.Mapping, err)
		}
		o.Format = feeds.CSV
	} else if strings.HasSuffix(strings.TrimSuffix(path, ".quarantine"), ".csv") {
		o.Format = feeds.CSV
	}
	if f.Manifest == "" {
		return o, nil
	}
	m, err := f.manifest(now)
	if err != nil {
		return o, err
	}
	mapping := o.Mapping
	o = m.For(now, evidenceRetention)
	o.Mapping = mapping
	if m.Content != content {
		return o, kangma.E(kangma.Invalid, "manifest", "the manifest is for "+m.Content)
	}
	return o, m.Check(bytes.NewReader(raw))
}

func (f *feedFlags) manifest(now time.Time) (feeds.Manifest, error) {
	if f.Key == "" {
		return feeds.Manifest{}, kangma.E(kangma.Invalid, "key", "a manifest is checked with --key, the provider's public key")
	}
	signed, err1 := os.ReadFile(f.Manifest)
	raw, err2 := os.ReadFile(f.Key)
	if err := errors.Join(err1, err2); err != nil {
		return feeds.Manifest{}, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return feeds.Manifest{}, kangma.E(kangma.Invalid, "pem", f.Key+" is no PEM file")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return feeds.Manifest{}, err
	}
	id := strings.TrimSuffix(f.Key[strings.LastIndexByte(f.Key, '/')+1:], ".pem")
	return feeds.OpenManifest(strings.TrimSpace(string(signed)), func(want string) (feeds.Key, error) {
		if want != id {
			return feeds.Key{}, kangma.NotFound
		}
		return feeds.Key{ID: id, Provider: f.Source, Public: public}, nil
	}, now)
}

// quarantine opens where bad lines go, on the first one. Those of a CSV come after its header.
func (f *feedFlags) quarantine(path string, header []byte) (put func(*feeds.Record) error, done func() (string, error)) {
	name := f.Quarantine
	if name == "" {
		name = path + ".quarantine"
	}
	var file *os.File
	put = func(r *feeds.Record) (err error) {
		if file == nil {
			if file, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
				return err
			}
			if header != nil {
				err = feeds.Quarantined{Line: 1, Text: string(header)}.Append(file)
			}
		}
		return errors.Join(err, r.Quarantine().Append(file))
	}
	return put, func() (string, error) {
		if file == nil {
			return "", nil
		}
		return name, file.Close()
	}
}

func (c *importEvidenceCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		bad := false
		for _, path := range c.Files {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			opt, err := c.options(path, raw, feeds.EvidenceContent)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if err := s.registry.Configure(w.ctx, &opt); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			put, done := c.quarantine(path, c.header(opt, raw))
			by := registry.Actor{Account: "cli", Organisation: "operator"}
			res, err := c.takeIn(w, s, raw, opt, by, put)
			where, closeErr := done()
			if err := errors.Join(err, closeErr); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			bad = bad || res.Tally.Bad > 0 || res.Held != nil
			if err := printFeed(w, path, res.Batch, res.Accepted, res.Tally, where, res.Held); err != nil {
				return err
			}
		}
		if bad {
			return denied
		}
		return nil
	})
}

func (c *importEvidenceCmd) takeIn(w *world, s *stack, raw []byte, opt feeds.Options, by registry.Actor, put func(*feeds.Record) error) (registry.FeedResult, error) {
	if c.Replay {
		return s.registry.Replay(w.ctx, raw, opt, by, put)
	}
	return s.registry.TakeIn(w.ctx, bytes.NewReader(raw), opt, by, put)
}

// header gives the header of a CSV, or of the CSV a quarantine file came from; nil for NDJSON.
func (f *feedFlags) header(opt feeds.Options, raw []byte) []byte {
	if opt.Format != feeds.CSV {
		return nil
	}
	if f.Replay {
		header, _, _ := registry.SplitQuarantine(raw) // a damaged file says so when it is replayed
		return header
	}
	return registry.CSVHeader(raw)
}

func printFeed(w *world, path, batch string, accepted int, t feeds.Tally, quarantine string, held *registry.Held) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(map[string]any{"file": path, "batch": batch, "accepted": accepted, "tally": t, "quarantine": quarantine, "held": held})
	}
	fmt.Fprintf(w.out, "%s: %d lines, %d kept, %d bad (batch %s)\n", path, t.Records, accepted, t.Bad, batch)
	for code, n := range t.Faults {
		fmt.Fprintf(w.out, "  %-20s %d\n", code, n)
	}
	if quarantine != "" {
		fmt.Fprintf(w.out, "  bad lines are in %s: mend the text there and import it with --replay\n", quarantine)
	}
	if held != nil {
		fmt.Fprintf(w.out, "  HELD: %s\n  %s\n  release it: POST /v1/approvals/%s by a person of another organisation\n", held.Verdict.Why.Zh, held.Verdict.Why.En, held.ID)
	}
	return nil
}

func (c *importPeopleCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		bad := false
		for _, path := range c.Files {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			opt, err := c.options(path, raw, feeds.PeopleContent)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			accepted, tally, where, err := c.register(w, s, path, raw, opt)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			bad = bad || tally.Bad > 0
			if err := printFeed(w, path, opt.Batch, accepted, tally, where, nil); err != nil {
				return err
			}
		}
		if bad {
			return denied
		}
		return nil
	})
}

// register takes the people of one file in.
func (c *importPeopleCmd) register(w *world, s *stack, path string, raw []byte, opt feeds.Options) (n int, t feeds.Tally, where string, err error) {
	put, done := c.quarantine(path, c.header(opt, raw))
	bar := progress(w.err, bytes.Count(raw, []byte("\n")), "登记 registering")
	conflicts := 0
	yield := func(r *feeds.Record) error {
		bar.Add(1)
		if len(r.Faults) > 0 {
			return put(r)
		}
		a := r.Applicant
		_, _, err := s.registry.Register(w.ctx, registry.Registration{Home: a.Home,
			Identity: seal.Identity{Name: a.Name, DocType: a.DocType, Number: a.Number, Phone: a.Phone}})
		if errors.Is(err, registry.ErrRegistered) {
			conflicts++
			r.Faults = []kangma.Fault{{Where: "phone", Code: "already_registered", What: registry.ErrRegistered.Public}}
			return put(r)
		}
		n++
		return err
	}
	if c.Replay {
		header, lines, bad := registry.SplitQuarantine(raw)
		if err = bad; err == nil {
			t, err = feeds.Replay(bytes.NewReader(lines), header, opt, yield)
		}
	} else {
		t, err = feeds.Scan(bytes.NewReader(raw), opt, yield)
	}
	bar.Finish()
	t.Bad, t.Good = t.Bad+conflicts, t.Good-conflicts
	where, closeErr := done()
	return n, t, where, errors.Join(err, closeErr)
}

type importWithdrawCmd struct {
	Batch  string `arg:"" help:"Name of the batch."`
	Reason string `required:"" help:"Why."`
}

func (c *importWithdrawCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		n, err := s.registry.WithdrawBatch(w.ctx, c.Batch, c.Reason)
		if err == nil {
			fmt.Fprintf(w.out, "taken back: %s, %d people\n", c.Batch, n)
		}
		return err
	})
}
