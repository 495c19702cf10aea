package wire

import (
	"encoding/binary"
	"time"
	"unicode/utf8"
)

// packer writes or reads one packed dossier. As with coder, one walk over the fields serves both directions: each method
// writes *p when writing and sets *p when reading. It is the coder's younger brother: no keys and no types in the bytes, so
// that half the bytes say the same and reading them asks half the questions.
type packer struct {
	writing bool
	b       []byte // what was written, or what is still to be read
	room    []byte // writing: where b lies; kept for the next dossier
	err     error  // reading: the first fault; everything after it reads as zero
	ref     int64  // seconds that times are counted from
	div     int64  // the division before
	head    int    // writing: where the head ends
	spare   int    // reading: for how many more pieces of evidence there shall be room
	more    int    // reading: the same for the next list
	seen    []string
	last    [classes]string // the literal text before of each class
	doc     string          // reading: the whole input, which texts are cut out of
	blobs   []byte          // reading: room for byte strings
	slabs
}

// Classes of texts that tend to begin alike: the batches of a feed, the laboratories of a district.
const (
	anyText = iota
	sourceText
	batchText
	labText
	classes
)

// packedEpoch is what the first time of a dossier is counted from: 2022-01-01T00:00:00Z, so that it takes four bytes.
const packedEpoch = 1640995200

func (p *packer) fail() {
	p.err = errDamaged
	p.b = nil
}

// num writes or reads an unsigned number: seven bits a byte, the lowest first, the top bit says that more follow.
func (p *packer) num(v uint64) uint64 {
	if p.writing {
		p.b = binary.AppendUvarint(p.b, v)
		return v
	}
	if len(p.b) > 0 && p.b[0] < 0x80 {
		v = uint64(p.b[0])
		p.b = p.b[1:]
		return v
	}
	v, n := binary.Uvarint(p.b)
	if n <= 0 || p.b[n-1] == 0 { // cut, too large, or longer than needed
		p.fail()
		return 0
	}
	p.b = p.b[n:]
	return v
}

// mask writes or reads which of up to n fields are there.
func (p *packer) mask(m uint64, n int) uint64 {
	if m = p.num(m); m >= 1<<n {
		p.fail()
		return 0
	}
	return m
}

// bit is 1<<n if there.
func bit(there bool, n int) uint64 {
	if there {
		return 1 << n
	}
	return 0
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// signed writes or reads a number of either sign, small ones in few bytes.
func (p *packer) signed(v int64) int64 { return unzigzag(p.num(zigzag(v))) }

// time writes or reads a time that is there, counted from p.ref: twice the difference in seconds, plus one if microseconds
// follow.
func (p *packer) time(t *time.Time) {
	if p.writing {
		s, us := min(max(t.Unix(), minSeconds), maxSeconds), uint64(t.Nanosecond()/1000)
		p.num(zigzag(s-p.ref)<<1 | bit(us != 0, 0))
		if us != 0 {
			p.num(us)
		}
		return
	}
	u := p.num(0)
	s, us := p.ref+unzigzag(u>>1), uint64(0)
	if s < minSeconds || s > maxSeconds {
		p.fail()
		return
	}
	if u&1 != 0 {
		if us = p.num(0); us == 0 || us > 999_999 {
			p.fail()
		}
	}
	if p.err == nil {
		*t = time.Unix(s, int64(us)*1000).UTC()
	}
}

// seconds gives the whole seconds of a time as they are written, for later ones to be counted from.
func seconds(t time.Time) int64 { return min(max(t.Unix(), minSeconds), maxSeconds) }

// raw writes or reads bytes of a known number.
func (p *packer) raw(b []byte) {
	if p.writing {
		p.b = append(p.b, b...)
		return
	}
	if len(p.b) < len(b) {
		p.fail()
		return
	}
	copy(b, p.b)
	p.b = p.b[len(b):]
}

// eventID writes or reads an event id: of a version 7 id twice the difference of its milliseconds to p.ref and the last ten
// bytes; of any other a one and all of it.
func (p *packer) eventID(id *[16]byte) {
	if p.writing {
		if id[6]>>4 == 7 {
			p.num(zigzag(int64(uint48(id))-p.ref*1000) << 1)
			p.b = append(p.b, id[6:]...)
			return
		}
		p.b = append(append(p.b, 1), id[:]...)
		return
	}
	u := p.num(0)
	if u == 1 {
		if p.raw(id[:]); id[6]>>4 == 7 {
			p.fail()
		}
		return
	}
	ms := p.ref*1000 + unzigzag(u>>1)
	if u&1 != 0 || ms < 0 || ms >= 1<<48 {
		p.fail()
		return
	}
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16)
	if p.raw(id[6:]); id[6]>>4 != 7 {
		p.fail()
	}
}

func uint48(id *[16]byte) uint64 { return binary.BigEndian.Uint64(id[:]) >> 16 }

