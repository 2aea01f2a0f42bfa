package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	driven "modernc.org/sqlite"

	"github.com/yanmail/yan/queue"
)

// dbConn is a connection for one goroutine at a time. It uses the driver without package
// database/sql, whose pool and conversions cost more than the statements of a claim.
type dbConn struct {
	driver   driver.Conn
	prepared map[string]statement
	args     []driver.NamedValue
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// resultRow is one row of a result, valid until the next.
type resultRow []driver.Value

func (r resultRow) int(i int) int64        { n, _ := r[i].(int64); return n }
func (r resultRow) text(i int) string      { s, _ := r[i].(string); return s }
func (r resultRow) blob(i int) []byte      { b, _ := r[i].([]byte); return b }
func (r resultRow) isTrue(i int) bool      { return r.int(i) != 0 }
func (r resultRow) isNull(i int) bool      { return r[i] == nil }
func (r resultRow) timeAt(i int) time.Time { return fromMicros(r.int(i)) }

// toMicros converts a time to the database's format, microseconds; fromMicros converts it back.
func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func openDriverConn(dsn string) (*dbConn, error) {
	opened, err := (&driven.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &dbConn{driver: opened, prepared: map[string]statement{}}, nil
}

// exec executes a statement, keeps it prepared, and returns the number of rows it changed.
func (c *dbConn) exec(sql string, args ...any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), c.bindArgs(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query calls each for every row. An error of each ends the query and is returned, except
// errEnough, which only ends it. The same statement must not be used inside each.
func (c *dbConn) query(ctx context.Context, each func(resultRow) error, sql string, args ...any) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	return c.runQuery(ctx, s, each, args)
}

// queryOnce is query for a generated statement, which is not kept prepared.
func (c *dbConn) queryOnce(ctx context.Context, each func(resultRow) error, sql string, args ...any) (err error) {
	s, err := c.openStatement(sql)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return c.runQuery(ctx, s, each, args)
}

var errEnough = errors.New("enough")

func (c *dbConn) runQuery(ctx context.Context, s statement, each func(resultRow) error, args []any) (err error) {
	rows, err := s.QueryContext(ctx, c.bindArgs(args))
	if err != nil {
		return err
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	values := make(resultRow, len(rows.Columns()))
	for {
		switch err := rows.Next(values); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		switch err := each(values); {
		case err == errEnough:
			return nil
		case err != nil:
			return err
		}
	}
}

// queryNumber returns one number; found is false if there is no row.
func (c *dbConn) queryNumber(sql string, args ...any) (n int64, found bool, err error) {
	err = c.query(context.Background(), func(r resultRow) error { n, found = r.int(0), true; return nil }, sql, args...)
	return n, found, err
}

func (c *dbConn) prepare(sql string) (statement, error) {
	if s := c.prepared[sql]; s != nil {
		return s, nil
	}
	s, err := c.openStatement(sql)
	if err == nil {
		c.prepared[sql] = s
	}
	return s, err
}

func (c *dbConn) openStatement(sql string) (statement, error) {
	s, err := c.driver.Prepare(sql)
	if err != nil {
		return nil, err
	}
	return s.(statement), nil
}

func (c *dbConn) bindArgs(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, v := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: driverValue(v)})
	}
	return c.args
}

// driverValue converts v to a type that the driver accepts.
func driverValue(v any) driver.Value {
	switch v := v.(type) {
	case nil, int64, string, []byte, float64:
		return v
	case int:
		return int64(v)
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case queue.State:
		return string(v)
	case queue.EventKind:
		return string(v)
	case queue.ID:
		return int64(v)
	case queue.Priority:
		return int64(v)
	case time.Time:
		return toMicros(v)
	}
	panic(fmt.Sprintf("sqlite: a value of %T", v))
}

func (c *dbConn) close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.Close())
	}
	clear(c.prepared)
	return errors.Join(append(errs, c.driver.Close())...)
}
