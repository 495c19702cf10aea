package embedded

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"github.com/pressly/goose/v3"

	"github.com/kangma/kangma/store"
)

//go:embed migrations
var migrations embed.FS

// Options of Open and OpenWarehouse. The zero Options are the safe ones.
type Options struct {
	// Relaxed leaves the fsync to checkpoints: a power cut may take the newest changes (never a half one), and the mark
	// of the journal with them, so that replay from the mark heals it. Only for a store that is applied from a journal.
	Relaxed bool
	// Bulk is for a new file that is thrown away unless it becomes whole (a rebuild): nothing is synced before Close, no log
	// is kept, a quarter of a gigabyte may be used as page cache. Opened again without it, the file is like any other.
	Bulk bool
	// SkipCheck opens without looking through the file for damage, which takes about a second a gigabyte.
	SkipCheck bool
	// Readers is how many reads run at once; 0: the number of processors, at least 4.
	Readers int
	// Cache is how many bytes of pages each connection keeps (readers and one writer); 0: 32 MiB.
	Cache int
	// ScanLimit is how many passages an uncommon question to the warehouse may look at; 0: 20,000,000.
	ScanLimit int64
	// Progress, if not nil, is told while an uncommon question looks at passages one by one: how far it is, of how many.
	Progress func(done, total int64)
}

// file is one open SQLite file with its writer and readers.
type file struct {
	path    string
	bulk    bool
	readers pool
	writer  *writer
	all     []*conn
	closing sync.Once
	filling bulk
	syncing func() error // ends what syncs a new file beside its filling
}

// DB is an open state file: dossiers and records.
type DB struct{ *file }

// Open opens or creates the state file at a path, brings its tables up to date and looks through it for damage; ""
// keeps everything in memory. kangma.Internal with code store_damaged: the file is no database or is damaged; rebuild
// it from the journal. kangma.Unavailable: it cannot be opened now.
func Open(path string, o Options) (*DB, error) {
	f, err := openFile(path, "migrations/state", o)
	if err != nil {
		return nil, err
	}
	return &DB{f}, nil
}

// Dossiers gives the store of dossiers.
func (db *DB) Dossiers() store.Dossiers { return dossiers{db.file} }

// Records gives the store of records.
func (db *DB) Records() store.Records { return records{db.file} }

func openFile(path, schema string, o Options) (*file, error) {
	dsn, err := dsnOf(path, o)
	if err != nil {
		return nil, err
	}
	skip := path == "" || o.SkipCheck
	if !skip {
		readAhead(path) // before SQLite has locks: they go when anybody of this process closes the file
	}
	first, err := dial(dsn)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, bulk: o.Bulk, all: []*conn{first}, filling: bulk{ended: !o.Bulk}}
	if err := errors.Join(check(first, skip), migrate(dsn, schema)); err != nil {
		first.close()
		return nil, wrap(err)
	}
	n := o.Readers
	if n <= 0 {
		n = max(4, runtime.NumCPU())
	}
	writing := make(pool, 1)
	writing <- first
	f.readers = writing // in memory there is one connection, and everybody takes turns
	if path != "" && !o.Bulk {
		f.readers = make(pool, n)
		for range n {
			c, err := dial(dsn)
			if err != nil {
				return nil, errors.Join(err, f.closeConns())
			}
			f.all = append(f.all, c)
			f.readers <- c
		}
	}
	if err := first.tune(o.Bulk); err != nil {
		return nil, errors.Join(err, f.closeConns())
	}
	f.writer = startWriter(writing)
	if o.Bulk && path != "" {
		f.syncing = syncBeside(path)
	}
	return f, nil
}

// write runs one change of anything but a Loader, which finds a file that is being filled complete.
func (f *file) write(ctx context.Context, weight int, run func(c *conn) error) error {
	return f.writer.do(ctx, weight, func(c *conn) error {
		if err := f.filled(c); err != nil {
			return err
		}
		return run(c)
	})
}

