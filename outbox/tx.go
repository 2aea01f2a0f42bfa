package outbox

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Tx is a transaction of the caller, made by [SQL] or [Pgx]. It must be a transaction of the same
// SQLite file or PostgreSQL database as the outbox, with the right to write to the outbox's tables.
// The caller begins it and commits or rolls it back.
type Tx interface {
	// Exec runs a statement.
	Exec(ctx context.Context, statement string, args ...any) error
	// QueryRow scans one row; found is false if there is none.
	QueryRow(ctx context.Context, statement string, args []any, into ...any) (found bool, err error)
}

// SQL returns a Tx for a transaction of package database/sql. For SQLite, open the database so
// that its transactions take the write lock when they begin, and wait for it while other
// programs write, such as [Outbox.Deliver]. modernc.org/sqlite needs both of these parameters:
//
//	sql.Open("sqlite", "file:shop.db?_txlock=immediate&_pragma=busy_timeout(10000)")
//
// Without busy_timeout a transaction fails at once with SQLITE_BUSY ("database is
// locked") whenever another program is writing.
func SQL(tx *sql.Tx) Tx { return sqlTx{tx} }

type sqlTx struct{ tx *sql.Tx }

func (t sqlTx) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := t.tx.ExecContext(ctx, statement, args...)
	return err
}

func (t sqlTx) QueryRow(ctx context.Context, statement string, args []any, into ...any) (found bool, err error) {
	err = t.tx.QueryRowContext(ctx, statement, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Pgx returns a Tx for a transaction of package pgx, version 5.
func Pgx(tx pgx.Tx) Tx { return pgxTx{tx} }

type pgxTx struct{ tx pgx.Tx }

func (t pgxTx) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := t.tx.Exec(ctx, statement, args...)
	return err
}

func (t pgxTx) QueryRow(ctx context.Context, statement string, args []any, into ...any) (found bool, err error) {
	err = t.tx.QueryRow(ctx, statement, args...).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
