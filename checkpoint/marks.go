package checkpoint

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// Marks are the holder proofs that a device without a network saw in the last four minutes, so that a proof is not good again after
// a restart. A mark is a short keyed hash: without the code itself nothing can be read from it. The key is drawn for the first
// mark and forgotten with the last. The zero Marks has seen nothing.
type Marks struct {
	Key   []byte `json:"key,omitempty"`
	Shown []Mark `json:"shown,omitempty"`
}

// Mark is one proof: 6 bytes of an HMAC-SHA256, hexadecimal, and the scan that saw it.
type Mark struct {
	Tag   string         `json:"tag"`
	Event kangma.EventID `json:"event"`
}

const (
	tagSize  = 6
	maxMarks = 4096 // under a flood the oldest go first
	usedUp   = 8    // slots of 30 s that an answer to a gate's number uses up with its own: older ones have expired
)

// note reports whether another scan saw the proof of a shown credential before, and gives the marks of from now on.
func (m Marks) note(c *codegen.Claims, event kangma.EventID, at time.Time) (next Marks, replayed bool) {
	next.Key = m.Key
	for _, k := range m.Shown {
		if at.Sub(k.Event.Time()).Abs() < answerLife {
			next.Shown = append(next.Shown, k)
		}
	}
	if len(next.Shown) == 0 {
		next.Key = nil
	}
	if !c.Shown {
		return next, false
	}
	if len(next.Key) == 0 {
		next.Key = make([]byte, sha256.Size)
		rand.Read(next.Key) // never fails
	}
	own := next.tag(c, c.Slot)
	if i := slices.IndexFunc(next.Shown, func(k Mark) bool { return k.Tag == own }); i >= 0 {
		return next, next.Shown[i].Event != event
	}
	next.Shown = append(next.Shown, Mark{own, event})
	for slot := c.Slot - 1; c.Challenge != 0 && slot >= max(0, c.Slot-usedUp+1); slot-- {
		next.Shown = append(next.Shown, Mark{next.tag(c, slot), event})
	}
	next.Shown = next.Shown[max(0, len(next.Shown)-maxMarks):]
	return next, false
}

func (m Marks) tag(c *codegen.Claims, slot int) string {
	h := hmac.New(sha256.New, m.Key)
	h.Write(binary.BigEndian.AppendUint16(bytes.Clone(c.ID[:]), uint16(slot)))
	return hex.EncodeToString(h.Sum(nil)[:tagSize])
}
