package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
)

// gateStateFile names the file beside a bundle where its gate keeps what it must remember: how new its data were and how late it
// was. Whoever replaces the bundle leaves it where it is.
func gateStateFile(bundle string) string { return bundle + ".state" }

// resumeGate goes on from what the gate has kept; a gate that never kept anything begins.
func resumeGate(gate *checkpoint.Offline, bundle string) error {
	raw, err := os.ReadFile(gateStateFile(bundle))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var st checkpoint.GateState
	if err := json.Unmarshal(raw, &st); err != nil {
		return kangma.E(kangma.Invalid, "gate_state", "the gate's state file is damaged; fetch a new bundle and remove the file").Because(err)
	}
	return gate.Resume(st)
}

// keepGate replaces the state file as a whole and syncs it.
func keepGate(gate *checkpoint.Offline, bundle string) error {
	raw, err := json.Marshal(gate.State())
	if err != nil {
		return err
	}
	next := gateStateFile(bundle) + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(next, gateStateFile(bundle))
}

// sayAges says how old the gate's data are, and aloud when they should be renewed.
func sayAges(w *world, a checkpoint.Ages) {
	status := "none"
	if a.Status >= 0 {
		status = a.Status.Round(time.Second).String()
	}
	note := ""
	if a.Amber {
		note = "  数据超过 30 分钟，请更新 older than 30 minutes: fetch a new bundle"
	}
	fmt.Fprintf(w.out, "  data: bundle %s, trust list %s, status list %s old%s\n", a.Bundle.Round(time.Second), a.Trust.Round(time.Second), status, note)
}
