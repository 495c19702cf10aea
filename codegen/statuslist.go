package codegen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// StatusList tells a gate without a network which living codes are no longer what they say: their holder is not green, or
// they were voided. It holds no ids: each is a salted hash of so few bits that one in a million of the other codes hits
// it by chance. So a hit means "check online or refer", never red by itself, and a miss is certain. It is signed and
// numbered like a trust list; docs/code-format.md gives its form, a CWT in the manner of the IETF Token Status List.
type StatusList struct {
	Number  uint64
	Issued  time.Time
	Expires time.Time

	salt   [8]byte
	width  uint     // bits of a hash
	values []uint64 // rising, distinct
}

// falsePositiveBits: one foreign code in 2^20 hits a list.
const falsePositiveBits = 20

// leastListed, in bits, is what a hash has room for from the start: a list that grows from nothing to a thousand codes keeps
// its salt, so that gates get by with deltas.
const leastListed = 10

// maxListed bounds a list; at 22 bits each that is 11 MB.
const maxListed = 4 << 20

// NewStatusList makes the list that follows previous (nil: the first) from the ids of all living codes that are not
// green or void. Gates that hold previous need only the delta between the two while both share their salt, which is
// renewed when the number of ids outgrows the hash. kangma.Invalid: no number, not rising, or no life.
// kangma.TooLarge: over 4 million ids.
func NewStatusList(previous *StatusList, number uint64, issued, expires time.Time, ids []CodeID) (*StatusList, error) {
	if number == 0 || previous != nil && number <= previous.Number || !issued.Before(expires) {
		return nil, kangma.E(kangma.Invalid, "status_list", "a status list has a rising number, a time of issue and a later expiry")
	}
	if len(ids) > maxListed {
		return nil, kangma.E(kangma.TooLarge, "status_list", "a status list holds up to 4 million codes; split it by region")
	}
	l := &StatusList{Number: number, Issued: issued.UTC().Truncate(time.Second), Expires: expires.UTC().Truncate(time.Second)}
	need := uint(max(leastListed, bits.Len(uint(len(ids))))) + falsePositiveBits
	if previous != nil && previous.width >= need && previous.width <= need+3 {
		l.salt, l.width = previous.salt, previous.width
	} else {
		rand.Read(l.salt[:]) // never fails: crypto/rand aborts the process instead
		l.width = need + 1   // room to grow
	}
	l.values = make([]uint64, len(ids))
	for i, id := range ids {
		l.values[i] = l.hash(id)
	}
	slices.Sort(l.values)
	l.values = slices.Compact(l.values)
	return l, nil
}

func (l *StatusList) hash(id CodeID) uint64 {
	mac := hmac.New(sha256.New, l.salt[:])
	mac.Write(id[:])
	var sum [sha256.Size]byte
	return binary.BigEndian.Uint64(mac.Sum(sum[:0])) >> (64 - l.width)
}

// Hit reports whether the code may be on the list. false is certain.
func (l *StatusList) Hit(id CodeID) bool {
	_, found := slices.BinarySearch(l.values, l.hash(id))
	return found
}

// Len gives how many distinct entries the list has.
func (l *StatusList) Len() int { return len(l.values) }

// Age gives how old the list is; gates show it.
func (l *StatusList) Age(now time.Time) time.Duration { return now.Sub(l.Issued) }

type statusListCBOR struct {
	Expires int64  `cbor:"4,keyasint"`
	Issued  int64  `cbor:"6,keyasint"`
	Number  uint64 `cbor:"-65538,keyasint"`
	Salt    []byte `cbor:"-65540,keyasint"`
	Width   uint   `cbor:"-65541,keyasint"`
	Count   int    `cbor:"-65542,keyasint"`
	Values  []byte `cbor:"-65543,keyasint"`
}

// Sign makes the signed form of the list.
func (l *StatusList) Sign(key crypto.Signer) ([]byte, error) {
	payload, err := canonicalCBOR.Marshal(statusListCBOR{
		Expires: l.Expires.Unix(), Issued: l.Issued.Unix(), Number: l.Number, Salt: l.salt[:],
		Width: l.width, Count: len(l.values), Values: packSorted(l.values, l.width),
	})
	if err != nil {
		return nil, kangma.E(kangma.Internal, "status_list", "the status list could not be written").Because(err)
	}
	return SignDocument(key, TypeStatusList, payload)
}