// blob writes or reads a byte string.
func (p *packer) blob(b []byte) []byte {
	if p.writing {
		p.num(uint64(len(b)))
		p.b = append(p.b, b...)
		return b
	}
	n := p.num(0)
	if n > uint64(len(p.b)) {
		p.fail()
		return nil
	}
	if p.blobs == nil || cap(p.blobs)-len(p.blobs) < int(n) {
		p.blobs = make([]byte, 0, max(int(n), min(len(p.b), 128)))
	}
	from := len(p.blobs)
	p.blobs = append(p.blobs, p.b[:n]...)
	p.b = p.b[n:]
	return p.blobs[from:len(p.blobs):len(p.blobs)]
}

// count writes or reads how many items of at least least bytes follow, so that no count can claim more memory than the
// input pays for. None is not written by this.
func (p *packer) count(n, least int) int {
	if p.writing {
		p.num(uint64(n))
		return n
	}
	u := p.num(0)
	if u == 0 || u > uint64(len(p.b)/least) {
		p.fail()
		return 0
	}
	return int(u)
}

// The first byte of a text.
const (
	textSeen    = 0x80 // to 0xbf: the text number 0 to 63 that stood here before; below: a word
	textLiteral = 0xc0 // to 0xfc: a literal whose own bytes are 0 to 60
	textLong    = 0xfd // a literal of more, their number less 61 follows
	textWord    = 0xfe // a word from 128 on, its number less 128 follows
	textEmpty   = 0xff
	ownMost     = textLong - textLiteral
)

// text writes or reads one text, the empty one included.
func (p *packer) text(s string, class int) string {
	if !p.writing {
		return p.readText(class)
	}
	if !utf8.ValidString(s) {
		s = toValid(s)
	}
	if s == "" {
		p.b = append(p.b, textEmpty)
		return s
	}
	if n, ok := wordNumber(s); ok {
		if n < textSeen {
			p.b = append(p.b, byte(n))
		} else {
			p.b = append(p.b, textWord)
			p.num(n - textSeen)
		}
		return s
	}
	for i, t := range p.seen {
		if t == s {
			p.b = append(p.b, textSeen|byte(i))
			return s
		}
	}
	like := shared(p.last[class], s)
	if own := len(s) - like; own < ownMost {
		p.b = append(p.b, textLiteral+byte(own))
	} else {
		p.b = append(p.b, textLong)
		p.num(uint64(own - ownMost))
	}
	if p.last[class] != "" {
		p.b = append(p.b, byte(like))
	}
	p.b = append(p.b, s[like:]...)
	p.remember(s, class)
	return s
}

// mostShared bounds what a text takes over from the one before, and so the memory that few bytes can claim.
const mostShared = 63

// shared gives how many bytes two texts begin with alike.
func shared(a, b string) (n int) {
	for most := min(len(a), len(b), mostShared); n < most && a[n] == b[n]; n++ {
	}
	return n
}

func (p *packer) remember(s string, class int) {
	p.last[class] = s
	if len(s) >= 2 && len(p.seen) < maxSeen {
		p.seen = append(p.seen, s)
	}
}

func (p *packer) readText(class int) string {
	if len(p.b) == 0 {
		p.fail()
		return ""
	}
	first := p.b[0]
	p.b = p.b[1:]
	switch {
	case first < textSeen:
		return words[first]
	case first < textLiteral:
		if i := int(first - textSeen); i < len(p.seen) {
			return p.seen[i]
		}
	case first < textLong:
		return p.literal(uint64(first-textLiteral), class)
	case first == textLong:
		if n := p.num(0); n < MaxBytes {
			return p.literal(n+ownMost, class)
		}
	case first == textWord:
		if n := p.num(0); n < uint64(len(words)-textSeen) {
			return words[n+textSeen]
		}
	default:
		return ""
	}
	p.fail()
	return ""
}

// literal reads a text that stands here for the first time; own is how many bytes of it are its own.
func (p *packer) literal(own uint64, class int) string {
	before, like := p.last[class], 0
	if before != "" {
		if len(p.b) == 0 {
			p.fail()
			return ""
		}
		like = int(p.b[0])
		p.b = p.b[1:]
	}
	if own > uint64(len(p.b)) || like > min(len(before), mostShared) {
		p.fail()
		return ""
	}
	from := len(p.doc) - len(p.b)
	s := p.doc[from : from+int(own)]
	p.b = p.b[own:]
	if like < min(len(before), mostShared) && own > 0 && s[0] == before[like] { // more is alike than was said
		p.fail()
		return ""
	}
	if like > 0 {
		s = before[:like] + s
	}
	_, isWord := wordNumber(s)
	for _, t := range p.seen {
		isWord = isWord || t == s
	}
	if isWord || s == "" || !utf8.ValidString(s) {
		p.fail()
		return ""
	}
	p.remember(s, class)
	return s
}
