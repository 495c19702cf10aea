package kangma

import "time"

// Dossier (一人一档) is all that is known of one person inside retention.
type Dossier struct {
	Person     PersonID       `cbor:"1,keyasint"`
	Version    uint64         `cbor:"2,keyasint"` // rises by one with each change; 0: not stored
	Registered time.Time      `cbor:"3,keyasint"`
	Home       Place          `cbor:"4,keyasint,omitzero"` // division of residence; no street address
	Sealed     SealedIdentity `cbor:"5,keyasint,omitzero"`
	Evidence   []Evidence     `cbor:"6,keyasint,omitempty"` // sorted by ID, each ID once
	Guardians  []Guardianship `cbor:"7,keyasint,omitempty"` // who may show this person's code
	Applied    []EventID      `cbor:"8,keyasint,omitempty"` // ids of other events applied (registration, erasure), for idempotence
}

// SealedIdentity is what identifies a person, encrypted under the person's own data key, which is itself encrypted
// under a key outside every store. Indexes are keyed HMACs. store/seal makes and opens it.
type SealedIdentity struct {
	DataKey  []byte            `cbor:"1,keyasint,omitempty"` // wrapped data key; empty after erasure
	Fields   map[string][]byte `cbor:"2,keyasint,omitempty"` // name, document (type and number), phone: AES-256-GCM
	Indexes  []BlindIndex      `cbor:"3,keyasint,omitempty"` // what Dossiers.Lookup finds
	KeyID    string            `cbor:"4,keyasint,omitempty"` // which key-encryption key
	Revision uint64            `cbor:"5,keyasint,omitempty"` // bound into the associated data
}

// BlindIndex finds a person by a document number or phone without storing either: HMAC-SHA-256 under an index key,
// over the field's name and its normalised value, cut to 16 bytes.
type BlindIndex [16]byte

// IsZero reports whether the sealed identity is absent.
func (s SealedIdentity) IsZero() bool {
	return len(s.DataKey) == 0 && len(s.Fields) == 0 && len(s.Indexes) == 0
}

// Guardianship lets one person show the code of another, with the consent of both and an end.
type Guardianship struct {
	Guardian PersonID  `json:"guardian" cbor:"1,keyasint"`
	From     time.Time `json:"from" cbor:"2,keyasint"`
	Until    time.Time `json:"until" cbor:"3,keyasint"`
	Relation string    `json:"relation" cbor:"4,keyasint"` // child, elder, ward
	Accepted bool      `json:"accepted" cbor:"5,keyasint"`
}
