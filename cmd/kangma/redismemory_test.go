package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/load"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/seal"
)

// BenchmarkRedisMemory says what the people of kangma load prepare cost Redis, in bytes of its memory and by kind of key: with
// identity and indexes only, with the usual seven pieces of evidence, and their log-ins. KANGMA_RESIDENTS, 20,000 unless said.
func BenchmarkRedisMemory(b *testing.B) {
	n, _ := strconv.Atoi(os.Getenv("KANGMA_RESIDENTS"))
	if n == 0 {
		n = 20_000
	}
	pop, err := load.NewPopulation(n, 0, 1, 441500000)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		only onlySome
	}{{"people without evidence", onlySome{people: true, plain: true}}, {"people with 7 pieces of evidence", onlySome{people: true}}, {"log-ins", onlySome{}}} {
		b.Run(c.name, func(b *testing.B) {
			srv := realserver.StartRedis(b, "--hash-max-listpack-value", "1024", "--hash-max-listpack-entries", "512", "--save", "")
			db, err := redis.Open(b.Context(), redis.Config{Addrs: []string{srv.Addr}, Password: srv.Password, Key: make([]byte, 32), New: true})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			kek, err := seal.NewKEKs("k1", map[string][32]byte{"k1": {1}})
			if err != nil {
				b.Fatal(err)
			}
			sealer, err := seal.New(seal.Keys{KEK: kek, Index: [][32]byte{{2}}, Pseudonym: [32]byte{3}})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				before := redisBytes(srv)
				err := db.Rebuild(b.Context(), func(ctx context.Context, l *redis.Loader) error {
					some := c.only
					some.Loader = l
					return pop.FillPeople(ctx, load.Stores{Node: "n", Journal: noJournal{}, Loader: some, Sealer: sealer}, time.Now(), func(string, int, int) {})
				})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(redisBytes(srv)-before)/float64(n), "B/each")
				for _, kind := range strings.Fields("s b d x r k i") {
					b.ReportMetric(keyBytes(b, srv, kind)/float64(n), kind+"-B/each")
				}
			}
		})
	}
}

func redisBytes(srv *realserver.Redis) int {
	_, text, _ := strings.Cut(srv.Must("INFO", "memory"), "used_memory:")
	n, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(text, "\n", 2)[0]))
	return n
}

// keyBytes sums MEMORY USAGE, which counts the key and its value but not the place in the table of keys, over the keys of one kind.
func keyBytes(b *testing.B, srv *realserver.Redis, kind string) (total float64) {
	const page = `local page, total = redis.call('SCAN', ARGV[2], 'MATCH', '{km:*}' .. ARGV[1] .. '*', 'COUNT', 1000), 0
for _, key in ipairs(page[2]) do total = total + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0) end
return page[1] .. ' ' .. total`
	for at := "0"; ; {
		next, bytes, _ := strings.Cut(srv.Must("EVAL", page, "0", kind, at), " ")
		n, err := strconv.Atoi(bytes)
		if err != nil {
			b.Fatal(err)
		}
		if total, at = total+float64(n), next; at == "0" {
			return total
		}
	}
}

// onlySome leaves out what is not asked for.
type onlySome struct {
	store.Loader
	people, plain bool
}

func (l onlySome) Dossiers(ctx context.Context, all ...kangma.Dossier) error {
	if !l.people {
		return nil
	}
	for i := range all {
		if l.plain {
			all[i].Evidence = nil
		}
	}
	return l.Loader.Dossiers(ctx, all...)
}

func (l onlySome) Records(ctx context.Context, all ...store.Record) error {
	if l.people {
		return nil
	}
	return l.Loader.Records(ctx, all...)
}

// noJournal keeps nothing.
type noJournal struct{}

func (noJournal) Append(context.Context, ...kangma.Event) (store.Position, error) { return 1, nil }
func (noJournal) After(context.Context, store.Position, int) ([]store.Entry, error) {
	return nil, nil
}
func (noJournal) Release(context.Context, store.Position) error { return nil }
