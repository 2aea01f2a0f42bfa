package sqlite

import (
	"context"
	"fmt"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/group"
)

// harmless marks an error of an operation that changed nothing.
func harmless(err error) error {
	if err == nil {
		return nil
	}
	return group.Harmless(err)
}

func (t *txn) put(sql string, args ...any) error {
	_, err := t.exec(sql, args...)
	return err
}

func (t *txn) ask(sql string, args []any, into ...any) (found bool, err error) {
	err = t.each(func(r row) error {
		found = true
		return scan(r, into)
	}, sql, args...)
	return found, err
}

func scan(r row, into []any) error {
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

func (t *txn) woken() error { t.wake = true; return nil }

// foreign is a transaction of the caller, on a connection of the caller. Changes are not
// collected until the commit, because the store does not know when it is.
type foreign struct {
	ctx context.Context
	tx  outbox.Tx
}

func (f *foreign) put(sql string, args ...any) error { return f.tx.Exec(f.ctx, sql, args...) }

func (f *foreign) ask(sql string, args []any, into ...any) (bool, error) {
	return f.tx.QueryRow(f.ctx, sql, args, into...)
}

func (f *foreign) count(account int64, word string, n int64) error {
	return f.put(tallying(1), account, word, n)
}

func (f *foreign) next(word string) (n int64, err error) {
	_, err = f.ask(tallying(1)+" RETURNING n", []any{int64(0), word, int64(1)}, &n)
	return n, err
}

func (f *foreign) makeAccount(name string) (id int64, err error) {
	// The write comes first, even if the account exists: rows read after it can't be changed
	// by other programs before the commit.
	_, err = f.ask("INSERT INTO account (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
		[]any{name}, &id)
	return id, err
}

func (f *foreign) woken() error { return f.count(0, wakeNumber, 1) }

var (
	_ ledger = (*txn)(nil)
	_ ledger = (*foreign)(nil)
)
