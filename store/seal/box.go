package seal

import (
	"crypto/rand"
	"encoding/binary"
)

// A box is a text that belongs to no registered person, such as a feed's line that could not be read: sealed under a data
// key of its own, so that a stolen store shows nothing of it.

// boxAAD binds a box to its place.
func boxAAD(place string) []byte { return append([]byte("kangma 1 box "), place...) }

// SealBox encrypts a text under a fresh data key and binds it to a place, e.g. a record's kind and id. Errors are those of
// KEK.Wrap.
func (s *Sealer) SealBox(place string, plain []byte) ([]byte, error) {
	var key [KeySize]byte
	rand.Read(key[:])
	wrapped, err := s.keys.KEK.Wrap(key[:], boxAAD(place))
	if err != nil {
		return nil, err
	}
	id := s.keys.KEK.KeyID()
	out := append([]byte{byte(len(id))}, id...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(wrapped)))
	out = append(out, wrapped...)
	return newAEAD(key[:]).Seal(out, nonce("box"), plain, boxAAD(place)), nil
}

// OpenBox decrypts what SealBox made for the same place. kangma.Internal with code seal_damaged: it was changed or moved;
// kangma.Unavailable: the key-encryption key is not here.
func (s *Sealer) OpenBox(place string, box []byte) ([]byte, error) {
	if len(box) < 1 || len(box) < 1+int(box[0])+2 {
		return nil, errDamaged
	}
	id, rest := string(box[1:1+box[0]]), box[1+box[0]:]
	n := int(binary.BigEndian.Uint16(rest))
	if rest = rest[2:]; len(rest) < n {
		return nil, errDamaged
	}
	key, err := s.keys.KEK.Unwrap(id, rest[:n], boxAAD(place))
	if err != nil {
		return nil, err
	}
	plain, err := newAEAD(key).Open(nil, nonce("box"), rest[n:], boxAAD(place))
	if err != nil {
		return nil, errDamaged
	}
	return plain, nil
}
