package admission_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

func TestAcceptedMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx, err := w.Begin(www, "www-data", smtp.DSN{Return: "HDRS"}, 100)
	if err != nil {
		t.Fatal(err)
	}
	tx.SetReceived("from localhost by yan")
	for to, notify := range map[string]string{"a@b.example": "FAILURE", "root": "", "A@b.example": ""} {
		if err := tx.Recipient(to, notify); err != nil {
			t.Fatal(to, err)
		}
	}
	for range 2 {
		if err := tx.Recipient("a@b.example", "never"); err != nil {
			t.Fatal("twice", err)
		}
	}
	kept, err := tx.Accept(t.Context(), strings.NewReader("From: Shop <shop@web.example>\nTo: root\nBcc: a@b.example\nSubject: 你好\n\nhello\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, text := w.stored(t, kept.ID)
	if e.Account != "work" || e.From.String() != "me@corp.example" || len(e.Tags) != 1 || e.Tags[0] != "user:www-data" || e.Key != "" || e.MessageID != kept.MessageID || e.Subject != "你好" {
		t.Errorf("stored %+v", e)
	}
	if e.Total != 4 { // local parts are compared as they are, and root stands for two
		t.Errorf("%d recipients: %+v", e.Total, e.Recipients)
	}
	for _, want := range []string{"Received: from localhost by yan\r\n", "From: Shop <me@corp.example>\r\n", "Reply-To: Shop <shop@web.example>\r\n", "To: root <ops@corp.example>\r\n", "Message-ID: " + kept.MessageID} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	if strings.Contains(text, "Bcc") || kept.Duplicate || len(kept.Changes) == 0 {
		t.Errorf("%+v: %q", kept, text)
	}
	if len(w.events) != 1 || w.events[0].Accepted.ID != kept.ID || w.events[0].From != "www-data" || w.events[0].Recipients != 4 || w.events[0].Peer != www {
		t.Errorf("observed %+v", w.events)
	}
}

// Who may send as whom, in the envelope and in the header.
func TestSenders(t *testing.T) {
	t.Parallel()
	rewrite := newWorld(t)
	rewrite.policy.grant.From = []admission.Pattern{pattern(t, "*@shop.example"), pattern(t, "bob@web.example")}
	for from, want := range map[string]string{
		"":                   "",
		"me@corp.example":    "me@corp.example",
		"ME@corp.EXAMPLE":    "ME@corp.EXAMPLE",
		"any@shop.example":   "any@shop.example",
		"any@SHOP.example":   "any@SHOP.example",
		"bob@web.example":    "bob@web.example",
		"eve@web.example":    "me@corp.example",
		"any@x.shop.example": "me@corp.example",
		"root":               "me@corp.example",
		"root@localhost":     "me@corp.example",
		"a b@c":              "me@corp.example", // not an address
	} {
		kept, err := rewrite.hand(www, from, []string{"a@b.example"}, letter)
		if err != nil {
			t.Errorf("%q: %v", from, err)
			continue
		}
		if e, _ := rewrite.stored(t, kept.ID); e.From.String() != want {
			t.Errorf("%q became %q, want %q", from, e.From, want)
		}
	}
	strict := newWorld(t)
	strict.policy.grant.Foreign = admission.Refuse
	strict.policy.grant.From = []admission.Pattern{pattern(t, "*@shop.example")}
	gitea := admission.Peer{Token: "gitea"}
	for _, from := range []string{"eve@web.example", "root", "root@localhost", "a b@c"} {
		_, err := strict.hand(gitea, from, []string{"a@b.example"}, letter)
		wantRefusal(t, from, err, "sender", 550, "5.7.1")
	}
	for _, header := range []string{"From: eve@web.example", "From: me@corp.example, eve@web.example", "From: me@corp.example\nSender: eve@web.example"} {
		_, err := strict.hand(gitea, "me@corp.example", []string{"a@b.example"}, header+"\n\nx\n")
		wantRefusal(t, header, err, "sender", 550, "5.7.1")
		if err != nil && !strings.Contains(err.Error(), "token gitea may not send as \"eve@web.example\"") {
			t.Errorf("%s: %v", header, err)
		}
	}
	for header, want := range map[string]string{"From: x@shop.example": "From: x@shop.example\r\n", "Subject: y": "From: Account <me@corp.example>\r\n", "From: gitea": "From: gitea <me@corp.example>\r\n"} {
		kept, err := strict.hand(gitea, "", []string{"a@b.example"}, header+"\n\nx\n")
		if err != nil {
			t.Errorf("%s: %v", header, err)
			continue
		}
		if _, text := strict.stored(t, kept.ID); !strings.Contains(text, want) {
			t.Errorf("%s: %q", header, text)
		}
	}
	_, err := strict.hand(admission.Peer{User: "nobody"}, "", nil, letter)
	wantRefusal(t, "nobody", err, "account", 550, "5.7.1")
}

// Only an address that can receive mail becomes a Reply-To.
func TestReplyTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for from, want := range map[string]bool{
		"bob@web.example": true, "bob@localhost": false, "bob@host": false, "bob@box.example": false, "bob@printer.local": false,
		"noreply@web.example": false, "No-Reply@web.example": false, "bob@[192.0.2.1]": false, "bob@host.localdomain": false,
	} {
		kept, err := w.hand(www, "", []string{"a@b.example"}, "From: "+from+"\n\nx\n")
		if err != nil {
			t.Fatal(from, err)
		}
		_, text := w.stored(t, kept.ID)
		if strings.Contains(text, "Reply-To: <"+from+">") != want || strings.Contains(text, "X-Original-From: "+from) == want {
			t.Errorf("%s: %q", from, text)
		}
	}
}

func TestRecipientsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.grant.MaxRecipients = 3
	begin := func() *admission.Transaction {
		tx, err := w.Begin(www, "", smtp.DSN{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	for to, want := range map[string][3]string{
		"ghost":           {"local", "550", "5.1.1"},
		"ghost@localhost": {"local", "550", "5.1.1"},
		"":                {"recipient", "553", "5.1.3"},
		"a b@c.example":   {"recipient", "553", "5.1.3"},
		"-oQ/tmp":         {"local", "550", "5.1.1"},
		"雁@b.example":     {"smtputf8", "550", "5.6.7"},
	} {
		var code int
		_, _ = fmt.Sscan(want[1], &code)
		wantRefusal(t, to, begin().Recipient(to, ""), want[0], code, want[2])
	}
	wantRefusal(t, "NOTIFY", begin().Recipient("a@b.example", "SOMETIMES"), "notify", 501, "5.5.4")
	tx := begin()
	for _, to := range []string{"a@b.example", "a@b.example", "b@b.example"} {
		if err := tx.Recipient(to, ""); err != nil {
			t.Error(to, err)
		}
	}
	wantRefusal(t, "root is two", tx.Recipient("root", ""), "count", 452, "4.5.3")
	if err := tx.Recipient(`"root"@localhost`, ""); err == nil {
		t.Error("quotes hide the name")
	}
	if err := tx.Recipient("c@b.example", ""); err != nil {
		t.Error(err)
	}
	kept, err := tx.Accept(t.Context(), strings.NewReader(letter))
	if e, _ := w.stored(t, kept.ID); err != nil || e.Total != 3 {
		t.Error(e, err)
	}
	w.policy.grant.SMTPUTF8 = true
	if _, err := w.hand(www, "", []string{"雁@b.example"}, letter); err != nil {
		t.Error(err)
	}
	_, err = w.hand(www, "", nil, letter)
	wantRefusal(t, "no recipients", err, "recipient", 554, "5.5.1")
}

func TestContentIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.grant.MaxSize = 1000
	_, err := w.Begin(www, "", smtp.DSN{}, 1001)
	wantRefusal(t, "announced", err, "size", 552, "5.3.4")
	_, err = w.Begin(www, "", smtp.DSN{Return: "ALL"}, 0)
	wantRefusal(t, "RET", err, "notify", 501, "5.5.4")
	to := []string{"a@b.example"}
	for name, text := range map[string]string{"as it is": letter + strings.Repeat("x\n", 1000), "encoded": letter + strings.Repeat("你", 250)} {
		_, err := w.hand(www, "", to, text)
		wantRefusal(t, name, err, "size", 552, "5.3.4")
	}
	w.policy.grant.MaxSize = 0
	_, err = w.hand(www, "", to, "DKIM-Signature: x\n"+letter+strings.Repeat("x", 1000))
	wantRefusal(t, "signed", err, "content", 554, "5.6.0")
	_, err = w.hand(www, "", to, "To: 雁@b.example\n\nx\n")
	wantRefusal(t, "UTF-8 before the @", err, "smtputf8", 550, "5.6.7")
	_, err = w.hand(www, "", to, "Yan-Key: "+strings.Repeat("k", 200)+"\n"+letter)
	wantRefusal(t, "a long key", err, "content", 554, "5.6.0")
	if _, err := w.hand(www, "", to, "Yan-Key:\n"+letter); err != nil {
		t.Errorf("an empty key is none: %v", err)
	}
	if page, err := w.store.List(t.Context(), queue.Filter{}); err != nil || len(page.Entries) != 1 {
		t.Errorf("%d messages are stored, %v", len(page.Entries), err)
	}
}

// brokenStore fails with an error.
type brokenStore struct {
	outbox.Store
	err error
}

func (s brokenStore) Enqueue(context.Context, outbox.NewMessage) (outbox.EnqueueResult, error) {
	return outbox.EnqueueResult{}, s.err
}

func (s brokenStore) List(context.Context, queue.Filter) (queue.Page, error) {
	return queue.Page{}, s.err
}

// Every fault of the store has its answer, which says nothing of the machine.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err      error
		code     int
		enhanced string
	}{
		{queue.ErrFull, 452, "4.3.1"},
		{queue.ErrBroken, 451, "4.3.0"},
		{queue.ErrUncertain, 451, "4.3.0"},
		{fmt.Errorf("%w: %w", queue.ErrUncertain, queue.ErrBroken), 451, "4.3.0"},
		{queue.ErrClosed, 451, "4.3.0"},
		{queue.ErrConflict, 554, "5.5.0"},
		{context.Canceled, 451, "4.3.0"},
		{errors.New("/var/lib/yan/secret"), 451, "4.3.0"},
	} {
		w := newWorld(t)
		w.o.Store = brokenStore{w.store, tt.err}
		w.restart()
		for _, perHour := range []int{0, 5} {
			w.policy.grant.PerHour = perHour
			_, err := w.hand(www, "", []string{"a@b.example"}, letter)
			if !errors.Is(err, tt.err) {
				t.Errorf("%v: returned %v", tt.err, err)
			}
			if got := admission.Reply(err); got.Code != tt.code || got.Enhanced.String() != tt.enhanced || strings.Contains(got.Text(), "/var") {
				t.Errorf("%v: the answer is %v", tt.err, got)
			}
		}
	}
	lost := errors.New("the connection is lost")
	w := newWorld(t)
	tx, err := w.Begin(www, "", smtp.DSN{}, 0)
	if err != nil || tx.Recipient("a@b.example", "") != nil {
		t.Fatal(err)
	}
	if _, err := tx.Accept(t.Context(), io.MultiReader(strings.NewReader(letter), iotest.ErrReader(lost))); !errors.Is(err, lost) {
		t.Errorf("the client is gone: %v", err)
	}
	w.o.Spool = "/nonexistent/folder"
	w.restart()
	_, err = w.hand(www, "", []string{"a@b.example"}, letter+strings.Repeat("x\n", 200_000))
	if got := admission.Reply(err); got.Code != 452 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no room for a large message: %v, %v", got, err)
	}
}

