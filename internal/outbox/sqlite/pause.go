package sqlite

import (
	"context"
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

// Pause stops claims of an account for a time. It does not shorten a longer pause.
func (s *sqliteStore) Pause(ctx context.Context, p outbox.Pause) (began bool, err error) {
	answer, err := encodeAnswer(p.Answer)
	if err != nil {
		return false, err
	}
	err = s.writeTx(ctx, func(t *txn) error {
		began = false
		account, err := t.makeAccount(p.Account)
		if err != nil {
			return err
		}
		paused, _, err := t.queryNumber("SELECT paused FROM account WHERE id = ?", account)
		if err != nil {
			return err
		}
		pause, left := min(p.For, outbox.LongestPause), pauseLeft(paused, t.now)
		if pause <= left {
			return nil
		}
		until := t.now + durationMicros(pause)
		began = left == 0
		_, err = t.exec("UPDATE account SET paused = ?, answer = ? WHERE id = ?", until, answer, account)
		return err
	})
	return began && err == nil, err
}

// Resume ends the pause of an account.
func (s *sqliteStore) Resume(ctx context.Context, account string) error {
	return s.writeTx(ctx, func(t *txn) error {
		id, found, err := t.findAccount(account)
		if err != nil || !found {
			return err
		}
		t.wake = true
		_, err = t.exec("UPDATE account SET paused = ?, answer = '' WHERE id = ?", outbox.ResumedAt(fromMicros(t.now)).UnixMicro(), id)
		return err
	})
}

// Due returns when a claim is worthwhile for each account.
func (s *sqliteStore) Due(ctx context.Context) ([]outbox.Due, error) {
	var list []outbox.Due
	now := s.now()
	err := s.readTx(ctx, func(c *dbConn) error {
		return c.query(ctx, func(r resultRow) error {
			if !r.isNull(2) {
				in := time.Duration(max(r.int(2)-now, 0)) * time.Microsecond
				list = append(list, outbox.Due{Account: r.text(0), In: max(in, pauseLeft(r.int(1), now)), Resumed: outbox.ResumedOf(fromMicros(r.int(1)))})
			}
			return nil
		}, `SELECT a.name, a.paused,
			(SELECT min(first) FROM (SELECT (SELECT min(d.waits) FROM delivery d
				WHERE d.account = a.id AND d.priority = p.column1 AND d.waits < 2305843009213693952) AS first FROM (VALUES (1), (0), (-1)) p
				UNION ALL SELECT (SELECT min(d.waits) - 2305843009213693952 FROM delivery d
				WHERE d.account = a.id AND d.priority = p.column1 AND d.waits >= 2305843009213693952) FROM (VALUES (1), (0), (-1)) p))
			FROM account a ORDER BY a.name`)
	})
	return list, err
}
