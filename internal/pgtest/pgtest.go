// Package pgtest runs a PostgreSQL server for tests: a real one, on 127.0.0.1, in
// a temporary folder, ended with the process that started it.
//
// A package whose tests need one says so in its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// [Start] then gives a test the server that all tests of the package share, and
// [Server.Database] a database of its own there. A test that stops or kills the
// server takes one for itself from [Own].
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds every wait for the server: much longer than any takes.
const patience = 2 * time.Minute

// The superuser. The password holds what URLs stumble over.
const (
	superuser = "yan"
	password  = "p%40ss: /word?"
)

// Options say how a server is run. The zero value is how a user's is run.
type Options struct {
	// Careless switches fsync off: a test that is not about crashes is faster so.
	Careless bool
	// Settings are of postgresql.conf, each like "log_statement=all".
	Settings []string
}

// shared is the server of the package's tests, and why there is none.
var shared struct {
	sync.Mutex
	main    bool
	server  *Server
	err     error
	skipped error
}

// Main runs the tests of a package, and ends the server that they shared.
func Main(m *testing.M) int {
	shared.Lock()
	shared.main = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.remove()
	}
	return code
}

// Start gives the server that the tests of a package share, which need not be
// stopped. Where the programs are missing the test is skipped, or with CI=true
// failed.
func Start(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.main {
		t.Fatal("pgtest.Start: the package's TestMain has to call pgtest.Main")
	}
	if shared.server == nil && shared.err == nil && shared.skipped == nil {
		shared.server, shared.skipped, shared.err = launch(Options{})
	}
	judge(t, shared.skipped, shared.err)
	return shared.server
}

// Own gives a server that only this test has. It ends with the test.
func Own(t testing.TB, o Options) *Server {
	t.Helper()
	s, skipped, err := launch(o)
	judge(t, skipped, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's log ends so:\n%s", s.tail())
		}
		s.remove()
	})
	return s
}

func judge(t testing.TB, skipped, err error) {
	t.Helper()
	switch {
	case err != nil:
		t.Fatal(err)
	case skipped != nil && os.Getenv("CI") == "true":
		t.Fatal(skipped)
	case skipped != nil:
		t.Skip(skipped)
	}
}

// Database makes a database that is empty and only this test's, and returns its
// URL. It stays until the server ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.Exec(t, "create database "+name)
	return s.URL(name)
}

// Exec runs a statement as the superuser, in the database postgres.
func (s *Server) Exec(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// URL is that of a database, with the superuser and the password.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: fmt.Sprintf("127.0.0.1:%d", s.port), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Password is the superuser's: it has to be in no error.
func (s *Server) Password() string { return password }