// The rate counts recipients in any hour, across a restart; what was not stored does not count.
func TestRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.grant.PerHour = 5
	to := []string{"a@b.example", "b@b.example"}
	text := func(i int) string { return strings.Replace(letter, "<1@", fmt.Sprintf("<%d@", i), 1) }
	for i := range 2 {
		if _, err := w.hand(www, "", to, text(i)); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(10 * time.Minute)
	}
	if kept, err := w.hand(www, "", to[:1], "Yan-Key: k\n"+text(7)); err != nil || kept.Duplicate {
		t.Fatal(kept, err)
	}
	for range 2 {
		_, err := w.hand(www, "", to, text(2))
		wantRefusal(t, "too many", err, "rate", 450, "4.7.1")
		w.restart()
	}
	if kept, err := w.hand(www, "", to[:1], "Yan-Key: k\n"+text(7)); err == nil {
		t.Error("the limit is reached, but a recipient was accepted:", kept)
	}
	other := admission.Peer{User: "backup", UID: 34}
	if _, err := w.hand(other, "", to, text(3)); err != nil {
		t.Error("another peer:", err)
	}
	w.clock.Advance(40*time.Minute + time.Second)
	if _, err := w.hand(www, "", to, text(4)); err != nil {
		t.Error("an hour after the first:", err)
	}
	_, err := w.hand(www, "", to[:1], text(5))
	wantRefusal(t, "five again", err, "rate", 450, "4.7.1")
	w.clock.Advance(11 * time.Minute)
	for range 3 { // refused and repeated messages do not count
		if _, err := w.hand(www, "", to[:1], "DKIM-Signature: x\n"+text(5)+strings.Repeat("x", 999)); err == nil {
			t.Error("accepted")
		}
		if kept, err := w.hand(www, "", to[:1], "Yan-Key: k\n"+text(7)); err != nil || !kept.Duplicate {
			t.Error(kept, err)
		}
	}
	if _, err := w.hand(www, "", to, text(6)); err != nil {
		t.Error(err)
	}
	w.policy.grant.PerHour = 1
	_, err = w.hand(admission.Peer{}, "", to, text(8))
	wantRefusal(t, "never fits", err, "rate", 550, "5.5.3")
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for p, addresses := range map[string]map[string]bool{
		"*":             {"a@b.example": true, "雁@例子.中国": true},
		"*@b.example":   {"a@b.example": true, "A@B.EXAMPLE": true, "a@x.b.example": false, "a@bb.example": false, "a@b.example.org": false},
		"*@例子.中国":       {"a@例子.中国": true, "a@xn--fsqu00a.xn--fiqs8s": true, "a@中国": false},
		"Bob@b.example": {"bob@b.example": true, "bob@B.example": true, "bobby@b.example": false},
		"*@[192.0.2.1]": {"a@[192.0.2.1]": true, "a@[192.0.2.10]": false},
		"a@[192.0.2.1]": {"A@[192.0.2.1]": true, "a@[192.0.2.2]": false},
	} {
		for a, want := range addresses {
			if got := pattern(t, p).Matches(address(t, a)); got != want {
				t.Errorf("%s, %s: %v", p, a, got)
			}
		}
		if pattern(t, p).String() != p || pattern(t, p).Matches(smtp.Address{}) {
			t.Errorf("%s: %s", p, pattern(t, p))
		}
	}
	for _, p := range []string{"", "a", "*@", "@b", "**", "a b@c", "*b.example", "a@b@"} {
		if got, err := admission.ParsePattern(p); err == nil {
			t.Errorf("%q: %v", p, got)
		}
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	hash := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))[:16] }
	for _, tt := range []struct {
		peer      admission.Peer
		text, tag string
	}{
		{www, "user www-data", "user:www-data"},
		{admission.Peer{Token: "gitea"}, "token gitea", "token:gitea"},
		{admission.Peer{}, "local", "local"},
		{admission.Peer{User: "a b,c"}, "user a b,c", "user:a_b_c~" + hash("user:a b,c")},
		{admission.Peer{User: strings.Repeat("雁", 40)}, "user " + strings.Repeat("雁", 40), "user:" + strings.Repeat("雁", 14) + "~" + hash("user:"+strings.Repeat("雁", 40))},
	} {
		if tt.peer.String() != tt.text || tt.peer.Tag() != tt.tag {
			t.Errorf("%q, %q; want %q, %q", tt.peer, tt.peer.Tag(), tt.text, tt.tag)
		}
	}
}
