package intake_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/intake"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
)

const configText = `
default = "work"
[account.work]
from = "Me <me@example.com>"
server = "smtp.example.com"
[account.shop]
from = "shop@shop.example"
server = "smtp.shop.example"
[local]
root = "ops@example.com"
`

// world is the ways in of a configuration, running.
type world struct {
	t     *testing.T
	dir   string
	store *outboxtest.Model
	in    *intake.Intake
	stop  func()
	mu    sync.Mutex
	rules []string // counted
}

// shortFolder returns a folder whose path is short enough for a socket.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "yan")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func parse(t *testing.T, text string) intake.Settings {
	t.Helper()
	f, err := account.Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := intake.Settings{File: f}
	if l, ok := f.ListenSMTP(); ok {
		s.Listen = &l
	}
	return s
}

// start opens the ways in and runs them until the end of the test. DIR in the text is a folder.
func start(t *testing.T, text string) *world {
	t.Helper()
	w := &world{t: t, dir: shortFolder(t), store: outboxtest.NewModel(outboxtest.NewClock())}
	in, err := intake.New(t.Context(), w.options(), parse(t, strings.ReplaceAll(configText+text, "DIR", w.dir)))
	if err != nil {
		t.Fatal(err)
	}
	w.in = in
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, s := range in.Services(func() {}) {
		if err := s.Open(ctx); err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		})
	}
	w.stop = func() { cancel(); running.Wait() }
	t.Cleanup(w.stop)
	return w
}

func (w *world) options() intake.Options {
	return intake.Options{Store: w.store, Tokens: filepath.Join(w.dir, "tokens.toml"), Log: slog.New(slog.DiscardHandler), Count: func(way, rule string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.rules = append(w.rules, way+" "+rule)
	}}
}

func (w *world) token(name, account string) (secret string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "tokens.toml")
	secret, err := tokens.New(w.t.Context(), path, path, tokens.ProgramToken{Name: name, Account: account}, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *world) address(way string) string {
	for _, p := range w.in.Places() {
		if p.Way == way {
			address, _, _ := strings.Cut(p.Address, ",")
			return address
		}
	}
	w.t.Fatalf("no %s in %v", way, w.in.Places())
	return ""
}

// talk sends lines to a way in, and returns the replies, one per line.
func (w *world) talk(network, address string, lines ...string) []string {
	w.t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(c)
	var replies []string
	read := func() {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				replies = append(replies, err.Error())
				return
			}
			if len(line) < 4 || line[3] != '-' {
				replies = append(replies, strings.TrimSpace(line))
				return
			}
		}
	}
	read()
	for _, line := range lines {
		if _, err := fmt.Fprintf(c, "%s\r\n", line); err != nil {
			w.t.Fatal(err)
		}
		read()
	}
	return replies
}

// message are the commands that hand over a message.
func message(to string) []string {
	return []string{"EHLO test", "MAIL FROM:<me@example.com>", "RCPT TO:<" + to + ">", "DATA", "Subject: x\r\n\r\nhi\r\n.", "QUIT"}
}

func plain(name, secret string) string {
	return "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+name+"\x00"+secret))
}

