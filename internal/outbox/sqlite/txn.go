package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// txn is one write transaction. Counters that many operations change are collected and written
// once, before the commit.
type txn struct {
	*dbConn
	s   *sqliteStore
	now int64

	tally    map[tallyKey]int64
	given    map[string]int64 // the last numbers used
	accounts map[string]int64 // created in this transaction
	open     map[int64]int64  // change of the number of a message's recipients that are not final
	wake     bool
}

type tallyKey struct {
	account int64
	word    string
}

// Counters of used numbers, in the table tally.
const (
	messageNumber = "message"
	eventNumber   = "event"
	wakeNumber    = "wake"
)

func (s *sqliteStore) beginTx() (*txn, error) {
	if err := s.checkUsable(context.Background()); err != nil {
		return nil, err
	}
	if err := s.retryBusy(func() error { _, err := s.writer.exec("BEGIN IMMEDIATE"); return err }); err != nil {
		return nil, s.classifyError(err)
	}
	s.harness.Hook(begun)
	return &txn{
		dbConn: s.writer, s: s, now: s.now(),
		tally: map[tallyKey]int64{}, given: map[string]int64{}, accounts: map[string]int64{}, open: map[int64]int64{},
	}, nil
}

func (s *sqliteStore) commitTx(t *txn) error {
	err := t.flushChanges()
	if err != nil {
		s.rollbackTx(t)
		return s.classifyError(err)
	}
	s.harness.Hook(beforeCommit)
	if _, err = t.exec("COMMIT"); err != nil {
		s.rollbackTx(t)
		return s.uncertainError(err)
	}
	s.harness.Hook(afterCommit)
	if err := s.checkDurable(); err != nil {
		return err
	}
	for name, id := range t.accounts {
		s.accounts.Store(name, id)
	}
	if t.wake {
		s.waker.wakeAll()
	}
	return nil
}

// uncertainError classifies an error of a commit: after an error of the disk, the next process that
// opens the outbox may find the changes, or not.
func (s *sqliteStore) uncertainError(err error) error {
	judged := s.classifyError(err)
	if errors.Is(judged, queue.ErrBroken) {
		return localerr.Errorf("%w: %w", queue.ErrUncertain, judged)
	}
	return judged
}

// checkDurable checks that committed changes are durable: the name of a new log is synced, and the
// files are still in place.
func (s *sqliteStore) checkDurable() error {
	if s.madeLog {
		// SQLite syncs the folder as well, but ignores the error.
		if err := s.harness.sync(filepath.Dir(s.path)); err != nil {
			broken := localerr.Errorf("%w: %w", queue.ErrBroken, err)
			s.broken.CompareAndSwap(nil, &broken)
			return s.uncertainError(*s.broken.Load())
		}
		s.madeLog = false
	}
	if err := s.checkInPlace(); err != nil {
		return s.uncertainError(err)
	}
	return nil
}

func (s *sqliteStore) rollbackTx(t *txn) {
	_, _ = t.dbConn.exec("ROLLBACK") // after some errors SQLite has done so itself
}

// exec is dbConn.exec with the faults of tests.
func (t *txn) exec(sql string, args ...any) (int64, error) {
	if err := t.s.harness.fault(sql); err != nil {
		return 0, err
	}
	if lose := t.s.harness.LoseCommit; lose != nil && sql == "COMMIT" {
		if lost, kept := lose(); lost {
			if !kept {
				return 0, syscall.EIO
			}
			_, err := t.dbConn.exec(sql)
			return 0, errors.Join(syscall.EIO, err)
		}
	}
	return t.dbConn.exec(sql, args...)
}

// queryRows runs a query.
func (t *txn) queryRows(each func(resultRow) error, sql string, args ...any) error {
	if err := t.s.harness.fault(sql); err != nil {
		return err
	}
	return t.query(context.Background(), each, sql, args...)
}

// addCount changes the number of an account's recipients in a state.
func (t *txn) addCount(account int64, word string, n int64) error {
	t.tally[tallyKey{account, word}] += n
	return nil
}

// nextNumber returns the next number of a sequence.
func (t *txn) nextNumber(word string) (int64, error) {
	last, known := t.given[word]
	if !known {
		var err error
		if last, _, err = t.queryNumber("SELECT n FROM tally WHERE account = 0 AND word = ?", word); err != nil {
			return 0, err
		}
	}
	t.given[word] = last + 1
	t.tally[tallyKey{0, word}]++
	return last + 1, nil
}

