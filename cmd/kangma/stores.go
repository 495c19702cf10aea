package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/clickhouse"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/redis"
)

// storeFlags name the backends: embedded ones unless servers are named.
type storeFlags struct {
	Node      string `help:"This node's name: that of its journal in the warehouse. Every node has its own, for good." default:"node-1" env:"KANGMA_NODE"`
	KeyFolder string `help:"Folder of the keys, shared by all nodes; default: keys in the data folder." type:"path" env:"KANGMA_KEY_FOLDER"`

	Snapshots   string        `help:"Folder of the sealed snapshots of the state; nodes that share their state may share it. Default: snapshots in the data folder." type:"path" env:"KANGMA_SNAPSHOTS"`
	JournalKeep time.Duration `help:"How long the journal keeps what is in the warehouse and in the snapshots; 0: for ever. Keep 72h at least with ClickHouse, which does not fsync." default:"168h" env:"KANGMA_JOURNAL_KEEP"`

	JournalSegment int `help:"MiB of a journal segment; whole segments go, never parts." default:"256" env:"KANGMA_JOURNAL_SEGMENT"`
	Cache          int `help:"MiB of memory for people, and as much for logins; a person takes about half a KiB. 0: three tenths of the memory." env:"KANGMA_CACHE"`

	Redis         []string `help:"Keep people and records in Redis at these host:port (of a cluster any of its nodes)." env:"KANGMA_REDIS"`
	RedisCluster  bool     `help:"It is a Redis Cluster." env:"KANGMA_REDIS_CLUSTER"`
	RedisUser     string   `help:"ACL user of Redis." env:"KANGMA_REDIS_USER"`
	RedisPassword string   `help:"Its password; better given in the environment." env:"KANGMA_REDIS_PASSWORD"`
	CopyRate      int      `help:"People a second that are looked at for this node's own copy of the state in Redis, from which it answers while Redis does not; 0: no copy." default:"5000" env:"KANGMA_COPY_RATE"`
	copyState     bool     // a server keeps a copy of the state in Redis, tools do not

	RedisNew bool `help:"First start of the installation: an empty Redis is right. Without it an empty Redis counts as one that lost its data." env:"KANGMA_REDIS_NEW"`

	Clickhouse         []string `help:"Keep passages in ClickHouse: host:port of each shard, replicas joined by +." env:"KANGMA_CLICKHOUSE"`
	ClickhouseCluster  string   `help:"Name of the shards in the servers' remote_servers; needed with more than one." env:"KANGMA_CLICKHOUSE_CLUSTER"`
	ClickhouseKeeper   bool     `help:"The servers have ZooKeeper or ClickHouse Keeper and the macros shard and replica: tables are replicated." env:"KANGMA_CLICKHOUSE_KEEPER"`
	ClickhouseUser     string   `help:"User of ClickHouse." default:"default" env:"KANGMA_CLICKHOUSE_USER"`
	ClickhousePassword string   `help:"Its password; better given in the environment." env:"KANGMA_CLICKHOUSE_PASSWORD"`
}

// recordsAge bounds how long another node goes on honouring a login that was ended here.
const recordsAge = 2 * time.Second

// openStores opens the journal, which is always this node's own, and the stores that the flags name. This is the only
// place that names backends.
func (s *stack) openStores(ctx context.Context, c *cli, log *slog.Logger) (err error) {
	if err := s.openJournal(c, log); err != nil {
		return err
	}
	if err := s.openState(ctx, c, log); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := s.openWarehouse(ctx, c, log); err != nil {
		return fmt.Errorf("warehouse: %w", err)
	}
	return nil
}

func (s *stack) openJournal(c *cli, log *slog.Logger) (err error) {
	s.journal, err = journal.Open(filepath.Join(c.Data, "journal"), journal.Options{Now: time.Now, Logger: log, BallastBytes: 16 << 20, AheadBytes: 1 << 20, Pace: 2 * time.Millisecond,
		Retention: c.JournalKeep, MaxSegmentBytes: int64(c.JournalSegment) << 20})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	s.onClose(s.journal.Close)
	return clearRebuilds(c.Data, "")
}

func (s *stack) openState(ctx context.Context, c *cli, log *slog.Logger) error {
	if len(c.Redis) == 0 {
		db, err := embedded.Open(filepath.Join(c.Data, "state.db"), embedded.Options{Relaxed: true, Cache: pageCache(memoryLimit())})
		if err != nil {
			return err
		}
		s.onClose(db.Close)
		// nobody else writes to the file, so what is remembered is never old
		memory := cacheOptions(c.Cache)
		s.records = cached.NewRecords(db.Records(), memory)
		memory.Behind, memory.Busy = behindBytes(), s.crowded
		dossiers := cached.New(db.Dossiers(), memory)
		s.onClose(dossiers.Close)
		s.dossiers = dossiers
		s.embedded = db
		return nil
	}
	secret, err := s.keys.Secret("redis")
	if err != nil {
		return err
	}
	db, err := redis.Open(ctx, redis.Config{
		Addrs: c.Redis, Cluster: c.RedisCluster, Username: c.RedisUser, Password: c.RedisPassword, Key: secret[:], New: c.RedisNew, Logger: log, Fleeting: fleeting,
		OnLoss: func(partition int) {
			log.Error("Redis lost acknowledged writes: stop the nodes and run kangma rebuild", "partition", partition)
		},
	})
	if err != nil {
		return err
	}
	s.onClose(db.Close)
	s.dossiers, s.redis = db.Dossiers(), db
	var records store.Records = db.Records()
	if c.copyState && c.CopyRate > 0 {
		if s.replica, err = openReplica(db, c, log, s.onClose); err != nil {
			return err
		}
		s.dossiers, records = s.replica.Dossiers(), s.replica.Records()
	}
	// Other nodes write too: a colour is always read anew, a login or a gate may be as old as recordsAge.
	memory := cacheOptions(c.Cache)
	memory.TTL = recordsAge
	s.records = cached.NewRecords(records, memory)
	return nil
}

func (s *stack) openWarehouse(ctx context.Context, c *cli, log *slog.Logger) error {
	if len(c.Clickhouse) == 0 {
		wh, err := embedded.OpenWarehouse(filepath.Join(c.Data, "warehouse.db"), embedded.Options{Relaxed: true, Cache: pageCache(memoryLimit())})
		if err != nil {
			return err
		}
		s.onClose(wh.Close)
		s.warehouse = wh
		return nil
	}
	var shards [][]string
	for _, shard := range c.Clickhouse {
		shards = append(shards, strings.Split(shard, "+"))
	}
	cfg := clickhouse.Config{
		Shards: shards, Cluster: c.ClickhouseCluster, Keeper: c.ClickhouseKeeper, User: c.ClickhouseUser, Password: c.ClickhousePassword, Logger: log,
	}
	lazy := &lazyWarehouse{retry: 5 * time.Second, open: func(ctx context.Context) (store.Warehouse, func() error, error) {
		wh, err := clickhouse.Open(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		return wh, wh.Close, nil
	}}
	if _, err := lazy.get(ctx); err != nil {
		log.Warn("ClickHouse is not there yet; passages wait in the journal", "err", err)
	}
	s.onClose(lazy.Close)
	s.warehouse = lazy
	return nil
}

// keysDir is where the keys lie.
func (c *cli) keysDir() string {
	if c.KeyFolder != "" {
		return c.KeyFolder
	}
	return filepath.Join(c.Data, "keys")
}
