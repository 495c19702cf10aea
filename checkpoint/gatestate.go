package checkpoint

import (
	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// GateState is what a gate without a network remembers from one bundle to the next, so that neither an old bundle nor a
// clock that was turned back brings anything to life again. It names nobody. The zero GateState has seen nothing.
type GateState struct {
	Bundle uint64            `json:"bundle"` // numbers of the newest seen
	Trust  uint64            `json:"trust_list"`
	Status uint64            `json:"status_list"`
	Clock  codegen.Watermark `json:"clock"`
	Marks  Marks             `json:"marks"` // of what was shown in the last four minutes
}

// take goes on with a bundle that was opened just now.
func (st GateState) take(b Bundle) (GateState, error) {
	var status uint64
	if b.Status != nil {
		status = b.Status.Number
	}
	if b.Number < st.Bundle || b.Trust.Number < st.Trust || b.Status != nil && status < st.Status {
		return st, kangma.E(kangma.Conflict, "bundle_old", "this gate has had a newer bundle; an older one is never taken back")
	}
	if b.Number > st.Bundle { // it came from a server just now: the one way down for a clock that once jumped ahead
		st.Clock = st.Clock.Document(b.Issued).Sync(b.Issued)
	}
	st.Bundle, st.Trust, st.Status = b.Number, b.Trust.Number, max(st.Status, status)
	st.Clock = st.Clock.Document(b.Issued)
	if b.Status != nil {
		st.Clock = st.Clock.Document(b.Status.Issued)
	}
	return st, nil
}