// flushChanges writes the collected changes.
func (t *txn) flushChanges() error {
	if err := t.flushOpen(); err != nil {
		return err
	}
	if t.wake {
		t.tally[tallyKey{0, wakeNumber}]++
	}
	maps.DeleteFunc(t.tally, func(_ tallyKey, n int64) bool { return n == 0 })
	for some := range slices.Chunk(slices.Collect(maps.Keys(t.tally)), 16) {
		args := make([]any, 0, 3*len(some))
		for _, c := range some {
			args = append(args, c.account, c.word, t.tally[c])
		}
		if _, err := t.exec(tallySQL(len(some)), args...); err != nil {
			return err
		}
	}
	clear(t.tally)
	return nil
}

func tallySQL(rows int) string {
	return "INSERT INTO tally (account, word, n) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", rows-1) +
		" ON CONFLICT DO UPDATE SET n = n + excluded.n"
}

// flushOpen records which messages have only final recipients: Prune removes them later.
func (t *txn) flushOpen() error {
	for message, n := range t.open {
		if n == 0 {
			continue
		}
		_, err := t.exec(`UPDATE message SET open = open + ?1, stage = (open + ?1 = 0), ended = CASE WHEN open + ?1 = 0 THEN
			max(created, (SELECT max(updated) FROM delivery WHERE id >= ?2 << 17 AND id < (?2 + 1) << 17)) END WHERE id = ?2`, n, message)
		if err != nil {
			return err
		}
	}
	clear(t.open)
	return nil
}

// findWorker returns the row of an owner.
func (t *txn) findWorker(owner string) (id int64, found bool, err error) {
	return t.queryNumber("SELECT id FROM worker WHERE owner = ? AND gone = 0", owner)
}

// liveWorker returns the row of an owner whose lease has not ended.
func (t *txn) liveWorker(owner string) (id int64, err error) {
	id, found, err := t.queryNumber("SELECT id FROM worker WHERE owner = ?4 AND gone = 0 AND NOT "+lapsedNow, append(t.s.leaseArgs(t.now), owner)...)
	if err == nil && !found {
		err = markHarmless(outbox.ErrLapsed)
	}
	return id, err
}

// findAccount returns the number of an account; found is false if it never had messages or pauses.
func (t *txn) findAccount(name string) (id int64, found bool, err error) {
	if id, ok := t.accounts[name]; ok {
		return id, true, nil
	}
	if id, ok := t.s.accounts.Load(name); ok {
		return id.(int64), true, nil
	}
	id, found, err = t.queryNumber("SELECT id FROM account WHERE name = ?", name)
	if found {
		t.accounts[name] = id
	}
	return id, found, err
}

// makeAccount returns the number of an account, and creates a missing one.
func (t *txn) makeAccount(name string) (int64, error) {
	id, found, err := t.findAccount(name)
	if found || err != nil {
		return id, err
	}
	id, _, err = t.queryNumber("INSERT INTO account (name) VALUES (?) RETURNING id", name)
	if err == nil {
		t.accounts[name] = id
	}
	return id, err
}

// The id of a recipient is composed of the message's id and the place.
const placeBits = 17

func recipientID(message queue.ID, n int) int64 { return int64(message)<<placeBits | int64(n) }

func messageOf(recipient int64) (queue.ID, int) {
	return queue.ID(recipient >> placeBits), int(recipient & (1<<placeBits - 1))
}

// newEvent is an event to insert.
type newEvent struct {
	recipient int64
	account   int64
	kind      queue.EventKind
	state     queue.State
	attempt   int64
	due       int64
	answer    string
}

const insertEvent = `INSERT INTO event (id, message, n, account, kind, state, at, attempt, due, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func (t *txn) addEvent(e newEvent) error {
	id, err := t.nextNumber(eventNumber)
	if err != nil {
		return err
	}
	message, n := messageOf(e.recipient)
	if _, err = t.exec(insertEvent, id, message, n, e.account, e.kind, e.state, t.now, e.attempt, e.due, e.answer); err != nil {
		return fmt.Errorf("keeping what happened: %w", err)
	}
	return nil
}
