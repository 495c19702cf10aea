package realserver_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
)

// echo answers each line with the same line, and tells what it heard.
func echo(t *testing.T) (addr string, heard chan string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard = make(chan string, 100)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					heard <- line
					io.WriteString(c, line)
				}
			}()
		}
	}()
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String(), heard
}

func TestTheProxyBreaksWhatLiesBetween(t *testing.T) {
	addr, heard := echo(t)
	p := realserver.StartProxy(t, addr)
	dial := func() (net.Conn, *bufio.Reader) {
		t.Helper()
		c, err := net.Dial("tcp", p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, bufio.NewReader(c)
	}
	answers := func(c net.Conn, r *bufio.Reader, within time.Duration) error {
		t.Helper()
		c.SetDeadline(time.Now().Add(within))
		if _, err := io.WriteString(c, "你好\n"); err != nil {
			return err
		}
		_, err := r.ReadString('\n')
		return err
	}
	c, r := dial()
	if err := answers(c, r, time.Minute); err != nil {
		t.Fatal(err)
	}
	<-heard
	p.Set(realserver.Mute)
	if err := answers(c, r, 300*time.Millisecond); err == nil {
		t.Error("a mute proxy let an answer through")
	}
	select {
	case <-heard:
	case <-time.After(time.Minute):
		t.Error("a mute proxy kept the question back")
	}
	p.Set(realserver.Hole)
	c, r = dial()
	if err := answers(c, r, 300*time.Millisecond); err == nil || len(heard) > 0 {
		t.Errorf("a black hole: %v, the server heard %d", err, len(heard))
	}
	p.Set(realserver.Refuse)
	c, err := net.Dial("tcp", p.Addr)
	if err == nil {
		err = answers(c, bufio.NewReader(c), time.Minute)
	}
	if err == nil {
		t.Error("it was to refuse")
	}
	p.Set(realserver.Half)
	c, r = dial()
	if err := answers(c, r, time.Minute); err != io.EOF {
		t.Errorf("half open: got %v, want the end", err)
	}
	p.Set(realserver.Pass)
	c, r = dial()
	if err := answers(c, r, time.Minute); err != nil {
		t.Errorf("whole again: %v", err)
	}
}
