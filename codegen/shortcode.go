package codegen

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"time"

	"github.com/kangma/kangma"
)

// ShortWindow is how long one numeric code is current. It is accepted until the window after it ends.
const ShortWindow = 10 * time.Minute

// ShortDigits is the length of a numeric code: seven digits and a check digit.
const ShortDigits = 8

// ShortCoder makes and checks the numeric codes of people without a phone at hand (数字码): eight digits that a relative,
// a hotline or a printed card gives, read out loud and typed by the checker. Who it belongs to is known from elsewhere
// (a document number, or a record kept under the digits); the digits prove that the person was given them just now. Seven
// digits are few: whoever accepts them must limit tries for each person and each checker. Safe for concurrent use.
type ShortCoder struct{ key [32]byte }

// NewShortCoder makes a ShortCoder of a secret. kangma.Invalid: no secret.
func NewShortCoder(key [32]byte) (*ShortCoder, error) {
	if key == [32]byte{} {
		return nil, kangma.E(kangma.Invalid, "short_key", "the key of the numeric codes is missing")
	}
	return &ShortCoder{key}, nil
}

// Code gives the digits of a person at a moment and until when they are accepted. try is 0; a caller that keeps records
// under the digits and finds them taken by somebody else asks again with 1, 2 … up to 15.
func (s *ShortCoder) Code(person kangma.PersonID, now time.Time, try int) (digits string, until time.Time) {
	w := window(now)
	return s.digits(person, w, byte(try&15)), time.Unix((w+2)*int64(ShortWindow/time.Second), 0).UTC()
}

func window(t time.Time) int64 { return t.Unix() / int64(ShortWindow/time.Second) }

// digits is HMAC-SHA-256 over person, window and try, as a number below 10^7 by rejection-free reduction of 64 bits (the
// bias is below 2^-40), and its check digit.
func (s *ShortCoder) digits(person kangma.PersonID, window int64, try byte) string {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte("kangma short code 1"))
	mac.Write(person[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(window)))
	mac.Write([]byte{try})
	n := binary.BigEndian.Uint64(mac.Sum(nil)) % 10_000_000
	var d [ShortDigits]byte
	for i := ShortDigits - 2; i >= 0; i-- {
		d[i] = byte('0' + n%10)
		n /= 10
	}
	d[ShortDigits-1] = checkDigit(string(d[:ShortDigits-1]))
	return string(d[:])
}

// ParseShortCode reads what a checker typed: eight digits, spaces and hyphens ignored. The verdict malformed means that
// the check digit does not fit: misheard or mistyped, ask again.
func ParseShortCode(typed string) (digits string, tell kangma.CannotTell) {
	var d [ShortDigits]byte
	n := 0
	for i := range len(typed) {
		switch c := typed[i]; {
		case c == ' ' || c == '-':
		case c < '0' || c > '9' || n == ShortDigits:
			return "", kangma.TellMalformed
		default:
			d[n] = c
			n++
		}
	}
	if n != ShortDigits || checkDigit(string(d[:ShortDigits-1])) != d[ShortDigits-1] {
		return "", kangma.TellMalformed
	}
	return string(d[:]), ""
}

// Check tells whether the typed digits are those of the person now: "" yes, expired if they were within the last two
// hours, malformed if misheard, forged if they are nobody's or another's.
func (s *ShortCoder) Check(person kangma.PersonID, typed string, now time.Time) kangma.CannotTell {
	digits, tell := ParseShortCode(typed)
	if tell != "" {
		return tell
	}
	const remembered = 12
	found := remembered
	for age := remembered - 1; age >= 0; age-- {
		for try := range byte(16) {
			want := s.digits(person, window(now)-int64(age), try)
			found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare([]byte(want), []byte(digits)), age, found)
		}
	}
	switch {
	case found <= 1:
		return ""
	case found < remembered:
		return kangma.TellExpired
	}
	return kangma.TellForged
}

// damm is the quasigroup of H. M. Damm's check digit ("Total anti-symmetrische Quasigruppen", Marburg 2004): it finds
// every single wrong digit and every exchange of neighbours.
var damm = [10]string{
	"0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
	"3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
}

func checkDigit(digits string) byte {
	interim := byte(0)
	for i := range len(digits) {
		interim = damm[interim][digits[i]-'0'] - '0'
	}
	return '0' + interim
}
