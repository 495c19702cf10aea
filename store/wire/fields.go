package wire

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// The methods below are one field each: left out when zero; reading, a zero that is there all the same is refused.

func (c *coder) text(key byte, p *string) {
	if c.has(key, *p != "") {
		if *p = c.word(*p); *p == "" {
			c.fail()
		}
	}
}

func textOf[T ~string](c *coder, key byte, p *T) {
	s := string(*p)
	c.text(key, &s)
	*p = T(s)
}

func (c *coder) moment(key byte, p *time.Time) {
	if c.has(key, !p.IsZero()) {
		*p = c.time(*p)
	}
}

func (c *coder) flag(key byte, p *bool) {
	if !c.has(key, *p) {
		return
	}
	if c.writing {
		c.b = append(c.b, cborTrue)
		return
	}
	if c.pos >= len(c.b) || c.b[c.pos] != cborTrue {
		c.fail()
		return
	}
	c.pos++
	*p = true
}

func (c *coder) count(key byte, p *uint64) {
	if !c.has(key, *p != 0) {
		return
	}
	if c.writing {
		c.head(majorUint, *p)
		return
	}
	m, n := c.readHead()
	if m != majorUint || n == 0 {
		c.fail()
	}
	if c.err == nil {
		*p = n
	}
}

// small is an unsigned number of a closed range; writing, one outside it is written as zero, which denies.
func small[T ~uint8 | ~uint32](c *coder, key byte, p *T, most T) {
	n := uint64(*p)
	if *p > most {
		n = 0
	}
	c.count(key, &n)
	if n > uint64(most) {
		c.fail()
		return
	}
	*p = T(n)
}

func (c *coder) number(key byte, p *int) {
	if c.has(key, *p != 0) {
		v := c.signed(int64(*p))
		if *p = int(v); v == 0 {
			c.fail()
		}
	}
}

func (c *coder) bytes(key byte, p *[]byte) {
	if c.has(key, len(*p) != 0) {
		if *p = c.blob(*p); len(*p) == 0 {
			c.fail()
		}
	}
}

func idOf[T ~[16]byte](c *coder, key byte, p *T) {
	var zero T
	if c.has(key, *p != zero) {
		b := [16]byte(*p)
		c.id(&b)
		if *p = T(b); *p == zero {
			c.fail()
		}
	}
}

// list is a field of several items, each of at least least bytes.
func list[T any](c *coder, key byte, p *[]T, least int, item func(*coder, *T)) {
	if !c.has(key, len(*p) != 0) {
		return
	}
	if c.writing {
		c.head(majorArray, uint64(len(*p)))
	} else {
		n := c.size(majorArray, least)
		if n == 0 {
			c.fail()
			return
		}
		*p = make([]T, n)
	}
	for i := range *p {
		item(c, &(*p)[i])
	}
	if c.err != nil {
		*p = nil
	}
}

func idItem[T ~[16]byte](c *coder, p *T) {
	b := [16]byte(*p)
	c.id(&b)
	*p = T(b)
}

func textItem(c *coder, p *string)              { *p = c.word(*p) }
func (c *coder) texts(key byte, p *[]string)    { list(c, key, p, 1, textItem) }
func ids[T ~[16]byte](c *coder, k byte, p *[]T) { list(c, k, p, 17, idItem[T]) }

// object is a field that is a struct of its own, present or not.
func object[T any](c *coder, key byte, p **T, fields func(*coder, *T)) {
	if !c.has(key, *p != nil) {
		return
	}
	if !c.writing {
		*p = new(T)
	}
	whole(c, *p, fields)
}

// value is a field that is a struct by value; it is left out when zero.
func value[T any](c *coder, key byte, p *T, zero bool, fields func(*coder, *T)) {
	if c.has(key, !zero) {
		whole(c, p, fields)
	}
}

func whole[T any](c *coder, p *T, fields func(*coder, *T)) {
	outer := c.open()
	fields(c, p)
	c.close(outer)
}

// table is a map from text, written as keys and values in turn, keys ascending.
func table[V any](c *coder, key byte, p *map[string]V, item func(V) V) {
	if !c.has(key, len(*p) != 0) {
		return
	}
	if c.writing {
		m := make(map[string]V, len(*p))
		for _, k := range slices.Sorted(maps.Keys(*p)) {
			m[toValid(k)] = (*p)[k]
		}
		c.head(majorArray, uint64(2*len(m)))
		for _, k := range slices.Sorted(maps.Keys(m)) {
			c.word(k)
			item(m[k])
		}
		return
	}
	n := c.size(majorArray, 1)
	if n == 0 || n%2 != 0 {
		c.fail()
		return
	}
	m := make(map[string]V, n/2)
	for i, before := 0, ""; i < n && c.err == nil; i += 2 {
		var v V
		k := c.word("")
		if v = item(v); i > 0 && k <= before {
			c.fail()
		}
		m[k], before = v, k
	}
	if c.err == nil {
		*p = m
	}
}

func toValid(s string) string { return strings.ToValidUTF8(s, string(utf8.RuneError)) }

// encode writes one document.
func encode[T any](v *T, room int, fields func(*coder, *T)) []byte {
	c := coders.Get().(*coder)
	c.b = append(slices.Grow(c.b[:0], room), Version)
	whole(c, v, fields)
	out := bytes.Clone(c.b)
	clear(c.seen)
	again := coder{writing: true, seen: c.seen[:0]}
	if cap(c.b) <= mostKept {
		again.b = c.b
	}
	*c = again
	coders.Put(c)
	return out
}

// mostKept is the most room that a coder keeps for the next document.
const mostKept = 4 << 10

// coders have written before: what they need to write the next document is there.
var coders = sync.Pool{New: func() any { return &coder{writing: true} }}

// decode reads one document, the whole of b.
func decode[T any](b []byte, fields func(*coder, *T)) (v T, err error) {
	if len(b) == 0 || len(b) > MaxBytes {
		return v, errDamaged
	}
	if b[0] != Version {
		return v, errVersion
	}
	c := coder{b: b, pos: 1}
	whole(&c, &v, fields)
	if c.err == nil && c.pos != len(b) {
		c.fail()
	}
	if c.err != nil {
		var none T
		return none, c.err
	}
	return v, nil
}
