package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
)

// A server that crashes reuses the numbers of lost transactions. So a committed number proves
// nothing without the note, and a number that was never used belongs to a lost transaction.
func TestFate(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	s, err := OpenWith(t.Context(), url, outbox.Options{}, TestSettings{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	begin := func(note byte) (xid string, id pgtype.UUID) {
		id = pgtype.UUID{Valid: true, Bytes: [16]byte{note}}
		if _, err := conn.Exec(t.Context(), "begin"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "insert into yan.note (note) values ($1)", id); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), "select pg_current_xact_id()::text").Scan(&xid); err != nil {
			t.Fatal(err)
		}
		return xid, id
	}
	expect := func(what, xid string, note pgtype.UUID, over, kept bool) {
		t.Helper()
		o, k, err := s.askFate(t.Context(), xid, note)
		if o != over || k != kept || err != nil {
			t.Errorf("%s: over %v, kept %v, %v; want %v, %v", what, o, k, err, over, kept)
		}
	}
	end := func(how string) {
		if _, err := conn.Exec(t.Context(), how); err != nil {
			t.Fatal(err)
		}
	}
	xid, note := begin(1)
	expect("open", xid, note, false, false)
	end("commit")
	expect("committed", xid, note, true, true)
	expect("another's number", xid, pgtype.UUID{Valid: true, Bytes: [16]byte{9}}, true, false)
	xid, note = begin(2)
	end("rollback")
	expect("rolled back", xid, note, true, false)
	expect("of the future", "4000000000", note, true, false)
}

// Without the note the number of a lost transaction could be mistaken for another's.
func TestNumbersComeAgain(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{})
	url := server.Database(t)
	draw := func() (xid string) {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "begin"); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), "select pg_current_xact_id()::text").Scan(&xid); err != nil {
			t.Fatal(err)
		}
		return xid // it stays open until the server is killed
	}
	again := false
	for range 5 {
		first := draw()
		server.Kill(t)
		server.Restart(t)
		again = again || draw() == first
		server.Kill(t)
		server.Restart(t)
	}
	if !again {
		t.Error("no number was reused in 5 crashes: if servers no longer do that, the notes are not needed")
	}
}

func TestCursorsAreRead(t *testing.T) {
	t.Parallel()
	m := snapshotMark{snapshot: "10:12:10,11", next: "14", top: 5}
	for _, c := range []eventCursor{{}, {seen: m}, {to: m, last: 3}, {seen: m, to: m, last: 9}} {
		got, err := parseCursor(c.toCursor())
		if err != nil || got != c {
			t.Errorf("%q was read as %+v, %v", c.toCursor(), got, err)
		}
	}
	for _, bad := range []queue.Cursor{"now", "//", "//x", "1:2/", "1:2::3:x//0", "1:2:';:3:4//0", "/1:2:3/0", "a/b/c"} {
		if c, err := parseCursor(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, c)
		}
	}
}
