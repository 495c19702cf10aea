package kangma

import (
	"encoding/json"
	"fmt"
	"time"
)

// Decision is what a gate does with one person. The zero Decision is Refer: the barrier stays shut and a human looks.
type Decision uint8

// The decisions of a gate.
const (
	Refer          Decision = iota // 人工核验
	TurnBack                       // 劝返
	CentralIsolate                 // 集中隔离
	HomeIsolate                    // 居家隔离
	Pass                           // 放行
)

var decisionNames = [...]string{"refer", "turn-back", "central-isolate", "home-isolate", "pass"}

func (d Decision) String() string {
	if int(d) < len(decisionNames) {
		return decisionNames[d]
	}
	return fmt.Sprintf("decision(%d)", uint8(d))
}

// MarshalText gives the name.
func (d Decision) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the name.
func (d *Decision) UnmarshalText(b []byte) error {
	for i, n := range decisionNames {
		if string(b) == n {
			*d = Decision(i)
			return nil
		}
	}
	return E(Invalid, "decision", "a decision is pass, home-isolate, central-isolate, turn-back or refer")
}

// Pseudonym stands for one person within one epoch of 14 days: an HMAC under a key outside every store.
type Pseudonym [16]byte

// String gives 32 hexadecimal digits.
func (p Pseudonym) String() string { return fmt.Sprintf("%x", p[:]) }

// Passage (通行记录) is one scan with its decision. It holds no name, number, phone or PersonID.
type Passage struct {
	ID          EventID   `json:"id" cbor:"1,keyasint"`
	At          time.Time `json:"at" cbor:"2,keyasint"`
	Gate        string    `json:"gate" cbor:"3,keyasint"`
	GateKind    string    `json:"gate_kind" cbor:"4,keyasint,omitempty"` // community, metro, venue, hospital, school, highway, border
	District    Division  `json:"district" cbor:"5,keyasint,omitempty"`
	Operator    string    `json:"operator,omitempty" cbor:"6,keyasint,omitempty"` // account id, no name
	Person      Pseudonym `json:"person" cbor:"7,keyasint"`
	Told        bool      `json:"told" cbor:"8,keyasint,omitempty"`
	Colour      Colour    `json:"colour" cbor:"9,keyasint"`
	Decision    Decision  `json:"decision" cbor:"10,keyasint"`
	Reason      string    `json:"reason" cbor:"11,keyasint"`                          // reason code: a rule, a policy clause or a CannotTell
	Verified    string    `json:"verified" cbor:"12,keyasint"`                        // how: online, offline, id-card, short-code, device
	Direction   string    `json:"direction,omitempty" cbor:"13,keyasint,omitempty"`   // in, out
	Temperature int       `json:"temperature,omitempty" cbor:"14,keyasint,omitempty"` // tenths of a degree; 0: not taken
	Vehicle     string    `json:"vehicle,omitempty" cbor:"15,keyasint,omitempty"`     // keyed hash of the plate, never the plate
	Rules       string    `json:"rules,omitempty" cbor:"16,keyasint,omitempty"`       // first 16 hex digits of the rule-set digest
	Flags       []string  `json:"flags,omitempty" cbor:"17,keyasint,omitempty"`       // closed set: replay, travel, offline, stale, conflict, unverified
}

// Verdict is the answer to one scan: what staff see. MaskedName is the only trace of identity in it.
type Verdict struct {
	Event      EventID    `json:"event"`
	At         time.Time  `json:"at"`
	Decision   Decision   `json:"decision"`
	Told       bool       `json:"told"`
	Colour     Colour     `json:"colour,omitempty"` // means nothing when !Told
	CannotTell CannotTell `json:"cannot_tell,omitempty"`
	Reason     string     `json:"reason"` // code
	Why        Text       `json:"why"`
	Guidance   Text       `json:"guidance"`
	MaskedName string     `json:"masked_name,omitempty"`
	IDTail     string     `json:"id_tail,omitempty"` // last four of the document
	Flags      []string   `json:"flags,omitempty"`
	AsOf       time.Time  `json:"as_of,omitzero"` // the state store did not answer: from a copy at least as new as this
}

// MarshalJSON leaves the colour out where none was told, so that nobody reads the zero value as a verdict.
func (v Verdict) MarshalJSON() ([]byte, error) {
	type plain Verdict
	return json.Marshal(struct {
		plain
		Colour *Colour `json:"colour,omitempty"`
	}{plain(v), told(v.Told, &v.Colour)})
}
