package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
)

// configFile returns a configuration with the given source.
func configFile(t *testing.T, source string) *account.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := account.LoadLenient(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const two = `
default = "work"
[account.work]
from = "Office <office@example.com>"
server = "smtps://smtp.example.com"
match = ["*@example.com"]
[account.qq]
from = "me@qq.com"
[account.faulty]
from = "me@163.com"
pace = "fast"
`

// inMemory returns an outbox without a disk.
func inMemory(t *testing.T, f *account.File) *outbox.Outbox {
	t.Helper()
	return outbox.OnStore(outboxtest.NewModel(outboxtest.NewClock()), outbox.Options{Accounts: f})
}

func testMessage(from string) yan.Message {
	return yan.Message{From: from, To: []string{"a@example.org"}, Subject: "Hello", Text: "Hello World"}
}

// A message is sent from the named account, or from the account of its sender.
func TestEnqueuePicksTheAccount(t *testing.T) {
	t.Parallel()
	box := inMemory(t, configFile(t, two))
	for _, test := range []struct{ from, account, want, sender string }{
		{"me+shop@qq.com", "", "qq", "me+shop@qq.com"},
		{"sales@example.com", "", "work", "sales@example.com"},
		{"stranger@example.net", "", "work", "stranger@example.net"},
		{"sales@example.com", "qq", "qq", "sales@example.com"},
		{"", "qq", "qq", "me@qq.com"},
		{"", "", "work", "office@example.com"},
	} {
		receipt, err := box.Enqueue(t.Context(), testMessage(test.from), outbox.EnqueueOptions{Account: test.account})
		if err != nil || receipt.Account != test.want || receipt.Duplicate || !strings.HasPrefix(receipt.MessageID, "<") {
			t.Errorf("from %q by %q: %+v, %v; want account %s", test.from, test.account, receipt, err, test.want)
			continue
		}
		entry, err := box.Show(t.Context(), receipt.ID)
		if err != nil || entry.Account != test.want || entry.From.String() != test.sender || entry.MessageID != receipt.MessageID {
			t.Errorf("from %q by %q: kept %+v, %v", test.from, test.account, entry, err)
		}
	}
	var unknown *account.UnknownAccountError
	if _, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), outbox.EnqueueOptions{Account: "wrok"}); !errors.As(err, &unknown) {
		t.Errorf("no such account: %v", err)
	}
	var wrong *account.ParseError
	if _, err := box.Enqueue(t.Context(), testMessage("me@163.com"), outbox.EnqueueOptions{}); !errors.As(err, &wrong) {
		t.Errorf("an account that makes no sense: %v", err)
	}
}

// A machine that only enqueues needs no accounts, if the program names one.
func TestEnqueueWithoutAccounts(t *testing.T) {
	t.Parallel()
	box := inMemory(t, new(account.File))
	if receipt, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), outbox.EnqueueOptions{Account: "elsewhere"}); err != nil || receipt.Account != "elsewhere" {
		t.Errorf("%+v, %v", receipt, err)
	}
	if _, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), outbox.EnqueueOptions{}); !errors.Is(err, account.ErrNone) {
		t.Errorf("no account is named: %v", err)
	}
	if _, err := box.Enqueue(t.Context(), testMessage(""), outbox.EnqueueOptions{Account: "elsewhere"}); err == nil {
		t.Error("a message without a sender is enqueued")
	}
}

func TestEnqueueKeepsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	box := inMemory(t, configFile(t, two))
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	o := outbox.EnqueueOptions{Key: "k", NotBefore: at, Expires: at.Add(time.Hour), Priority: queue.High, Tags: []string{"news"}, Hold: true}
	receipt, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), o)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := box.Show(t.Context(), receipt.ID)
	if err != nil || entry.Key != "k" || !entry.NotBefore.Equal(at) || !entry.Expires.Equal(at.Add(time.Hour)) || entry.Priority != queue.High ||
		len(entry.Tags) != 1 || entry.Recipients[0].State != queue.Held {
		t.Errorf("kept %+v, %v", entry, err)
	}
	again, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), o)
	if err != nil || !again.Duplicate || again.ID != receipt.ID || again.MessageID != "" {
		t.Errorf("again: %+v, %v", again, err)
	}
	other := testMessage("me@qq.com")
	other.Attachments = []yan.Attachment{yan.Bytes("a.txt", []byte("x"))}
	if _, err := box.Enqueue(t.Context(), other, o); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("another message: %v", err)
	}
	released, err := box.Release(t.Context(), queue.Filter{Tag: "news"})
	if err != nil || released.Recipients != 1 {
		t.Errorf("released %+v, %v", released, err)
	}
	body, err := box.Body(t.Context(), receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if text, err := io.ReadAll(body); err != nil || !strings.Contains(string(text), "Hello World") {
		t.Errorf("%q, %v", text, err)
	}
	if stats, err := box.Stats(t.Context()); err != nil || len(stats.Accounts) != 1 || stats.Accounts[0].Count[queue.Queued] != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	if _, err := box.Show(t.Context(), 99); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("a missing message: %v", err)
	}
}

