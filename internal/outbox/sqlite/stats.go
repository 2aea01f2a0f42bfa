package sqlite

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Stats counts the recipients, and describes workers, pauses and disk space.
func (s *sqliteStore) Stats(ctx context.Context) (queue.Stats, error) {
	now := s.now()
	var stats queue.Stats
	err := s.readTx(ctx, func(c *dbConn) (err error) {
		if stats.Accounts, err = readAccounts(ctx, c, now); err != nil {
			return err
		}
		err = c.query(ctx, func(r resultRow) error {
			stats.Workers = append(stats.Workers, queue.WorkerStats{
				Worker: queue.Worker{Owner: r.text(0), Host: r.text(1), PID: int(r.int(2))},
				Since:  r.timeAt(3), For: time.Duration(r.int(4)) * time.Microsecond,
			})
			return nil
		}, "SELECT owner, host, pid, since, CASE WHEN "+lapsedNow+" THEN 0 WHEN boot = '' THEN until - ?3 ELSE ends - ?2 END FROM worker WHERE gone = 0 ORDER BY owner",
			s.leaseArgs(now)...)
		if err != nil {
			return err
		}
		if stats.Copied, err = s.isCopy(c); err != nil {
			return err
		}
		at, err := newestTime(c)
		if err != nil {
			return err
		}
		stats.Ahead = outbox.ClockAhead(fromMicros(at), fromMicros(now))
		return c.query(ctx, func(r resultRow) error { stats.Oldest = r.timeAt(0); return nil },
			"SELECT created FROM message WHERE id = (SELECT min(id) FROM delivery WHERE waits IS NOT NULL) >> 17")
	})
	if err != nil {
		return queue.Stats{}, err
	}
	stats.Free = s.harness.free(s.path)
	stats.Bytes, err = s.diskSize()
	return stats, err
}

func readAccounts(ctx context.Context, c *dbConn, now int64) (accounts []queue.AccountStats, err error) {
	err = c.query(ctx, func(r resultRow) error {
		name := r.text(0)
		left := pauseLeft(r.int(1), now)
		if r.isNull(3) && left == 0 {
			return nil
		}
		if len(accounts) == 0 || accounts[len(accounts)-1].Account != name {
			a := queue.AccountStats{Account: name, Count: map[queue.State]int{}}
			if a.PausedFor = left; left > 0 {
				a.PauseAnswer = decodeAnswer(r.text(2))
			}
			accounts = append(accounts, a)
		}
		if n := r.int(4); n > 0 {
			accounts[len(accounts)-1].Count[queue.State(r.text(3))] = int(n)
		}
		return nil
	}, `SELECT a.name, a.paused, a.answer, t.word, t.n FROM account a LEFT JOIN tally t ON t.account = a.id AND t.n > 0
		ORDER BY a.name`)
	return accounts, err
}

// diskSize returns the size of the outbox on the disk.
func (s *sqliteStore) diskSize() (sum int64, err error) {
	for _, name := range []string{s.path, s.path + "-wal"} {
		there, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += there.Size()
	}
	entries, err := os.ReadDir(s.spoolFolder())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil { // it may have been removed meanwhile
			sum += info.Size()
		}
	}
	return sum, nil
}
