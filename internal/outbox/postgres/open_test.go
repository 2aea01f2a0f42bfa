package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
)

// runStatements runs statements without the store.
func runStatements(t *testing.T, at string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// countRows returns the number that a query selects.
func countRows(t *testing.T, at, query string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	good := server.Database(t)
	change := func(do func(u *url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		do(u)
		return u.String()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	listener.Close()
	careless := pgtest.Own(t, pgtest.Options{Careless: true})
	hasty := server.Database(t)
	runStatements(t, hasty, "alter database "+hasty[strings.LastIndex(hasty, "/")+1:strings.Index(hasty, "?")]+" set synchronous_commit = off")
	newer := server.Database(t)
	openStore(t, newer, outbox.Options{}, postgres.TestSettings{})
	runStatements(t, newer, "update yan.version set version = 99")
	poor := server.Database(t)
	runStatements(t, poor, "create role poor_"+poor[len(poor)-20:len(poor)-16]+" login password 'poor'")
	for what, test := range map[string]struct {
		url  string
		says []string
	}{
		"password":    {change(func(u *url.URL) { u.User = url.UserPassword("yan", "geheim77") }), []string{"127.0.0.1", "test_", "refuses this user"}},
		"user":        {change(func(u *url.URL) { u.User = url.UserPassword("nobody", "geheim77") }), []string{"127.0.0.1", "refuses this user"}},
		"database":    {change(func(u *url.URL) { u.Path = "/nowhere" }), []string{"127.0.0.1", "/nowhere", "no such database"}},
		"unreachable": {change(func(u *url.URL) { u.Host = nobody }), []string{nobody, "test_", "can't reach"}},
		"no URL":      {"postgres://yan:geheim77@host:x/database", []string{"is not the URL"}},
		"fsync":       {careless.Database(t), []string{"fsync=off", "test_"}},
		"commit":      {hasty, []string{"synchronous_commit=off", "test_"}},
		"newer":       {newer, []string{"version 99"}},
		"no right": {change(func(u *url.URL) {
			u.User, u.Path = url.UserPassword("poor_"+poor[len(poor)-20:len(poor)-16], "poor"), poor[strings.LastIndex(poor, "/"):strings.Index(poor, "?")]
		}), []string{"can't create the schema"}},
	} {
		s, err := postgres.Open(t.Context(), test.url, outbox.Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s: it was opened", what)
			continue
		}
		for _, want := range test.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", what, err, want)
			}
		}
		for _, secret := range []string{"geheim77", server.Password(), url.QueryEscape(server.Password()), url.PathEscape(server.Password())} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the password is in %q", what, err)
			}
		}
		if newer := new(queue.NewerError); errors.As(err, &newer) != (what == "newer") {
			t.Errorf("%s: %#v", what, err)
		}
	}
}

// Every session commits synchronously, whatever its options are.
func TestSessionsAreSynchronous(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	s := openStore(t, at+"&options=-csynchronous_commit%3Dlocal", outbox.Options{}, postgres.TestSettings{})
	runStatements(t, at, `create function yan.look() returns trigger language plpgsql as $$
		begin
			if current_setting('synchronous_commit') <> 'on' then raise 'synchronous_commit is %', current_setting('synchronous_commit'); end if;
			return new;
		end $$`, "create trigger look before insert on yan.message for each row execute function yan.look()")
	if _, err := s.Enqueue(t.Context(), testMessage(t, 100)); err != nil {
		t.Error(err)
	}
}

// The error of one operation does not affect the others, and a full disk is reported as
// ErrFull.
func TestErrorsOfOne(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	s := openStore(t, at, outbox.Options{}, postgres.TestSettings{})
	runStatements(t, at, `create function yan.refuse() returns trigger language plpgsql as $$
		begin
			if new.account = 'bad' then raise 'not this one'; end if;
			if new.account = 'full' then raise 'no space left on device' using errcode = '53100'; end if;
			return new;
		end $$`, "create trigger refuse before insert on yan.message for each row execute function yan.refuse()")
	errs := make([]error, 64)
	runEach(len(errs), func(i int) {
		m := testMessage(t, 100)
		if i == 7 {
			m.Account = "bad"
		}
		_, errs[i] = s.Enqueue(t.Context(), m)
	})
	for i, err := range errs {
		if (err != nil) != (i == 7) {
			t.Errorf("%d: %v", i, err)
		}
	}
	full := testMessage(t, 100)
	full.Account = "full"
	if _, err := s.Enqueue(t.Context(), full); !errors.Is(err, queue.ErrFull) {
		t.Errorf("full: %v", err)
	}
	if _, err := s.Enqueue(t.Context(), testMessage(t, 100)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if n := countRows(t, at, "select count(*) from yan.message"); n != 64 {
		t.Errorf("%d messages were kept, want 64", n)
	}
}

// A body that an open transaction uses is not pruned.
func TestLargeBodyIsKeptForWhoFoundIt(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	s := openStore(t, at, outbox.Options{}, postgres.TestSettings{})
	if _, err := s.Enqueue(t.Context(), testMessage(t, 1<<20)); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.EnqueueIn(t.Context(), pgxCallerTx{tx}, testMessage(t, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(t.Context(), outbox.Change{Verb: queue.Cancel}); err != nil {
		t.Fatal(err)
	}
	if pruned, err := s.Prune(t.Context(), outbox.Retention{}); err != nil || pruned.Messages != 1 {
		t.Fatalf("pruned %+v, %v", pruned, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	body, err := s.Body(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if n, err := io.Copy(io.Discard, body); err != nil || n != 1<<20 {
		t.Errorf("read %d octets, %v", n, err)
	}
}

// Large bodies with the same content are kept once, until no message has them.
func TestLargeBodiesAreShared(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	s := openStore(t, at, outbox.Options{}, postgres.TestSettings{})
	const pieces = 3
	ids := make([]queue.ID, 4)
	runEach(len(ids), func(i int) {
		m := testMessage(t, pieces<<18)
		m.Account = []string{"a", "b"}[i%2]
		r, err := s.Enqueue(t.Context(), m)
		if err != nil {
			t.Error(err)
		}
		ids[i] = r.ID
	})
	forget := func(account string) {
		t.Helper()
		if _, err := s.Change(t.Context(), outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{Account: account}}); err != nil {
			t.Fatal(err)
		}
		if pruned, err := s.Prune(t.Context(), outbox.Retention{}); err != nil || pruned.Messages != 2 {
			t.Fatalf("pruned %+v, %v", pruned, err)
		}
	}
	if blobs, chunks := countRows(t, at, "select count(*) from yan.blob"), countRows(t, at, "select count(*) from yan.chunk"); blobs != 1 || chunks != pieces {
		t.Errorf("%d bodies in %d pieces, want 1 in %d", blobs, chunks, pieces)
	}
	forget("a")
	body, err := s.Body(t.Context(), ids[1])
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	forget("b")
	if n := countRows(t, at, "select (select count(*) from yan.blob) + (select count(*) from yan.chunk)"); n != 0 {
		t.Errorf("%d rows are left of it", n)
	}
}
