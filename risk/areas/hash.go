package areas

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hashes are those of a text, of what stays of it once the names in front are gone, of that cut before its first house
// number, and of that without the word for an estate at its end. One reading of the text gives them all. A hash of fewer
// than three characters, or that another one already is, is 0: two characters name nothing safely.
type hashes struct {
	all, rest, head, bare uint64
}

// FNV-1a of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/), taken over the characters of the folded text instead of
// its bytes.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// estate is the word that may end an estate's name.
const estate = "小区"

// hashesOf reads a text whose end is rest; all is wanted only where full is set. It allocates nothing.
func hashesOf(text, rest string, full bool) (h hashes) {
	part := uint64(fnvOffset)
	var ago [2]uint64 // part as it was two characters ago, and one
	runes, inHead := 0, true
	for i := 0; i < len(rest); {
		var r rune
		size, ends := 3, false
		if b := rest[i]; b >= 0xE4 && b <= 0xE9 && i+2 < len(rest) { // U+4000 to U+9FFF, nearly every character there is
			r = rune(b&0xF)<<12 | rune(rest[i+1]&0x3F)<<6 | rune(rest[i+2]&0x3F)
			ends = r == '除'
		} else {
			r, size = charAt(rest, i)
			ends = endsHead(r)
			r = foldRune(r)
		}
		if ends && inHead && i > 0 {
			h.headIs(rest[:i], part, ago[0], runes)
			inHead = false
		}
		i += size
		if r < 0 {
			continue
		}
		ago[0], ago[1] = ago[1], part
		part = (part ^ uint64(r)) * fnvPrime
		runes++
	}
	if inHead {
		h.headIs(rest, part, ago[0], runes)
	} else {
		h.rest = atLeast3(part, runes)
	}
	if full && len(text) > len(rest) {
		h.all = atLeast3(hashText(text))
	}
	return h
}

// headIs sets the hashes of the estate's name, given also as it was two characters before its end.
func (h *hashes) headIs(head string, part, twoAgo uint64, runes int) {
	h.head = atLeast3(part, runes)
	if strings.HasSuffix(head, estate) {
		h.bare = atLeast3(twoAgo, runes-2)
	}
}

func atLeast3(hash uint64, runes int) uint64 {
	if runes < 3 {
		return 0
	}
	return hash
}

// hashText gives the hash of one folded text and how many characters it has.
func hashText(s string) (hash uint64, runes int) {
	hash = fnvOffset
	for i := 0; i < len(s); {
		r, size := charAt(s, i)
		i += size
		if r = foldRune(r); r >= 0 {
			hash = (hash ^ uint64(r)) * fnvPrime
			runes++
		}
	}
	return hash, runes
}

// charAt reads the character at i. Nearly all are Chinese, of three bytes; what is no UTF-8 gives some character.
func charAt(s string, i int) (r rune, size int) {
	b := s[i]
	if b < utf8.RuneSelf {
		return rune(b), 1
	}
	if b >= 0xE0 && b < 0xF0 && i+2 < len(s) {
		return rune(b&0xF)<<12 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F), 3
	}
	return utf8.DecodeRuneInString(s[i:])
}

// foldRune does to one character what divisions.Fold does to a text; -1: nothing stays of it.
func foldRune(r rune) rune {
	switch {
	case r > '\u3000' && r < '\ufeff':
		return r
	case isSpace(r):
		return -1
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	}
	return r
}

func isSpace(r rune) bool {
	return r == ' ' || r == '\u3000' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0' || r == '\u200b' || r == '\ufeff'
}

// firstOf gives the first character of a text, 0 where there is none.
func firstOf(s string) rune {
	if len(s) > 2 && s[0] >= 0xE4 && s[0] <= 0xE9 {
		return rune(s[0]&0xF)<<12 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F)
	}
	if s == "" {
		return 0
	}
	r, _ := charAt(s, 0)
	return r
}

// trimSpace takes spaces of every kind off the front: people write them between the names.
func trimSpace(s string) string {
	for len(s) > 0 {
		r, size := charAt(s, 0)
		if r > '\u3000' && r < '\ufeff' || !isSpace(r) {
			break
		}
		s = s[size:]
	}
	return s
}

// endsHead: a house number, a bracket or an exception ends the name of an estate.
func endsHead(r rune) bool {
	if r >= 0x4E00 && r < 0xA000 {
		return r == '除'
	}
	return r == '(' || r == '（' || r < unicode.MaxASCII && (unicode.IsDigit(r) || unicode.IsLetter(r)) || r >= '０' && r <= '９'
}

// headOf cuts a text before its first house number, bracket or exception: 富力城12号楼(除2单元) gives 富力城.
func headOf(s string) string {
	for i, r := range s {
		if i > 0 && endsHead(r) {
			return s[:i]
		}
	}
	return s
}
