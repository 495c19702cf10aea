package api

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// FuzzHead holds the front's reading of a request against net/http's: what the front takes must be the same request.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"GET /v1/me/code HTTP/1.1\r\nHost: a:1\r\nAuthorization: Bearer x\r\n\r\n",
		"GET /v1/me/code HTTP/1.1\r\nhost:a\r\nCookie: a=b\r\nconnection: Close\r\nAccept: */*\r\n\r\n",
		"POST /v1/scans?brief=true HTTP/1.1\r\nHost: [::1]:80\r\nContent-Type: application/json\r\nContent-Length: 12\r\nIdempotency-Key: k\r\n\r\n",
		"POST /v1/scans HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\nContent-Type: application/json\r\nAccept-Language: zh\r\nKangma-As: staff\r\n\r\n",
		"GET /v1/me/code HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
		"GET /v1/me/code HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET /v1/me/code HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
		"GET /v1/me/code HTTP/1.1\nHost: a\n\n",
		"POST /v1/scans HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := headEnd(b)
		if n < 0 || n > len(b) {
			t.Fatalf("a head of %d of %d bytes", n, len(b))
		}
		var h head
		if n == 0 || !h.read(b[:n]) {
			return
		}
		body := strings.Repeat("x", h.length)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(b[:n]) + body)))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", b[:n], err)
		}
		target, method := "/v1/me/code", "GET"
		if h.scan {
			target, method = "/v1/scans", "POST"
		}
		if h.brief {
			target += "?brief=true"
		}
		if r.Method != method || r.RequestURI != target || r.Host != string(h.host) || r.ContentLength != int64(h.length) || r.Close != h.closing || len(r.TransferEncoding) > 0 {
			t.Fatalf("%q is %s %s of %s, %d bytes, closing %v", b[:n], r.Method, r.RequestURI, r.Host, r.ContentLength, r.Close)
		}
		for name, got := range map[string][]byte{"Authorization": h.authorization, "Cookie": h.cookie, asHeader: h.as, "Accept-Language": h.language, "Idempotency-Key": h.key} {
			if want := r.Header.Get(name); want != string(got) || len(r.Header.Values(name)) > 1 {
				t.Fatalf("%s is %q, the front has %q", name, want, got)
			}
		}
		if h.scan && r.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("a scan of type %q", r.Header.Get("Content-Type"))
		}
	})
}

func TestAHeadIsWholeAtItsEmptyLine(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "GET / HTTP/1.1\r\n": 0, "a\r\n\r": 0, "a\r\n\r\n": 5, "a\n\nb": 3, "a\n\r\nb": 4, "a\r\nb\r\n\r\nc\r\n\r\n": 8, "\r\n\r\n": 4,
	} {
		if got := headEnd([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestTheFixedPartsOfAnAnswerAreWhatNetHTTPWouldSend(t *testing.T) {
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(appendAnswer(nil, []byte(`{"a":1}`), true))), nil)
	if err != nil || res.StatusCode != 200 || res.ContentLength != 7 || !res.Close || len(res.Header.Get("X-Request-Id")) != 32 {
		t.Fatalf("%+v %v", res, err)
	}
	if _, err := http.ParseTime(res.Header.Get("Date")); err != nil {
		t.Error(err)
	}
	for name, value := range securityHeaderValues {
		if res.Header.Get(name) != value {
			t.Errorf("%s: %q", name, res.Header.Get(name))
		}
	}
	res, err = http.ReadResponse(bufio.NewReader(bytes.NewReader(appendRefusal(nil, 7, false))), nil)
	if err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") != "7" || res.Close || res.ContentLength != int64(len(cannedBody)) {
		t.Fatalf("%+v %v", res, err)
	}
}