func TestEnqueueRaw(t *testing.T) {
	t.Parallel()
	box := inMemory(t, configFile(t, two))
	content, err := message.ReadRaw(strings.NewReader("From: me@qq.com\nTo: x@example.org\nSubject: s\n\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := smtp.NewEnvelope(mustAddress(t, "me@qq.com"), mustAddress(t, "b@example.org"), mustAddress(t, "c@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := box.EnqueueRaw(t.Context(), yan.Transaction{Envelope: envelope, Content: content}, outbox.EnqueueOptions{})
	if err != nil || receipt.Account != "qq" {
		t.Fatal(receipt, err)
	}
	entry, err := box.Show(t.Context(), receipt.ID)
	if err != nil || entry.Total != 2 || entry.Subject != "s" || entry.MessageID != receipt.MessageID || entry.MessageID == "" {
		t.Errorf("%+v, %v", entry, err)
	}
	if _, err := box.EnqueueRaw(t.Context(), yan.Transaction{Envelope: envelope, Content: content, Policy: yan.All}, outbox.EnqueueOptions{}); err == nil {
		t.Error("all or none is taken, and can't be kept")
	}
	for _, err := range []error{
		errorOf(box.EnqueueTx(t.Context(), nil, testMessage("me@qq.com"), outbox.EnqueueOptions{})),
		errorOf(box.EnqueueRawTx(t.Context(), nil, yan.Transaction{Envelope: envelope, Content: content}, outbox.EnqueueOptions{})),
		errorOf(box.EnqueueRaw(t.Context(), yan.Transaction{}, outbox.EnqueueOptions{})),
	} {
		if err == nil {
			t.Error("no transaction, or nothing, is taken")
		}
	}
	if page, err := box.List(t.Context(), queue.Filter{}); err != nil || len(page.Entries) != 1 {
		t.Errorf("%d messages, %v", len(page.Entries), err)
	}
}

func errorOf(_ outbox.Receipt, err error) error { return err }

func mustAddress(t *testing.T, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sandboxAccount returns a configuration for a server of the sandbox, and its secret.
func sandboxAccount(t *testing.T, server *sandboxtest.Server) (*account.File, account.Secrets) {
	f := configFile(t, fmt.Sprintf("[account.a]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { env = \"CODE\" }\n", server.Login(), server.URL(), server.CAFile()))
	return f, credentials.New[account.Account](&secret.Vault{Home: t.TempDir(), Getenv: func(string) string { return server.Password() }})
}

// patience limits the wait of a test; it is only reached if something is wrong.
const patience = time.Minute

// Deliver sends new messages, and Watch yields their events, until both are ended.
func TestDeliver(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	f, secrets := sandboxAccount(t, server)
	box := outbox.OnStore(outboxtest.NewModel(outboxtest.NewClock()), outbox.Options{Accounts: f, Secrets: secrets})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	delivered := make(chan error, 1)
	working, stop := context.WithCancel(ctx)
	defer stop()
	go func() { delivered <- box.Deliver(working) }()
	cursor, err := box.Cursor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m := testMessage("")
	m.To = []string{"a@example.org", "rcpt-550@example.org"}
	receipt, err := box.Enqueue(ctx, m, outbox.EnqueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]queue.State{}
	for e, err := range box.Watch(ctx, cursor) {
		if err != nil {
			t.Fatal(err)
		}
		if e.N >= 0 && e.State.Final() {
			ends[e.Address.String()] = e.State
			if e.State == queue.Failed && e.Answer.Reply.Code != 550 {
				t.Errorf("failed by %+v", e.Answer)
			}
		}
		if len(ends) == 2 {
			break
		}
	}
	if ends["a@example.org"] != queue.HandedOver || ends["rcpt-550@example.org"] != queue.Failed {
		t.Errorf("ends %v", ends)
	}
	stop()
	if err := <-delivered; err != nil {
		t.Error(err)
	}
	got := server.Messages()
	if len(got) != 1 || got[0].Header("Message-ID") != receipt.MessageID {
		t.Errorf("%d messages arrived", len(got))
	}
}

// Drain sends due messages and returns.
func TestDrain(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	f, secrets := sandboxAccount(t, server)
	clock := outboxtest.NewClock()
	box := outbox.OnStore(outboxtest.NewModel(clock), outbox.Options{Accounts: f, Secrets: secrets})
	for i := range 5 {
		o := outbox.EnqueueOptions{}
		if i == 4 {
			o.NotBefore = clock.Now().Add(time.Hour)
		}
		if _, err := box.Enqueue(t.Context(), testMessage(""), o); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	drained, err := box.Drain(ctx)
	if err != nil || drained.Count[queue.HandedOver] != 4 || drained.Left != 1 {
		t.Errorf("%+v, %v", drained, err)
	}
	if n := len(server.Messages()); n != 4 {
		t.Errorf("%d messages arrived", n)
	}
}

// The log says why an account can't send, without the secret.
func TestDeliverTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := configFile(t, "[account.a]\nfrom = \"me@qq.com\"\nsecret = { env = \"NOPE\" }\n")
	told := make(logged, 16)
	box := outbox.OnStore(outboxtest.NewModel(outboxtest.NewClock()), outbox.Options{Accounts: f, Log: told.newLogger(),
		Secrets: credentials.New[account.Account](&secret.Vault{Home: t.TempDir(), Getenv: func(string) string { return "" }})})
	if _, err := box.Enqueue(t.Context(), testMessage(""), outbox.EnqueueOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := box.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	close(told)
	var all []string
	for line := range told {
		all = append(all, line)
	}
	if text := strings.Join(all, "\n"); !strings.Contains(text, "account unusable") || !strings.Contains(text, "account=a") || !strings.Contains(text, "NOPE") {
		t.Errorf("got %q", text)
	}
}
