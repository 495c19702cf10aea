package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/storetest"
)

func TestACrashBetweenAnIndexAndItsDossierHeals(t *testing.T) {
	c := realserver.StartRedisCluster(t, realserver.RedisSurvivesKill...)
	cfg := cluster(c)
	cfg.Timeout = 5 * time.Second // a server that is not there is known at once
	db := open(t, cfg)
	d := db.Dossiers()
	r := source(t, 71)
	// Somebody whose indexes stay writable while the server of their dossier is away.
	victim := c.Nodes[1]
	owner := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 1)
	wantOK(t, d.Update(t.Context(), store.Mark{}, owner))
	healed := 0
	for range 40 {
		next := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 1)
		next.Sealed.Indexes = owner.Sealed.Indexes
		victim.Kill()
		err := d.Update(t.Context(), store.Mark{}, next)
		wantOK(t, victim.Start())
		eventually(t, func() error {
			_, err := d.Scan(t.Context(), store.PartitionOf(next.Person), kangma.PersonID{}, 1)
			return err
		})
		eventually(t, func() error { _, err := db.Check(t.Context()); return err })
		want := owner
		if err == nil {
			want = next
		} else {
			healed++
		}
		for _, x := range owner.Sealed.Indexes {
			eventually(t, func() error {
				got, err := d.Lookup(t.Context(), x)
				if err != nil || got != want.Person {
					return fmt.Errorf("the index finds %v, %v, want %v", got, err, want.Person)
				}
				return nil
			})
		}
		if owner = want; healed == 3 {
			return
		}
	}
	t.Errorf("%d updates failed half-way: the test tested too little", healed)
}

func TestAFailoverIsSurvived(t *testing.T) {
	c := realserver.StartRedisClusterReplicated(t, realserver.RedisDurable...)
	cfg := cluster(c)
	cfg.Timeout = 5 * time.Second
	db := open(t, cfg)
	all := people(t, db, 200, 72)
	for i, n := range c.Nodes { // replicas are up to date: what they lack would be gone
		at := n.Must("INFO", "replication")
		offset := field(at, "master_repl_offset")
		eventually(t, func() error {
			if got := field(c.Replicas[i].Must("INFO", "replication"), "slave_repl_offset"); len(got) < len(offset) || len(got) == len(offset) && got < offset {
				return fmt.Errorf("replica at %s of %s", got, offset)
			}
			return nil
		})
	}
	c.Nodes[0].Kill()
	c.Replicas[0].AwaitRole("master")
	for i := range all {
		all[i].Version = 2
		eventually(t, func() error {
			err := db.Dossiers().Update(t.Context(), store.Mark{}, all[i])
			if kangma.KindOf(err) == kangma.Conflict { // an earlier try went through
				return nil
			}
			return err
		})
	}
	wantPeople(t, db, all)
	report, err := db.Check(t.Context())
	if err != nil || len(report.Vanished)+len(report.RolledBack) != 0 || len(report.Servers) != 3 {
		t.Errorf("got %+v, %v", report, err)
	}
}

func field(info, name string) string {
	_, rest, _ := strings.Cut(info, name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
