package sending

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// answering returns a recorder that replies with a code for some addresses.
func answering(code int, addresses ...string) *transport.Recorder {
	return &transport.Recorder{Answer: func(to smtp.Address) smtp.Reply {
		if slices.Contains(addresses, to.String()) {
			return smtp.Reply{Code: code, Lines: []string{"no"}}
		}
		return smtp.Reply{Code: 250, Lines: []string{"OK"}}
	}}
}

// Recipients that the first server defers get the message from the next account, in its name.
// Recipients it accepted do not get the message twice. Each account keeps its own copy.
func TestFallback(t *testing.T) {
	t.Parallel()
	one, two := answering(450, "b@example.org"), &transport.Recorder{}
	mailboxes := map[string]*mailbox{"one": {}, "two": {err: errors.New("quota")}}
	o := Options{Sender: through("one", one), Fallbacks: []AccountSender{through("two", two)}, Policy: smtpclient.Any}
	for name, s := range map[string]*AccountSender{"one": &o.Sender, "two": &o.Fallbacks[0]} {
		s.OpenSent = func(context.Context) (CopyMailbox, error) { return mailboxes[name], nil }
	}
	summary, events := sent(t, o, []*Outgoing{composed(t, "a@example.org", "b@example.org")})
	if summary.Sent != 1 || summary.Messages != 1 {
		t.Errorf("%+v", summary)
	}
	if got := one.Messages(); len(got) != 1 || len(got[0].To) != 1 || got[0].To[0].String() != "a@example.org" {
		t.Errorf("the first server took %+v", got)
	}
	got := two.Messages()
	if len(got) != 1 || len(got[0].To) != 1 || got[0].To[0].String() != "b@example.org" || got[0].From.String() != "two@two.example" {
		t.Fatalf("the second server took %+v", got)
	}
	if text := string(got[0].Data); !strings.Contains(text, "From: <two@two.example>") || !strings.Contains(text, "Reply-To: <one@one.example>") {
		t.Errorf("the second server took\n%s", text)
	}
	reports := of[Reported](events)
	if len(reports) != 1 {
		t.Fatalf("%d reports", len(reports))
	}
	r := reports[0]
	if r.As.Account != "two" || len(r.Via) != 2 || r.Via[0] == nil || r.Via[0].Account != "one" || r.Via[1] != nil {
		t.Errorf("sent as %v, via %v", r.As, r.Via)
	}
	if len(r.InsteadOf) != 1 || r.InsteadOf[0].Account != "one" || r.InsteadOf[0].Outcome.Reply.Code != 450 {
		t.Errorf("instead of %v", r.InsteadOf)
	}
	if took := of[TookOver](events); len(took) != 1 || took[0].From != "one" || took[0].To != "two" || took[0].Outcome.Reply.Code != 450 {
		t.Errorf("%+v", took)
	}
	copies := of[Copied](events)
	if len(copies) != 2 || copies[0].Account != "one" || copies[0].Folder != "Sent" || copies[1].Account != "two" || copies[1].Err == nil || !copies[1].First {
		t.Errorf("%+v", copies)
	}
	if box := mailboxes["one"]; len(box.kept) != 1 || !strings.Contains(box.kept[0], "From: <one@one.example>") || !box.closed {
		t.Errorf("%+v", box)
	}
}

// mailbox keeps copies in memory.
type mailbox struct {
	kept   []string
	err    error
	closed bool
}

func (b *mailbox) Append(_ context.Context, m imapclient.Message, _ time.Time) (string, error) {
	if b.err != nil {
		return "", b.err
	}
	var text strings.Builder
	_, err := m.WriteTo(&text)
	b.kept = append(b.kept, text.String())
	return "Sent", err
}

func (b *mailbox) Close() { b.closed = true }

// A mailbox that fails is not used for later messages, and its error is marked as first only once.
func TestMailboxFailsOnce(t *testing.T) {
	t.Parallel()
	opened := 0
	o := Options{Sender: through("one", &transport.Recorder{})}
	o.Sender.OpenSent = func(context.Context) (CopyMailbox, error) {
		opened++
		return nil, errors.New("no such host")
	}
	_, events := sent(t, o, mails(t, 3))
	var first []bool
	for _, c := range of[Copied](events) {
		if c.Err == nil {
			t.Errorf("a copy in %s", c.Folder)
		}
		first = append(first, c.First)
	}
	if !slices.Equal(first, []bool{true, false, false}) || opened != 1 {
		t.Errorf("first: %v, opened %d times", first, opened)
	}
}

// The outcome at the first account is final if the next one can't be opened, does not serve the
// sender of a whole message, or does not get past the login.
func TestNoAccountTakesOver(t *testing.T) {
	t.Parallel()
	closed := errors.New("no secret")
	for name, next := range map[string]AccountSender{
		"closed": {Account: "two", Serves: func(smtp.Address) bool { return true },
			Open: func(context.Context) (*yan.Client, transport.Server, error) { return nil, transport.Server{}, closed }},
		"a stranger": through("two", &transport.Recorder{}),
		"no login": func() AccountSender {
			s := through("two", refusing{smtp.StageAuth, 535})
			s.Serves = func(smtp.Address) bool { return true }
			return s
		}(),
	} {
		o := Options{Sender: through("one", answering(450, "u1@example.org", "u2@example.org")), Fallbacks: []AccountSender{next}}
		_, events := sent(t, o, mails(t, 2))
		not := of[NotTakenOver](events)
		if len(not) == 0 || not[0].Account != "two" {
			t.Errorf("%s: %v", name, not)
		}
		switch name {
		case "closed":
			if !errors.Is(not[0].Err, closed) {
				t.Errorf("%s: %+v", name, not[0])
			}
		case "a stranger":
			if not[0].Sender != address(t, "me@example.org") {
				t.Errorf("%s: %+v", name, not[0])
			}
		case "no login":
			if not[0].Outcome.Reply.Code != 535 {
				t.Errorf("%s: %+v", name, not[0])
			}
		}
		for _, e := range of[Reported](events) {
			if o := e.Result.Recipients[0]; o.Status != smtp.Deferred || o.Reply.Code != 450 || e.As.Account != "one" {
				t.Errorf("%s: %s: %v, as %s", name, e.Message.File, o, e.As.Account)
			}
		}
		if len(of[Reported](events)) != 2 {
			t.Errorf("%s: %d messages were reported", name, len(of[Reported](events)))
		}
	}
}

