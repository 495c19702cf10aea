package api

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// answerStart is what every good answer begins with.
var answerStart = func() []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	h := http.Header{}
	for name, value := range securityHeaderValues {
		h.Set(name, value)
	}
	h.Set("Content-Type", "application/json")
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("X-Request-Id: ")
	return b.Bytes()
}()

// appendAnswer appends a good answer.
func appendAnswer(b, body []byte, closing bool) []byte {
	b = append(b, answerStart...)
	var id [16]byte
	rand.Read(id[:])
	b = hex.AppendEncode(b, id[:])
	b = appendDate(append(b, "\r\nDate: "...), time.Now())
	b = strconv.AppendInt(append(b, "\r\nContent-Length: "...), int64(len(body)), 10)
	if closing {
		b = append(b, "\r\nConnection: close"...)
	}
	return append(append(b, "\r\n\r\n"...), body...)
}

// dated is the text of the Date header of one second.
type dated struct {
	second int64
	text   [len(http.TimeFormat)]byte
}

var today atomic.Pointer[dated]

func appendDate(b []byte, now time.Time) []byte {
	d := today.Load()
	if d == nil || d.second != now.Unix() {
		d = &dated{second: now.Unix()}
		now.UTC().AppendFormat(d.text[:0], http.TimeFormat)
		today.Store(d)
	}
	return append(b, d.text[:]...)
}

// appendRefusal appends the answer to who cannot be let in now. It is the one that is written most when there is least
// time, so it is not made: it says the same to everybody, in both languages.
func appendRefusal(b []byte, retryAfter int, closing bool) []byte {
	b = append(b, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(cannedBody)), 10)
	b = strconv.AppendInt(append(b, "\r\nRetry-After: "...), int64(max(1, retryAfter)), 10)
	b = appendDate(append(b, "\r\nDate: "...), time.Now())
	if closing {
		b = append(b, "\r\nConnection: close"...)
	}
	return append(append(b, "\r\n\r\n"...), cannedBody...)
}

// written collects what the general way writes.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header, WriteHeader and Write make it an http.ResponseWriter.
func (w *written) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *written) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write keeps the body.
func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// problem is a problem as the general way writes it.
func (h *hotConn) problem(p *Problem, id string, closing bool) []byte {
	w := &written{header: http.Header{}}
	hotHeaders(w.header)
	w.header.Set("X-Request-Id", id)
	writeProblem(w, string(h.head.language), p, id)
	return w.bytes(closing)
}

func (w *written) bytes(closing bool) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(w.status) + " " + http.StatusText(w.status) + "\r\n")
	if closing {
		w.header.Set("Connection", "close")
	}
	w.header.Set("Content-Length", strconv.Itoa(w.body.Len()))
	w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	_ = w.header.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	_, _ = io.Copy(&b, &w.body)
	return b.Bytes()
}
