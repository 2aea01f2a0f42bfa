// Package pgtest runs a real PostgreSQL server for tests, on 127.0.0.1, in a
// temporary directory. It ends with the process that started it.
//
// A package whose tests need one calls Main in its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// [Start] then returns the server that all tests of the package share, and
// [Server.Database] a database for one test. A test that stops or kills the
// server starts its own with [Own].
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

// patience limits every wait for the server: much longer than any takes.
const patience = 2 * time.Minute

// The superuser. The password contains characters that are special in URLs.
const (
	superuser = "yan"
	password  = "p%40ss: /word?"
)

// Options configure a server. The zero value is the default configuration.
type Options struct {
	// Careless switches fsync off, which is faster in tests that are not about
	// crashes.
	Careless bool
	// Settings are lines of postgresql.conf, each like "log_statement=all".
	Settings []string
}

// shared is the server of the package's tests, or the reason why there is none.
var shared struct {
	sync.Mutex
	main    bool
	server  *Server
	err     error
	skipped error
}

// Main runs the tests of a package, and ends their shared server.
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

// Start returns the server that the tests of a package share; it need not be
// stopped. If the programs are missing the test is skipped, or with CI=true
// fails.
func Start(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.main {
		t.Fatal("pgtest.Start: the package's TestMain has to call pgtest.Main")
	}
	if shared.server == nil && shared.err == nil && shared.skipped == nil {
		shared.server, shared.skipped, shared.err = launchServer(Options{})
	}
	judge(t, shared.skipped, shared.err)
	return shared.server
}

// Own returns a server for this test only. It ends with the test.
func Own(t testing.TB, o Options) *Server {
	t.Helper()
	s, skipped, err := launchServer(o)
	judge(t, skipped, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", s.logTail())
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

// Database creates an empty database for this test and returns its URL. It
// stays until the server ends.
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

// URL returns the URL of a database, with the superuser and the password.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: fmt.Sprintf("127.0.0.1:%d", s.port), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Password returns the superuser's password, which no error may contain.
func (s *Server) Password() string { return password }
