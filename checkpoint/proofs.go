package checkpoint

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store"
)

// proofs is what nodes tell each other of the holder proofs shown at them. They are kept for the two minutes in which one may
// be shown, are in no journal, and never grow beyond what is shown in that time.
type proofs struct{ moments store.Moments }

// note reports whether the proof was shown before by another scan, at any node, and keeps it if not. The same event at the
// same gate is a retry. An answer to a gate's number uses the slots before its own up too.
func (p *proofs) note(ctx context.Context, c *codegen.Claims, gate string, event kangma.EventID) (replayed bool, err error) {
	life := proofLife
	if c.Challenge != 0 {
		life = answerLife
	}
	mine, err := p.moments.Once(ctx, useOf(c, gate, event), life)
	return err == nil && !mine, err
}

// forget takes a proof back whose passage could not be kept. Failing to is no harm: the person waits for the next slot.
func (p *proofs) forget(ctx context.Context, c *codegen.Claims, gate string, event kangma.EventID) {
	_ = p.moments.Undo(ctx, useOf(c, gate, event))
}

func useOf(c *codegen.Claims, gate string, event kangma.EventID) store.Use {
	return store.Use{Key: "proof " + string(c.ID[:]), Step: c.Slot, Through: c.Challenge != 0, By: string(event[:]) + gate}
}
