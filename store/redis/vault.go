package redis

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// A sealed value is a head in the clear, which scripts compare, then 12 random bytes (the nonce), then ciphertext and
// tag. The associated data are the head and the place the value stands at.
//
//	head of a document: 1 (format), version (8 bytes, big endian), digest of its indexes (4 bytes)
//	head of an index entry: 2 (format)
//
// Nonces are random, so one key may seal some 2^32 values (NIST SP 800-38D section 8.3). Every tag has a key of its own:
// 256 keys, about 10^12 writes.
const (
	documentHead = 13
	entryHead    = 1
	nonceSize    = 12
)

var errDamaged = kangma.E(kangma.Internal, "damaged", "a stored value is damaged; rebuild the state from the journal")

type name [16]byte

// vault makes the names and seals the values.
type vault struct {
	tags   [store.Partitions]string // hash tags with their braces
	names  sync.Pool                // of hash.Hash: HMAC-SHA-256 under the key of names
	sealer [store.Partitions]cipher.AEAD
}

func newVault(key []byte, prefix string) (*vault, error) {
	v := &vault{}
	derive := func(info string) ([]byte, error) { return hkdf.Key(sha256.New, key, nil, info, 32) }
	names, err := derive("kangma redis names 1")
	if err != nil {
		return nil, err
	}
	v.names.New = func() any { return hmac.New(sha256.New, names) }
	for i := range v.sealer {
		v.tags[i] = fmt.Sprintf("{%s:%02x}", prefix, i)
		k, err := derive(fmt.Sprintf("kangma redis values 1 %02x", i))
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		if v.sealer[i], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// name gives the HMAC of some parts; each is preceded by its length, so that no two lists of parts are one text.
func (v *vault) name(parts ...[]byte) (n name) {
	h := v.names.Get().(hash.Hash)
	defer v.names.Put(h)
	h.Reset()
	var size [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(size[:], uint32(len(p)))
		h.Write(size[:])
		h.Write(p)
	}
	var sum [sha256.Size]byte
	copy(n[:], h.Sum(sum[:0]))
	return n
}

func (v *vault) seal(tag int, head []byte, place name, plain []byte) []byte {
	out := make([]byte, 0, len(head)+nonceSize+len(plain)+16)
	out = append(out, head...)
	out = out[:len(head)+nonceSize]
	nonce := out[len(head):]
	rand.Read(nonce) // never fails: crypto/rand aborts the process instead
	return v.sealer[tag].Seal(out, nonce, plain, aad(head, place))
}

func (v *vault) open(tag, headSize int, place name, sealed []byte) ([]byte, error) {
	if len(sealed) < headSize+nonceSize {
		return nil, errDamaged
	}
	head, nonce, body := sealed[:headSize], sealed[headSize:headSize+nonceSize], sealed[headSize+nonceSize:]
	plain, err := v.sealer[tag].Open(nil, nonce, body, aad(head, place))
	if err != nil {
		return nil, errDamaged
	}
	return plain, nil
}

func aad(head []byte, place name) []byte {
	return append(append(make([]byte, 0, len(head)+len(place)), head...), place[:]...)
}

// documentHeadOf makes the head of a document.
func documentHeadOf(version uint64, digest [4]byte) []byte {
	head := make([]byte, 0, documentHead)
	head = binary.BigEndian.AppendUint64(append(head, 1), version)
	return append(head, digest[:]...)
}

// before gives the eight bytes a stored head must carry for a document of this version to be the next one.
func before(version uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, version-1)
}
