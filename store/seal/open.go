package seal

import (
	"crypto/cipher"

	"github.com/kangma/kangma"
)

// opener opens the fields of one identity under its unwrapped data key.
type opener struct {
	person kangma.PersonID
	sealed kangma.SealedIdentity
	aead   cipher.AEAD
	err    error
}

func (s *Sealer) opener(person kangma.PersonID, sealed kangma.SealedIdentity) (*opener, error) {
	if len(sealed.DataKey) == 0 {
		return nil, errErased
	}
	key, err := s.keys.KEK.Unwrap(sealed.KeyID, sealed.DataKey, aad(person, fieldDataKey, sealed.Revision))
	if err != nil {
		return nil, err
	}
	if len(key) != KeySize {
		return nil, errDamaged
	}
	return &opener{person: person, sealed: sealed, aead: newAEAD(key)}, nil
}

// field opens one field, or remembers that it could not.
func (o *opener) field(name string) string {
	text, err := o.aead.Open(nil, nonce(name), o.sealed.Fields[name], aad(o.person, name, o.sealed.Revision))
	if err != nil {
		o.err = errDamaged
	}
	return string(text)
}

// identity opens the text that holds the whole identity.
func (o *opener) identity() ([]byte, error) {
	text, err := o.aead.Open(nil, nonce(fieldIdentity), o.sealed.Fields[fieldIdentity], aad(o.person, fieldIdentity, o.sealed.Revision))
	if err != nil {
		return nil, errDamaged
	}
	return text, nil
}
