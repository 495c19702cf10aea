package wire

import (
	"math"
	"time"
	"unicode/utf8"
)

// CBOR major types (RFC 8949 section 3.1) and the one simple value in use.
const (
	majorUint  = 0
	majorNeg   = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorMap   = 5
	cborTrue   = 0xf5
)

// maxSeen bounds the texts of a document that later ones may refer to.
const maxSeen = 64

// Times outside these (0001-01-01T00:00:01Z to 9999-12-31T23:59:59Z) are moved inside.
const (
	minSeconds = -62135596799
	maxSeconds = 253402300799
)

// coder writes or reads one document. One walk over the fields of a type serves both directions, so that they cannot
// drift apart: each field method writes *p when writing and sets *p when reading.
type coder struct {
	writing bool
	b       []byte // what was written, or the input
	pos     int    // reading: offset of what comes next
	err     error  // reading: the first fault; everything after it reads as zero
	last    int64  // the time before, in Unix seconds
	seen    []string
	f       frame
}

// frame is the map being written or read.
type frame struct {
	head int // writing: where its head byte is
	n    int // writing: entries so far; reading: entries left
}

func (c *coder) fail() {
	if c.err == nil {
		c.err = errDamaged
	}
	c.pos, c.f.n = len(c.b), 0
}

// open begins a map and gives the frame around it back for close. No type here has more than 23 fields.
func (c *coder) open() frame {
	outer := c.f
	if c.writing {
		c.f = frame{head: len(c.b)}
		c.b = append(c.b, majorMap<<5)
		return outer
	}
	n := c.size(majorMap, 2)
	if n > 23 {
		c.fail()
		n = 0
	}
	c.f = frame{n: n}
	return outer
}

// close ends the map of the last open. Entries left unread are unknown, doubled or out of order.
func (c *coder) close(outer frame) {
	if c.writing {
		c.b[c.f.head] |= byte(c.f.n)
	} else if c.f.n != 0 {
		c.fail()
	}
	c.f = outer
	if c.err != nil {
		c.f.n = 0
	}
}

// has says whether the field of a key is there: writing, when present, and then the key is written; reading, when it
// is the next in the input, and then it is consumed.
func (c *coder) has(key byte, present bool) bool {
	if c.writing {
		if present {
			c.head(majorUint, uint64(key))
			c.f.n++
		}
		return present
	}
	if c.f.n == 0 || c.pos >= len(c.b) {
		return false
	}
	switch {
	case key < 24 && c.b[c.pos] == key:
		c.pos++
	case key >= 24 && c.b[c.pos] == 24 && c.pos+1 < len(c.b) && c.b[c.pos+1] == key:
		c.pos += 2
	default:
		return false
	}
	c.f.n--
	return true
}

