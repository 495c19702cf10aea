package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Search finds values that must not be on a disk, in the forms in which they might get there: UTF-8, UTF-16 of both byte orders, GBK,
// base64 at each of its three places, hexadecimal, percent and \u escapes, binary integers, and digits with anything but digits or
// letters between them (which is UTF-16 too). The zero value is ready.
type Search struct {
	first  []uint64            // bits by the first three bytes of a pattern
	forms  map[[6]byte][]form  // by the first six
	digits map[string]string   // digits alone, to what they are
	sizes  []int               // of them
	known  map[string]struct{} // values
}

type form struct {
	rest []byte // behind the first six
	what string
}

// Values is how many values are searched for, each in all its forms.
func (s *Search) Values() int { return len(s.known) }

// Add adds a value; what says in a hit which kind it is. Forms shorter than six bytes are left out: chance makes them.
func (s *Search) Add(what, value string) {
	if s.forms == nil {
		s.first, s.forms = make([]uint64, 1<<24/64), map[[6]byte][]form{}
		s.digits, s.known = map[string]string{}, map[string]struct{}{}
	}
	if _, again := s.known[value]; again {
		return
	}
	s.known[value] = struct{}{}
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(value))
	if err == nil && string(gbk) != value {
		s.put(what+" in GBK", gbk)
	}
	s.put(what, []byte(value))
	for order, name := range map[unicode.Endianness]string{unicode.BigEndian: " in UTF-16BE", unicode.LittleEndian: " in UTF-16LE"} {
		if wide, err := unicode.UTF16(order, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(value)); err == nil {
			s.put(what+name, wide)
		}
	}
	s.put(what+" in hexadecimal", []byte(hex.EncodeToString([]byte(value))))
	s.put(what+" in hexadecimal", []byte(strings.ToUpper(hex.EncodeToString([]byte(value)))))
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for at := range 3 { // behind at bytes of something else; what depends on neighbours is cut off
			text := enc.EncodeToString(append(make([]byte, at), value...))
			s.put(what+" in base64", []byte(text[(at*8+5)/6:len(text)-(len(value)+at)%3]))
		}
	}
	if escaped := url.QueryEscape(value); escaped != value {
		s.put(what+" escaped", []byte(escaped))
		s.put(what+" escaped", []byte(strings.ToLower(escaped)))
		s.put(what+" escaped", []byte(strings.Trim(strconv.QuoteToASCII(value), `"`)))
	}
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		s.put(what+" as an integer", binary.BigEndian.AppendUint64(nil, n))
		s.put(what+" as an integer", binary.LittleEndian.AppendUint64(nil, n))
	}
	if c := value[0]; c >= '0' && c <= '9' {
		s.digits[value] = what + " with separators"
		if !slices.Contains(s.sizes, len(value)) {
			s.sizes = append(s.sizes, len(value))
		}
	}
}

func (s *Search) put(what string, b []byte) {
	if len(b) < 6 {
		return
	}
	at := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	s.first[at/64] |= 1 << (at % 64)
	key := [6]byte(b)
	s.forms[key] = append(s.forms[key], form{b[6:], what})
}

// Bytes gives what is in b, by where.
func (s *Search) Bytes(b []byte) (hits []string) {
	for i := 0; i+6 <= len(b); i++ {
		at := uint32(b[i])<<16 | uint32(b[i+1])<<8 | uint32(b[i+2])
		if s.first[at/64]&(1<<(at%64)) == 0 {
			continue
		}
		for _, f := range s.forms[[6]byte(b[i:])] {
			if bytes.HasPrefix(b[i+6:], f.rest) {
				hits = append(hits, fmt.Sprintf("%s at byte %d", f.what, i))
			}
		}
	}
	return append(hits, s.separated(b)...)
}

// separated looks for digits with up to three other bytes, no letters or digits, between any two.
func (s *Search) separated(b []byte) (hits []string) {
	var run []byte
	var at []int
	look := func() {
		for _, n := range s.sizes {
			for i := 0; i+n <= len(run); i++ {
				what, ok := s.digits[string(run[i:i+n])]
				if from, to := at[i], at[i+n-1]+1; ok && to-from > n && !inTime(b, from, to) { // without separators Bytes has it
					hits = append(hits, fmt.Sprintf("%s at byte %d: %q", what, from, b[max(0, from-12):min(len(b), to+12)]))
				}
			}
		}
		run, at = run[:0], at[:0]
	}
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9' || (c == 'X' || c == 'x') && len(run) > 0:
			if len(at) > 0 && i-at[len(at)-1] > 4 {
				look()
			}
			run, at = append(run, c&^((c&0x40)>>1)), append(at, i)
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80:
			look()
		}
	}
	look()
	return hits
}

var timeOfDay = regexp.MustCompile(`[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{4,9}`)

// inTime reports whether some of b[from:to] belongs to a time of day with its fraction. A hundred thousand of them are in a run with
// 10,000 people, and in some the minutes or seconds and nine random digits are somebody's phone: 12:28:13.800138000 is 138 0013 8000.
func inTime(b []byte, from, to int) bool {
	begin := max(0, from-18)
	for _, m := range timeOfDay.FindAllIndex(b[begin:min(len(b), to+18)], -1) {
		if m[0]+begin < to && from < m[1]+begin {
			return true
		}
	}
	return false
}

// Folder searches every file below a folder. Files that vanish while it looks are let go.
func (s *Search) Folder(dir string) (hits []string, files int, size int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return ignoreGone(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return ignoreGone(err)
		}
		short, _ := filepath.Rel(dir, path)
		for _, h := range append(s.Bytes(b), s.Bytes([]byte(short))...) {
			hits = append(hits, short+": "+h)
		}
		files, size = files+1, size+int64(len(b))
		return nil
	})
	return hits, files, size, err
}

func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