// tags returns account and tags of the messages in the outbox, the oldest first.
func (w *world) tags() (list []string) {
	w.t.Helper()
	page, err := w.store.List(w.t.Context(), queue.Filter{Oldest: true, Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range page.Entries {
		list = append(list, e.Account+" "+strings.Join(e.Tags, ","))
	}
	return list
}

func codes(replies []string) string {
	var list []string
	for _, r := range replies {
		list = append(list, strings.SplitN(r, " ", 2)[0])
	}
	return strings.Join(list, " ")
}

// A program at the loopback listener sends from the accounts that local names, and one with a token
// from that of its token; the token works as soon as it is created and no longer than it exists.
func TestListener(t *testing.T) {
	t.Parallel()
	w := start(t, "[listen.smtp]\naddress = \"127.0.0.1:0\"\nlocal = [\"shop\"]\n")
	at := w.address(intake.WaySMTP)
	if got := codes(w.talk("tcp", at, message("a@example.org")...)); got != "220 250 250 250 354 250 221" {
		t.Error(got)
	}
	secret := w.token("gitea", "work")
	login := append([]string{"EHLO test", plain("gitea", secret)}, message("b@example.org")[1:]...)
	if got := codes(w.talk("tcp", at, login...)); got != "220 250 235 250 250 354 250 221" {
		t.Error(got)
	}
	if err := tokens.Remove(t.Context(), filepath.Join(w.dir, "tokens.toml"), "gitea"); err != nil {
		t.Fatal(err)
	}
	if got := codes(w.talk("tcp", at, "EHLO test", plain("gitea", secret))); got != "220 250 535" {
		t.Error(got)
	}
	if got := strings.Join(w.tags(), "; "); got != "shop local; work token:gitea" {
		t.Error(got)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.rules, "; "); got != "smtp ; smtp ; smtp login" {
		t.Errorf("counted %q", got)
	}
	if ways := w.in.Ways(); len(ways) != 1 || ways[0].Accepted != 2 || ways[0].Refused["login"] != 1 {
		t.Errorf("%+v", ways)
	}
}

// Of several accounts, the one that has the sender is used, and the first for all other senders.
func TestListenerWithAccounts(t *testing.T) {
	t.Parallel()
	w := start(t, "[listen.smtp]\naddress = \"127.0.0.1:0\"\nlocal = [\"shop\", \"work\"]\n")
	for _, from := range []string{"me+x@example.com", "other@example.net", "shop@shop.example", ""} {
		lines := message("a@example.org")
		lines[1] = "MAIL FROM:<" + from + ">"
		if got := codes(w.talk("tcp", w.address(intake.WaySMTP), lines...)); got != "220 250 250 250 354 250 221" {
			t.Errorf("%s: %s", from, got)
		}
	}
	if got := strings.Join(w.tags(), "; "); got != "work local; shop local; shop local; shop local" {
		t.Error(got)
	}
}

// Without local and users, every program has to log in.
func TestListenerWithoutLocal(t *testing.T) {
	t.Parallel()
	w := start(t, "[listen.smtp]\naddress = \"127.0.0.1:0\"\n")
	replies := w.talk("tcp", w.address(intake.WaySMTP), "EHLO test", "MAIL FROM:<me@example.com>")
	if codes(replies) != "220 250 530" {
		t.Errorf("%q", replies)
	}
}

// On Linux the kernel says which user has opened a connection.
func TestListenerForUsers(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		f := parse(t, configText+"[listen.smtp]\naddress = \"127.0.0.1:0\"\nusers = [\"git\"]\n")
		if _, err := intake.New(t.Context(), intake.Options{Tokens: filepath.Join(t.TempDir(), "t")}, f); !errors.Is(err, intake.ErrNoUsers) {
			t.Errorf("%v", err)
		}
		return
	}
	w := start(t, "[listen.smtp]\naddress = \"127.0.0.1:0\"\nusers = [\"nobody-here\"]\n")
	replies := w.talk("tcp", w.address(intake.WaySMTP), "EHLO test", "MAIL FROM:<me@example.com>")
	if codes(replies) != "220 250 530" && codes(replies) != "220 250 550" {
		t.Errorf("%q", replies)
	}
}

// An address that others can reach needs a login, and a certificate that can be read.
func TestListenerForOthers(t *testing.T) {
	t.Parallel()
	const open = "[listen.smtp]\naddress = \"0.0.0.0:0\"\ncertificate = \"/nowhere/cert.pem\"\nkey = \"/nowhere/key.pem\"\n"
	w := &world{t: t, dir: t.TempDir(), store: outboxtest.NewModel(outboxtest.NewClock())}
	if _, err := intake.New(t.Context(), w.options(), parse(t, configText+open)); !errors.Is(err, intake.ErrNoToken) {
		t.Errorf("without a token: %v", err)
	}
	w.token("gitea", "work")
	if _, err := intake.New(t.Context(), w.options(), parse(t, configText+open)); !errors.Is(err, intake.ErrCertificate) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a certificate: %v", err)
	}
}

// A reload changes the rules of a listener that runs; an invalid one changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	const listen = "[listen.smtp]\naddress = \"127.0.0.1:0\"\nlocal = [\"%s\"]\n"
	w := start(t, fmt.Sprintf(listen, "shop"))
	at := w.address(intake.WaySMTP)
	if err := w.in.Configure(t.Context(), parse(t, configText+fmt.Sprintf(listen, "work"))); err != nil {
		t.Fatal(err)
	}
	w.talk("tcp", at, message("a@example.org")...)
	if err := w.in.Configure(t.Context(), parse(t, configText+fmt.Sprintf(listen, "shop")+"certificate = \"/no\"\nkey = \"/no\"\n")); !errors.Is(err, intake.ErrCertificate) {
		t.Errorf("%v", err)
	}
	w.talk("tcp", at, message("b@example.org")...)
	if err := w.in.Configure(t.Context(), parse(t, configText)); err != nil { // the listener stays until the next start
		t.Fatal(err)
	}
	if got := codes(w.talk("tcp", at, "EHLO test", "MAIL FROM:<me@example.com>")); got != "220 250 530" {
		t.Error(got)
	}
	if got := strings.Join(w.tags(), "; "); got != "work local; work local" {
		t.Error(got)
	}
}

// Two daemons can't have one address or one socket, and the error says which it was.
func TestWaysThatAreTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for text, want := range map[string]error{
		"[listen.smtp]\naddress = \"" + taken.Addr().String() + "\"\n":       intake.ErrListen,
		"[submit]\nsocket = \"DIR/none/" + strings.Repeat("x", 100) + "\"\n": intake.ErrSubmitSocket,
		"[submit]\ndrop = \"DIR/none\"\n":                                    intake.ErrDrop,
	} {
		w := &world{t: t, dir: shortFolder(t), store: outboxtest.NewModel(outboxtest.NewClock())}
		in, err := intake.New(t.Context(), w.options(), parse(t, strings.ReplaceAll(configText+text, "DIR", w.dir)))
		if err != nil {
			t.Fatal(err)
		}
		services := in.Services(func() {})
		if err := services[0].Open(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s%v", text, err)
		}
	}
}

// The daemon of the machine has its ways in without a configuration, and others have none.
func TestMachine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "socket /run/yan/submit.sock; drop /var/spool/yan/drop", "[submit]\nsocket = \"none\"\ndrop = \"none\"\n": "",
		"[submit]\nsocket = \"/x/s\"\ndrop = \"/y\"\n": "socket /x/s; drop /y"} {
		for _, machine := range []bool{true, false} {
			w := &world{t: t, dir: t.TempDir(), store: outboxtest.NewModel(outboxtest.NewClock())}
			o := w.options()
			o.Machine = machine
			in, err := intake.New(t.Context(), o, parse(t, configText+text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range in.Places() {
				got = append(got, p.Way+" "+p.Address)
			}
			if text == "" && !machine {
				want = ""
			}
			if strings.Join(got, "; ") != want {
				t.Errorf("%q, %v: %v", text, machine, got)
			}
		}
	}
}
