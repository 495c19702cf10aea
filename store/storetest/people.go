package storetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kangma/kangma"
)

// RandomPerson draws a person id; all of them in one partition when partition is not negative.
func RandomPerson(r *rand.Rand, partition int) (id kangma.PersonID) {
	fillBytes(r, id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	if partition >= 0 {
		id[0] = byte(partition)
	}
	return id
}

// RandomDossier draws a dossier as a registered resident may have one: sealed identity (random bytes in its place) and
// items pieces of evidence, with microseconds, Han letters and the characters stores use as separators. Version is 1.
func RandomDossier(r *rand.Rand, id kangma.PersonID, items int) kangma.Dossier {
	at := time.Date(2022, 7, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(20*24*3600)) * time.Second)
	d := kangma.Dossier{Person: id, Version: 1, Registered: at.Add(time.Duration(r.IntN(1e6)) * time.Microsecond),
		Home: kangma.Place{Division: 440103001, Community: "沙面:社区%"}}
	d.Sealed = kangma.SealedIdentity{DataKey: bytesOf(r, 60), KeyID: "k1", Revision: 1,
		Fields:  map[string][]byte{"identity": bytesOf(r, 39)},
		Indexes: []kangma.BlindIndex{RandomIndex(r), RandomIndex(r)}}
	for i := range items {
		d.Evidence = append(d.Evidence, randomEvidence(r, at.Add(time.Duration(i)*26*time.Hour)))
	}
	return d
}

// RandomIndex draws a blind index.
func RandomIndex(r *rand.Rand) (x kangma.BlindIndex) {
	fillBytes(r, x[:])
	return x
}

func randomEvidence(r *rand.Rand, at time.Time) kangma.Evidence {
	e := kangma.Evidence{ID: randomEventID(r, at), Observed: at, Received: at.Add(8 * time.Hour), Source: "feed:lab-3"}
	switch r.IntN(4) {
	case 0:
		e.Kind, e.Source = kangma.KindStay, "feed:电信%"
		e.Stay = &kangma.Stay{Place: kangma.Place{Division: 440106000}, From: at.Add(-90 * time.Minute), To: at}
	case 1:
		e.Kind, e.Source = kangma.KindDeclaration, "self"
		e.Declaration = &kangma.Declaration{Temperature: 360 + r.IntN(20), Contact: "no", Visited: []kangma.Place{{Division: 440300000, Zone: "光明"}}}
	default:
		e.Kind, e.Reported = kangma.KindTest, at.Add(7*time.Hour+time.Microsecond)
		e.Batch = "lab-3-" + at.Format("0102")
		e.Test = &kangma.Test{Method: "pcr", Result: "negative", Lab: fmt.Sprintf("gz-%02d", r.IntN(30))}
	}
	return e
}

// randomEventID draws an event id that only r decides.
func randomEventID(r *rand.Rand, at time.Time) kangma.EventID {
	id := kangma.NewEventID(at)
	fillBytes(r, id[6:])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

func bytesOf(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	fillBytes(r, b)
	return b
}

func fillBytes(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}
