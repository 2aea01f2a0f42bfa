//go:build unix

package postgres_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/internal/testing/pgtest"
)

// With a pooler that gives each transaction another connection the outbox works the same, and
// waiting workers are woken. The test uses PgBouncer, if it is installed; the interoperability
// tests install it.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{Careless: true})
	at := startBouncer(t, server)
	clock := outboxtest.NewClock().Single()
	url := at(server.Database(t))
	o, settings := outbox.Options{Now: clock.Now, InlineBytes: 1000}, postgres.TestSettings{Careless: true}
	store, other := openStore(t, url, o, settings), openStore(t, url, o, settings)
	outboxtest.Random(t, 1, 150, store, clock)
	woken := other.Wake()
	select {
	case <-woken:
	case <-time.After(time.Minute):
		t.Error("no waiter was woken")
	}
}

// startBouncer runs PgBouncer, and returns a function that converts a URL of the server to one
// through it.
func startBouncer(t *testing.T, server *pgtest.Server) (behind func(string) string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; exec.Command(program, "--version").Run() != nil {
			t.Skip("PgBouncer is not installed")
		}
	}
	direct, err := url.Parse(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	folder := t.TempDir()
	password, _ := direct.User.Password()
	config := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = plain
auth_file = %s
pool_mode = transaction
default_pool_size = 4
max_client_conn = 2000
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits
`, direct.Hostname(), direct.Port(), port, filepath.Join(folder, "users"))
	users := fmt.Sprintf("\"%s\" \"%s\"\n", direct.User.Username(), strings.ReplaceAll(password, `"`, `""`))
	for name, text := range map[string]string{"config": config, "users": users} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(program, filepath.Join(folder, "config"))
	if os.Geteuid() == 0 { // PgBouncer does not run as root
		asNobody(t, command, folder)
	}
	output, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(output.Name())
			t.Logf("PgBouncer: %s", text[max(0, len(text)-3000):])
		}
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(time.Minute); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return func(to string) string {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		u.Host = address
		return u.String()
	}
}

// asNobody makes a program run as another user, who may read a folder.
func asNobody(t *testing.T, command *exec.Cmd, folder string) {
	t.Helper()
	other, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	uid, _ := strconv.Atoi(other.Uid)
	gid, _ := strconv.Atoi(other.Gid)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	for dir := folder; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"config", "users"} {
		if err := os.Chown(filepath.Join(folder, name), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
}
