package realserver

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Mode is what a Proxy does with what passes through it.
type Mode int

// The modes.
const (
	Pass      Mode = iota // hands everything on
	Hole                  // takes everything and hands nothing on: a black hole; connections stay open
	Mute                  // hands on what the client says and swallows the answers
	MuteLarge             // does the same on a connection that has asked for more than LargeBytes
	Refuse                // cuts every connection and takes no new one
	Half                  // closes the client's way back as soon as the server says something: half-open connections
)

// LargeBytes is what a connection must have asked for before MuteLarge swallows its answers: more than a question, less than a batch.
const LargeBytes = 32 << 10

// Proxy stands between a client and a server on TCP and breaks what lies between them. Its methods may be called
// concurrently.
type Proxy struct {
	Addr string // where clients connect

	tb    testing.TB
	to    string
	ln    net.Listener
	mu    sync.Mutex
	mode  Mode
	delay time.Duration
	conns map[net.Conn]bool
	ended bool
	done  sync.WaitGroup
}

// StartProxy starts a proxy in front of host:port; it ends with the test.
func StartProxy(tb testing.TB, to string) *Proxy {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{Addr: ln.Addr().String(), tb: tb, to: to, ln: ln, conns: map[net.Conn]bool{}}
	p.done.Go(p.accept)
	tb.Cleanup(p.close)
	return p
}

// Set changes the mode, for connections that are open too. What a black hole or a mute proxy swallowed stays lost, so leaving them cuts
// the connections, as a network does that comes back after the servers gave up.
func (p *Proxy) Set(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode != m && p.mode != Pass || m == Refuse {
		p.cutLocked()
	}
	p.mode = m
}

// Delay makes every piece that passes wait, in both directions.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Cut closes all connections; new ones are taken.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutLocked()
}

func (p *Proxy) cutLocked() {
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.ended = true
	p.cutLocked()
	p.mu.Unlock()
	p.ln.Close()
	p.done.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(client) })
	}
}

// keep notes a connection, so that it can be cut; it says false when it is to be closed at once.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.mode == Refuse {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, err := net.DialTimeout("tcp", p.to, 5*time.Second)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)
	var both sync.WaitGroup
	var asked atomic.Int64
	both.Go(func() { p.carry(server, client, true, &asked) })
	both.Go(func() { p.carry(client, server, false, &asked) })
	both.Wait()
}

// carry hands on from one side to the other until one of them closes.
func (p *Proxy) carry(to, from net.Conn, asking bool, asked *atomic.Int64) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if asking {
			asked.Add(int64(n))
		}
		if n > 0 && !p.hand(to, buf[:n], asking, asked.Load() > LargeBytes) {
			err = io.EOF
		}
		if err != nil {
			if tcp, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
				tcp.CloseWrite()
			}
			return
		}
	}
}

// hand passes one piece on as the mode says; false: this direction is closed.
func (p *Proxy) hand(to net.Conn, piece []byte, asking, large bool) bool {
	p.mu.Lock()
	mode, delay := p.mode, p.delay
	p.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	switch {
	case mode == Hole, !asking && (mode == Mute || mode == MuteLarge && large):
		return true // swallowed
	case mode == Half && !asking:
		return false
	}
	_, err := to.Write(piece)
	return err == nil
}
