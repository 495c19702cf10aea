package redis_test

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
)

// counter is a proxy that counts how often a client had to wait for Redis: pieces it sent after an answer.
type counter struct {
	addr  string
	trips atomic.Int64
}

func count(t *testing.T, to string) *counter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	wantOK(t, err)
	c := &counter{addr: ln.Addr().String()}
	var wg sync.WaitGroup
	t.Cleanup(func() { ln.Close(); wg.Wait() })
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

func (c *counter) carry(client net.Conn, to string) {
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

// TestRoundTrips bounds how often one operation waits for Redis: a scan reads one dossier, and where the holder's proof is shared
// it reads and writes a record beside.
func TestRoundTrips(t *testing.T) {
	srv := realserver.StartRedis(t)
	c := count(t, srv.Addr)
	cfg := single(srv)
	cfg.Addrs, cfg.Pool = []string{c.addr}, 1
	db := open(t, cfg)
	all := people(t, db, 3, 81) // scripts are loaded, the connection is there
	record := store.Record{Kind: "gate", ID: "g", Version: 1}
	wantOK(t, db.Records().Put(t.Context(), record))
	for _, op := range []struct {
		what string
		most int64
		do   func() error
	}{
		{"Get of a dossier", 1, func() error { _, err := db.Dossiers().Get(t.Context(), all[0].Person); return err }},
		{"Get of a record", 1, func() error { _, err := db.Records().Get(t.Context(), "gate", "g"); return err }},
		{"Put of a record", 1, func() error {
			record.Version++
			return db.Records().Put(t.Context(), record)
		}},
		{"Update of a dossier whose indexes stay", 1, func() error {
			all[1].Version++
			return db.Dossiers().Update(t.Context(), store.Mark{}, all[1])
		}},
		{"Update of three dossiers", 1, func() error {
			next := make([]kangma.Dossier, len(all))
			for i := range all {
				all[i].Version++
				next[i] = all[i]
			}
			return db.Dossiers().Update(t.Context(), store.Mark{}, next...)
		}},
		{"Lookup", 2, func() error { _, err := db.Dossiers().Lookup(t.Context(), all[0].Sealed.Indexes[0]); return err }},
	} {
		before := c.trips.Load()
		wantOK(t, op.do())
		got := c.trips.Load() - before
		if got < 1 || got > op.most {
			t.Errorf("%s: %d round trips, want at most %d", op.what, got, op.most)
		}
		t.Logf("%-42s %d", op.what, got)
	}
}