// OpenStatusList verifies a signed list. after and the errors are as with OpenTrustList, with codes status_list_….
func OpenStatusList(data []byte, keys []*ecdsa.PublicKey, after uint64, now time.Time, skew time.Duration) (*StatusList, error) {
	payload, err := VerifyDocument(data, TypeStatusList, keys)
	if err != nil {
		return nil, err
	}
	var body statusListCBOR
	if err := strictCBOR.Unmarshal(payload, &body); err != nil {
		return nil, errDocBad.Because(err)
	}
	l := &StatusList{Number: body.Number, Issued: time.Unix(body.Issued, 0).UTC(), Expires: time.Unix(body.Expires, 0).UTC(), width: body.Width}
	if err := checkNumbered("status_list", l.Number, after, l.Issued, l.Expires, now, skewOf(skew)); err != nil {
		return nil, err
	}
	if len(body.Salt) != len(l.salt) || body.Values == nil || body.Width < falsePositiveBits || body.Width > 48 || body.Count < 0 || body.Count > maxListed {
		return nil, errDocBad
	}
	copy(l.salt[:], body.Salt)
	var ok bool
	if l.values, ok = unpackSorted(body.Values, body.Count, body.Width); !ok {
		return nil, errDocBad
	}
	return l, nil
}

type statusDeltaCBOR struct {
	Expires int64  `cbor:"4,keyasint"`
	Issued  int64  `cbor:"6,keyasint"`
	Number  uint64 `cbor:"-65538,keyasint"`
	Salt    []byte `cbor:"-65540,keyasint"`
	From    uint64 `cbor:"-65544,keyasint"` // number of the list it applies to
	Added   int    `cbor:"-65545,keyasint"`
	Add     []byte `cbor:"-65546,keyasint"`
	Gone    int    `cbor:"-65547,keyasint"`
	Remove  []byte `cbor:"-65548,keyasint"`
}

// SignDelta makes the signed difference that brings a gate from an older list to this one. kangma.Conflict: they do not
// share a salt; gates need the whole list.
func (l *StatusList) SignDelta(from *StatusList, key crypto.Signer) ([]byte, error) {
	if from.salt != l.salt || from.width != l.width || from.Number >= l.Number {
		return nil, kangma.E(kangma.Conflict, "status_delta", "there is no delta between these lists; take the whole list")
	}
	add, gone := difference(l.values, from.values), difference(from.values, l.values)
	payload, err := canonicalCBOR.Marshal(statusDeltaCBOR{
		Expires: l.Expires.Unix(), Issued: l.Issued.Unix(), Number: l.Number, Salt: l.salt[:], From: from.Number,
		Added: len(add), Add: packSorted(add, l.width), Gone: len(gone), Remove: packSorted(gone, l.width),
	})
	if err != nil {
		return nil, kangma.E(kangma.Internal, "status_delta", "the delta could not be written").Because(err)
	}
	return SignDocument(key, TypeStatusDelta, payload)
}

// difference gives what is in a and not in b, both rising.
func difference(a, b []uint64) []uint64 {
	var out []uint64
	for _, v := range a {
		for len(b) > 0 && b[0] < v {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != v {
			out = append(out, v)
		}
	}
	return out
}

// Apply verifies a signed delta and gives the list it leads to; l is left as it was. kangma.Conflict: the delta is not
// for this list; other errors as with OpenStatusList.
func (l *StatusList) Apply(delta []byte, keys []*ecdsa.PublicKey, now time.Time, skew time.Duration) (*StatusList, error) {
	payload, err := VerifyDocument(delta, TypeStatusDelta, keys)
	if err != nil {
		return nil, err
	}
	var d statusDeltaCBOR
	if err := strictCBOR.Unmarshal(payload, &d); err != nil {
		return nil, errDocBad.Because(err)
	}
	if d.From != l.Number || string(d.Salt) != string(l.salt[:]) {
		return nil, kangma.E(kangma.Conflict, "status_delta", "the delta does not follow this list; take the whole list")
	}
	next := &StatusList{Number: d.Number, Issued: time.Unix(d.Issued, 0).UTC(), Expires: time.Unix(d.Expires, 0).UTC(), salt: l.salt, width: l.width}
	if err := checkNumbered("status_list", next.Number, l.Number+1, next.Issued, next.Expires, now, skewOf(skew)); err != nil {
		return nil, err
	}
	if d.Add == nil || d.Remove == nil || d.Added < 0 || d.Added > maxListed || d.Gone < 0 || d.Gone > maxListed {
		return nil, errDocBad
	}
	add, ok := unpackSorted(d.Add, d.Added, l.width)
	gone, ok2 := unpackSorted(d.Remove, d.Gone, l.width)
	if !ok || !ok2 || len(difference(gone, l.values)) > 0 || len(difference(add, l.values)) != len(add) {
		return nil, errDocBad
	}
	next.values = append(difference(l.values, gone), add...)
	slices.Sort(next.values)
	if len(next.values) > maxListed {
		return nil, errDocBad
	}
	return next, nil
}
