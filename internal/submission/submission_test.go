package submission_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

func writeText() message.Message {
	return message.Message{From: "雁 <me@example.com>", To: []string{"a@example.org"}, Bcc: []string{"secret@example.org"},
		Subject: "主题", Text: "你好", EightBit: true}
}

func compose(t *testing.T, m message.Message) *submission.PreparedMessage {
	t.Helper()
	l, err := submission.Compose(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newRaw(t *testing.T, source string, from string, to ...string) (*submission.PreparedMessage, error) {
	t.Helper()
	content, err := message.ReadRaw(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = content.Close() })
	var e smtp.Envelope
	if len(to) > 0 {
		e = envelope(t, from, to...)
	}
	return submission.Raw(content, e)
}

func envelope(t *testing.T, from string, to ...string) smtp.Envelope {
	t.Helper()
	var list []smtp.Address
	for _, s := range to {
		list = append(list, address(t, s))
	}
	var sender smtp.Address
	if from != "" {
		sender = address(t, from)
	}
	e, err := smtp.NewEnvelope(sender, list...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func address(t *testing.T, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func body(t *testing.T, s outbox.Store, id queue.ID) []byte {
	t.Helper()
	r, err := s.Body(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The stored message is complete and in the form that every server accepts.
func TestComposedMessageIsKept(t *testing.T) {
	t.Parallel()
	store := outboxtest.NewModel(outboxtest.NewClock())
	letter := compose(t, writeText())
	receipt, err := letter.Enqueue(t.Context(), store, submission.Order{Account: "work", Tags: []string{"news"}, Priority: queue.High})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := store.Show(t.Context(), receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	if entry.Account != "work" || entry.Subject != "主题" || entry.From.String() != "me@example.com" || entry.MessageID != letter.MessageID() ||
		entry.Total != 2 || entry.Size != letter.Size() || entry.Priority != queue.High || len(entry.Tags) != 1 {
		t.Errorf("stored %+v", entry)
	}
	kept := body(t, store, receipt.ID)
	if bytes.Contains(kept, []byte("secret@example.org")) {
		t.Error("the Bcc recipient is in the message")
	}
	if bytes.ContainsFunc(kept, func(r rune) bool { return r > 127 }) {
		t.Error("the message is 8-bit, which some servers refuse")
	}
	m, err := mail.ReadMessage(bytes.NewReader(kept))
	if err != nil || m.Header.Get("Date") == "" || m.Header.Get("Message-Id") != letter.MessageID() {
		t.Errorf("%v, header %v", err, m.Header)
	}
}

// The same order with the same key is one message; another message under the key is an error, and
// so is the same text for other recipients.
func TestKeys(t *testing.T) {
	t.Parallel()
	store := outboxtest.NewModel(outboxtest.NewClock())
	order := submission.Order{Account: "a", Key: "invoice 7"}
	enqueue := func(l *submission.PreparedMessage, o submission.Order) (outbox.EnqueueResult, error) {
		return l.Enqueue(t.Context(), store, o)
	}
	first, err := enqueue(compose(t, writeText()), order)
	if err != nil || first.Duplicate {
		t.Fatal(first, err)
	}
	later := order
	later.NotBefore, later.Tags = time.Now().Add(time.Hour), []string{"x"}
	for name, o := range map[string]submission.Order{"the same order": order, "at another hour": later} {
		if again, err := enqueue(compose(t, writeText()), o); err != nil || !again.Duplicate || again.ID != first.ID {
			t.Errorf("%s: %+v, %v; want a duplicate of %s", name, again, err, first.ID)
		}
	}
	other := writeText()
	other.Text = "再见"
	someone := writeText()
	someone.Bcc = []string{"other@example.org"}
	for name, m := range map[string]message.Message{"another text": other, "another recipient": someone} {
		if got, err := enqueue(compose(t, m), order); !errors.Is(err, queue.ErrConflict) {
			t.Errorf("%s: %+v, %v; want a conflict", name, got, err)
		}
	}
	elsewhere := order
	elsewhere.Account = "b"
	if got, err := enqueue(compose(t, other), elsewhere); err != nil || got.Duplicate {
		t.Errorf("another account: %+v, %v", got, err)
	}
	unkeyed := submission.Order{Account: "a"}
	one, err := enqueue(compose(t, writeText()), unkeyed)
	two, err2 := enqueue(compose(t, writeText()), unkeyed)
	if err != nil || err2 != nil || one.ID == two.ID {
		t.Errorf("without a key: %+v, %v, and %+v, %v", one, err, two, err2)
	}
}

// A reader is read once; the message can still be enqueued several times.
func TestReadersAreReadOnce(t *testing.T) {
	t.Parallel()
	store := outboxtest.NewModel(outboxtest.NewClock())
	with := func(data string) *submission.PreparedMessage {
		m := writeText()
		m.Attachments = []message.Attachment{message.Reader("a.txt", io.MultiReader(strings.NewReader(data)))}
		return compose(t, m)
	}
	l := with("data")
	one, err := l.Enqueue(t.Context(), store, submission.Order{Account: "a", Key: "k"})
	two, err2 := l.Enqueue(t.Context(), store, submission.Order{Account: "b", Key: "k"})
	if err != nil || err2 != nil || !bytes.Equal(body(t, store, one.ID), body(t, store, two.ID)) || !bytes.Contains(body(t, store, one.ID), []byte("ZGF0YQ==")) {
		t.Errorf("%+v, %v; %+v, %v", one, err, two, err2)
	}
	if again, err := with("data").Enqueue(t.Context(), store, submission.Order{Account: "a", Key: "k"}); err != nil || !again.Duplicate {
		t.Errorf("%+v, %v", again, err)
	}
	if got, err := with("date").Enqueue(t.Context(), store, submission.Order{Account: "a", Key: "k"}); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("another file of the same length: %+v, %v", got, err)
	}
}

func TestRawMessageIsCompleted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, source     string
		date, id         bool // added
		subject, idAfter string
	}{
		{name: "whole", source: "From: a@example.com\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nMessage-ID: <1@x>\nSubject: hi\n\nx\n", subject: "hi", idAfter: "<1@x>"},
		{name: "neither", source: "From: a@example.com\nSubject: =?GBK?B?1tDOxA==?=\n\nx\n", date: true, id: true, subject: "中文"},
		{name: "no date", source: "From: a@example.com\nmessage-id : <1@x>\n\nx\n", date: true, idAfter: "<1@x>"},
		{name: "no id", source: "From: a@example.com\nDATE: Thu, 1 Jan 2026 00:00:00 +0000\n\nDate: x\nMessage-ID: <2@x>\n", id: true},
		{name: "a malformed id", source: "From: a@example.com\nDate: x\nMessage-ID: none\nSubject: a\n\tb\n\nx\n", subject: "a\tb"},
	} {
		store := outboxtest.NewModel(outboxtest.NewClock())
		l, err := newRaw(t, test.source, "bounces@example.net", "b@example.org")
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		receipt, err := l.Enqueue(t.Context(), store, submission.Order{})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		kept := string(body(t, store, receipt.ID))
		head, _, _ := strings.Cut(kept, "\r\n\r\n")
		count := func(name string) (n int) {
			for _, line := range strings.Split(head, "\r\n") {
				field, _, _ := strings.Cut(line, ":")
				if strings.EqualFold(strings.TrimSpace(field), name) {
					n++
				}
			}
			return n
		}
		if count("date") != 1 || count("message-id") != 1 {
			t.Errorf("%s: %d dates and %d ids in\n%s", test.name, count("date"), count("message-id"), kept)
		}
		original := strings.ReplaceAll(test.source, "\n", "\r\n")
		if !strings.HasSuffix(kept, original) || (kept != original) != (test.date || test.id) {
			t.Errorf("%s: without the added fields it differs from the original:\n%s", test.name, kept)
		}
		entry, err := store.Show(t.Context(), receipt.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := test.idAfter
		if test.id {
			want = l.MessageID()
			if !strings.HasSuffix(want, "@example.com>") || !strings.Contains(head, want) {
				t.Errorf("%s: generated the id %q", test.name, want)
			}
		}
		if entry.MessageID != want || strings.ReplaceAll(entry.Subject, " ", "\t") != test.subject || entry.Size != int64(len(kept)) {
			t.Errorf("%s: stored as %q, %q, %d octets; want %q, %q, %d", test.name, entry.MessageID, entry.Subject, entry.Size, want, test.subject, len(kept))
		}
	}
}

// Added fields do not make a message a different one.
func TestKeysOfRawMessages(t *testing.T) {
	t.Parallel()
	store := outboxtest.NewModel(outboxtest.NewClock())
	const source = "From: a@example.com\n\nx\n"
	enqueue := func(source, from string, to ...string) (outbox.EnqueueResult, error) {
		l, err := newRaw(t, source, from, to...)
		if err != nil {
			t.Fatal(err)
		}
		return l.Enqueue(t.Context(), store, submission.Order{Key: "k"})
	}
	first, err := enqueue(source, "a@example.com", "b@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := enqueue(source, "a@example.com", "b@example.org"); err != nil || !again.Duplicate || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	noticed := func() (outbox.EnqueueResult, error) {
		content, err := message.ReadRaw(strings.NewReader(source))
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		e, err := envelope(t, "a@example.com", "b@example.org").WithDSN(smtp.DSN{Notify: []string{"SUCCESS"}})
		if err != nil {
			t.Fatal(err)
		}
		l, err := submission.Raw(content, e)
		if err != nil {
			t.Fatal(err)
		}
		return l.Enqueue(t.Context(), store, submission.Order{Key: "k"})
	}
	for name, again := range map[string]func() (outbox.EnqueueResult, error){
		"another notice": noticed,
		"another text": func() (outbox.EnqueueResult, error) {
			return enqueue("From: a@example.com\n\ny\n", "a@example.com", "b@example.org")
		},
		"another sender":    func() (outbox.EnqueueResult, error) { return enqueue(source, "c@example.com", "b@example.org") },
		"no sender":         func() (outbox.EnqueueResult, error) { return enqueue(source, "", "b@example.org") },
		"another recipient": func() (outbox.EnqueueResult, error) { return enqueue(source, "a@example.com", "c@example.org") },
		"one more": func() (outbox.EnqueueResult, error) {
			return enqueue(source, "a@example.com", "b@example.org", "c@example.org")
		},
	} {
		if got, err := again(); !errors.Is(err, queue.ErrConflict) {
			t.Errorf("%s: %+v, %v; want a conflict", name, got, err)
		}
	}
}

// A message composed elsewhere equals one composed here, and is in the form that every server
// accepts.
func TestComposedElsewhere(t *testing.T) {
	t.Parallel()
	store := outboxtest.NewModel(outboxtest.NewClock())
	order := submission.Order{Key: "k", Tags: []string{"a", "b", "a"}}
	first, err := compose(t, writeText()).Enqueue(t.Context(), store, order)
	if err != nil {
		t.Fatal(err)
	}
	m := writeText()
	content, err := message.Compose(&m)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	l, err := submission.Raw(content, envelope(t, "me@example.com", "a@example.org", "secret@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Enqueue(t.Context(), store, order); err != nil || !again.Duplicate || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	order.Key = ""
	receipt, err := l.Enqueue(t.Context(), store, order)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsFunc(body(t, store, receipt.ID), func(r rune) bool { return r > 127 }) {
		t.Error("it is 8-bit")
	}
	entry, err := store.Show(t.Context(), receipt.ID)
	if err != nil || len(entry.Tags) != 2 || entry.Subject != "主题" || entry.MessageID != content.MessageID() {
		t.Errorf("%+v, %v", entry, err)
	}
}

func TestWrongOrders(t *testing.T) {
	t.Parallel()
	store := outboxtest.NewModel(outboxtest.NewClock())
	letter := compose(t, writeText())
	now := time.Now()
	for name, o := range map[string]submission.Order{
		"a long key":               {Key: strings.Repeat("x", submission.MaxKey+1)},
		"a key of two lines":       {Key: "a\nb"},
		"no UTF-8":                 {Key: "\xff"},
		"an empty tag":             {Tags: []string{""}},
		"a tag with a blank":       {Tags: []string{"a b"}},
		"a tag with a comma":       {Tags: []string{"a,b"}},
		"too many tags":            {Tags: strings.Split(strings.Repeat("x ", submission.MaxTags)+"x", " ")},
		"no such priority":         {Priority: 7},
		"over before it may begin": {NotBefore: now, Expires: now.Add(-time.Hour)},
	} {
		if receipt, err := letter.Enqueue(t.Context(), store, o); err == nil {
			t.Errorf("%s: stored as %s", name, receipt.ID)
		}
	}
	if page, err := store.List(t.Context(), queue.Filter{}); err != nil || len(page.Entries) != 0 {
		t.Errorf("%d messages were stored, %v", len(page.Entries), err)
	}
	if _, err := submission.Compose(nil, &message.Message{From: "a@example.com"}); err == nil {
		t.Error("a message without recipients is accepted")
	}
	if _, err := submission.Raw(nil, envelope(t, "", "a@example.org")); err == nil {
		t.Error("a nil message is accepted")
	}
	if _, err := newRaw(t, "From: a@example.com\n\nx\n", ""); err == nil {
		t.Error("a whole message without recipients is accepted")
	}
}

// The fingerprint scheme never changes: a key used before an update is the same message after it.
func TestFingerprintStays(t *testing.T) {
	t.Parallel()
	l, err := newRaw(t, "From: a@example.com\n\nx\n", "a@example.com", "b@example.org")
	if err != nil {
		t.Fatal(err)
	}
	n, err := l.NewMessage(submission.Order{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "4daac070961a9d07ac4921cac22aadfd5c8eda9cf16c485e87e9c402e95df988"
	if got := fmt.Sprintf("%x", n.Fingerprint); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
