package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"

	"github.com/kangma/kangma"
)

// KeySize is the size of every key here, in bytes.
const KeySize = 32

// KEK wraps data keys under key-encryption keys. KEKs below does it in this process; a hardware module or key service
// is another one. All methods may be called concurrently.
type KEK interface {
	// KeyID names the key that Wrap uses now.
	KeyID() string
	// Wrap encrypts a data key and binds it to aad.
	Wrap(dataKey, aad []byte) ([]byte, error)
	// Unwrap decrypts what Wrap made under the key of that id. kangma.Unavailable with code kek_unknown: no such key
	// here (any more); kangma.Internal with code seal_damaged: it was not made so.
	Unwrap(keyID string, wrapped, aad []byte) ([]byte, error)
}

// Keys is all the key material of a Sealer. None of it may lie in a store.
type Keys struct {
	KEK       KEK
	Index     [][KeySize]byte // of blind indexes: the first makes new ones, all of them find old ones
	Pseudonym [KeySize]byte   // master of the epoch keys
}

var (
	errUnknownKEK = kangma.E(kangma.Unavailable, "kek_unknown", "the key-encryption key of this identity is not here")
	errDamaged    = kangma.E(kangma.Internal, "seal_damaged", "a sealed identity is damaged or stands in another's place")
	errErased     = kangma.E(kangma.NotFound, "erased", "this person's identity was erased")
)

// KEKs holds key-encryption keys in memory: one for new wraps, older ones to unwrap. AES-256-GCM with a random nonce of
// 96 bits in front; take a new key well before 2^32 wraps (NIST SP 800-38D section 8.3).
type KEKs struct {
	current string
	aeads   map[string]cipher.AEAD
}

// NewKEKs makes KEKs of which the one named current wraps. kangma.Invalid: no such id, an empty id or a zero key.
func NewKEKs(current string, keys map[string][KeySize]byte) (*KEKs, error) {
	k := &KEKs{current: current, aeads: make(map[string]cipher.AEAD, len(keys))}
	for id, key := range keys {
		if id == "" || len(id) > 64 || key == [KeySize]byte{} {
			return nil, kangma.E(kangma.Invalid, "kek", "a key-encryption key has an id of 1 to 64 bytes and is not zero")
		}
		k.aeads[id] = newAEAD(key[:])
	}
	if k.aeads[current] == nil {
		return nil, kangma.E(kangma.Invalid, "kek", "the current key-encryption key is not among the keys")
	}
	return k, nil
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only of a wrong key size
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// KeyID names the key that Wrap uses.
func (k *KEKs) KeyID() string { return k.current }

// Wrap encrypts a data key under the current key.
func (k *KEKs) Wrap(dataKey, aad []byte) ([]byte, error) {
	aead := k.aeads[k.current]
	out := make([]byte, aead.NonceSize(), aead.NonceSize()+len(dataKey)+aead.Overhead())
	rand.Read(out) // never fails: crypto/rand aborts the process instead
	return aead.Seal(out, out, dataKey, aad), nil
}

// Unwrap decrypts a data key.
func (k *KEKs) Unwrap(keyID string, wrapped, aad []byte) ([]byte, error) {
	aead := k.aeads[keyID]
	if aead == nil {
		return nil, errUnknownKEK
	}
	n := aead.NonceSize()
	if len(wrapped) < n {
		return nil, errDamaged
	}
	key, err := aead.Open(nil, wrapped[:n], wrapped[n:], aad)
	if err != nil {
		return nil, errDamaged
	}
	return key, nil
}
