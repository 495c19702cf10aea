package clickhouse

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered statement. They are ours and not a library's because goose and golang-migrate write their
// version by an INSERT … VALUES, on which 18.16 hangs.
type migration struct {
	number uint32
	name   string
	sql    string // empty: nothing to do in this configuration
}

// migrations gives the statements for a configuration, in order.
func (c Config) migrations() ([]migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "migrations/"), ".sql")
		number, err := strconv.ParseUint(name[:3], 10, 32)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{uint32(number), name, c.fill(string(text))})
	}
	return out, nil
}

var (
	sqlComment = regexp.MustCompile(`(?m)^--.*\n`)
	replacing  = regexp.MustCompile(`\{replacing (\w+) ?(\w*)\}`)
	mergetree  = regexp.MustCompile(`\{mergetree (\w+)\}`)
)

// fill puts the configuration into a statement.
func (c Config) fill(sql string) string {
	sql = strings.TrimSpace(sqlComment.ReplaceAllString(sql, ""))
	if rest, only := strings.CutPrefix(sql, "{cluster}"); only {
		if c.Cluster == "" {
			return ""
		}
		sql = rest
	}
	engine := func(prefix, args string) string { return prefix + "(" + args + ")" }
	sql = replacing.ReplaceAllStringFunc(sql, func(m string) string {
		parts := replacing.FindStringSubmatch(m)
		if !c.Keeper {
			return engine("ReplacingMergeTree", parts[2])
		}
		return engine("ReplicatedReplacingMergeTree", strings.TrimSuffix(c.keeperPath(parts[1])+", "+parts[2], ", "))
	})
	sql = mergetree.ReplaceAllStringFunc(sql, func(m string) string {
		if !c.Keeper {
			return engine("MergeTree", "")
		}
		return engine("ReplicatedMergeTree", c.keeperPath(mergetree.FindStringSubmatch(m)[1]))
	})
	return strings.NewReplacer("{db}", c.Database, "{cluster_name}", c.Cluster, "{settings}", "").Replace(sql)
}

func (c Config) keeperPath(table string) string {
	return "'/clickhouse/tables/{shard}/" + c.Database + "/" + table + "', '{replica}'"
}

const dedupWindow = "ALTER TABLE %s.passages MODIFY SETTING non_replicated_deduplication_window = 1000"

// migrate brings every shard up to date. Each statement may run twice (two nodes starting at once).
func (db *DB) migrate(ctx context.Context) error {
	all, err := db.cfg.migrations()
	if err != nil {
		return kangma.E(kangma.Internal, "clickhouse_migration", "the migrations cannot be read").Because(err)
	}
	for _, s := range db.shards {
		if err := s.migrate(ctx, db.cfg, all); err != nil {
			return err
		}
		if err := db.migrateReplicas(ctx, s, all); err != nil {
			return err
		}
	}
	return nil
}

// migrateReplicas makes the tables on each replica of a shard: the definition of a replicated table is each server's own, what
// is in it is everybody's. A replica that does not answer gets them at the next opening; it must not stop the others.
func (db *DB) migrateReplicas(ctx context.Context, s *shard, all []migration) error {
	if !db.cfg.Keeper || len(s.addrs) < 2 {
		return nil
	}
	for _, addr := range s.addrs {
		r, err := db.cfg.connect([]string{addr}, db.cfg.User, db.cfg.Password, "")
		if err != nil {
			return err
		}
		err = r.define(ctx, db.cfg, all)
		if closing := r.conn.Close(); err == nil {
			err = closing
		}
		if err != nil {
			db.cfg.Logger.Warn("a replica has not its tables yet; they are made at the next start", "replica", addr, "err", err)
		}
	}
	return nil
}

// define makes the tables without noting it: the notes are shared with the other replicas.
func (s *shard) define(ctx context.Context, cfg Config, all []migration) error {
	statements := []string{"CREATE DATABASE IF NOT EXISTS " + cfg.Database, cfg.fill(migrationsTable)}
	for _, m := range all {
		if m.sql != "" {
			statements = append(statements, m.sql)
		}
	}
	for _, sql := range statements {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

const migrationsTable = "CREATE TABLE IF NOT EXISTS {db}.migrations (number UInt32, name String, at Int64) ENGINE = {mergetree migrations} ORDER BY number"

func (s *shard) migrate(ctx context.Context, cfg Config, all []migration) error {
	if err := s.exec(ctx, "CREATE DATABASE IF NOT EXISTS "+cfg.Database); err != nil {
		return err
	}
	version, err := s.conn.ServerVersion()
	if err != nil {
		return outage(ctx, err)
	}
	s.version = version.Version
	if err := s.exec(ctx, cfg.fill(migrationsTable)); err != nil {
		return err
	}
	done := map[uint32]bool{}
	err = s.query(ctx, cfg.Insert, "SELECT number FROM "+cfg.Database+".migrations", func(r driver.Rows) error {
		var n uint32
		err := r.Scan(&n)
		done[n] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range all {
		if done[m.number] || m.sql == "" {
			continue
		}
		if err := s.exec(ctx, m.sql); err != nil {
			return err
		}
		err := s.insert(ctx, 10*time.Second, "INSERT INTO "+cfg.Database+".migrations (number, name, at)", "",
			[]uint32{m.number}, []string{m.name}, []int64{cfg.Now().UnixMicro()})
		if err != nil {
			return err
		}
	}
	if s.version.Major >= 22 && !cfg.Keeper { // lets the server itself drop a repeated insert
		return s.exec(ctx, fmt.Sprintf(dedupWindow, cfg.Database))
	}
	return nil
}
