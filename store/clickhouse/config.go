package clickhouse

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"sync"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/breaker"
	"github.com/kangma/kangma/store"
)

// Config says where ClickHouse is and how far a question may go.
type Config struct {
	// Shards are the native addresses (host:port): for each shard its replicas. Their order is part of the data: a
	// passage goes to the shard of its pseudonym. More shards may be added at the end later.
	Shards  [][]string
	Cluster string // name of the same shards in the servers' remote_servers; required with more than one shard
	// Keeper says that ZooKeeper or ClickHouse Keeper and the macros {shard} and {replica} are configured: tables are
	// replicated.
	Keeper bool

	Database        string // created when it is not there; empty: "kangma"
	User            string
	Password        string
	Analyst         string // user for questions, with a readonly profile and limits on the server; empty: User
	AnalystPassword string
	TLS             *tls.Config

	MaxRows uint64           // a question that would read more is kangma.TooLarge; zero: 2,000,000,000
	Longest time.Duration    // a question that takes longer is kangma.TooLarge; zero: 20 s
	Insert  time.Duration    // time for one INSERT; zero: 30 s
	Logger  *slog.Logger     // nil: none
	Now     func() time.Time // for the marks of doubtful days; nil: time.Now
}

// DB is a Warehouse. It is safe for concurrent use.
type DB struct {
	cfg     Config
	shards  []*shard
	analyst *shard // a connection to the first shard as the analyst
	table   string // what questions read: the local table or the Distributed one

	mu      sync.Mutex
	nodes   map[string]*nodeState
	settled time.Time // when doubtful days were last looked at
}

// nodeState is what this process knows of one node's loading.
type nodeState struct {
	loaded store.Position
	known  bool // loaded was read
	sure   bool // no insert of an unknown outcome is about
}

// shard is one shard and how it behaves.
type shard struct {
	conn    driver.Conn
	addrs   []string
	breaker *breaker.Breaker
	mu      sync.Mutex
	good    time.Time // last time it answered
	version proto.Version
}

var (
	_ store.Warehouse = (*DB)(nil)
	_ store.Dropper   = (*DB)(nil)
	_ io.Closer       = (*DB)(nil)
)

// Open connects and brings the tables up to date. kangma.Invalid: the configuration is wrong. kangma.Unavailable: a
// shard does not answer; the warehouse is derived and never needed at a gate, so the caller goes on and opens later.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg.defaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	db := &DB{cfg: cfg, nodes: map[string]*nodeState{}, table: "passages"}
	if cfg.Cluster != "" {
		db.table = "passages_all"
	}
	for _, addrs := range cfg.Shards {
		s, err := cfg.connect(addrs, cfg.User, cfg.Password, "")
		if err != nil {
			db.Close()
			return nil, err
		}
		db.shards = append(db.shards, s)
	}
	if err := db.migrate(ctx); err != nil {
		db.Close()
		return nil, err
	}
	user, password := cfg.User, cfg.Password
	if cfg.Analyst != "" {
		user, password = cfg.Analyst, cfg.AnalystPassword
	}
	var err error
	if db.analyst, err = cfg.connect(cfg.Shards[0], user, password, cfg.Database); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func (c *Config) defaults() {
	if c.Database == "" {
		c.Database = "kangma"
	}
	if c.MaxRows == 0 {
		c.MaxRows = 2_000_000_000
	}
	if c.Longest == 0 {
		c.Longest = 20 * time.Second
	}
	if c.Insert == 0 {
		c.Insert = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

func (c Config) validate() error {
	e := kangma.E(kangma.Invalid, "clickhouse_config", "the configuration of ClickHouse is wrong")
	add := func(wrong bool, where, what string) {
		if wrong {
			e.Faults = append(e.Faults, kangma.Fault{Where: where, Code: where, What: what})
		}
	}
	add(len(c.Shards) == 0, "shards", "give at least one shard")
	for _, addrs := range c.Shards {
		add(len(addrs) == 0, "shards", "a shard has at least one address, host:port")
	}
	add(len(c.Shards) > 1 && c.Cluster == "", "cluster", "several shards need the cluster's name in remote_servers")
	add(!identifier(c.Database), "database", "a database has 1 to 40 of a-z, 0-9 and '_', a letter first")
	add(c.Cluster != "" && !identifier(c.Cluster), "cluster", "a cluster has 1 to 40 of a-z, 0-9 and '_', a letter first")
	add(c.Longest < 0 || c.Insert < 0, "longest", "times are not negative")
	if len(e.Faults) > 0 {
		return e
	}
	return nil
}

// identifier bounds what may stand in SQL without quotes.
func identifier(s string) bool {
	for i, r := range s {
		if !(r >= 'a' && r <= 'z' || i > 0 && (r >= '0' && r <= '9' || r == '_')) {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

func (c Config) connect(addrs []string, user, password, database string) (*shard, error) {
	conn, err := ch.Open(&ch.Options{
		Addr: addrs, Auth: ch.Auth{Database: database, Username: user, Password: password}, TLS: c.TLS,
		DialTimeout: time.Second, ReadTimeout: max(c.Longest, c.Insert) + 5*time.Second, MaxOpenConns: 16, MaxIdleConns: 8,
		Compression: &ch.Compression{Method: ch.CompressionLZ4},
	})
	if err != nil {
		return nil, kangma.E(kangma.Invalid, "clickhouse_config", "the configuration of ClickHouse is wrong").Because(err)
	}
	return &shard{conn: conn, addrs: addrs, breaker: &breaker.Breaker{After: 500 * time.Millisecond, Probe: time.Second}}, nil
}

// Close ends all connections.
func (db *DB) Close() error {
	var first error
	for _, s := range append(db.shards, db.analyst) {
		if s == nil {
			continue
		}
		if err := s.conn.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
