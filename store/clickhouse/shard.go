package clickhouse

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
)

// pingTime is how long a server that was quiet for a second may take to say that it is there.
const pingTime = 700 * time.Millisecond

var errDown = kangma.E(kangma.Unavailable, "clickhouse_down", "the analytics store does not answer; nothing is lost, try again later")

// ready asks a server that has been quiet whether it is there at all, so that a hung one is found in less than a second
// and not after the long time a real question may take.
func (s *shard) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return errDown.Because(err)
	}
	now := time.Now()
	if !s.breaker.Allow(now) {
		return errDown
	}
	s.mu.Lock()
	fresh := now.Sub(s.good) < time.Second
	s.mu.Unlock()
	if fresh {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	err := s.conn.Ping(limited)
	if err != nil && ctx.Err() == nil && !hung(err) { // a kept connection may be from before a restart
		err = s.conn.Ping(limited)
	}
	s.done(ctx, err)
	if err != nil {
		return outage(ctx, err)
	}
	return nil
}

// quiet makes the next ready ask again.
func (s *shard) quiet() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good = time.Time{}
}

func hung(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// done tells the breaker how a call went. What the server itself refuses shows that it is there.
func (s *shard) done(ctx context.Context, err error) {
	var said *ch.Exception
	ok := err == nil || errors.As(err, &said)
	if !ok && ctx.Err() != nil {
		return // the caller left
	}
	now := time.Now()
	s.breaker.Done(ok, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.good = now; !ok {
		s.good = time.Time{}
	}
}

// outage makes our error of what the driver says.
func outage(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errDown.Because(ctx.Err())
	}
	return errDown.Because(err)
}

// Codes of ClickHouse that mean "this question is too large" and "not now". 74 to 88 are what a full disk gives: a file that
// cannot be read, written or opened, a folder that cannot be made.
var (
	tooLarge = map[int32]bool{158: true, 159: true, 160: true, 241: true, 396: true, 307: true}
	notNow   = map[int32]bool{74: true, 75: true, 76: true, 88: true, 202: true, 209: true, 210: true, 242: true, 252: true, 279: true, 999: true, 243: true, 203: true, 173: true, 425: true}
)

func (s *shard) wrap(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var said *ch.Exception
	if !errors.As(err, &said) {
		return outage(ctx, err)
	}
	cause := errors.New(said.Name) // the text of an exception repeats the SQL, which may hold pseudonyms
	switch {
	case tooLarge[said.Code]:
		return kangma.E(kangma.TooLarge, "clickhouse_limit", "the question would read more than allowed; ask for fewer days or districts").Because(cause)
	case notNow[said.Code]:
		return errDown.Because(cause)
	}
	return kangma.E(kangma.Internal, "clickhouse", "the analytics store refused a statement").Because(
		kangma.E(kangma.Internal, "code_"+itoa(int64(said.Code)), said.Name))
}

func (s *shard) exec(ctx context.Context, sql string) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	err := s.conn.Exec(ctx, sql)
	s.done(ctx, err)
	return s.wrap(ctx, err)
}

// stale: a kept connection was closed on our own side. The driver closes one when the context of the question before ends,
// which may be a moment after the connection went back among the kept ones.
func stale(err error) bool {
	return err != nil && (errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), net.ErrClosed.Error()))
}

// query runs a SELECT and gives every row to scan. within bounds it; zero: only ctx and the connection's own limit do.
func (s *shard) query(ctx context.Context, within time.Duration, sql string, scan func(driver.Rows) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	limited := ctx
	if within > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	rows, err := s.conn.Query(limited, sql)
	if stale(err) && limited.Err() == nil {
		rows, err = s.conn.Query(limited, sql)
	}
	if err == nil {
		for err == nil && rows.Next() {
			err = scan(rows)
		}
		if e := rows.Close(); err == nil {
			err = e
		}
		if e := rows.Err(); err == nil {
			err = e
		}
	}
	s.done(ctx, err)
	return s.wrap(ctx, err)
}

// insert sends one block of columns as one INSERT. token names it for servers that can tell a repeated insert.
func (s *shard) insert(ctx context.Context, within time.Duration, sql, token string, columns ...any) error {
	return s.insertBlock(ctx, within, sql, token, func(block driver.Batch) error {
		for i, column := range columns {
			if err := block.Column(i).Append(column); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertBlock sends as one INSERT what fill puts into the block.
func (s *shard) insertBlock(ctx context.Context, within time.Duration, sql, token string, fill func(driver.Batch) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	sending, done := patient(ctx, within)
	defer done()
	if token != "" && s.version.Major >= 22 {
		sending = ch.Context(sending, ch.WithSettings(ch.Settings{"insert_deduplication_token": token}))
	}
	err := send(sending, s.conn, sql, fill)
	s.done(ctx, err)
	return s.wrap(ctx, err)
}

// patient is a context that ends when ctx does or after within; once done is called, only after within. The driver's
// Send watches its context in a goroutine of its own, and where the context ends just after Send returned, that goroutine may still
// close the connection, which by then is another question's (clickhouse-go v2.50, contextWatchdog).
func patient(ctx context.Context, within time.Duration) (sending context.Context, done func()) {
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	leave := context.AfterFunc(ctx, cancel)
	return sending, func() { leave() }
}

func send(ctx context.Context, conn driver.Conn, sql string, fill func(driver.Batch) error) error {
	batch, err := conn.PrepareBatch(ctx, sql)
	if stale(err) && ctx.Err() == nil { // nothing was sent yet but the statement
		batch, err = conn.PrepareBatch(ctx, sql)
	}
	if err != nil {
		return err
	}
	defer batch.Close()
	if err := fill(batch); err != nil {
		return err
	}
	return batch.Send()
}
