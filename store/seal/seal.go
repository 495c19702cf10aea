package seal

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/kangma/kangma"
)

// Identity is what is known of who a person is. Phone may be missing.
type Identity struct {
	Name    kangma.Name
	DocType string // kangma.DocResidentID and the others
	Number  kangma.IDNumber
	Phone   kangma.Phone
}

// Names of the sealed fields in SealedIdentity.Fields. Who was sealed by an older program has a field each for name, document
// and phone; they are read as they are until the identity is sealed anew.
const (
	fieldIdentity = "identity" // all of it, see pack.go
	fieldName     = "name"
	fieldDocument = "document" // document type, then the number
	fieldPhone    = "phone"
	fieldDataKey  = "data_key" // only in associated data
)

// Sealer seals and opens identities. It may be used concurrently.
type Sealer struct {
	keys   Keys
	epochs epochKeys
}

// New makes a Sealer. kangma.Invalid: a key is missing or zero.
func New(keys Keys) (*Sealer, error) {
	bad := keys.KEK == nil || len(keys.Index) == 0 || keys.Pseudonym == [KeySize]byte{}
	for _, k := range keys.Index {
		bad = bad || k == [KeySize]byte{}
	}
	if bad {
		return nil, kangma.E(kangma.Invalid, "keys", "sealing needs a key-encryption key, an index key and a pseudonym key, none of them zero")
	}
	return &Sealer{keys: keys}, nil
}

// aad binds a ciphertext to its place: table, field, row and version. Lengths are fixed but for the field, which ends
// with a zero byte, so no two places give the same bytes.
func aad(person kangma.PersonID, field string, revision uint64) []byte {
	b := append(make([]byte, 0, 64), "kangma 1 dossier "...)
	b = append(append(b, field...), 0)
	b = append(b, person[:]...)
	return binary.BigEndian.AppendUint64(b, revision)
}

// Seal encrypts an identity for one person under a fresh data key. revision must rise each time the person's identity
// is sealed again. kangma.Invalid: no name or no document; otherwise errors are those of KEK.Wrap.
func (s *Sealer) Seal(person kangma.PersonID, id Identity, revision uint64) (kangma.SealedIdentity, error) {
	if person.IsZero() || id.Name == (kangma.Name{}) || id.Number == (kangma.IDNumber{}) || len(id.DocType) != 2 || revision == 0 {
		return kangma.SealedIdentity{}, kangma.E(kangma.Invalid, "identity", "an identity has a person, a name, a document and a revision")
	}
	var key [KeySize]byte
	rand.Read(key[:])
	wrapped, err := s.keys.KEK.Wrap(key[:], aad(person, fieldDataKey, revision))
	if err != nil {
		return kangma.SealedIdentity{}, err
	}
	out := kangma.SealedIdentity{DataKey: wrapped, KeyID: s.keys.KEK.KeyID(), Revision: revision, Fields: map[string][]byte{}}
	out.Fields[fieldIdentity] = newAEAD(key[:]).Seal(nil, nonce(fieldIdentity), packIdentity(id), aad(person, fieldIdentity, revision))
	out.Indexes = []kangma.BlindIndex{s.Document(id.DocType, id.Number)[0]}
	if id.Phone != (kangma.Phone{}) {
		out.Indexes = append(out.Indexes, s.Phone(id.Phone)[0])
	}
	return out, nil
}

// nonce gives the fixed nonce of a field. That is safe because a data key is drawn for each Seal and encrypts each
// field once, and it saves 36 bytes a person.
func nonce(field string) []byte {
	n := make([]byte, 12)
	copy(n, field)
	return n
}

// Open decrypts an identity. kangma.NotFound with code erased: there is none (any more); kangma.Internal with code
// seal_damaged: something was changed, moved or mixed; kangma.Unavailable: the key-encryption key is not here.
func (s *Sealer) Open(person kangma.PersonID, sealed kangma.SealedIdentity) (Identity, error) {
	o, err := s.opener(person, sealed)
	if err != nil {
		return Identity{}, err
	}
	if _, ok := sealed.Fields[fieldIdentity]; ok {
		text, err := o.identity()
		if err != nil {
			return Identity{}, err
		}
		return unpackIdentity(text)
	}
	name, document, phone := o.field(fieldName), o.field(fieldDocument), ""
	if _, ok := sealed.Fields[fieldPhone]; ok {
		phone = o.field(fieldPhone)
	}
	if o.err != nil || len(document) < 2 {
		return Identity{}, errDamaged
	}
	return restore(name, document[:2], document[2:], phone)
}

// OpenName decrypts the name only: what a gate needs to show it masked.
func (s *Sealer) OpenName(person kangma.PersonID, sealed kangma.SealedIdentity) (kangma.Name, error) {
	o, err := s.opener(person, sealed)
	if err != nil {
		return kangma.Name{}, err
	}
	text := ""
	if _, ok := sealed.Fields[fieldIdentity]; ok {
		packed, err := o.identity()
		if err != nil {
			return kangma.Name{}, err
		}
		t, err := unpackTexts(packed) // the name stands behind the others
		if err != nil {
			return kangma.Name{}, err
		}
		text = t.name
	} else if text = o.field(fieldName); o.err != nil {
		return kangma.Name{}, o.err
	}
	name, err := kangma.NewName(text)
	if err != nil {
		return kangma.Name{}, errDamaged
	}
	return name, nil
}

// endOfTime bounds birth dates of numbers that were checked against the real time when they came in.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func restore(name, docType, number, phone string) (id Identity, err error) {
	id.DocType = docType
	if id.Name, err = kangma.NewName(name); err != nil {
		return Identity{}, errDamaged
	}
	if id.Number, err = kangma.NewIDNumber(docType, number, endOfTime); err != nil {
		return Identity{}, errDamaged
	}
	if phone != "" {
		if id.Phone, err = kangma.NewPhone(phone); err != nil {
			return Identity{}, errDamaged
		}
	}
	return id, nil
}

// Rewrap wraps the data key under the current key-encryption key, for its rotation; the fields stay as they are. It
// says whether anything changed.
func (s *Sealer) Rewrap(person kangma.PersonID, sealed kangma.SealedIdentity) (kangma.SealedIdentity, bool, error) {
	if sealed.KeyID == s.keys.KEK.KeyID() || len(sealed.DataKey) == 0 {
		return sealed, false, nil
	}
	place := aad(person, fieldDataKey, sealed.Revision)
	key, err := s.keys.KEK.Unwrap(sealed.KeyID, sealed.DataKey, place)
	if err != nil {
		return sealed, false, err
	}
	wrapped, err := s.keys.KEK.Wrap(key, place)
	if err != nil {
		return sealed, false, err
	}
	sealed.DataKey, sealed.KeyID = wrapped, s.keys.KEK.KeyID()
	return sealed, true, nil
}

// Erase gives what is left of a sealed identity when the person is erased: no key, no field, no index. The revision
// stays, so that a later identity of the same person never repeats one.
func Erase(sealed kangma.SealedIdentity) kangma.SealedIdentity {
	return kangma.SealedIdentity{Revision: sealed.Revision}
}
