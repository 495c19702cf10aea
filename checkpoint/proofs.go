package checkpoint

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store"
)

// proofs is what nodes tell each other of the holder proofs shown at them: 1,024 small records, each with the proofs of
// the last two minutes whose codes fall into it. They are not journaled and never grow beyond what is shown in that time.
type proofs struct{ records store.Records }

const (
	proofKind   = "shown-proofs"
	proofSize   = 12 + 2 + 16 + 4 + 4 // code, slot, event, gate, until
	proofAnswer = 1 << 15             // in the slot: of an answer, which uses the slots before it up too
	proofTries  = 8
	maxProofs   = 4096 // in one record; under a flood the oldest go first
	proofRecord = 1024
)

func proofRecordID(id codegen.CodeID) string {
	return fmt.Sprintf("%04d", int(binary.BigEndian.Uint16(id[:]))%proofRecord)
}

// note reports whether the proof was shown before by another scan, at any node, and records it if not.
func (p *proofs) note(ctx context.Context, c *codegen.Claims, gate string, event kangma.EventID, at time.Time) (replayed bool, err error) {
	entry := proofEntry(c, gate, event, at)
	err = p.change(ctx, c.ID, at, func(all []byte) []byte {
		replayed = false
		for e := range chunks(all) {
			if !bytes.Equal(e[:12], entry[:12]) {
				continue
			}
			same := bytes.Equal(e[14:34], entry[14:34])
			slot := binary.BigEndian.Uint16(e[12:])
			if at := int(slot &^ proofAnswer); at == c.Slot || slot&proofAnswer != 0 && c.Slot < at {
				replayed = !same
				return all
			}
		}
		all = append(all, entry...)
		return all[max(0, len(all)-maxProofs*proofSize):]
	})
	return replayed, err
}

// forget takes a proof back whose passage could not be kept. Failing to is no harm: the person waits for the next slot.
func (p *proofs) forget(ctx context.Context, c *codegen.Claims, event kangma.EventID) {
	_ = p.change(ctx, c.ID, event.Time(), func(all []byte) []byte {
		var kept []byte
		for e := range chunks(all) {
			if !bytes.Equal(e[:12], c.ID[:]) || !bytes.Equal(e[14:30], event[:]) {
				kept = append(kept, e...)
			}
		}
		return kept
	})
}

func proofEntry(c *codegen.Claims, gate string, event kangma.EventID, at time.Time) []byte {
	h := fnv.New32a()
	h.Write([]byte(gate))
	e := append(make([]byte, 0, proofSize), c.ID[:]...)
	slot, life := uint16(c.Slot), proofLife
	if c.Challenge != 0 {
		slot, life = slot|proofAnswer, answerLife
	}
	e = binary.BigEndian.AppendUint16(e, slot)
	e = append(e, event[:]...)
	e = binary.BigEndian.AppendUint32(e, h.Sum32())
	return binary.BigEndian.AppendUint32(e, uint32(at.Add(life).Unix()))
}

// chunks gives the entries of a record; a stray rest is no entry.
func chunks(all []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for ; len(all) >= proofSize; all = all[proofSize:] {
			if !yield(all[:proofSize]) {
				return
			}
		}
	}
}

// change replaces a record by compare-and-swap where f changed it, without what is over.
func (p *proofs) change(ctx context.Context, id codegen.CodeID, at time.Time, f func([]byte) []byte) error {
	for range proofTries {
		rec, err := p.records.Get(ctx, proofKind, proofRecordID(id))
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		var living []byte
		for e := range chunks(rec.Data) {
			if int64(binary.BigEndian.Uint32(e[34:])) > at.Unix() {
				living = append(living, e...)
			}
		}
		next := f(bytes.Clone(living))
		if bytes.Equal(next, living) {
			return nil
		}
		err = p.records.Put(ctx, store.Record{Kind: proofKind, ID: proofRecordID(id), Version: rec.Version + 1, Data: next})
		if !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.Conflict
}
