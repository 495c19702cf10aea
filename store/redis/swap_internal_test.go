package redis

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

func TestPeopleOfABatchShareCalls(t *testing.T) {
	ring := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer ring.Close()
	var ways []*pending
	for i := range 1000 {
		ways = append(ways, &pending{at: spot{tag: i * 7 % 5}, sealed: make([]byte, 500)})
	}
	large := []*pending{{sealed: make([]byte, swapBytes)}, {sealed: make([]byte, 10)}, {sealed: make([]byte, 10)}}
	for _, c := range []struct {
		what string
		db   *DB
		ways []*pending
		want int
	}{
		{"a server by itself", &DB{}, ways, 16},
		{"a cluster", &DB{ring: ring}, ways, 20}, // five partitions of 200
		{"somebody large", &DB{}, large, 2},
		{"nobody", &DB{}, nil, 0},
	} {
		groups := c.db.groups(c.ways)
		n, seen := 0, map[*pending]bool{}
		for _, g := range groups {
			if len(g) > swapPeople {
				t.Errorf("%s: %d people in one call", c.what, len(g))
			}
			for _, w := range g {
				if n, seen[w] = n+1, true; c.db.ring != nil && w.at.tag != g[0].at.tag {
					t.Errorf("%s: keys of several partitions in one call", c.what)
				}
			}
		}
		if len(groups) != c.want || n != len(c.ways) || len(seen) != n {
			t.Errorf("%s: %d calls for %d people, want %d for %d", c.what, len(groups), n, c.want, len(c.ways))
		}
	}
}
