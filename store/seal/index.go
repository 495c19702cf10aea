package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
)

// mac is HMAC-SHA-256 (RFC 2104) of label, a zero byte and value.
func mac(key []byte, label string, value []byte) [sha256.Size]byte {
	if len(key) <= sha256.BlockSize && len(label)+1+len(value) <= shortest {
		return shortMAC(key, label, value)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(value)
	return [sha256.Size]byte(h.Sum(nil))
}

// shortest is what shortMAC takes: ids, document numbers and phones with their labels.
const shortest = 128

// shortMAC is mac for what is short, without an object on the heap: every scan asks for a pseudonym.
func shortMAC(key []byte, label string, value []byte) [sha256.Size]byte {
	var inner [sha256.BlockSize + shortest]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha256.BlockSize {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := sha256.BlockSize
	n += copy(inner[n:], label)
	n++ // the zero byte
	n += copy(inner[n:], value)
	sum := sha256.Sum256(inner[:n])
	copy(outer[sha256.BlockSize:], sum[:])
	sum = sha256.Sum256(outer[:])
	clear(inner[:sha256.BlockSize])
	clear(outer[:sha256.BlockSize])
	return sum
}

// Index gives the blind index of a field's normalised value under the current index key: HMAC-SHA-256 of field, a zero
// byte and value, cut to 16 bytes. Document and Phone normalise; use them where they fit.
func (s *Sealer) Index(field, value string) kangma.BlindIndex { return s.indexes(field, value)[0] }

func (s *Sealer) indexes(field, value string) []kangma.BlindIndex {
	out := make([]kangma.BlindIndex, len(s.keys.Index))
	for i, key := range s.keys.Index {
		m := mac(key[:], "index "+field, []byte(value))
		out[i] = kangma.BlindIndex(m[:16])
	}
	return out
}

// Document gives the blind indexes that may find the holder of a document: the first is the current one, the others are
// of older index keys.
func (s *Sealer) Document(docType string, n kangma.IDNumber) []kangma.BlindIndex {
	return s.indexes(fieldDocument, docType+n.Reveal())
}

// Phone gives the blind indexes that may find the owner of a phone, the current one first.
func (s *Sealer) Phone(p kangma.Phone) []kangma.BlindIndex { return s.indexes(fieldPhone, p.Reveal()) }

// Plate gives the keyed hash under which a vehicle's plate is kept: 24 hexadecimal digits. Case and spaces do not count.
// The empty plate gives the empty string.
func (s *Sealer) Plate(plate string) string {
	plate = strings.ToUpper(strings.Join(strings.Fields(plate), ""))
	if plate == "" {
		return ""
	}
	m := mac(s.keys.Pseudonym[:], "plate", []byte(plate))
	return hex.EncodeToString(m[:12])
}

// EpochLength is how long a pseudonym stands for a person.
const EpochLength = 14 * 24 * time.Hour

// Epoch numbers the 14-day spans counted from 1970-01-01T00:00:00Z.
func Epoch(at time.Time) int64 {
	const seconds = int64(EpochLength / time.Second)
	e := at.Unix() / seconds
	if at.Unix()%seconds < 0 {
		e--
	}
	return e
}

type epochKey struct {
	epoch int64
	key   [sha256.Size]byte
}

// epochKeys remembers the key used last, since nearly all pseudonyms are of now.
type epochKeys struct{ last atomic.Pointer[epochKey] }

func (s *Sealer) epochKey(epoch int64) [sha256.Size]byte {
	if k := s.epochs.last.Load(); k != nil && k.epoch == epoch {
		return k.key
	}
	k := &epochKey{epoch: epoch, key: mac(s.keys.Pseudonym[:], "epoch", binary.BigEndian.AppendUint64(nil, uint64(epoch)))}
	s.epochs.last.Store(k)
	return k.key
}

// Pseudonym gives what stands for a person in the epoch of at. Nobody has the zero pseudonym.
func (s *Sealer) Pseudonym(person kangma.PersonID, at time.Time) kangma.Pseudonym {
	return s.pseudonym(person, Epoch(at))
}

func (s *Sealer) pseudonym(person kangma.PersonID, epoch int64) kangma.Pseudonym {
	if person.IsZero() {
		return kangma.Pseudonym{}
	}
	key := s.epochKey(epoch)
	m := mac(key[:], "person", person[:])
	return kangma.Pseudonym(m[:16])
}

// Pseudonyms gives every pseudonym of a person in the half-open span [since, until): for their own record and for a
// tracing case that was approved.
func (s *Sealer) Pseudonyms(person kangma.PersonID, since, until time.Time) (all []kangma.Pseudonym) {
	if !since.Before(until) {
		return nil
	}
	for e := Epoch(since); e <= Epoch(until.Add(-1)); e++ {
		all = append(all, s.pseudonym(person, e))
	}
	return all
}
