package api

import "bytes"

// What the front reads of a request. It knows two routes and the plain form in which clients send them; whatever else
// comes, in the first line, the headers or the body, is net/http's, with every byte as it came. So there is one place that
// decides what is HTTP, and this one only knows what certainly is.

// headMost is how much of a request may come before net/http has a look at it.
const headMost = 8 << 10

// headEnd gives the length of the head, its empty line included; 0: it has not all come.
func headEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return 0
		}
		at += i + 1
		switch {
		case at < len(b) && b[at] == '\n':
			return at + 1
		case at+1 < len(b) && b[at] == '\r' && b[at+1] == '\n':
			return at + 2
		}
	}
}

// head is a request of a hot route. The slices point into what was read.
type head struct {
	scan, brief bool
	length      int // of the body
	closing     bool

	host, authorization, cookie, as, language, key, start []byte
	hasLength, hasType                                    bool
}

var (
	lineShow  = []byte("GET /v1/me/code HTTP/1.1\r\n")
	lineScan  = []byte("POST /v1/scans HTTP/1.1\r\n")
	lineBrief = []byte("POST /v1/scans?brief=true HTTP/1.1\r\n")
)

// read reads a whole head; false: it is for net/http.
func (h *head) read(b []byte) bool {
	*h = head{}
	switch {
	case bytes.HasPrefix(b, lineShow):
		b = b[len(lineShow):]
	case bytes.HasPrefix(b, lineScan):
		b, h.scan = b[len(lineScan):], true
	case bytes.HasPrefix(b, lineBrief):
		b, h.scan, h.brief = b[len(lineBrief):], true, true
	default:
		return false
	}
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 1 || b[end-1] != '\r' {
			return false
		}
		line := b[:end-1]
		b = b[end+1:]
		if len(line) == 0 {
			return h.whole()
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || !isToken(line[:colon]) {
			return false
		}
		value := bytes.Trim(line[colon+1:], " \t")
		if !isPlain(value) || !h.field(line[:colon], value) {
			return false
		}
	}
}

// whole reports whether nothing is missing that a request must have.
func (h *head) whole() bool {
	if len(h.host) == 0 || !isHost(h.host) {
		return false
	}
	if h.scan {
		return h.hasLength && h.hasType
	}
	return h.length == 0
}

// field takes one header in; false: what it means is for net/http.
func (h *head) field(name, value []byte) bool {
	is := func(s string) bool { return len(name) == len(s) && equalFold(name, s) }
	once := func(to *[]byte) bool {
		if *to != nil || len(value) == 0 {
			return false
		}
		*to = value
		return true
	}
	switch {
	case is("host"):
		return once(&h.host)
	case is("authorization"):
		return once(&h.authorization)
	case is("cookie"):
		return once(&h.cookie)
	case is("kangma-as"):
		return once(&h.as)
	case is("accept-language"):
		return once(&h.language)
	case is("idempotency-key"):
		return once(&h.key)
	case is("x-request-start"):
		return once(&h.start)
	case is("content-type"):
		if h.hasType || string(value) != "application/json" {
			return false
		}
		h.hasType = true
		return true
	case is("content-length"):
		return h.contentLength(value)
	case is("connection"):
		h.closing = equalFold(value, "close")
		return h.closing || equalFold(value, "keep-alive")
	case is("origin"), is("sec-fetch-site"):
		return !h.scan // whether a write comes from another site is decided in one place
	case is("transfer-encoding"), is("content-encoding"), is("expect"), is("upgrade"), is("trailer"), is("te"):
		return false
	}
	return true
}

func (h *head) contentLength(value []byte) bool {
	if h.hasLength || len(value) == 0 || len(value) > 4 {
		return false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		h.length = 10*h.length + int(c-'0')
	}
	h.hasLength = true
	return h.length <= smallBody
}

// get is what tokenOf asks.
func (h *head) get(name string) string {
	switch name {
	case "Authorization":
		return string(h.authorization)
	case "Cookie":
		return string(h.cookie)
	case asHeader:
		return string(h.as)
	}
	return ""
}

// equalFold compares ASCII without regard to case; s is in lower case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// tokenByte are the characters of a header's name (RFC 9110 section 5.6.2).
var tokenByte = func() (ok [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		ok[c] = true
	}
	return ok
}()

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokenByte[c] {
			return false
		}
	}
	return len(b) > 0
}

// isPlain is true of printable ASCII and tabs.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// isHost is true of a name or address with or without a port.
func isHost(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']') {
			return false
		}
	}
	return true
}
