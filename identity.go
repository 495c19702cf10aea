package kangma

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// Name, IDNumber and Phone hold personal data. Every way of printing them (fmt, JSON, slog) gives the masked form;
// Reveal is the only way to the value, so that a search for Reveal finds every place that uses it.
type (
	Name     struct{ v string }
	IDNumber struct{ v string }
	Phone    struct{ v string }
)

// NewName accepts 1 to 60 characters without control characters.
func NewName(s string) (Name, error) {
	s = strings.TrimSpace(s)
	n := utf8.RuneCountInString(s)
	if n < 1 || n > 60 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Name{}, E(Invalid, "name", "a name has 1 to 60 characters and no control characters")
	}
	return Name{s}, nil
}

// phoneSpacing is what people put between digits. It is made once: making it takes longer than all the rest.
var phoneSpacing = strings.NewReplacer(" ", "", "-", "")

// NewPhone accepts a mainland mobile number (11 digits beginning 1[3-9]) or +country and 6 to 14 digits.
func NewPhone(s string) (Phone, error) {
	s = phoneSpacing.Replace(s)
	s = strings.TrimPrefix(s, "+86")
	digits := strings.TrimPrefix(s, "+")
	ok := allDigits(digits)
	if s == digits {
		ok = ok && len(s) == 11 && s[0] == '1' && s[1] >= '3'
	} else {
		ok = ok && len(digits) >= 7 && len(digits) <= 15
	}
	if !ok {
		return Phone{}, E(Invalid, "phone", "a phone is a mainland mobile number of 11 digits, or + and the international number")
	}
	return Phone{s}, nil
}

func allDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// Reveal gives the value in clear.
func (n Name) Reveal() string { return n.v }

// Reveal gives the value in clear.
func (n IDNumber) Reveal() string { return n.v }

// Reveal gives the value in clear.
func (p Phone) Reveal() string { return p.v }

// Masked gives 张*三, 欧阳*, 李*: the first character and, from three characters on, the last.
func (n Name) Masked() string {
	r := []rune(n.v)
	switch {
	case len(r) == 0:
		return ""
	case len(r) == 1:
		return "*"
	case len(r) == 2:
		return string(r[0]) + "*"
	case len(r) <= 4:
		return string(r[0]) + strings.Repeat("*", len(r)-2) + string(r[len(r)-1])
	}
	return string(r[0]) + "***" + string(r[len(r)-1])
}

// Masked keeps the first four (province and city) and the last four characters.
func (n IDNumber) Masked() string { return maskMiddle(n.v, 4, 4) }

// Masked keeps the first three and the last four digits.
func (p Phone) Masked() string { return maskMiddle(p.v, 3, 4) }

// Tail gives the last four characters of the number.
func (n IDNumber) Tail() string {
	if len(n.v) < 4 {
		return ""
	}
	return n.v[len(n.v)-4:]
}

func maskMiddle(s string, head, tail int) string {
	if len(s) <= head+tail {
		return strings.Repeat("*", len(s))
	}
	return s[:head] + strings.Repeat("*", len(s)-head-tail) + s[len(s)-tail:]
}

func (n Name) String() string     { return n.Masked() }
func (n IDNumber) String() string { return n.Masked() }
func (p Phone) String() string    { return p.Masked() }

// Format masks under every verb of package fmt, %#v included.
func (n Name) Format(f fmt.State, _ rune) { fmt.Fprint(f, n.Masked()) }

// Format masks under every verb of package fmt, %#v included.
func (n IDNumber) Format(f fmt.State, _ rune) { fmt.Fprint(f, n.Masked()) }

// Format masks under every verb of package fmt, %#v included.
func (p Phone) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.Masked()) }

// MarshalText masks: JSON and every text encoder show the masked form.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.Masked()), nil }

// MarshalText masks: JSON and every text encoder show the masked form.
func (n IDNumber) MarshalText() ([]byte, error) { return []byte(n.Masked()), nil }

// MarshalText masks: JSON and every text encoder show the masked form.
func (p Phone) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }

// LogValue masks in structured logs.
func (n Name) LogValue() slog.Value { return slog.StringValue(n.Masked()) }

// LogValue masks in structured logs.
func (n IDNumber) LogValue() slog.Value { return slog.StringValue(n.Masked()) }

// LogValue masks in structured logs.
func (p Phone) LogValue() slog.Value { return slog.StringValue(p.Masked()) }