// head writes the head of an item in its shortest form.
func (c *coder) head(major byte, n uint64) {
	major <<= 5
	switch {
	case n < 24:
		c.b = append(c.b, major|byte(n))
	case n <= math.MaxUint8:
		c.b = append(c.b, major|24, byte(n))
	case n <= math.MaxUint16:
		c.b = append(c.b, major|25, byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		c.b = append(c.b, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	default:
		c.b = append(c.b, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// readHead reads the head of an item and refuses every form but the shortest.
func (c *coder) readHead() (major byte, n uint64) {
	if c.pos >= len(c.b) {
		c.fail()
		return 0, 0
	}
	first := c.b[c.pos]
	c.pos++
	major, n = first>>5, uint64(first&31)
	if n < 24 {
		return major, n
	}
	if n > 27 || len(c.b)-c.pos < 1<<(n-24) {
		c.fail()
		return 0, 0
	}
	width := 1 << (n - 24)
	n = 0
	for _, x := range c.b[c.pos : c.pos+width] {
		n = n<<8 | uint64(x)
	}
	c.pos += width
	shortest := [...]uint64{1: 24, 2: math.MaxUint8 + 1, 4: math.MaxUint16 + 1, 8: math.MaxUint32 + 1}
	if n < shortest[width] {
		c.fail()
		return 0, 0
	}
	return major, n
}

// size reads the head of a list, map or string whose elements take at least least bytes each, so that no count can
// claim more memory than the input pays for.
func (c *coder) size(major byte, least int) int {
	m, n := c.readHead()
	if c.err != nil || m != major || n > uint64((len(c.b)-c.pos)/least) {
		c.fail()
		return 0
	}
	return int(n)
}

// signed writes or reads one whole number, positive or negative.
func (c *coder) signed(v int64) int64 {
	if c.writing {
		if v < 0 {
			c.head(majorNeg, uint64(-1-v))
		} else {
			c.head(majorUint, uint64(v))
		}
		return v
	}
	m, n := c.readHead()
	switch {
	case n > math.MaxInt64 || m > majorNeg:
		c.fail()
		return 0
	case m == majorNeg:
		return -1 - int64(n)
	}
	return int64(n)
}

// time writes or reads a time that is there.
func (c *coder) time(t time.Time) time.Time {
	if c.writing {
		s, us := t.Unix(), uint64(t.Nanosecond()/1000)
		s = min(max(s, minSeconds), maxSeconds)
		if us != 0 {
			c.head(majorArray, 2)
		}
		c.signed(s - c.last)
		c.last = s
		if us != 0 {
			c.head(majorUint, us)
		}
		return t
	}
	pair := c.pos < len(c.b) && c.b[c.pos] == majorArray<<5|2
	if pair {
		c.pos++
	}
	delta := c.signed(0)
	s := c.last + delta
	if delta < minSeconds-maxSeconds || delta > maxSeconds-minSeconds || s < minSeconds || s > maxSeconds {
		c.fail()
		return time.Time{}
	}
	c.last = s
	us := uint64(0)
	if pair {
		var m byte
		if m, us = c.readHead(); m != majorUint || us == 0 || us > 999_999 {
			c.fail()
		}
	}
	if c.err != nil {
		return time.Time{}
	}
	return time.Unix(s, int64(us)*1000).UTC()
}

// known finds s among the texts seen.
func (c *coder) known(s string) (int, bool) {
	for i, t := range c.seen {
		if t == s {
			return i, true
		}
	}
	return 0, false
}

func (c *coder) remember(s string) {
	if len(s) >= 2 && len(c.seen) < maxSeen {
		c.seen = append(c.seen, s)
	}
}

// word writes or reads one text, the empty one included.
func (c *coder) word(s string) string {
	if !c.writing {
		return c.readWord()
	}
	if !utf8.ValidString(s) {
		s = toValid(s)
	}
	if n, ok := wordNumber(s); ok && n < wordsCBOR {
		c.head(majorUint, n)
	} else if i, ok := c.known(s); ok {
		c.head(majorNeg, uint64(i))
	} else {
		c.head(majorText, uint64(len(s)))
		c.b = append(c.b, s...)
		c.remember(s)
	}
	return s
}

func (c *coder) readWord() string {
	m, n := c.readHead()
	switch {
	case c.err != nil:
	case m == majorUint && n < wordsCBOR:
		return words[n]
	case m == majorNeg && n < uint64(len(c.seen)):
		return c.seen[n]
	case m == majorText && n <= uint64(len(c.b)-c.pos):
		raw := c.b[c.pos : c.pos+int(n)]
		s := string(raw)
		w, isWord := wordNumber(s)
		if _, again := c.known(s); isWord && w < wordsCBOR || again || !utf8.ValidString(s) {
			break
		}
		c.pos += int(n)
		c.remember(s)
		return s
	}
	c.fail()
	return ""
}

// blob writes or reads one byte string.
func (c *coder) blob(b []byte) []byte {
	if c.writing {
		c.head(majorBytes, uint64(len(b)))
		c.b = append(c.b, b...)
		return b
	}
	n := c.size(majorBytes, 1)
	if c.err != nil {
		return nil
	}
	b = make([]byte, n)
	copy(b, c.b[c.pos:])
	c.pos += n
	return b
}

// id writes or reads one byte string of 16.
func (c *coder) id(id *[16]byte) {
	if c.writing {
		c.b = append(append(c.b, majorBytes<<5|16), id[:]...)
		return
	}
	if len(c.b)-c.pos < 17 || c.b[c.pos] != majorBytes<<5|16 {
		c.fail()
		return
	}
	copy(id[:], c.b[c.pos+1:])
	c.pos += 17
}
