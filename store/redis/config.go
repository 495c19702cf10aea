package redis

import (
	"context"
	"crypto/tls"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/breaker"
	"github.com/kangma/kangma/store"
)

// Config says where Redis is and how to treat it.
type Config struct {
	Addrs      []string // host:port; of a cluster any of its nodes, of a sentinel setup the sentinels
	Cluster    bool     // Redis Cluster
	MasterName string   // Redis Sentinel: name of the master

	Username string // ACL user; empty: the default user
	Password string
	TLS      *tls.Config

	Key    []byte // 32 bytes that are kept outside Redis
	Prefix string // of every key, 1 to 20 of a-z, 0-9 and '-'; empty: "km"

	// New says that this is the first start of the installation: an empty Redis is right and gets its epoch. Without it
	// an empty Redis counts as one that lost its data, and every call says so until Rebuild.
	New bool

	// Fleeting are kinds of records that are in no journal and worth nothing later. What is deleted of them is forgotten after
	// an hour, its version too: their tombstones would else be most of what registrations and log-ins leave.
	Fleeting []string

	Timeout time.Duration // of one exchange; zero: 300 ms. Lists and large values get more in proportion
	Pool    int           // connections to each server; zero: 64
	Logger  *slog.Logger  // nil: none
	// OnLoss is told once when a partition turns out to have lost writes that were acknowledged (failover to a replica
	// that lagged, damaged append-only file): the owner applies its journal again. It must not block.
	OnLoss func(partition int)
}

// DB is a connection to Redis. It is safe for concurrent use.
type DB struct {
	cfg    Config
	vault  *vault
	single *goredis.Client
	ring   *goredis.ClusterClient
	apart  atomic.Bool // the one address is a cluster's: keys of one call must be of one partition

	mu       sync.Mutex
	breakers map[string]*breaker.Breaker
	lines    sync.Map        // address -> *line
	ended    context.Context // by Close
	end      context.CancelFunc
	probes   sync.WaitGroup

	seen  [store.Partitions]atomic.Int64 // highest number of writes acknowledged to this process
	lost  [store.Partitions]atomic.Bool  // went back behind it
	marks sync.Map                       // node -> version of its mark record
}

// Open connects. It answers also when Redis is not there yet, unless New is set: calls then say kangma.Unavailable until
// it comes. kangma.Invalid: the configuration is wrong.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	logging.Disable() // go-redis would print on its own: what matters comes back as an error
	if cfg.Prefix == "" {
		cfg.Prefix = "km"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 300 * time.Millisecond
	}
	if cfg.Pool == 0 {
		cfg.Pool = 64
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	v, err := newVault(cfg.Key, cfg.Prefix)
	if err != nil {
		return nil, err
	}
	db := &DB{cfg: cfg, vault: v, breakers: map[string]*breaker.Breaker{}}
	db.ended, db.end = context.WithCancel(context.WithoutCancel(ctx))
	db.connect()
	if cfg.New {
		if err := db.begin(ctx); err != nil {
			db.Close()
			return nil, err
		}
	}
	return db, nil
}

func (c Config) validate() error {
	e := kangma.E(kangma.Invalid, "redis_config", "the configuration of Redis is wrong")
	add := func(wrong bool, where, what string) {
		if wrong {
			e.Faults = append(e.Faults, kangma.Fault{Where: where, Code: where, What: what})
		}
	}
	add(len(c.Addrs) == 0, "addrs", "give at least one address, host:port")
	add(c.Cluster && c.MasterName != "", "master_name", "a cluster has no sentinel master")
	add(len(c.Key) != 32, "key", "the key has 32 bytes")
	ok := len(c.Prefix) <= 20
	for _, r := range c.Prefix {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	add(!ok, "prefix", "a prefix has 1 to 20 of a-z, 0-9 and '-'")
	add(c.Timeout < 0 || c.Pool < 0, "timeout", "timeout and pool are not negative")
	if len(e.Faults) > 0 {
		return e
	}
	return nil
}

func options(c Config) *goredis.UniversalOptions {
	return &goredis.UniversalOptions{
		Addrs: c.Addrs, MasterName: c.MasterName, IsClusterMode: c.Cluster,
		Username: c.Username, Password: c.Password, TLSConfig: c.TLS,
		// A call that may have been executed is never sent again: whether a compare-and-swap won must stay knowable.
		MaxRetries: -1, MaxRedirects: -1, DialerRetries: 1,
		DialTimeout: c.Timeout, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, ContextTimeoutEnabled: true,
		PoolSize: c.Pool, PoolTimeout: c.Timeout, PipelinePoolSize: -1, DisableIdentity: true, FailingTimeoutSeconds: 1,
		Protocol:                 2, // nothing is pushed to us, and looking for it costs
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func (db *DB) connect() {
	o := options(db.cfg)
	switch {
	case db.cfg.Cluster:
		cluster := o.Cluster()
		cluster.ClusterSlots = (&topology{cfg: db.cfg}).slots
		db.ring = goredis.NewClusterClient(cluster)
	case db.cfg.MasterName != "":
		db.single = goredis.NewFailoverClient(o.Failover())
	default:
		db.single = goredis.NewClient(o.Simple())
	}
}

// Close ends all connections.
func (db *DB) Close() error {
	db.mu.Lock()
	db.end() // no probe begins after this
	db.mu.Unlock()
	db.probes.Wait()
	if db.ring != nil {
		return db.ring.Close()
	}
	return db.single.Close()
}

// Dossiers gives the store of people.
func (db *DB) Dossiers() *Dossiers { return &Dossiers{db} }

// Records gives the store of small documents.
func (db *DB) Records() *Records { return &Records{db} }

// Dossiers is a store.Dossiers.
type Dossiers struct{ db *DB }

// Records is a store.Records.
type Records struct{ db *DB }

var (
	_ store.Dossiers = (*Dossiers)(nil)
	_ store.Records  = (*Records)(nil)
)
