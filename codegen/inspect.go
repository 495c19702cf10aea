package codegen

import (
	"encoding/hex"
	"encoding/json"

	"github.com/kangma/kangma"
)

// Inspection explains the text of a code for people. Nothing in it has been verified.
type Inspection struct {
	Format     string            `json:"format"`                // KM1, HC1 or other
	Problem    kangma.CannotTell `json:"problem,omitempty"`     // why it could not be read, when it could not
	Length     int               `json:"length"`                // characters
	Bytes      int               `json:"bytes,omitempty"`       // of the COSE message
	QR         *QRSize           `json:"qr,omitempty"`          // how large it is drawn
	Algorithm  string            `json:"algorithm,omitempty"`   // of the signature
	Claims     *Claims           `json:"claims,omitempty"`      // what it says
	Protected  string            `json:"protected,omitempty"`   // hex, as signed
	Payload    string            `json:"payload,omitempty"`     // hex, as signed
	Signature  string            `json:"signature,omitempty"`   // hex
	Proof      string            `json:"proof,omitempty"`       // hex: slot and link of a shown credential
	HealthCert *HealthCert       `json:"health_cert,omitempty"` // an EU digital COVID certificate
	Trusted    bool              `json:"trusted"`               // always false
}

// Inspect explains any text that came out of a QR code, without trusting it: nothing is verified, no clock is asked.
func Inspect(text string) Inspection {
	in := Inspection{Format: "other", Length: len(text)}
	if size, err := SizeOf(text, LevelAuto); err == nil {
		in.QR = &size
	}
	if IsHealthCert(text) {
		in.inspectHealthCert(text)
		return in
	}
	var buf [maxRaw]byte
	e, tell := cut(text, &buf)
	in.Problem = tell
	if tell == kangma.TellNotOurs {
		return in
	}
	in.Format = "KM1"
	if tell != "" {
		return in
	}
	in.Bytes, in.Algorithm = len(e.raw)+len(e.proof), "ES256"
	in.Protected, in.Payload = hex.EncodeToString(e.protected()[1:]), hex.EncodeToString(e.payload)
	in.Signature, in.Proof = hex.EncodeToString(e.sig), hex.EncodeToString(e.proof)
	c := Claims{Key: e.key}
	if _, ok := decodePayload(e.payload, &c); !ok {
		in.Problem = kangma.TellMalformed
		return in
	}
	if len(e.proof) > 0 {
		c.readProof(e.proof)
	}
	in.Claims = &c
	return in
}

func (in *Inspection) inspectHealthCert(text string) {
	in.Format = "HC1"
	m, tell := openHealthCert(text)
	if in.Problem = tell; tell != "" {
		return
	}
	in.Bytes = m.size
	in.Protected, in.Payload, in.Signature = hex.EncodeToString(m.protected), hex.EncodeToString(m.payload), hex.EncodeToString(m.signature)
	c, ok := m.content()
	if !ok {
		in.Problem = kangma.TellMalformed
		return
	}
	in.Algorithm, in.HealthCert = c.Algorithm, &c
}

// MarshalJSON leaves the colour out of a paper code, which carries none: the zero value would read as red.
func (c Claims) MarshalJSON() ([]byte, error) {
	type plain Claims
	if c.Kind != Paper {
		return json.Marshal(plain(c))
	}
	return json.Marshal(struct {
		plain
		Colour string `json:"colour,omitempty"` // hides the other
		Note   string `json:"colour_is"`
	}{plain: plain(c), Note: "resolved online"})
}
