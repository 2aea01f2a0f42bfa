package sqlite

import (
	"context"
	"fmt"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/group"
)

// markHarmless marks an error of an operation that changed nothing.
func markHarmless(err error) error {
	if err == nil {
		return nil
	}
	return group.Harmless(err)
}

func (t *txn) execute(sql string, args ...any) error {
	_, err := t.exec(sql, args...)
	return err
}

func (t *txn) queryRow(sql string, args []any, into ...any) (found bool, err error) {
	err = t.queryRows(func(r resultRow) error {
		found = true
		return scanInto(r, into)
	}, sql, args...)
	return found, err
}

func scanInto(r resultRow, into []any) error {
	for i, p := range into {
		switch p := p.(type) {
		case *int64:
			*p = r.int(i)
		case *[]byte:
			*p = r.blob(i)
		default:
			return fmt.Errorf("sqlite: a value into a %T", p)
		}
	}
	return nil
}

func (t *txn) noteWake() error { t.wake = true; return nil }

// callerTx is a transaction of the caller, on a connection of the caller. Changes are not
// collected until the commit, because the store does not know when it is.
type callerTx struct {
	ctx context.Context
	tx  outbox.CallerTx
}

func (f *callerTx) execute(sql string, args ...any) error { return f.tx.Exec(f.ctx, sql, args...) }

func (f *callerTx) queryRow(sql string, args []any, into ...any) (bool, error) {
	return f.tx.QueryRow(f.ctx, sql, args, into...)
}

func (f *callerTx) addCount(account int64, word string, n int64) error {
	return f.execute(tallySQL(1), account, word, n)
}

func (f *callerTx) nextNumber(word string) (n int64, err error) {
	_, err = f.queryRow(tallySQL(1)+" RETURNING n", []any{int64(0), word, int64(1)}, &n)
	return n, err
}

func (f *callerTx) makeAccount(name string) (id int64, err error) {
	// The write comes first, even if the account exists: rows read after it can't be changed
	// by other programs before the commit.
	_, err = f.queryRow("INSERT INTO account (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
		[]any{name}, &id)
	return id, err
}

func (f *callerTx) noteWake() error { return f.addCount(0, wakeNumber, 1) }

var (
	_ rowWriter = (*txn)(nil)
	_ rowWriter = (*callerTx)(nil)
)
