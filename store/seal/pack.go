package seal

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/kangma/kangma"
)

// The text of the field "identity": one byte of flags, the document, the phone, the name up to the end.
//
//	document  packed: the 17 digits of a resident ID number as 8 bytes, big-endian; its check character is computed.
//	          else: 2 bytes of type, 1 byte of length, the number
//	phone     packed: a mainland number as 5 bytes, big-endian; else 1 byte of length, the number; none without hasPhone
//
// One AEAD instead of three saves two tags, and packed digits save the rest: 88 bytes of a usual person became 39.
const (
	packedNumber = 1 << iota
	hasPhone
	packedPhone
)

const (
	residentDigits = 17
	phoneDigits    = 11
	phoneBytes     = 5
)

// digits gives s as a number if it is n digits of which the number can be written again with leading zeros.
func digits(s string, n int) (uint64, bool) {
	if len(s) != n || strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 10, 64)
	return v, err == nil
}

// written gives n digits of v; false: it has more.
func written(v uint64, n int) (string, bool) {
	s := strconv.FormatUint(v, 10)
	if len(s) > n {
		return "", false
	}
	return strings.Repeat("0", n-len(s)) + s, true
}

func packIdentity(id Identity) []byte {
	b := make([]byte, 1, 64)
	number, phone := id.Number.Reveal(), id.Phone.Reveal()
	if v, ok := digits(number[:min(len(number), residentDigits)], residentDigits); ok && id.DocType == kangma.DocResidentID &&
		number == number[:residentDigits]+string(kangma.IDCheckChar(number)) {
		b[0] |= packedNumber
		b = binary.BigEndian.AppendUint64(b, v)
	} else {
		b = append(append(append(b, id.DocType...), byte(len(number))), number...)
	}
	if phone != "" {
		b[0] |= hasPhone
		if v, ok := digits(phone, phoneDigits); ok {
			b[0] |= packedPhone
			b = append(b, binary.BigEndian.AppendUint64(nil, v)[8-phoneBytes:]...)
		} else {
			b = append(append(b, byte(len(phone))), phone...)
		}
	}
	return append(b, id.Name.Reveal()...)
}

// unpackIdentity reads what packIdentity wrote. The bytes were authenticated, so that a fault is of our own making; they are
// checked all the same.
func unpackIdentity(b []byte) (Identity, error) {
	t, err := unpackTexts(b)
	if err != nil {
		return Identity{}, err
	}
	return restore(t.name, t.docType, t.number, t.phone)
}

// texts are what an identity says, not yet checked.
type texts struct{ name, docType, number, phone string }

func unpackTexts(b []byte) (texts, error) {
	u := unpacker{b: b}
	flags := u.take(1)
	if u.bad {
		return texts{}, errDamaged
	}
	docType, number, phone := kangma.DocResidentID, "", ""
	if flags[0]&packedNumber != 0 {
		if number = u.digits(8, residentDigits); !u.bad {
			number += string(kangma.IDCheckChar(number))
		}
	} else {
		docType, number = string(u.take(2)), u.text()
	}
	switch flags[0] & (hasPhone | packedPhone) {
	case hasPhone | packedPhone:
		phone = u.digits(phoneBytes, phoneDigits)
	case hasPhone:
		phone = u.text()
	case packedPhone:
		u.bad = true
	}
	if u.bad || flags[0] >= packedPhone<<1 {
		return texts{}, errDamaged
	}
	return texts{string(u.b), docType, number, phone}, nil
}

// unpacker takes bytes from the front.
type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) take(n int) []byte {
	if len(u.b) < n {
		u.bad = true
		return make([]byte, n)
	}
	front := u.b[:n]
	u.b = u.b[n:]
	return front
}

func (u *unpacker) text() string { return string(u.take(int(u.take(1)[0]))) }

func (u *unpacker) digits(size, n int) string {
	var wide [8]byte
	copy(wide[8-size:], u.take(size))
	s, ok := written(binary.BigEndian.Uint64(wide[:]), n)
	u.bad = u.bad || !ok
	return s
}
