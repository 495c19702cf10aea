package checkpoint

import (
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// oldProofKind are records in which nodes shared proofs before these were moments of the state.
const oldProofKind = "shown-proofs"

// Ageing says that what earlier versions left of shown proofs goes: they were over within minutes.
func Ageing() registry.AgeRule {
	return registry.AgeRule{Kind: oldProofKind, Plain: true, Over: func(store.Record, time.Time) bool { return true }}
}
