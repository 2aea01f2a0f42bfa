package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgresServer is PostgreSQL with default settings, on a port of 127.0.0.1.
type postgresServer struct {
	command *exec.Cmd
	port    int
	serial  int
	folder  string
	client  string // path of psql
}

// startPostgres runs a server in a new directory. For root it changes to an
// unprivileged user, because PostgreSQL refuses to run as root.
func startPostgres(ctx context.Context, folder string) (*postgresServer, error) {
	versions, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(versions) == 0 {
		return nil, fmt.Errorf("no PostgreSQL server is installed (Debian's postgresql)")
	}
	programs := filepath.Dir(slices.Max(versions))
	s := &postgresServer{folder: filepath.Join(folder, "postgres"), client: filepath.Join(programs, "psql")}
	if err := os.Mkdir(s.folder, 0o700); err != nil {
		return nil, err
	}
	as, err := s.whoRuns(folder)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.folder, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), "-D", data, "-U", "yan", "--auth=trust", "--locale=C", "-E", "UTF8")
	initdb.SysProcAttr, initdb.Dir = as, s.folder
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	s.command = exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", "", "-c", "logging_collector=off")
	s.command.SysProcAttr, s.command.Dir = as, s.folder
	var said bytes.Buffer
	s.command.Stderr = &said
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	for range 300 {
		if err = exec.CommandContext(ctx, s.client, "-q", "-c", "select 1", s.url("postgres")).Run(); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.close()
	return nil, fmt.Errorf("PostgreSQL does not answer: %s", said.String())
}

func (s *postgresServer) whoRuns(folder string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(folder, 0o711); err != nil {
		return nil, err
	}
	return asUser(uid, gid), os.Chown(s.folder, uid, gid)
}

func (s *postgresServer) url(database string) string {
	return fmt.Sprintf("postgres://yan@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// database creates an empty database.
func (s *postgresServer) database(ctx context.Context) (string, error) {
	s.serial++
	name := "bench" + strconv.Itoa(s.serial)
	out, err := exec.CommandContext(ctx, s.client, "-q", "-c", "create database "+name, s.url("postgres")).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return s.url(name), nil
}

func (s *postgresServer) close() {
	_ = s.command.Process.Signal(syscall.SIGINT) // fast shutdown; the directory is removed anyway
	_ = s.command.Wait()
}
