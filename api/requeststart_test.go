package api_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// TestWhoWaitedTooLongInAProxyIsRefusedAtOnce asks on one kept connection, by the front and by the general way.
func TestWhoWaitedTooLongInAProxyIsRefusedAtOnce(t *testing.T) {
	w := newTown(t)
	addr, p, gate := listen(t, w.server), w.resident("501"), w.staff("gate")
	stamp := func(ago time.Duration) string {
		return "X-Request-Start: t=" + strconv.FormatInt(time.Now().Add(-ago).UnixMilli(), 10) + "\r\n"
	}
	const fresh = -time.Hour // never late, however slow the test
	show := "GET /v1/me/code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n"
	general := "GET /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + p.token + "\r\n"
	body := `{"code":"` + w.code(p).Code + `","gate":"metro-1"}`
	scan := "POST /v1/scans HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + gate + "\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	office := "GET /v1/gates HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + gate + "\r\n"
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	ask := func(what, request string, status int) {
		t.Helper()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(what, err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(what, err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(what, err)
		}
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != status || (after > 0) != (status == 503) {
			t.Fatalf("%s: %s, Retry-After %q", what, res.Status, res.Header.Get("Retry-After"))
		}
	}
	ask("a fresh show", show+stamp(fresh)+"\r\n", 200)
	ask("a late show", show+stamp(time.Second)+"\r\n", 503)
	ask("the connection is the proxy's and stays", show+stamp(fresh)+"\r\n", 200)
	ask("a late scan", scan+stamp(time.Second)+"\r\n"+body, 503)
	ask("a fresh scan", scan+stamp(fresh)+"\r\n"+body, 200)
	ask("a show by a wrong clock", show+stamp(2*time.Hour)+"\r\n", 200)
	ask("a header that says nothing", show+"X-Request-Start: yesterday\r\n\r\n", 200)
	ask("the office waits as long as it likes", office+stamp(10*time.Second)+"\r\n", 200)
	ask("the general way, fresh", general+stamp(fresh)+"\r\n", 200)
	ask("the general way, late", general+stamp(time.Second)+"\r\n", 503)
}
