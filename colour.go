package kangma

import "fmt"

// Colour is the colour of a health code. The zero Colour is Red: an unset field can only deny. "Could not tell" is not a
// colour; see CannotTell.
type Colour uint8

// The three colours in order of severity, worst first.
const (
	Red    Colour = iota // 红码, wire code 10
	Yellow               // 黄码, wire code 01
	Green                // 绿码, wire code 00
)

var (
	colourNames = [...]string{"red", "yellow", "green"}
	colourWire  = [...]string{"10", "01", "00"} // as deployed systems send it (domain.md 1.4)
)

func (c Colour) String() string {
	if int(c) < len(colourNames) {
		return colourNames[c]
	}
	return fmt.Sprintf("colour(%d)", uint8(c))
}

// Wire gives the two-digit code of the deployed systems: red 10, yellow 01, green 00.
func (c Colour) Wire() string {
	if int(c) < len(colourWire) {
		return colourWire[c]
	}
	return colourWire[Red]
}

// Worse reports whether c is more severe than d.
func (c Colour) Worse(d Colour) bool { return c < d }

// ParseColour reads a name (red) or a wire code (10).
func ParseColour(s string) (Colour, error) {
	for i := range colourNames {
		if s == colourNames[i] || s == colourWire[i] {
			return Colour(i), nil
		}
	}
	return Red, E(Invalid, "colour", "a colour is red, yellow or green")
}

// MarshalText gives the name.
func (c Colour) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a name or a wire code.
func (c *Colour) UnmarshalText(b []byte) (err error) {
	*c, err = ParseColour(string(b))
	return err
}

// CannotTell says why there is no colour. It is a verdict of its own, never green and never red. The empty CannotTell in
// an Assessment or Passage that has Told=false means "never asked" and denies.
type CannotTell string

// Why no colour could be told.
const (
	TellNoRules       CannotTell = "no_rules"             // no rule set in force
	TellUnknownPerson CannotTell = "unknown_person"       // nobody of this id is registered here
	TellExpired       CannotTell = "expired"              // the code is past its life
	TellNotYetValid   CannotTell = "not_yet_valid"        // issued in the future: a clock is wrong
	TellUnknownKey    CannotTell = "unknown_key"          // signed by a key that is not on the trust list
	TellForged        CannotTell = "forged"               // the signature does not fit the content
	TellMalformed     CannotTell = "malformed"            // claims to be ours but cannot be read
	TellNotOurs       CannotTell = "not_ours"             // some other QR code
	TellSpecimen      CannotTell = "specimen"             // a sample; never passes
	TellStaleGate     CannotTell = "stale_gate"           // the gate's own data are too old
	TellClock         CannotTell = "clock"                // the gate's or phone's clock is off
	TellReplayed      CannotTell = "replayed"             // a one-time proof was shown before
	TellNoAnswer      CannotTell = "challenge_missing"    // the gate shows a number; this code does not carry one
	TellWrongAnswer   CannotTell = "challenge_wrong"      // it carries another number
	TellCannotAnswer  CannotTell = "challenge_impossible" // paper and digits read out loud carry no number
	TellRevoked       CannotTell = "revoked"              // voided (paper re-issued, key withdrawn)
	TellCheckOnline   CannotTell = "check_online"         // without a network this code cannot be told; the server can
	TellForeign       CannotTell = "foreign"              // a foreign document: valid or not, it has no colour here
)

// Text is one sentence in the two languages of every screen.
type Text struct {
	Zh string `json:"zh" yaml:"zh" cbor:"1,keyasint,omitempty"`
	En string `json:"en" yaml:"en" cbor:"2,keyasint,omitempty"`
}
