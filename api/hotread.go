package api

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/kangma/kangma/codegen"
)

// readScan reads the body of a scan where it is as devices send it: one flat object, each member once, strings without
// escapes, values within the schema. Anything else is false, and the general way decides what it is.
func readScan(b []byte, in *scanIn) bool {
	if !utf8.Valid(b) {
		return false
	}
	r := flat{b: b}
	if !r.byte('{') {
		return false
	}
	seen := 0
	for {
		name, ok := r.text()
		if !ok || !r.byte(':') || !in.member(&r, string(name), &seen) {
			return false
		}
		if r.byte('}') {
			break
		}
		if !r.byte(',') {
			return false
		}
	}
	r.space()
	way := seen & (1 | 32 | 64)
	return len(r.b) == 0 && seen&2 != 0 && way != 0 && way&(way-1) == 0
}

// member reads one value. The gate is required, and one way to say who it is.
func (in *scanIn) member(r *flat, name string, seen *int) bool {
	var to *string
	var bit, most int
	switch name {
	case "code":
		to, bit, most = &in.Body.Code, 1, 4096
	case "gate":
		to, bit, most = &in.Body.Gate, 2, 64
	case "event":
		to, bit, most = &in.Body.Event, 4, 36
	case "direction":
		to, bit, most = &in.Body.Direction, 8, 3
	case "temperature":
		bit = 16
	case "short_code":
		to, bit, most = &in.Body.ShortCode, 32, 16
	case "document":
		bit = 64
	case "challenge":
		bit = 128
	default:
		return false
	}
	if *seen&bit != 0 {
		return false
	}
	*seen |= bit
	switch {
	case bit == 64:
		in.Body.Document = &documentIn{}
		return in.Body.Document.read(r)
	case bit == 128:
		var n float64
		ok := r.number(&n)
		in.Body.Challenge = int(n)
		return ok && n == float64(in.Body.Challenge) && codegen.ValidChallenge(in.Body.Challenge)
	case to == nil:
		return r.number(&in.Body.Temperature)
	}
	v, ok := r.text()
	*to = string(v)
	return ok && utf8.RuneCount(v) <= most && (bit > 2 && bit != 32 || len(v) > 0) && (bit != 8 || *to == "in" || *to == "out")
}

// read reads a document. Number and name are required.
func (d *documentIn) read(r *flat) bool {
	if !r.byte('{') {
		return false
	}
	for {
		name, ok := r.text()
		if !ok || !r.byte(':') {
			return false
		}
		v, ok := r.text()
		if !ok {
			return false
		}
		var to *string
		least, most := 1, 0
		switch string(name) {
		case "type":
			to, most = &d.Type, 2
		case "number":
			to, least, most = &d.Number, 5, 20
		case "name":
			to, most = &d.Name, 240
		default:
			return false
		}
		if n := utf8.RuneCount(v); *to != "" || n < least || n > most {
			return false
		}
		*to = string(v)
		if r.byte('}') {
			return d.Number != "" && d.Name != ""
		}
		if !r.byte(',') {
			return false
		}
	}
}

// flat reads the parts of a flat JSON object.
type flat struct{ b []byte }

func (r *flat) space() {
	for len(r.b) > 0 && (r.b[0] == ' ' || r.b[0] == '\n' || r.b[0] == '\t' || r.b[0] == '\r') {
		r.b = r.b[1:]
	}
}

func (r *flat) byte(c byte) bool {
	r.space()
	if len(r.b) == 0 || r.b[0] != c {
		return false
	}
	r.b = r.b[1:]
	return true
}

// text reads a string without escapes or control characters.
func (r *flat) text() ([]byte, bool) {
	if !r.byte('"') {
		return nil, false
	}
	end := bytes.IndexByte(r.b, '"')
	if end < 0 {
		return nil, false
	}
	v := r.b[:end]
	for _, c := range v {
		if c == '\\' || c < ' ' {
			return nil, false
		}
	}
	r.b = r.b[end+1:]
	return v, true
}

// number reads a plain decimal number, such as 36.6.
func (r *flat) number(to *float64) bool {
	r.space()
	n := 0
	for n < len(r.b) && (r.b[n] >= '0' && r.b[n] <= '9' || r.b[n] == '.') {
		n++
	}
	text := r.b[:n]
	if n == 0 || n > 8 || text[0] == '.' || text[n-1] == '.' || n > 1 && text[0] == '0' && text[1] != '.' {
		return false
	}
	v, err := strconv.ParseFloat(string(text), 64)
	*to, r.b = v, r.b[n:]
	return err == nil
}
