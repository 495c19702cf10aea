package realserver

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// TripCounter is a proxy that counts how often a client had to wait for a server: pieces it sent after an answer.
type TripCounter struct {
	Addr  string // of the proxy
	trips atomic.Int64
}

// Trips is how often somebody has waited so far.
func (c *TripCounter) Trips() int64 { return c.trips.Load() }

// CountTrips starts a counter before a server.
func CountTrips(tb testing.TB, to string) *TripCounter {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	c := &TripCounter{Addr: ln.Addr().String()}
	var wg sync.WaitGroup
	tb.Cleanup(func() { ln.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.carry(client, to) })
		}
	})
	return c
}

func (c *TripCounter) carry(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	var waiting atomic.Bool
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, answers{server, &waiting}) // ends with either side
	}()
	r := bufio.NewReader(client)
	for {
		if _, err := r.Peek(1); err != nil {
			return
		}
		piece, _ := r.Peek(r.Buffered())
		if !waiting.Swap(true) {
			c.trips.Add(1)
		}
		if _, err := server.Write(piece); err != nil {
			return
		}
		r.Discard(len(piece))
	}
}

// answers reads what a server says and notes that it said something.
type answers struct {
	io.Reader
	waiting *atomic.Bool
}

func (a answers) Read(b []byte) (int, error) {
	n, err := a.Reader.Read(b)
	a.waiting.Store(false)
	return n, err
}
