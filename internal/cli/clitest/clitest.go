// Package clitest has helpers for the tests of the command: a console without a
// terminal, golden files, messages and accounts. Only tests import it.
package clitest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/sandboxtest"
)

// Update is -update: golden files are written, not compared.
var Update = flag.Bool("update", false, "write the golden files")

// System returns a machine without terminal, environment and input; output goes
// to the two buffers.
func System(env map[string]string) (console.System, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return console.System{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv:         func(name string) string { return env[name] },
		SystemLanguage: func() string { return "" },
		Now:            func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) },
		After:          func(time.Duration) <-chan time.Time { return nil }}, &out, &errs
}

// Console returns a console on such a machine.
func Console(lang i18n.Language) (*console.Console, *bytes.Buffer, *bytes.Buffer) {
	s, out, errs := System(nil)
	c := console.New(context.Background(), s, i18n.NewWords(lang))
	c.Color = false
	return c, out, errs
}

// Golden compares a text with a file.
func Golden(t *testing.T, file, got string) {
	t.Helper()
	if *Update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%s differs (go test -update writes it); got\n%s", file, got)
	}
}

// Wants fails the test unless the text contains all of these.
func Wants(t *testing.T, what, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q:\n%s", what, want, text)
		}
	}
}

// Decode parses a line of JSON; unknown fields are an error.
func Decode(t *testing.T, line string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), v); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
}

// Escapes is text that controls a terminal: clear the screen, set the window's
// title, go to the line above, begin a new line, reverse a line, colours in
// 8-bit form.
const Escapes = "x\x1b[2J\x1b]0;owned\x07\x1b[A\r\n\u0085✓ sent \u202e\u009b31m"

// MemoryKeyring is a system's store of secrets, in memory; the key is service and user.
type MemoryKeyring map[[2]string]string

// Get returns secret.ErrNotFound for a secret that is not there.
func (k MemoryKeyring) Get(service, user string) (string, error) {
	if s, ok := k[[2]string{service, user}]; ok {
		return s, nil
	}
	return "", secret.ErrNotFound
}

// Set stores a secret.
func (k MemoryKeyring) Set(service, user, s string) error {
	k[[2]string{service, user}] = s
	return nil
}

// Delete removes a secret.
func (k MemoryKeyring) Delete(service, user string) error {
	delete(k, [2]string{service, user})
	return nil
}

// BusyKeyring is a keyring in which another program changes something before
// each write.
type BusyKeyring struct {
	secret.Keyring
	Also func()
	Sets int
}

// Set stores a secret after the other program's change.
func (b *BusyKeyring) Set(service, user, s string) error {
	b.Sets++
	if b.Also != nil {
		b.Also()
	}
	return b.Keyring.Set(service, user, s)
}

// Marker is a secret that must not be shown.
const Marker = "markersecretmarker"

// MailTo returns message number i, to its own recipient.
func MailTo(i int) string {
	return fmt.Sprintf("From: me@example.org\nTo: u%d@example.org\nSubject: %d\n\nhello %d\n", i, i, i)
}

// WriteMails returns a directory of n messages.
func WriteMails(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := 1; i <= n; i++ {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.eml", i)), []byte(MailTo(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// LoggedStates returns the state of each recipient in a log, as the next run reads
// it.
func LoggedStates(t *testing.T, path string) map[string]string {
	t.Helper()
	l, err := sendlog.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // opened for reading
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // opened for reading
	states := map[string]string{}
	for in := bufio.NewScanner(file); in.Scan(); {
		var line sendlog.Line
		Decode(t, in.Text(), &line)
		for _, r := range line.Recipients {
			o, _ := l.State(sendlog.RecipientKey{Hash: line.SHA256, Recipient: r.Address, Copy: max(r.Copy, 1)})
			states[fmt.Sprintf("%s#%d", r.Address, max(r.Copy, 1))] = string(o.Status)
		}
	}
	return states
}

// TwoAccounts is a configuration for [WriteConfig]: account one falls back to two.
const TwoAccounts = `version = 1
default = "one"
[defaults]
signature = "雁"
[account.one]
from = "一 <one@example.org>"
fallback = "two"
headers = { Organization = "Geese" }
reply_to = "answers@example.org"
{one}
[account.two]
from = "two@example.org"
signature = ""
match = ["*@two.example"]
{two}
`

// TwoServers starts the servers of accounts one and two.
func TwoServers(t *testing.T, one ...sandboxtest.Option) map[string]*sandboxtest.Server {
	t.Helper()
	return map[string]*sandboxtest.Server{"one": sandboxtest.Start(t, "plain", one...), "two": sandboxtest.Start(t, "plain")}
}

// WriteConfig writes a configuration, in which {NAME} is replaced by a server,
// its login and its secret, and {NAME.url}, {NAME.ca}, {NAME.login} by parts of
// that. It returns the environment that names the file.
func WriteConfig(t *testing.T, config string, servers map[string]*sandboxtest.Server) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for name, s := range servers {
		config = strings.NewReplacer("{"+name+".url}", s.URL(), "{"+name+".ca}", s.CAFile(), "{"+name+".login}", s.Login(),
			"{"+name+"}", "server = \""+s.URL()+"\"\nuser = \""+s.Login()+"\"\ntls_ca = \""+s.CAFile()+"\"\nsecret = { file = \""+name+".code\" }").Replace(config)
		if err := os.WriteFile(filepath.Join(dir, name+".code"), []byte(s.Password()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"YAN_CONFIG": path, "HOME": dir}
}
