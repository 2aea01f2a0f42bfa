//go:build interop && linux

package interop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
)

// machine is a Debian in namespaces of its own (callers/world.sh), on which yan
// is the sendmail and yan serve listens for SMTP. Its provider is a sandbox
// outside.
type machine struct {
	callers  string // the folder of callers/fetch.sh
	dir      string
	id       string // the process with the namespaces, as nsenter takes it
	provider *sandbox.Server
	address  string // of [listen.smtp]
	port     int    // its port
}

// machineConfig sends everything from one account, whose provider has no
// SMTPUTF8.
const machineConfig = `version = 1
[account.work]
from = "Work <work@example.com>"
server = "smtp+notls://%s"
auth = "none"
[local]
mia = "mia@example.org"
root = "root@example.org"
[submit]
account = "work"
[listen.smtp]
address = "%s"
local = ["work"]
`

// fetchedCallers fetches the programs once for all tests, and returns their folder.
var fetchedCallers = sync.OnceValues(func() (string, error) {
	folder, err := filepath.Abs(filepath.Join("..", ".cache", "interop", "callers"))
	if err != nil {
		return "", err
	}
	return fetch("the callers", filepath.Join("callers", "fetch.sh"), folder)
})

// fetchCallers returns the folder of the programs, or skips the test.
func fetchCallers(t *testing.T) string {
	t.Helper()
	folder, err := fetchedCallers()
	if reason, absent := isAbsent(err); absent {
		t.Skip(reason)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// startMachine starts a machine with yan serve.
func startMachine(t *testing.T) *machine {
	t.Helper()
	m := bootMachine(t)
	m.serve(t)
	return m
}

// bootMachine starts a machine, which ends with the test.
func bootMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{callers: fetchCallers(t)}
	// Not t.TempDir: other users read it.
	dir, err := os.MkdirTemp("", "yan-callers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m.dir = dir
	m.provider, err = sandbox.Start(sandbox.Config{Without: []string{"SMTPUTF8"}, AllowCleartextPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.provider.Close() })
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	m.port, m.address = ports[0], loopback(ports[0])
	m.prepare(t)
	m.boot(t)
	return m
}

// prepare fills the folder: the command, also under the name sendmail, the
// configuration and the programs.
func (m *machine) prepare(t *testing.T) {
	t.Helper()
	config := fmt.Sprintf(machineConfig, m.provider.SubmissionAddr(), m.address)
	err := errors.Join(os.Chmod(m.dir, 0o755), os.Mkdir(filepath.Join(m.dir, "bin"), 0o755),
		os.WriteFile(filepath.Join(m.dir, "config.toml"), []byte(config), 0o644),
		os.CopyFS(filepath.Join(m.dir, "programs"), os.DirFS(filepath.Join("callers", "programs"))),
		os.Symlink("yan", filepath.Join(m.dir, "bin", "sendmail")))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", world.yan, filepath.Join(m.dir, "bin", "yan")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// boot starts the namespaces, in which a process waits for the end of the test.
func (m *machine) boot(t *testing.T) {
	t.Helper()
	ready := filepath.Join(m.dir, "ready")
	command := exec.Command("/bin/sh", "callers/world.sh", m.callers, m.dir, "/bin/sh", "-c", `: >"$0" && exec cat`, ready)
	command.Stderr = os.Stderr
	running, err := start("the machine", command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.stop(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := poll(ctx, func() (bool, error) {
		select {
		case <-running.done:
			return false, fmt.Errorf("it ended: %v", running.err)
		default:
		}
		if _, err := os.Stat(ready); err != nil {
			return false, errNotYet
		}
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	// The shell has become unshare, whose only child is the first process inside.
	unshare := strconv.Itoa(command.Process.Pid)
	children, err := os.ReadFile(filepath.Join("/proc", unshare, "task", unshare, "children"))
	if m.id = strings.TrimSpace(string(children)); err != nil || m.id == "" || strings.Contains(m.id, " ") {
		t.Fatalf("the machine has the processes %q: %v", m.id, err)
	}
}

// serve starts yan serve as the user yan.
func (m *machine) serve(t *testing.T) {
	t.Helper()
	command := m.command(context.Background(), "yan", nil, "yan", "serve")
	log, err := os.Create(filepath.Join(m.dir, "serve.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the child has its own copy
	command.Stdout, command.Stderr = log, log
	running, err := start("yan serve", command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // the machine ends with the test
		<-running.done
		if t.Failed() {
			said, _ := os.ReadFile(log.Name()) // only for the failure message
			t.Logf("yan serve said:\n%s", said)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := running.waitForPort(ctx, m.port); err != nil {
		t.Fatal(err)
	}
}

// command returns a command of a user inside, with an environment that has only
// what every program gets, and env.
func (m *machine) command(ctx context.Context, user string, env []string, argv ...string) *exec.Cmd {
	const inHome = `HOME=$(getent passwd "$USER" | cut -d: -f6) && export HOME && cd && exec "$@"`
	args := []string{"--target", m.id, "--mount", "--uts", "--pid", "--", "setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--",
		"env", "-i", "USER=" + user, "LOGNAME=" + user, "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"NODE_PATH=" + filepath.Join(m.callers, "node", "node_modules")}
	if user == "yan" {
		args = append(args, "YAN_CONFIG=/etc/yan/config.toml", "YAN_OUTBOX=/var/lib/yan/outbox.db", "XDG_RUNTIME_DIR=/run/yan", "RUNTIME_DIRECTORY=/run/yan")
	}
	args = append(append(args, env...), "/bin/sh", "-c", inHome, "sh")
	return exec.CommandContext(ctx, "nsenter", append(args, argv...)...)
}

// run runs a command inside and returns its exit status and its output.
func (m *machine) run(t *testing.T, user string, env []string, input string, argv ...string) (exit int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := m.command(ctx, user, env, argv...)
	command.Stdin = strings.NewReader(input)
	said, err := command.CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("%q: %v", argv, err)
	}
	return command.ProcessState.ExitCode(), string(said)
}

// newToken creates a token of the account, for the senders from.
func (m *machine) newToken(t *testing.T, name string, from ...string) string {
	t.Helper()
	argv := []string{"yan", "token", "new", name, "--account", "work"}
	for _, f := range from {
		argv = append(argv, "--from", f)
	}
	exit, out := m.run(t, "yan", nil, "", append(argv, "--json")...)
	var created struct{ Token string }
	if exit != 0 || readJSON(out, &created) != nil || created.Token == "" {
		t.Fatalf("exit status %d\n%s", exit, out)
	}
	return created.Token
}

// host and port of the listener, or of a proxy, as the programs take them.
func hostAndPort(t *testing.T, address string) []string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"HOST=" + host, "PORT=" + port}
}
