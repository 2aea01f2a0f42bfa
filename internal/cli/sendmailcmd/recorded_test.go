package sendmailcmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
)

// localConfig is the configuration of a user with an account and two local names.
const localConfig = `version = 1
default = "work"
[account.work]
from = "Ops <ops@example.com>"
server = "smtps://smtp.example.com"
user = "ops@example.com"
match = ["me@example.com"]
[submit]
socket = "none"
drop = "none"
[local]
root = "admin@example.org"
user = "user@example.org"
`

// world is a machine on which a program calls sendmail.
type world struct {
	t     *testing.T
	store outbox.Store
	env   map[string]string
	etc   string
	tty   int
	lang  i18n.Language
	stdin io.Reader
}

// newWorld returns a machine with a configuration; "" is none.
func newWorld(t *testing.T, config string) *world {
	t.Helper()
	w := &world{t: t, store: outboxtest.NewModel(outboxtest.NewClock()), env: map[string]string{}, lang: i18n.English}
	home := t.TempDir()
	w.env["HOME"] = home
	if config != "" {
		w.env["YAN_CONFIG"] = filepath.Join(home, "config.toml")
		if err := os.WriteFile(w.env["YAN_CONFIG"], []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// result is what the caller sees.
type result struct {
	code     int
	out, err string
}

// call runs sendmail with its standard input.
func (w *world) call(stdin string, argv ...string) result {
	w.t.Helper()
	s, out, errs := clitest.System(w.env)
	s.Etc, s.StdinTTY = w.etc, w.tty
	s.Now = time.Now
	s.Stdin = strings.NewReader(stdin)
	if w.stdin != nil {
		s.Stdin = w.stdin
	}
	c := console.New(context.Background(), s, i18n.NewWords(w.lang))
	o := outboxes.New(command.New(c, argv), outboxes.Services{OpenStore: func(context.Context, string, outbox.Options) (outbox.Store, error) { return keptOpen{w.store}, nil }})
	cmd := New(o, "")
	return result{o.Finish(cmd.RunE(cmd, argv)), out.String(), errs.String()}
}

// keptOpen is a store that a command does not close.
type keptOpen struct{ outbox.Store }

func (keptOpen) Close() error { return nil }

// entries returns the messages in the outbox, the oldest first.
func (w *world) entries() []queue.Entry {
	w.t.Helper()
	page, err := w.store.List(w.t.Context(), queue.Filter{Oldest: true, Limit: 200})
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Entries
}

// text returns a message in the outbox.
func (w *world) text(id queue.ID) string {
	w.t.Helper()
	r, err := w.store.Body(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close() // only read
	b, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// generated are the parts of a message that differ each time.
var (
	generated = regexp.MustCompile(`(?m)^(Date|Message-ID): .*$`)
	received  = regexp.MustCompile(`Received: by .*\r\n(?:[ \t].*\r\n)*`) // of -bs
)

// describe returns a message with its envelope. Values that the repair has made up are replaced, unless the
// input has them.
func (w *world) describe(e queue.Entry, input string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  from <%s>, account %s, to", e.From, e.Account)
	for _, r := range e.Recipients {
		fmt.Fprintf(&b, " <%s>", r.Address)
	}
	b.WriteString("\n")
	text := received.ReplaceAllString(w.text(e.ID), "")
	text = strings.ReplaceAll(text, peeruser.Of(os.Geteuid()).Name+"@localhost", "caller@localhost")
	text = generated.ReplaceAllStringFunc(text, func(field string) string {
		name, value, _ := strings.Cut(strings.TrimSuffix(field, "\r"), ": ")
		if strings.Contains(input, value) {
			return field
		}
		at, domain, _ := strings.Cut(value, "@")
		if name == "Message-ID" && at != "" {
			return name + ": <generated@" + domain + "\r"
		}
		return name + ": generated\r"
	})
	for line := range strings.Lines(text) {
		fmt.Fprintf(&b, "  | %s\n", strings.TrimSuffix(fmt.Sprintf("%q", strings.TrimSuffix(line, "\r\n")), `"`)[1:])
		if !strings.HasSuffix(line, "\r\n") {
			b.WriteString("  (no line end)\n")
		}
	}
	return b.String()
}

// Every recorded call of a program, and every probe: exit status, output, envelope and the message that is
// kept.
func TestRecordedCalls(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"calls.jsonl", "probes.jsonl"} {
		var b strings.Builder
		for _, r := range recordings(t, file) {
			w := newWorld(t, localConfig)
			got := w.call(r.input(), r.Argv[1:]...)
			fmt.Fprintf(&b, "== %s: %q\nexit %d\n", r.Program, r.Argv[1:], got.code)
			session := slices.Contains(r.Argv, "-bs")
			for _, said := range []struct{ name, text string }{{"stdout", got.out}, {"stderr", got.err}} {
				if said.text != "" && !session && r.Program != "bi" { // it tells about this machine
					fmt.Fprintf(&b, "  %s: %s\n", said.name, strings.ReplaceAll(strings.TrimSuffix(said.text, "\n"), w.env["YAN_CONFIG"], "config.toml"))
				}
			}
			entries := w.entries()
			for _, e := range entries {
				b.WriteString(w.describe(e, r.input()))
				w.checkMessage(r, e)
			}
			w.checkRecorded(r, got, entries, session)
		}
		clitest.Golden(t, filepath.Join("testdata", strings.TrimSuffix(file, "jsonl")+"golden"), b.String())
	}
}

// checkRecorded checks what holds for every call: 0 and silence with one message, or a failure with one
// line and none.
func (w *world) checkRecorded(r recorded, got result, entries []queue.Entry, session bool) {
	w.t.Helper()
	asks := slices.Contains([]string{"bp", "bv", "q", "bi"}, r.Program)
	switch {
	case session:
		if got.code != 0 || len(entries) != 1 || !strings.Contains(got.out, "250 2.0.0 kept as 1\r\n") {
			w.t.Errorf("%s: %+v, %d messages", r.Program, got, len(entries))
		}
	case asks || r.Program == "historic": // -v
	case got.code == 0 && (got.out+got.err != "" || len(entries) != 1):
		w.t.Errorf("%s: exit status 0, %q, %d messages", r.Program, got.out+got.err, len(entries))
	case got.code != 0 && (len(entries) != 0 || got.out != "" || strings.Count(got.err, "\n") != 1):
		w.t.Errorf("%s: exit status %d, %q, %d messages", r.Program, got.code, got.out+got.err, len(entries))
	}
}

// checkMessage checks what holds for every message that is kept.
func (w *world) checkMessage(r recorded, e queue.Entry) {
	w.t.Helper()
	text := w.text(e.ID)
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		w.t.Errorf("%s: %v", r.Program, err)
		return
	}
	for _, name := range []string{"Date", "From", "Message-Id"} {
		if m.Header.Get(name) == "" {
			w.t.Errorf("%s: no %s", r.Program, name)
		}
	}
	from, err := mail.ParseAddress(m.Header.Get("From"))
	if err != nil || from.Address != "ops@example.com" && from.Address != "me@example.com" {
		w.t.Errorf("%s: From %q, %v", r.Program, m.Header.Get("From"), err)
	}
	for _, name := range []string{"Bcc", "Yan-Key", "Return-Path"} {
		if _, has := m.Header[name]; has {
			w.t.Errorf("%s: has %s", r.Program, name)
		}
	}
	if strings.Contains(text, "@localhost>") && !strings.Contains(r.input(), "@localhost") && r.Program[0] != 'F' {
		w.t.Errorf("%s: has an address of this machine", r.Program)
	}
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") || strings.ContainsRune(text, 0) ||
		bytes.ContainsFunc([]byte(text), func(r rune) bool { return r > '~' }) {
		w.t.Errorf("%s: the message is not 7-bit text with CRLF", r.Program)
	}
	for line := range strings.Lines(text) {
		if len(line) > 1000 {
			w.t.Errorf("%s: a line of %d octets", r.Program, len(line))
		}
	}
}
