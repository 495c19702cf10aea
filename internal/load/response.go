package load

import (
	"bytes"
	"strconv"
)

// response is one HTTP/1.1 answer, parsed as its bytes come in.
type response struct {
	status     int
	length     int // of the body; -1: chunked
	retryAfter int // seconds; 0: none
	closing    bool
	headed     bool // status and headers are in
	bodyAt     int
}

var (
	crlf2       = []byte("\r\n\r\n")
	chunkEnd    = []byte("\r\n0\r\n\r\n")
	headLength  = []byte("content-length:")
	headChunked = []byte("transfer-encoding:")
	headRetry   = []byte("retry-after:")
	headConn    = []byte("connection:")
)

// read looks at all bytes there are of the answer. done: it is complete; ok false: it is not HTTP/1.1.
func (r *response) read(b []byte) (done, ok bool) {
	if !r.headed {
		end := bytes.Index(b, crlf2)
		if end < 0 {
			return false, len(b) < 32<<10
		}
		if !r.head(b[:end+2]) {
			return false, false
		}
		r.bodyAt, r.headed = end+4, true
	}
	if r.length < 0 {
		body := b[r.bodyAt:]
		return bytes.HasSuffix(body, chunkEnd) || bytes.Equal(body, chunkEnd[2:]), true
	}
	return len(b) >= r.bodyAt+r.length, true
}

// head reads the status line and the headers that matter; b ends with the last header's line end.
func (r *response) head(b []byte) bool {
	if len(b) < 12 || !bytes.HasPrefix(b, []byte("HTTP/1.")) {
		return false
	}
	status, err := strconv.Atoi(string(b[9:12]))
	if err != nil {
		return false
	}
	r.status = status
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		r.header(b[:end])
		b = b[end+1:]
	}
	return true
}

func (r *response) header(line []byte) {
	if len(line) == 0 {
		return
	}
	switch line[0] | 0x20 {
	case 'c':
		if v, ok := cutHeader(line, headLength); ok {
			r.length, _ = strconv.Atoi(string(v))
		} else if v, ok := cutHeader(line, headConn); ok {
			r.closing = bytes.EqualFold(v, []byte("close"))
		}
	case 't':
		if _, ok := cutHeader(line, headChunked); ok {
			r.length = -1
		}
	case 'r':
		if v, ok := cutHeader(line, headRetry); ok {
			r.retryAfter, _ = strconv.Atoi(string(v))
		}
	}
}

func cutHeader(line, name []byte) ([]byte, bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], name) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

func (r *response) body(b []byte) []byte { return b[r.bodyAt:] }
