package checkpoint

import (
	"encoding/binary"
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Ageing says that a record of shown proofs goes when all in it are over: it is otherwise cleaned only when it is written.
func Ageing() registry.AgeRule {
	return registry.AgeRule{Kind: proofKind, Plain: true, Over: func(rec store.Record, now time.Time) bool {
		for e := range chunks(rec.Data) {
			if int64(binary.BigEndian.Uint32(e[34:])) > now.Unix() {
				return false
			}
		}
		return true
	}}
}
