package pgtest

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed postgres.sh
var script string

// Server is a PostgreSQL server.
type Server struct {
	bin, dir string
	port     int
	options  Options
	as       *syscall.Credential // nil: the user that runs the tests

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{} // closed when the process has ended
}

// launchServer returns a running server. skipped is the reason why none can run here.
func launchServer(o Options) (s *Server, skipped, err error) {
	bin, skipped, err := findPrograms()
	if skipped != nil || err != nil {
		return nil, skipped, err
	}
	s = &Server{bin: bin, options: o}
	if os.Getuid() == 0 { // the server refuses to run as root
		if s.as, err = unprivilegedUser(); err != nil {
			return nil, nil, err
		}
	}
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, nil, err
	}
	if err = s.createCluster(); err == nil {
		err = s.start()
	}
	if err != nil {
		s.remove()
		return nil, nil, err
	}
	return s, nil, nil
}

// findPrograms finds the directory of the server's programs, or installs them.
func findPrograms() (bin string, skipped, err error) {
	cmd := exec.Command("sh", "-s")
	cmd.Stdin = strings.NewReader(script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return "", errors.New(lines[len(lines)-1]), nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("postgres.sh: %w\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil, nil
}

// unprivilegedUser is a user that owns nothing else.
func unprivilegedUser() (*syscall.Credential, error) {
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// createCluster creates the database cluster and chooses a port.
func (s *Server) createCluster() error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if s.as != nil {
		for _, name := range []string{s.dir, secret} {
			if err := os.Chown(name, int(s.as.Uid), int(s.as.Gid)); err != nil {
				return err
			}
		}
	}
	// The server's own checkpoints sync the files later, and the tests crash
	// the server, not the machine.
	cmd := exec.Command(filepath.Join(s.bin, "initdb"), "--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C",
		"--username="+superuser, "--auth-host=scram-sha-256", "--auth-local=reject", "--pwfile="+secret, "-D", s.data())
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// start runs the server until it accepts connections. If another process takes
// the free port before it is used, start tries another one.
func (s *Server) start() error {
	var err error
	for range 5 {
		if s.port == 0 {
			if s.port, err = freePort(); err != nil {
				return err
			}
		}
		if err = s.run(); err == nil || !strings.Contains(s.logTail(), "Address already in use") {
			return err
		}
		s.port = 0
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) run() error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=200", "-c", "max_wal_size=4GB", "-c", "logging_collector=off"}
	if s.options.Careless {
		args = append(args, "-c", "fsync=off")
	}
	for _, setting := range s.options.Settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGQUIT}
	ended, began := make(chan struct{}), make(chan error, 1)
	go func() {
		// The signal of Pdeathsig is sent when the thread that started the
		// process ends, so this thread is kept for as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		began <- err
		if err == nil {
			_ = cmd.Wait() // its log has the reason
		}
	}()
	if err := <-began; err != nil {
		return err
	}
	s.mu.Lock()
	s.process, s.ended = cmd.Process, ended
	s.mu.Unlock()
	return s.awaitReady(ended)
}

// awaitReady returns when the server accepts connections.
func (s *Server) awaitReady(ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-ended:
			return fmt.Errorf("the PostgreSQL server ended at once:\n%s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("the PostgreSQL server takes no connections: %w\n%s", err, s.logTail())
		}
	}
}

func (s *Server) logTail() string {
	b, err := os.ReadFile(s.log())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// Stop ends the server at once and without a checkpoint, like a crash of all
// its processes.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.end(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
}

// Kill ends all its processes with SIGKILL.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
}

// Restart runs the server again on the same port. It recovers after Stop or
// Kill.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	// Processes of the previous server may still be ending, and hold its
	// memory.
	var err error
	for range 100 {
		if err = s.start(); err == nil || !strings.Contains(s.logTail(), "still in use") {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Server) end(signal syscall.Signal) error {
	s.mu.Lock()
	process, ended := s.process, s.ended
	s.process = nil
	s.mu.Unlock()
	if process == nil {
		return nil
	}
	if err := process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-time.After(patience):
		return errors.New("the PostgreSQL server does not end")
	}
}

// kill first stops the first process, so that it starts no others while all are
// killed.
func (s *Server) kill() error {
	s.mu.Lock()
	process := s.process
	s.mu.Unlock()
	if process == nil {
		return nil
	}
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", process.Pid, process.Pid))
	if err != nil {
		return err
	}
	for _, word := range strings.Fields(string(list)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return s.end(syscall.SIGKILL)
}

func (s *Server) remove() {
	_ = s.end(syscall.SIGQUIT) // the directory is removed in any case
	_ = os.RemoveAll(s.dir)
}
