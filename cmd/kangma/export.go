package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/snapshot"
)

// exportCmd writes everything that is not in a journal of its own: state and passages, sealed.
type exportCmd struct {
	File       string `arg:"" help:"File to write; there must be none." type:"path"`
	NoPassages bool   `help:"Leave the passages out."`
}

func (c *exportCmd) Run(w *world) error {
	s := &stack{}
	err := s.openForCopy(w, !c.NoPassages)
	if err == nil {
		err = c.export(w, s)
	}
	return errors.Join(err, s.Close())
}

func (c *exportCmd) export(w *world, s *stack) error {
	h, sum, err := s.copyTo(w, c.File, !c.NoPassages)
	if err != nil {
		return err
	}
	return sayCopy(w, "exported", h, sum)
}

// sayCopy tells what a copy holds.
func sayCopy(w *world, what string, h snapshot.Head, s snapshot.Summary) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(struct {
			snapshot.Head
			snapshot.Summary
			Bytes int64 `json:"bytes"`
		}{h, s, s.Bytes})
	}
	_, err := fmt.Fprintf(w.out, "%s: %d people, %d records, %d passages, %d bytes, state %s\n", what, s.People, s.Records, s.Rows, s.Bytes, s.State)
	return err
}

// auditStateCmd tells the hash of the state.
type auditStateCmd struct {
	Content bool `help:"Leave out the version numbers: they differ after a rebuild from the journal, which applies several events at once, and the state is the same."`
}

func (c *auditStateCmd) Run(w *world) error {
	s := &stack{}
	err := s.openForCopy(w, false)
	if err == nil {
		err = s.sayStored(w, !c.Content)
	}
	return errors.Join(err, s.Close())
}

// sayState tells the hash of the state as this process sees it.
func (s *stack) sayState(w *world, versions bool) error {
	return sayHash(w, s.dossiers, s.records, versions)
}

// sayStored is sayState where this process has changed nothing: the file is read past what would remember it.
func (s *stack) sayStored(w *world, versions bool) error {
	if s.embedded != nil {
		return sayHash(w, s.embedded.Dossiers(), s.embedded.Records(), versions)
	}
	return s.sayState(w, versions)
}

func sayHash(w *world, people store.Dossiers, records store.Records, versions bool) error {
	d, err := hashOf(w, people, records, versions)
	if err != nil {
		return err
	}
	return sayDigest(w, d)
}

func hashOf(w *world, people store.Dossiers, records store.Records, versions bool) (digest.Digest, error) {
	bar := progress(w.err, store.Partitions, "核对 hashing")
	defer bar.Finish()
	return digest.State(w.ctx, people, records, digest.Options{Versions: versions, Progress: func(n int, _ uint64) { bar.Set(int64(n)) }})
}

func sayDigest(w *world, d digest.Digest) error {
	if w.JSON {
		kinds := map[string]string{}
		for kind, sum := range d.Kinds {
			kinds[kind] = hex.EncodeToString(sum[:])
		}
		only := d
		only.Kinds = nil
		return json.NewEncoder(w.out).Encode(map[string]any{"people": d.People, "records": d.Records, "state": d.String(), "dossiers": only.String(), "kinds": kinds})
	}
	_, err := fmt.Fprintf(w.out, "%d people, %d records, state %s\n", d.People, d.Records, d)
	return err
}
