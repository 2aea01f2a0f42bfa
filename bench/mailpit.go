package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// mailpit is the tool; mailpitRelay is the contender: it stores each message, and relays it to
// smtp-sink.
const (
	mailpit      = "mailpit"
	mailpitRelay = "Mailpit, relaying"
)

// mailpitRate lets smtp-source send to Mailpit.
func (c *course) mailpitRate(ctx context.Context, source tool, n int) (figures []float64, err error) {
	sink := c.servers[postfixServer]
	if sink == nil {
		return nil, errors.New("no smtp-sink to relay to")
	}
	folder, err := os.MkdirTemp(c.folder, "mailpit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "relay.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "host: 127.0.0.1\nport: %s\n", portOf(sink.address(inClear))), 0o600); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, c.tools[mailpit].Path, "--smtp", ports[0], "--listen", ports[1], "--database", filepath.Join(folder, "mail.db"),
		"--smtp-relay-config", config, "--smtp-relay-all", "--smtp-disable-rdns", "--disable-version-check", "--max", "0", "--quiet")
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	}()
	if err := waitForPort(ctx, ports[0]); err != nil {
		return nil, err
	}
	took, err := timeSource(ctx, source, ports[0], n)
	if err != nil {
		return nil, err
	}
	_, err = c.gatherArrivals(ctx, sink, n)
	return []float64{float64(n) / took}, err
}

// freePorts returns addresses that were free a moment ago.
func freePorts(n int) (all []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}

func waitForPort(ctx context.Context, address string) error {
	for range 200 {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("nothing listens at %s", address)
}
