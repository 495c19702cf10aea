package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
)

// exchange sends bytes and gives every answer until the server hangs up, without what is different each time.
func exchange(t *testing.T, addr, sent string) (answers []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, sent); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return answers
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("%v after %q", err, body)
		}
		var names []string
		for name := range res.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		text := changing.ReplaceAllString(string(body), "…")
		answers = append(answers, fmt.Sprintf("%d %v %q close %v: %s", res.StatusCode, names, res.Header.Get("Content-Type"), res.Close, text))
	}
}

var changing = regexp.MustCompile(`"code":"KM1[^"]*"|"(?:instance|event|at|issued_at|expires_at|refresh_at)":"[^"]*"`)

func TestTheFrontAnswersAsNetHTTPWould(t *testing.T) {
	for name, newTown := range ways {
		t.Run(name, func(t *testing.T) { answersAsNetHTTP(t, newTown(t)) })
	}
}

func answersAsNetHTTP(t *testing.T, w *town) {
	p, gate := w.resident("101"), w.staff(api.GateStaff)
	plain := httptest.NewServer(w.server)
	defer plain.Close()
	front := listen(t, w.server)
	var shown struct{ Code string }
	w.want(w.call("GET", "/v1/me/code", p.token, nil), 200, "").into(t, &shown)
	show := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n"
	scan := func(head, body string) string {
		return fmt.Sprintf("POST /v1/scans HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", gate, head, len(body), body)
	}
	body := fmt.Sprintf(`{"code":%q,"gate":"metro-1","event":%q}`, shown.Code, kangma.NewEventID(w.now()))
	const last = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	for name, sent := range map[string]string{
		"a show":                     show + "\r\n" + last,
		"three at once":              show + "\r\n" + show + "\r\n" + scan("", body) + last,
		"a show that closes":         show + "Connection: close\r\n\r\n",
		"HTTP/1.0":                   strings.Replace(show, "1.1", "1.0", 1) + "\r\n",
		"names in other cases":       strings.Replace(show, "Authorization", "aUTHORIZATION", 1) + "\r\n" + last,
		"nobody":                     "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAccept-Language: zh\r\n\r\n" + last,
		"a cookie":                   "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nCookie: x=y; __Host-kangma-resident=" + p.token + "\r\n\r\n" + last,
		"no host":                    "GET /v1/me/code HTTP/1.1\r\n\r\n" + last,
		"two hosts":                  show + "Host: b\r\n\r\n" + last,
		"a bad host":                 strings.Replace(show, "Host: a", "Host: a b", 1) + "\r\n" + last,
		"a space before the colon":   show + "X : y\r\n\r\n" + last,
		"a folded header":            show + "X: y\r\n z\r\n\r\n" + last,
		"a control character":        show + "X: a\x01b\r\n\r\n" + last,
		"line feeds alone":           strings.ReplaceAll(show+"\r\n"+last, "\r\n", "\n"),
		"a body on a show":           show + "Content-Length: 3\r\n\r\nabc" + last,
		"two lengths":                show + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + last,
		"a large header":             show + "X: " + strings.Repeat("y", 6000) + "\r\n\r\n" + last,
		"a scan":                     scan("", body) + last,
		"a scan from another site":   scan("Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n", body) + last,
		"a scan in pieces":           strings.Replace(scan("", ""), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) + last,
		"a scan that waits":          scan("Expect: 100-continue\r\n", body) + last,
		"a scan of something else":   scan("", `{"code":"x","gate":"metro-1"}`) + last,
		"a scan with a wrong member": scan("", `{"cod":"x","gate":"metro-1"}`) + last,
		"a scan with escapes":        scan("", `{"code":"\u0078","gate":"metro-1"}`) + last,
		"a scan at no gate":          scan("", `{"code":"x","gate":"metro-9"}`) + last,
		"a scan by a resident":       strings.Replace(scan("", body), gate, p.token, 1) + last,
		"a large scan":               scan("", `{"code":"`+strings.Repeat("x", 9000)+`","gate":"metro-1"}`) + last,
		"something else first":       "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + show + "\r\n" + last,
		"no HTTP":                    "\x16\x03\x01\r\n\r\n",
		"smuggling":                  scan("Transfer-Encoding: identity\r\n", body) + last,
	} {
		t.Run(name, func(t *testing.T) {
			want, got := exchange(t, plain.Listener.Addr().String(), sent), exchange(t, front, sent)
			if !slices.Equal(want, got) {
				t.Errorf("the front\n%s\nnet/http\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestAnIdleConnectionDoesNotHoldUpTheEnd(t *testing.T) {
	for name, newTown := range ways {
		t.Run(name, func(t *testing.T) { endsWithIdleConnections(t, newTown(t)) })
	}
}

func endsWithIdleConnections(t *testing.T, w *town) {
	p := w.resident("101")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.server.Serve(ctx, ln) }()
	var idle []net.Conn
	for i := range 3 { // one that said nothing, one kept by the front, one by net/http
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
		if i == 0 {
			continue
		}
		path := []string{1: "/v1/me/code", 2: "/healthz"}[i]
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", path, p.token)
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %v %v", path, res, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("the end: %v", err)
	}
	for i, c := range idle {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("connection %d is still open: %v", i, err)
		}
	}
}