// filled ends the filling of a new file.
func (f *file) filled(c *conn) error { return f.filling.end(c, f.writer.undone) }

// walPages is how long the log may grow before it is copied into the file, 64 MiB: people who change again and again, and
// neighbours on one page, are then copied once for many changes. SQLite's own 1,000 pages are one batch of a feed.
const walPages = 16_384

// tune sets what has no place in the data source. Only the writer's connection copies the log.
func (c *conn) tune(bulk bool) error {
	pragma := fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", walPages)
	if bulk {
		pragma = fmt.Sprintf("PRAGMA threads = %d", runtime.NumCPU()) // indexes are sorted on all of them
	}
	return c.each(pragma, nil, func([]driver.Value) error { return nil })
}

// dsnOf gives the data source of a path and makes sure that the file is ours alone to read.
func dsnOf(path string, o Options) (string, error) {
	// secure_delete: what is deleted is overwritten, so that an erased person's data key does not stay in a free page.
	q := url.Values{"_mutex": {"no"}, "_busy_timeout": {"10000"}, "_cache_size": {"-32768"}, "_stmt_cache_size": {"0"}, "_secure_delete": {"on"}}
	if o.Cache > 0 {
		q.Set("_cache_size", strconv.Itoa(-max(1, o.Cache>>10)))
	}
	if path == "" {
		return fmt.Sprintf("file:/kangma-%s?vfs=memdb&%s", rand.Text(), q.Encode()), nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", wrap(err)
	}
	created, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", errUnavailable.Because(err)
	}
	created.Close()
	q.Set("_journal_mode", "WAL")
	q.Set("_synchronous", "FULL")
	if o.Relaxed {
		q.Set("_synchronous", "NORMAL")
	}
	if o.Bulk {
		// A log in memory, and not none, so that a transaction can still be undone.
		q.Set("_journal_mode", "MEMORY")
		q.Set("_synchronous", "OFF")
		q.Set("_cache_size", "-262144")
		q.Set("_secure_delete", "off")
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String(), nil
}

// readAhead reads a file from end to end, so that the system has it in memory when check goes through it page by page in the
// order of its tree: for a million people and a cold disk that is seconds instead of a minute and a half. A file that cannot
// be read is left to SQLite, which says why.
func readAhead(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 1<<20))
}

// check looks through the structure of the file. SQLite finds broken pages and indexes; what it cannot see, a flipped
// bit inside a value, the checksum of the row finds when it is read.
func check(c *conn, skip bool) error {
	if skip {
		return nil
	}
	return c.each("PRAGMA quick_check(1)", nil, func(row []driver.Value) error {
		if row[0] != "ok" {
			return errDamaged.Because(fmt.Errorf("quick_check: %v", row[0]))
		}
		return nil
	})
}

// Check looks through the structure of the file for damage, as Open does unless it was told not to.
func (f *file) Check(ctx context.Context) error {
	return f.readers.with(ctx, func(c *conn) error { return check(c, false) })
}

func migrate(dsn, schema string) error {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := fs.Sub(migrations, schema)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	_, err = p.Up(context.Background())
	return err
}

// Close finishes the writes already handed over and closes the file. Calls after it answer kangma.Unavailable.
func (f *file) Close() (err error) {
	f.closing.Do(func() {
		var filled error
		if f.bulk {
			filled = f.writer.do(context.Background(), 1, f.filled)
		}
		f.writer.close()
		if f.syncing != nil {
			filled = errors.Join(filled, f.syncing())
		}
		if err = errors.Join(filled, f.closeConns()); err == nil && f.bulk && f.path != "" {
			err = syncFile(f.path)
		}
	})
	return err
}

func (f *file) closeConns() (err error) {
	if f.readers != nil && f.writer != nil {
		for range cap(f.readers) { // waits for reads under way
			<-f.readers
		}
		close(f.readers)
	}
	for _, c := range f.all {
		err = errors.Join(err, c.close())
	}
	return err
}
