package api

import (
	"encoding"
	"encoding/binary"
	"time"

	"github.com/kangma/kangma"
)

// A login is remembered in some forty bytes (registry.ReadDoc): the length of the role, the role, the person, when it ends (seconds
// and nanoseconds since 1970, base 128), the account.

var (
	_ encoding.BinaryAppender    = (*session)(nil)
	_ encoding.BinaryUnmarshaler = (*session)(nil)
)

// AppendBinary appends the form in which a login is remembered. It is never written to a disk.
func (s *session) AppendBinary(b []byte) ([]byte, error) {
	if len(s.Role) > 255 {
		return b, errSessionForm
	}
	b = append(append(b, byte(len(s.Role))), s.Role...)
	b = append(b, s.Person[:]...)
	b = binary.AppendVarint(b, s.Expires.Unix())
	b = binary.AppendUvarint(b, uint64(s.Expires.Nanosecond()))
	return append(b, s.Account...), nil
}

var errSessionForm = kangma.E(kangma.Internal, "damaged", "a remembered login is damaged")

// UnmarshalBinary reads what AppendBinary appended.
func (s *session) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || len(b) < 1+int(b[0])+len(s.Person) {
		return errSessionForm
	}
	roleEnd := 1 + int(b[0])
	role, b := b[1:roleEnd], b[roleEnd:]
	if string(role) == string(Resident) {
		s.Role = Resident // no memory of its own
	} else {
		s.Role = Role(role)
	}
	b = b[copy(s.Person[:], b):]
	sec, n := binary.Varint(b)
	if n <= 0 {
		return errSessionForm
	}
	b = b[n:]
	nsec, n := binary.Uvarint(b)
	if n <= 0 || nsec >= uint64(time.Second) {
		return errSessionForm
	}
	s.Expires, s.Account = time.Unix(sec, int64(nsec)).UTC(), string(b[n:])
	return nil
}