// A message that was logged for the first account and never begun is logged again for the account
// that takes over: after a crash the log must show it as unknown.
func TestEachRoundIsLogged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.log")
	log := openLog(t, path)
	defer log.Close()
	anyone := through("two", &transport.Recorder{})
	anyone.Serves = func(smtp.Address) bool { return true }
	r := New(Options{Sender: anyone, Log: log}, mails(t, 1))
	m := r.messages[0]
	r.takeMessage(m)
	if errs := r.attempts.commitBatch([]*Outgoing{m}); errs != nil { // before its turn
		t.Fatal(errs)
	}
	never := notTried(m, smtp.StageConnect, notBegun{ErrHopeless})
	r.logOutcome(m, never)
	r.round = senderRound{waiting: []*Outgoing{m}, why: never.Recipients[0]}
	m.earlier, m.waits = &earlierResult{result: never}, true
	r.beginRound(t.Context())
	r.takeMessage(m)
	if err := m.mark.Begin(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadFile(path) // the state after a crash
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".left", left, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := clitest.LoggedStates(t, path+".left")["u1@example.org#1"]; got != string(smtp.Unknown) {
		t.Errorf("when the second account has the octets the log says %q, want unknown\n%s", got, left)
	}
}

// No outcome is written before its attempt: a message that is settled while it waits for the disk
// is not attempted.
func TestSettledMessagesAreNotAttempted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.log")
	r := New(Options{Log: openLog(t, path)}, mails(t, 1))
	m := r.messages[0]
	r.attempts.queueAttempt(m)
	r.logOutcome(m, notTried(m, smtp.StageConnect, ErrHopeless))
	if errs := r.attempts.commitBatch([]*Outgoing{m}); errs != nil {
		t.Fatal(errs)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := clitest.LoggedStates(t, path)["u1@example.org#1"]; got != string(smtp.NotTried) {
		t.Errorf("the log says %q, want not tried", got)
	}
}

// A disk that fails ends the run: a message that can't be logged is not sent.
func TestLogThatFails(t *testing.T) {
	t.Parallel()
	log := openLog(t, filepath.Join(t.TempDir(), "run.log"))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	recorder := &transport.Recorder{}
	summary, events := sent(t, Options{Sender: through("one", recorder), Log: log}, mails(t, 3))
	if len(recorder.Messages()) != 0 || summary.LogErr == nil {
		t.Errorf("%d messages were sent; %v", len(recorder.Messages()), summary.LogErr)
	}
	for _, e := range of[Reported](events) {
		if err := e.Result.Recipients[0].Err; !errors.Is(err, ErrLog) {
			t.Errorf("%s: %v", e.Message.File, err)
		}
	}
}

// No account takes over after a refused login: it would hide a wrong password.
func TestRefusedLoginSendsNothingElsewhere(t *testing.T) {
	t.Parallel()
	two := &transport.Recorder{}
	o := Options{Sender: through("one", refusing{smtp.StageAuth, 535}), Fallbacks: []AccountSender{through("two", two)}}
	_, events := sent(t, o, []*Outgoing{composed(t, "a@example.org"), composed(t, "b@example.org")})
	if len(two.Messages()) > 0 || len(of[TookOver](events)) > 0 {
		t.Error("another account took over after a login that was refused")
	}
	// The rest of the run does not fall back either, even if an earlier message waits.
	r := New(o, []*Outgoing{composed(t, "c@example.org")})
	r.end, r.endedBy = ErrHopeless, smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageAuth, Reply: smtp.Reply{Code: 535, Lines: []string{"no"}}}
	r.round.why.Status = smtp.Deferred
	r.waitRest(t.Context())
	if r.messages[0].waits || len(r.round.waiting) > 0 {
		t.Error("a message waits for another account after a login that was refused")
	}
}

// A fault of the message itself does not make another account take over, and a message that a
// server may have is not sent again.
func TestFaultsThatAnotherAccountWouldMeet(t *testing.T) {
	t.Parallel()
	later := smtp.Reply{Code: 452, Lines: []string{"later"}} // temporary by itself
	for _, err := range []error{smtpclient.ErrTooLarge, smtpclient.ErrNeedsSMTPUTF8, smtpclient.ErrTooManyRecipients, smtpclient.ErrContent, context.Canceled} {
		if isTemporary(smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Reply: later, Err: errors.Join(err)}, "") {
			t.Errorf("%v: another account is tried", err)
		}
	}
	if places := retryablePlaces(yan.Result{Recipients: []smtp.Outcome{{Status: smtp.Unknown, Stage: smtp.StageBody, Reply: later}, {Status: smtp.Deferred, Stage: smtp.StageRcpt, Reply: later}}}, smtpclient.Any, ""); !slices.Equal(places, []int{1}) {
		t.Errorf("unknown is tried again: %v", places)
	}
}
