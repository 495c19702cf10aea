package embedded

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/mattn/go-sqlite3"
)

// conn is one SQLite connection with its prepared statements, used by one goroutine at a time. It goes around
// database/sql because a dossier is read in a few microseconds, of which the generic pool would be a third.
type conn struct {
	raw   *sqlite3.SQLiteConn
	stmts map[string]*sqlite3.SQLiteStmt
}

func dial(dsn string) (*conn, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, wrap(err)
	}
	return &conn{raw: raw.(*sqlite3.SQLiteConn), stmts: map[string]*sqlite3.SQLiteStmt{}}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	return wrap(c.raw.Close())
}

func (c *conn) prepare(sql string) (*sqlite3.SQLiteStmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	s, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, err
	}
	c.stmts[sql] = s.(*sqlite3.SQLiteStmt)
	return c.stmts[sql], nil
}

// exec runs a statement that gives no rows and tells how many it changed; a SELECT would stay open here and hold its
// snapshot. Only constant statements may come here: they are kept.
func (c *conn) exec(sql string, args ...driver.Value) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// each calls f with every row of a constant query; the row is f's only until it returns, its blobs are f's own.
func (c *conn) each(sql string, args []driver.Value, f func(row []driver.Value) error) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.Query(args)
	if err != nil {
		return err
	}
	return drain(rows, f)
}

func drain(rows driver.Rows, f func(row []driver.Value) error) error {
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// pool lends connections.
type pool chan *conn

func (p pool) get(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c, ok := <-p:
		if !ok {
			return nil, errClosed
		}
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// with lends a connection to f.
func (p pool) with(ctx context.Context, f func(c *conn) error) error {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer func() { p <- c }()
	return wrap(f(c))
}
