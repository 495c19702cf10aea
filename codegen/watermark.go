package codegen

import (
	"time"

	"github.com/kangma/kangma"
)

// Watermark is what a verifier without a network remembers of time, so that turning its clock back brings no expired
// code to life. The caller persists it after every change. The zero Watermark has seen nothing.
type Watermark struct {
	// Seen is the latest moment the verifier's own clock has shown.
	Seen time.Time `json:"seen" cbor:"1,keyasint"`
	// Signed is the latest moment a signed document (trust list, status list) has proved to be past. It never falls.
	Signed time.Time `json:"signed" cbor:"2,keyasint"`
}

// Observe takes a reading of the verifier's clock. The verdict clock means that it stands before what it showed earlier,
// or before what a signed document proves, by more than the skew; nothing may be verified then. Otherwise the verdict is
// empty and the mark rises.
func (w Watermark) Observe(now time.Time, skew time.Duration) (Watermark, kangma.CannotTell) {
	if now.Before(w.Seen.Add(-skew)) || now.Before(w.Signed.Add(-skew)) {
		return w, kangma.TellClock
	}
	if now.After(w.Seen) {
		w.Seen = now
	}
	return w, ""
}

// Document takes the issue time of a signed document that has just been verified: the present is not before it.
func (w Watermark) Document(issued time.Time) Watermark {
	if issued.After(w.Signed) {
		w.Signed = issued
	}
	return w
}

// Sync takes the time of the server over an authenticated connection. It is the only way down for Seen: a clock that once
// jumped to 2038 would otherwise shut the gate until then. It never goes below what signed documents prove.
func (w Watermark) Sync(server time.Time) Watermark {
	w.Seen = server
	if w.Seen.Before(w.Signed) {
		w.Seen = w.Signed
	}
	return w
}
