//go:build interop && linux

package interop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// peer is one of the mail servers in the table of TestOutcomesAgreeWithLedgers.
type peer struct {
	// name is its name in the table, version the description.
	name, version string
	// script is the file peers/SCRIPT.sh; "" for the servers that TestMain
	// starts.
	script string
	// ledger lists the messages that the server has.
	ledger ledger
	// tired means that it answers the third error on a connection with 421
	// instead of the refusal, so that refused messages may be deferred.
	tired bool
	// names means that its reply to a message contains the id in its log.
	names bool
	// late means that it refuses a message with a field X-Refuse after its end.
	late bool
	// pipelining and chunking mean that it offers PIPELINING and CHUNKING.
	pipelining, chunking bool
}

// peers lists the servers from Debian 12, npm and Go modules.
func peers() []peer {
	return []peer{
		{name: "Postfix", version: "3.7", ledger: maildir("good"), late: true, pipelining: true, chunking: true, names: true},
		{name: "Exim", version: "4.96", script: "exim", ledger: eximQueue, late: true, pipelining: true, chunking: true, names: true},
		{name: "OpenSMTPD", version: "6.8.0", script: "opensmtpd", ledger: files("box/new/*"), late: true, names: true},
		{name: "Haraka", version: "3.3.4", script: "haraka", ledger: files("box/*"), late: true, pipelining: true, names: true},
		{name: "Courier", version: "1.0.16", script: "courier", ledger: courierQueue, pipelining: true, names: true},
		{name: "chasquid", version: "1.11", script: "chasquid", ledger: files("box/message.*"), late: true, tired: true, pipelining: true},
		{name: "go-smtp", version: "0.25.0", script: "gosmtp-older", ledger: files("box/*"), late: true, pipelining: true, chunking: true},
		{name: "go-smtp", version: "0.25.1", script: "gosmtp", ledger: files("box/*"), late: true, pipelining: true, chunking: true},
		{name: "sendmail", version: "8.17.1", script: "sendmail", ledger: sendmailQueue, late: true, pipelining: true, names: true},
		{name: "smtp-server", version: "3.21.6", script: "smtp-server", ledger: files("box/*"), late: true, pipelining: true},
	}
}

// runningPeer is a peer that runs until the test ends.
type runningPeer struct {
	peer
	dir  string
	port int
}

func (p *runningPeer) server() string { return fmt.Sprintf("smtp+notls://127.0.0.1:%d", p.port) }

// stored lists the texts of the messages that the server has.
func (p *runningPeer) stored() ([]string, error) { return p.ledger(p.dir) }

// startPeer starts a server, or skips the test with the reason why there is
// none.
func startPeer(t *testing.T, p peer, root string) *runningPeer {
	t.Helper()
	if p.script == "" {
		s := real(t)
		return &runningPeer{peer: p, dir: s.mail, port: s.port["peer"]}
	}
	// Not t.TempDir: its parts run under other users.
	dir, err := os.MkdirTemp("", "yan-peer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ports, err := freePorts(1)
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	certificates := filepath.Join(dir, "certificates") // chasquid does not start without one
	if err := errors.Join(os.Mkdir(certificates, 0o755), writeCertificates(certificates)); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(dir, "output")
	running, err := startPeerProcess(p, output, "/bin/sh", "peers/run.sh", p.script, root, dir, fmt.Sprint(ports[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			said, _ := os.ReadFile(output) // only for the failure message
			t.Logf("%s said:\n%s", p.name, said[max(0, len(said)-8<<10):])
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := running.waitForPort(ctx, ports[0]); err != nil {
		t.Fatal(err)
	}
	return &runningPeer{peer: p, dir: dir, port: ports[0]}
}

// startPeerProcess is startProcess for run.sh, which ends when its standard
// input does.
func startPeerProcess(p peer, output string, argv ...string) (*process, error) {
	out, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own copy
	command := exec.Command(argv[0], argv[1:]...)
	command.Stdout, command.Stderr = out, out
	return start(p.name, command)
}

// fetchPeers fetches all of them concurrently, because the network is slow. It
// returns the directory of each script, or why there is none.
func fetchPeers(t *testing.T, all []peer) (roots map[string]string, absent map[string]string) {
	t.Helper()
	roots, absent = map[string]string{}, map[string]string{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, p := range all {
		if p.script == "" {
			continue
		}
		group.Go(func() {
			root, err := fetchPeer(p.script)
			mu.Lock()
			defer mu.Unlock()
			reason, none := isAbsent(err)
			switch {
			case none:
				absent[p.script] = reason
			case err != nil:
				t.Errorf("get %s %s: %v", p.name, p.version, err)
				absent[p.script] = "it could not be had"
			default:
				roots[p.script] = root
			}
		})
	}
	group.Wait()
	return roots, absent
}

func fetchPeer(script string) (string, error) {
	cache, err := filepath.Abs(filepath.Join("..", ".cache", "interop"))
	if err != nil {
		return "", err
	}
	if modules, ok := map[string]string{"gosmtp": "go.mod", "gosmtp-older": "older.mod"}[script]; ok {
		return buildPeer(filepath.Join(cache, script), modules)
	}
	return fetch(script, "peers/fetch.sh", script, cache)
}

// buildPeer builds a server with the version of go-smtp in a go.mod file.
func buildPeer(folder, modules string) (string, error) {
	command := exec.Command("go", "build", "-modfile="+modules, "-o", filepath.Join(folder, "gosmtp"), ".")
	command.Dir = filepath.Join("peers", "gosmtp")
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := command.CombinedOutput(); err != nil {
		return "", &absentError{fmt.Sprintf("could not build it: %v\n%s", err, out)}
	}
	return folder, nil
}
