package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/areas"
)

type importCmd struct {
	RiskAreas importAreasCmd    `cmd:"" help:"Read official risk-area lists (JSON as the State Council's service gives it, plain or gzip) and put them in force."`
	Evidence  importEvidenceCmd `cmd:"" help:"Take in evidence of a provider: NDJSON, or CSV with a mapping. Bad lines go to quarantine."`
	People    importPeopleCmd   `cmd:"" help:"Register people of a file: NDJSON, or CSV with a mapping."`
	Withdraw  importWithdrawCmd `cmd:"" help:"Take a whole batch of evidence back, exactly."`
}

type importAreasCmd struct {
	Files  []string `arg:"" name:"file" help:"List files; sorted by their own update time before they are taken in." type:"existingfile"`
	Day    string   `help:"The lists must be of this day, YYYY-MM-DD; default: of any day that is not ahead."`
	DryRun bool     `help:"Read and resolve only; keep nothing."`
	Force  bool     `help:"Put in force though it would recolour more people than the breaker allows. Without it one such list is held for two persons, several are refused."`

	day time.Time
}

type listFile struct {
	path string
	raw  []byte
	list *areas.List
}

func (c *importAreasCmd) Run(w *world) error {
	if c.Day != "" {
		var err error
		if c.day, err = time.ParseInLocation(time.DateOnly, c.Day, beijing); err != nil {
			return kangma.E(kangma.Invalid, "day", "give --day as YYYY-MM-DD")
		}
	}
	files, summary, failed := c.read(w)
	if !c.DryRun && len(files) > 0 {
		if err := c.keep(w, files); err != nil {
			failed = append(failed, err)
		}
	}
	if err := printSummary(w, summary); err != nil {
		return err
	}
	return errors.Join(failed...)
}

// read parses every file. A bad file is reported and does not keep the others out.
func (c *importAreasCmd) read(w *world) (files []listFile, sum *areas.Summary, failed []error) {
	sum = areas.NewSummary()
	bar := progress(w.err, len(c.Files), "读取 reading")
	for _, path := range c.Files {
		raw, err := os.ReadFile(path)
		var list *areas.List
		if err == nil {
			list, err = areas.ParseList(bytes.NewReader(raw))
		}
		if err == nil {
			err = list.CheckAt(c.day, time.Now())
		}
		bar.Add(1)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", path, err))
			continue
		}
		sum.Add(filepath.Base(path), list)
		files = append(files, listFile{path, raw, list})
	}
	bar.Finish()
	slices.SortStableFunc(files, func(a, b listFile) int { return a.list.At.Compare(b.list.At) })
	return files, sum, failed
}

// keep puts the lists in force, oldest first. All at once is fastest; where one does not fit, one by one tells which.
func (c *importAreasCmd) keep(w *world, files []listFile) error {
	return withStack(w, 0, func(s *stack) error {
		all := make([][]byte, len(files))
		for i, f := range files {
			all[i] = f.raw
		}
		if !c.Force {
			if err := c.weigh(w, s, all); err != nil {
				return err
			}
		}
		if _, err := s.registry.PublishAreas(w.ctx, all...); err == nil {
			return nil
		}
		bar := progress(w.err, len(files), "入库 keeping")
		var failed []error
		for _, f := range files {
			if _, err := s.registry.PublishAreas(w.ctx, f.raw); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", f.path, err))
			}
			bar.Add(1)
		}
		bar.Finish()
		return errors.Join(failed...)
	})
}

// weigh asks the breaker. A fault of the lists is left to who puts them in force, who can name the file.
func (c *importAreasCmd) weigh(w *world, s *stack, all [][]byte) error {
	v, err := s.registry.WeighAreas(w.ctx, cliFloor, all...)
	switch {
	case err != nil && (kangma.KindOf(err) == kangma.Invalid || kangma.KindOf(err) == kangma.Conflict), err == nil && !v.Held:
		return nil
	case err != nil:
		return err
	case len(all) > 1:
		return kangma.E(kangma.Conflict, "breaker", fmt.Sprintf("together these lists would recolour %.2f %% of the people, more than %.2f %%; nothing was kept: "+
			"import them one by one, so that what is too much waits for two persons, or use --force", 100*v.Share, 100*v.Limit))
	}
	_, held, err := s.registry.ProposeAreas(w.ctx, registry.Actor{Account: "cli", Organisation: "operator"}, c.day, all[0])
	if err != nil || held == nil {
		return err
	}
	fmt.Fprintf(w.err, "HELD: %s\n%s\nrelease it: POST /v1/approvals/%s by a person of another organisation, or import with --force\n", held.Verdict.Why.Zh, held.Verdict.Why.En, held.ID)
	return denied
}

func printSummary(w *world, sum *areas.Summary) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(sum)
	}
	r := sum.Resolved
	fmt.Fprintf(w.out, "%d files, %d rows\n", sum.Files, sum.Rows)
	line := func(what string, n int) {
		if sum.Rows > 0 {
			fmt.Fprintf(w.out, "  %-28s %8d  %6.2f %%\n", what, n, 100*float64(n)/float64(sum.Rows))
		}
	}
	line("street 街道", r.Street)
	line("county 县区", r.County)
	line("named zone 功能区", r.Zone)
	line("city 市", r.City)
	line("province 省", r.Province)
	line("unresolved 未识别", len(sum.Unresolved))
	return listUnresolved(w.out, sum.Unresolved)
}

func listUnresolved(out io.Writer, rows []areas.UnresolvedRow) error {
	for _, u := range rows {
		if _, err := fmt.Fprintf(out, "    %s row %d: %s / %s / %s\n", u.File, u.Row, u.Province, u.City, u.County); err != nil {
			return err
		}
	}
	return nil
}
