package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// sendOne sends one message from an account to a sandbox and returns the functions that it enters.
func (p *program) sendOne() ([]entry, error) {
	ca := filepath.Join(p.dir, "ca.pem")
	sandbox := p.command("sandbox", "--json", "--quiet", "--exit-after", "1", "--ca", ca)
	out, err := sandbox.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := sandbox.Start(); err != nil {
		return nil, err
	}
	defer func() { // it has ended unless the message did not arrive
		_ = sandbox.Process.Kill()
		_ = sandbox.Wait()
	}()
	var ready struct{ Login, Password, TLS string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		return nil, fmt.Errorf("the sandbox: %w", err)
	}
	server := url.URL{Scheme: "smtps", User: url.User(ready.Login), Host: ready.TLS}
	for name, text := range map[string]string{
		"config.toml": fmt.Sprintf("version = 1\n\n[account.work]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { file = %q }\n", ready.Login, server.String(), ca, filepath.Join(p.dir, "code.txt")),
		"code.txt":    ready.Password + "\n",
		"report.csv":  "day,messages\n",
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return p.entries("send", "-t", "friend@example.org", "-s", "Report", "-b", "See the file.", "-a", filepath.Join(p.dir, "report.csv"))
}
