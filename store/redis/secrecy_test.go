package redis_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
)

// source is a deterministic source of randomness that names its seed in the log.
func source(tb testing.TB, seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(soak.Own(tb, seed), 0x7265646973))
}

func raw(t *testing.T, srv *realserver.Redis) *goredis.Client {
	c := goredis.NewClient(&goredis.Options{Addr: srv.Addr, Password: srv.Password})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestAnOperatorOfRedisSeesNothing(t *testing.T) {
	srv := realserver.StartRedis(t, realserver.RedisDurable...)
	db := open(t, single(srv))
	all := people(t, db, 100, 81)
	record := store.Record{Kind: "vehicle-entry", ID: "id-in-the-clear", Version: 1, Data: []byte("粤A12345 body"), Index: map[string]string{"owner": "somebody-index"}}
	wantOK(t, db.Records().Put(t.Context(), record))
	srv.Stop()
	file, err := os.ReadFile(aof(t, srv))
	wantOK(t, err)
	if !bytes.Contains(file, []byte("id-in-the-clear")) {
		t.Error("the id of a record is not found: the search searches nothing")
	}
	secrets := [][]byte{[]byte("粤A12345"), []byte("somebody-index"), []byte("vehicle-entry"), []byte("feed:lab-3"), []byte("沙面"), []byte("k1"), key}
	for _, d := range all {
		secrets = append(secrets, d.Person[:], []byte(d.Person.String()), d.Sealed.Indexes[0][:], d.Sealed.DataKey[:16], d.Sealed.Fields["identity"][:16])
	}
	for _, s := range secrets[:len(secrets)-1] {
		if len(s) > 2 && bytes.Contains(file, s) {
			t.Errorf("%q is on Redis' disk", s)
		}
	}
}

func TestAChangedValueIsAnErrorAndNeverAValue(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := open(t, single(srv))
	all := people(t, db, 2, 82)
	wantOK(t, db.Records().Put(t.Context(), store.Record{Kind: "gate", ID: "g", Version: 1, Data: []byte("x")}))
	ctx, c := context.Background(), raw(t, srv)
	damaged := func(err error) bool {
		return kangma.KindOf(err) == kangma.Internal && kangma.CodeOf(err) == "damaged"
	}
	everyBit := func(t *testing.T, key, field string, read func() error) {
		t.Helper()
		good, err := c.HGet(ctx, key, field).Bytes()
		wantOK(t, err)
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			wantOK(t, c.HSet(ctx, key, field, bad).Err())
			if err := read(); !damaged(err) {
				t.Fatalf("byte %d of %d changed: got %v, want damaged", i, len(good), err)
			}
		}
		for _, n := range []int{0, 1, 12, len(good) - 1} {
			wantOK(t, c.HSet(ctx, key, field, good[:n]).Err())
			if err := read(); !damaged(err) && n > 0 {
				t.Fatalf("cut to %d bytes: got %v, want damaged", n, err)
			}
		}
		wantOK(t, c.HSet(ctx, key, field, good).Err())
		wantOK(t, read())
	}
	type place struct{ key, field string }
	var dossiers, entries, records []place
	keys, err := c.Keys(ctx, "*").Result()
	wantOK(t, err)
	for _, k := range keys {
		_, kind, _ := strings.Cut(k, "}")
		switch kind[0] {
		case 'd', 'x':
			fields, err := c.HKeys(ctx, k).Result()
			wantOK(t, err)
			for _, f := range fields {
				if kind[0] == 'd' {
					dossiers = append(dossiers, place{k, f})
				} else {
					entries = append(entries, place{k, f})
				}
			}
		case 'r':
			records = append(records, place{k, "b"})
		}
	}
	if len(dossiers) != 2 || len(entries) != 4 || len(records) != 1 {
		t.Fatalf("found %d dossiers, %d index entries, %d records", len(dossiers), len(entries), len(records))
	}
	get := func() error {
		_, err0 := db.Dossiers().Get(ctx, all[0].Person)
		_, err1 := db.Dossiers().Get(ctx, all[1].Person)
		if err0 != nil {
			return err0
		}
		return err1
	}
	t.Run("dossier", func(t *testing.T) { everyBit(t, dossiers[0].key, dossiers[0].field, get) })
	t.Run("record", func(t *testing.T) {
		everyBit(t, records[0].key, records[0].field, func() error { _, err := db.Records().Get(ctx, "gate", "g"); return err })
	})
	t.Run("index entry", func(t *testing.T) {
		everyBit(t, entries[0].key, entries[0].field, func() error {
			for _, d := range all {
				for _, x := range d.Sealed.Indexes {
					if _, err := db.Dossiers().Lookup(ctx, x); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	t.Run("a good value in another place", func(t *testing.T) {
		other, err := c.HGet(ctx, dossiers[1].key, dossiers[1].field).Bytes()
		wantOK(t, err)
		wantOK(t, c.HSet(ctx, dossiers[0].key, dossiers[0].field, other).Err())
		if err := get(); !damaged(err) {
			t.Errorf("got %v, want damaged", err)
		}
		page := 0
		for _, d := range all {
			if _, err := db.Dossiers().Scan(ctx, store.PartitionOf(d.Person), kangma.PersonID{}, 10); damaged(err) {
				page++
			}
		}
		if page == 0 {
			t.Error("a scan over the damaged bucket gave no error")
		}
	})
	t.Run("another key", func(t *testing.T) {
		cfg := single(srv)
		cfg.Key = bytes.Repeat([]byte{8}, 32)
		_, err := open(t, cfg).Dossiers().Get(ctx, all[1].Person)
		wantCode(t, err, kangma.NotFound, "person") // not even the names agree
	})
}

func TestCheckSaysWhatTheServerPromises(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []string
		acl     string
		want    []string
	}{
		{"nothing kept", nil, "", []string{"appendonly is off", "maxmemory is not set"}},
		{"as we advise", append([]string{"--maxmemory", "1gb"}, realserver.RedisDurable...), "", nil},
		{"always", []string{"--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "1gb"}, "", []string{"appendfsync is always"}},
		{"evicting", append([]string{"--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"}, realserver.RedisDurable...), "", []string{"allkeys-lru"}},
		{"a user who may not ask", realserver.RedisDurable, "+@read +@write +@scripting +@connection +info -config", []string{"appendfsync is unknown", "maxmemory is not set"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := realserver.StartRedis(t, c.options...)
			cfg := single(srv)
			if c.acl != "" {
				srv.Must(append([]string{"ACL", "SETUSER", "kangma", "on", ">secret", "~*", "&*"}, strings.Fields(c.acl)...)...)
				cfg.Username, cfg.Password = "kangma", "secret"
			}
			db := open(t, cfg)
			people(t, db, 3, 83)
			report, err := db.Check(t.Context())
			wantOK(t, err)
			if len(report.Warnings) != len(c.want) {
				t.Fatalf("got warnings %q, want %q", report.Warnings, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(report.Warnings[i], want) {
					t.Errorf("got %q, want %q", report.Warnings[i], want)
				}
			}
		})
	}
	t.Run("a wrong password is said as such", func(t *testing.T) {
		cfg := single(realserver.StartRedis(t))
		cfg.Password, cfg.New = "wrong", false
		_, err := open(t, cfg).Check(t.Context())
		wantCode(t, err, kangma.Unavailable, "redis_wrongpass")
	})
}

func TestClearLeavesNothing(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := open(t, single(srv))
	people(t, db, 50, 84)
	other := single(srv)
	other.Prefix = "other"
	kept := people(t, open(t, other), 5, 85)
	wantOK(t, db.Clear(t.Context()))
	keys, err := raw(t, srv).Keys(t.Context(), "{km:*").Result()
	if err != nil || len(keys) != 0 {
		t.Errorf("got %d keys, %v", len(keys), err)
	}
	wantPeople(t, open(t, other), kept)
}

func TestAWrongConfigurationSaysEveryFault(t *testing.T) {
	_, err := redis.Open(t.Context(), redis.Config{Key: []byte("short"), Prefix: "Big:", Cluster: true, MasterName: "x"})
	var e *kangma.Error
	if !asError(err, &e) || e.Kind != kangma.Invalid || len(e.Faults) != 4 {
		t.Errorf("got %v, want four faults", err)
	}
}

func asError(err error, e **kangma.Error) (ok bool) {
	*e, ok = err.(*kangma.Error)
	return ok
}
