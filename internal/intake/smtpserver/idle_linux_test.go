//go:build !race

package smtpserver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

const asIdleServer = "YAN_TEST_IDLE_SERVER"

// TestIdleServer is the other process of TestIdleConnections: it serves until its input ends, and
// answers each line with its memory.
func TestIdleServer(t *testing.T) {
	if os.Getenv(asIdleServer) == "" {
		t.Skip("it is started by TestIdleConnections")
	}
	server := New(localOptionsFor(2000))
	server.desk = &fakeDesk{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { _ = server.Serve(ctx, l) }()
	fmt.Printf("address %s\n", l.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		debug.FreeOSMemory() // the figure is what the connections need, not what was needed to open them
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
		fmt.Printf("memory %s\n", bytes.Fields(rest)[0])
	}
}

func localOptionsFor(connections int) Options {
	o := localOptions()
	o.Limits = Limits{Connections: connections, PerPeer: connections}
	return o
}

// TestIdleConnections: 1,000 connections after EHLO take less than 40 MB.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, "-test.run=^TestIdleServer$")
	command.Env = append(os.Environ(), asIdleServer+"=1")
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	}()
	answers := bufio.NewScanner(out)
	ask := func(key string) string {
		for answers.Scan() {
			if value, ok := strings.CutPrefix(answers.Text(), key+" "); ok {
				return value
			}
		}
		t.Fatalf("no %s", key)
		return ""
	}
	memory := func() int {
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatal(err)
		}
		kB, err := strconv.Atoi(ask("memory"))
		if err != nil {
			t.Fatal(err)
		}
		return kB
	}
	address := ask("address")
	before := memory()
	for range 1000 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}()
		r := bufio.NewReaderSize(conn, 512)
		converse(t, conn, r, "")
		converse(t, conn, r, "EHLO me\r\n")
	}
	after := memory()
	t.Logf("%d kB for 1,000 connections, %d kB before", after-before, before)
	if after-before > 40_000 {
		t.Errorf("1,000 idle connections take %d kB", after-before)
	}
}
