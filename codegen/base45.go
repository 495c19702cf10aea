package codegen

import "errors"

// alphabet45 is the alphabet of RFC 9285: what the alphanumeric mode of a QR code can hold.
const alphabet45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

var errBase45 = errors.New("not canonical Base45")

// values45 gives the value of each character, 0xff for those outside the alphabet.
var values45 = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i := range len(alphabet45) {
		v[alphabet45[i]] = byte(i)
	}
	return v
}()

// EncodedLen45 gives the number of Base45 characters of n bytes.
func EncodedLen45(n int) int { return n/2*3 + n%2*2 }

// AppendBase45 appends the Base45 form of src (RFC 9285 section 4) to dst.
func AppendBase45(dst, src []byte) []byte {
	for ; len(src) >= 2; src = src[2:] {
		n := uint(src[0])<<8 | uint(src[1])
		dst = append(dst, alphabet45[n%45], alphabet45[n/45%45], alphabet45[n/2025])
	}
	if len(src) == 1 {
		dst = append(dst, alphabet45[src[0]%45], alphabet45[src[0]/45])
	}
	return dst
}

// DecodeBase45 appends the bytes of a Base45 text to dst. It refuses characters outside the alphabet, lengths that no
// encoder makes and groups over their range, so each byte string has exactly one text.
func DecodeBase45(dst []byte, s string) ([]byte, error) {
	for ; len(s) >= 3; s = s[3:] {
		a, b, c := uint(values45[s[0]]), uint(values45[s[1]]), uint(values45[s[2]])
		n := a + b*45 + c*2025
		if a == 0xff || b == 0xff || c == 0xff || n > 0xffff {
			return nil, errBase45
		}
		dst = append(dst, byte(n>>8), byte(n))
	}
	switch len(s) {
	case 0:
		return dst, nil
	case 2:
		a, b := uint(values45[s[0]]), uint(values45[s[1]])
		n := a + b*45
		if a == 0xff || b == 0xff || n > 0xff {
			return nil, errBase45
		}
		return append(dst, byte(n)), nil
	}
	return nil, errBase45
}
