package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/kangma/kangma/store/journal"
)

type auditCmd struct {
	Fsck     auditFsckCmd     `cmd:"" help:"Check every record of the journal: length, checksum, hash chain, place, time. May run beside a server. Exit code 1: damaged."`
	Passages auditPassagesCmd `cmd:"" help:"Compare journal and warehouse passage by passage, and with what was acknowledged. Of one moment only while nobody writes. Exit code 1: something is lost, missing or counted twice."`
	State    auditStateCmd    `cmd:"" help:"Hash the state: equal states have equal hashes, whatever the stores. Of one moment only while nobody writes."`
}

type auditFsckCmd struct{}

func (auditFsckCmd) Run(w *world) error {
	r, err := journal.Verify(filepath.Join(w.Data, "journal"), journal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if w.JSON {
		if err := json.NewEncoder(w.out).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w.out, "journal %s: entries %d to %d in %d segments, head %s\n", r.Journal, r.First, r.Last, len(r.Segments), r.Head)
		for _, d := range r.Damage {
			fmt.Fprintf(w.out, "  DAMAGED: %+v\n", d)
		}
	}
	if !r.Sound() {
		return denied
	}
	return nil
}
