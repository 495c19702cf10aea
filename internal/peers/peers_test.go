package peers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble"
	"rsc.io/qr"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/store/journal"
)

// text is as long as a code (about 270 characters of Base45), in the alphabet of QR's alphanumeric mode.
func text() string {
	raw := make([]byte, 180)
	for i := range raw {
		raw[i] = byte(i*37 + 11)
	}
	return codegen.Prefix + string(codegen.AppendBase45(nil, raw))
}

// BenchmarkDraw makes a picture of a code. rsc.io/qr draws at the same level (M) and takes the first mask, where ours weighs all eight.
func BenchmarkDraw(b *testing.B) {
	code := text()
	look := codegen.Look{Kind: codegen.Dynamic, Colour: kangma.Green, Framed: true, Scale: 8}
	for name, draw := range map[string]func() (int, error){
		"ours-SVG": func() (int, error) { p, err := codegen.SVG(code, look); return len(p), err },
		"ours-PNG": func() (int, error) { p, err := codegen.PNG(code, look); return len(p), err },
		"rsc.io-qr-matrix": func() (int, error) {
			c, err := qr.Encode(code, qr.M)
			if err != nil {
				return 0, err
			}
			return c.Size, nil
		},
		"rsc.io-qr-PNG": func() (int, error) {
			c, err := qr.Encode(code, qr.M)
			if err != nil {
				return 0, err
			}
			return len(c.PNG()), nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			size := 0
			defer cputime.Report(b, cputime.Process())
			for b.Loop() {
				n, err := draw()
				if err != nil {
					b.Fatal(err)
				}
				size = n
			}
			b.ReportMetric(float64(size), "size")
		})
	}
}

const record = 160 // bytes, as large as a passage's

// spread makes b.N calls from so many writers.
func spread(b *testing.B, writers int, call func() error) {
	defer cputime.Report(b, cputime.Process())
	var all sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		n := b.N / writers
		if w < b.N%writers {
			n++
		}
		all.Go(func() {
			for range n {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkAppend acknowledges each record after it is on the disk; both join waiting writers in one fsync.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("journal/writers=%d", writers), func(b *testing.B) {
			j, err := journal.Open(b.TempDir(), journal.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			e := kangma.Event{ID: kangma.NewEventID(time.UnixMilli(1)), Kind: kangma.EventPassage, At: time.UnixMilli(1), Data: make([]byte, record)}
			spread(b, writers, func() error {
				_, err := j.Append(b.Context(), e)
				return err
			})
		})
		b.Run(fmt.Sprintf("pebble/writers=%d", writers), func(b *testing.B) {
			db, err := pebble.Open(b.TempDir(), &pebble.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			var index atomic.Uint64
			data := make([]byte, record)
			spread(b, writers, func() error {
				return db.Set(fmt.Appendf(nil, "%016x", index.Add(1)), data, pebble.Sync)
			})
		})
	}
}

// answer has the members of a show's answer.
type answer struct {
	Code       string    `json:"code"`
	Told       bool      `json:"told"`
	Colour     string    `json:"colour"`
	Reason     string    `json:"reason"`
	Reasons    []string  `json:"reasons"`
	Issued     time.Time `json:"issued_at"`
	Expires    time.Time `json:"expires_at"`
	Refresh    time.Time `json:"refresh_at"`
	MaskedName string    `json:"masked_name"`
}

// BenchmarkPlainJSON is what encoding/json alone takes for an answer like a show's; ours appends it (api/hotjson.go).
func BenchmarkPlainJSON(b *testing.B) {
	at := time.Date(2022, 11, 5, 8, 30, 0, 0, time.UTC)
	a := answer{Code: text(), Told: true, Colour: "green", Reason: "no_risk", Reasons: []string{}, Issued: at, Expires: at, Refresh: at, MaskedName: base64.StdEncoding.EncodeToString([]byte("abc"))}
	defer cputime.Report(b, cputime.Process())
	for b.Loop() {
		if _, err := json.Marshal(a); err != nil {
			b.Fatal(err)
		}
	}
}
