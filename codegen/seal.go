package codegen

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"sync"

	"github.com/kangma/kangma"
)

// sealer seals the person id into a code and opens it again: authenticated encryption with a synthetic IV (the shape of
// RFC 5297), so that no repeated random number can ever open two codes at once.
//
//	IV = HMAC-SHA-256(K1, protected header, payload without IV and ciphertext, person id), cut to 12 bytes
//	C  = person id XOR AES-256(K2, IV, nonce)           one block: 12 + 4 = 16 bytes
//
// K1 and K2 come from the subject key by HKDF-SHA-256. The associated data hold a fresh nonce, so two codes of a person
// have nothing in common, and every other claim, so none can be changed.
type sealer struct {
	macs  sync.Pool // of hash.Hash, keyed with K1
	block cipher.Block
}

func newSealer(subjectKey [32]byte) (*sealer, error) {
	if subjectKey == [32]byte{} {
		return nil, kangma.E(kangma.Invalid, "subject_key", "the subject key is missing")
	}
	keys, err := hkdf.Key(sha256.New, subjectKey[:], nil, "kangma code 1: sealed subject", 64)
	if err != nil {
		return nil, kangma.E(kangma.Internal, "subject_key", "no keys could be derived").Because(err)
	}
	block, err := aes.NewCipher(keys[32:])
	if err != nil {
		return nil, kangma.E(kangma.Internal, "subject_key", "no cipher could be made").Because(err)
	}
	s := &sealer{block: block}
	s.macs.New = func() any { return &macState{Hash: hmac.New(sha256.New, keys[:32])} }
	return s, nil
}

// macState is a keyed hash with room for its result, so that a code is sealed without allocation.
type macState struct {
	hash.Hash
	sum [sha256.Size]byte
	iv  [16]byte
	pad [16]byte
}

// mac computes the synthetic IV. payload has the sealed subject at sealedAt; only its nonce counts.
func (s *sealer) mac(m *macState, protected, payload []byte, sealedAt int, person *[16]byte) {
	m.Reset()
	m.Write(protected)
	m.Write(payload[:sealedAt])
	m.Write(payload[sealedAt+12 : sealedAt+16])
	m.Write(payload[sealedAt+sealedSize:])
	m.Write(person[:])
	m.Sum(m.sum[:0])
}

// crypt XORs the person id with the key stream of IV and nonce.
func (s *sealer) crypt(m *macState, sealed, in []byte) {
	copy(m.iv[:], sealed[:16])
	s.block.Encrypt(m.pad[:], m.iv[:])
	subtle.XORBytes(m.pad[:], m.pad[:], in)
}

// seal fills the sealed subject in, around the nonce that is already there.
func (s *sealer) seal(protected, payload []byte, sealedAt int, person kangma.PersonID) {
	m := s.macs.Get().(*macState)
	defer s.macs.Put(m)
	s.mac(m, protected, payload, sealedAt, (*[16]byte)(&person))
	sealed := payload[sealedAt : sealedAt+sealedSize]
	copy(sealed[:12], m.sum[:])
	s.crypt(m, sealed, person[:])
	copy(sealed[16:], m.pad[:])
}

// open gives the person, in constant time whatever is wrong.
func (s *sealer) open(protected, payload []byte, sealedAt int) (kangma.PersonID, bool) {
	m := s.macs.Get().(*macState)
	defer s.macs.Put(m)
	sealed := payload[sealedAt : sealedAt+sealedSize]
	s.crypt(m, sealed, sealed[16:])
	person := kangma.PersonID(m.pad)
	s.mac(m, protected, payload, sealedAt, &m.pad)
	if subtle.ConstantTimeCompare(m.sum[:12], sealed[:12]) != 1 {
		return kangma.PersonID{}, false
	}
	return person, true
}
