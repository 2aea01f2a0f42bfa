package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// An outbox of version 1 is migrated with its messages: due ones stay due, dates stay dates,
// and an expiry that the sender chose stays firm.
func TestVersion1IsBroughtUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	script, err := schema.ReadFile("schema/0001.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := createFile(path); err != nil {
		t.Fatal(err)
	}
	c, err := openDriverConn(dsn(path, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	hour, life := time.Hour.Microseconds(), outbox.Lifetime.Microseconds()
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := c.exec(sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(string(script))
	run(fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	run("PRAGMA user_version = 1")
	run("INSERT INTO account (id, name) VALUES (1, 'work')")
	row := func(id int64, state string, created, notBefore, due, expires int64) {
		run(`INSERT INTO message (id, account, key, sender, dsn, message_id, subject, size, form, created, not_before, expires, priority,
			tags, report_on, recipients, body, open, stage, event) VALUES (?, 1, '', 'a@example.org', '', '', '', 1, 0, ?, ?, ?, 0, '', 0, 1, 1, 1, 0, ?)`,
			id, created, notBefore, expires, id)
		run("INSERT INTO body (message, data) VALUES (?, ?)", id, []byte("x"))
		run(`INSERT INTO delivery (id, account, priority, state, due, waits, expires, updated, address) VALUES (?, 1, 0, ?, ?, ?, ?, ?, 'b@example.org')`,
			recipientID(queue.ID(id), 0), state, due, due, expires, created)
	}
	at := now.UnixMicro()
	old := at - 10*life
	row(1, "queued", old, 0, old, old+life)                    // due for a long time
	row(2, "queued", at, at+9*hour, at+9*hour, at+9*hour+life) // has a date
	row(3, "deferred", old, 0, at+hour, old+life)              // was tried, and has expired
	row(4, "queued", old, 0, old, old+hour)                    // had an expiry
	row(5, "queued", at+900*life, 0, at+900*life, at+901*life) // enqueued in the future
	run("INSERT INTO tally VALUES (1, 'queued', 4), (1, 'deferred', 1), (0, 'message', 5), (0, 'event', 5)")
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, path, outbox.Options{Now: func() time.Time { return now }, MinFree: -1}, Harness{})
	ctx := context.Background()
	swept, err := s.Sweep(ctx)
	if err != nil || swept.Expired != 2 {
		t.Errorf("%+v, %v", swept, err)
	}
	mustJoin(t, s, "w")
	batch, err := s.Claim(ctx, outbox.Claim{Owner: "w", Account: "work", Recipients: 10})
	if err != nil {
		t.Fatal(err)
	}
	var ids []queue.ID
	for _, item := range batch.Items {
		ids = append(ids, item.ID)
	}
	if !slices.Equal(ids, []queue.ID{1, 5}) {
		t.Errorf("claimed %v", ids)
	}
	due, err := s.Due(ctx)
	if err != nil || len(due) != 1 || due[0].In != 9*time.Hour {
		t.Errorf("%+v, %v", due, err)
	}
}

// Numbers in SQL statements equal the constants in Go.
func TestNumbersInStatements(t *testing.T) {
	t.Parallel()
	for text, n := range map[string]int64{
		dueQuery:     datesFrom,
		putOffTooFar: outbox.LongestPause.Microseconds(),
		lapsedNow:    outbox.LongestLease.Microseconds(),
	} {
		if !strings.Contains(text, fmt.Sprint(n)) {
			t.Errorf("%d is not in %s", n, text)
		}
	}
	script, err := schema.ReadFile("schema/0002.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{-soonBefore, datesFrom, outbox.Lifetime.Microseconds()} {
		if !strings.Contains(string(script), fmt.Sprint(n)) {
			t.Errorf("%d is not in the schema", n)
		}
	}
}
