package yan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

func open(t *testing.T, server *sandboxtest.Server, o yan.Options) *yan.Client {
	t.Helper()
	switch {
	case o.Password != "":
	case server.TakesPasswords():
		o.Password = server.Password()
	default:
		o.Token = server.Password()
	}
	o.CAFile = server.CAFile()
	client, err := yan.Open(server.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Every profile of the sandbox accepts an ordinary message from its account, with no rule
// violated.
func TestSendToEveryProfile(t *testing.T) {
	t.Parallel()
	profiles := sandboxtest.Profiles()
	if len(profiles) < 5 {
		t.Fatalf("only %d profiles", len(profiles))
	}
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, profile)
			client := open(t, server, yan.Options{})
			result, err := client.Send(t.Context(), yan.Message{
				From: "雁 <" + server.Login() + ">", To: []string{"好友 <a@example.org>"}, Cc: []string{"b@example.org"},
				Bcc: []string{"blind-copy@example.org"}, Subject: "第一封测试邮件", Text: "你好，世界\r\n", HTML: "<p>你好</p>",
				Attachments: []yan.Attachment{yan.Bytes("报告.txt", []byte("一切都好"))},
			})
			if err != nil {
				t.Fatal(err)
			}
			if result.Count(yan.Accepted) != 3 || result.MessageID == "" || result.Size == 0 {
				t.Errorf("result: %+v", result)
			}
			m := server.WaitMessages(1)[0]
			if int64(len(m.Data)) != result.Size || m.Header("Message-ID") != result.MessageID {
				t.Errorf("arrived: %d octets, id %q; reported: %d, %q", len(m.Data), m.Header("Message-ID"), result.Size, result.MessageID)
			}
			if m.Header("Subject") != "第一封测试邮件" || m.Text() != "你好，世界\r\n" || m.HTML() == "" {
				t.Errorf("subject %q, text %q, html %q", m.Header("Subject"), m.Text(), m.HTML())
			}
			if data, ok := m.Attachment("报告.txt"); !ok || string(data) != "一切都好" {
				t.Errorf("attachment: %q, %v", data, ok)
			}
			if strings.Contains(string(m.Data), "blind-copy@") {
				t.Error("the Bcc recipient was transmitted in the message")
			}
			if v := server.Violations(); len(v) > 0 {
				t.Errorf("rules broken: %v", v)
			}
		})
	}
}

func TestErrorsBeforeConnecting(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	client := open(t, server, yan.Options{})
	from, to := server.Login(), []string{"a@example.org"}
	tests := []struct {
		name, want string
		m          yan.Message
	}{
		{"no sender", "from", yan.Message{To: to}},
		{"no recipient", "recipient", yan.Message{From: from}},
		{"bad recipient", "to[0]", yan.Message{From: from, To: []string{"x y@z"}}},
		{"injected subject", "subject", yan.Message{From: from, To: to, Subject: "a\r\nBcc: b@example.org"}},
		{"missing attachment", "attachments[0]", yan.Message{From: from, To: to, Attachments: []yan.Attachment{yan.File("no-such-file")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client.Send(t.Context(), tt.m)
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), tt.want) {
				t.Errorf("error %v, want one that names %q", err, tt.want)
			}
			if sent := (*yan.SendError)(nil); errors.As(err, &sent) {
				t.Errorf("%v is a SendError, as if it had been tried", err)
			}
		})
	}
	if n := len(server.Connections()); n != 0 {
		t.Errorf("%d connections were made for messages that are wrong", n)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy yan.Options
		want   [2]smtp.Status
		sent   int
	}{
		{"any", yan.Options{Policy: yan.Any}, [2]smtp.Status{yan.Accepted, yan.Refused}, 1},
		{"all", yan.Options{Policy: yan.All}, [2]smtp.Status{yan.NotTried, yan.Refused}, 0},
	} {
		for _, extensions := range [][]string{nil, {"CHUNKING"}, {"CHUNKING", "PIPELINING"}} {
			t.Run(tt.name+" without "+strings.Join(extensions, " "), func(t *testing.T) {
				t.Parallel()
				server := sandboxtest.Start(t, "plain", sandboxtest.WithoutExtension(extensions...))
				client := open(t, server, tt.policy)
				result, err := client.Send(t.Context(), yan.Message{From: server.Login(),
					To: []string{"a@example.org", "rcpt-550@example.org"}, Text: "x"})
				failed := (*yan.SendError)(nil)
				if !errors.As(err, &failed) {
					t.Fatalf("error %v, want a SendError", err)
				}
				for i, want := range tt.want {
					if got := result.Recipients[i]; got.Status != want {
						t.Errorf("%s, want %s", got, want)
					}
				}
				if len(failed.Result.Recipients) != 2 || failed.Result.MessageID == "" {
					t.Errorf("the error's result is not the result: %+v", failed.Result)
				}
				if n := len(server.Messages()); n != tt.sent {
					t.Errorf("%d messages arrived, want %d", n, tt.sent)
				}
				// The next message must not be affected by this one.
				if _, err := client.Send(t.Context(), yan.Message{From: server.Login(), To: []string{"b@example.org"}, Text: "y"}); err != nil {
					t.Errorf("the next message: %v", err)
				}
			})
		}
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	for _, profile := range sandboxtest.Profiles() {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, profile)
			client := open(t, server, yan.Options{Password: "not-the-code"})
			result, err := client.Send(t.Context(), yan.Message{From: server.Login(), To: []string{"a@example.org"}, Text: "x"})
			failed := (*yan.SendError)(nil)
			if !errors.As(err, &failed) {
				t.Fatalf("error %v", err)
			}
			o := result.Recipients[0]
			if o.Status != yan.NotTried || o.Stage != smtp.StageAuth || o.Reply.Code != 535 && o.Reply.Code != 526 && o.Reply.Code != 550 {
				t.Errorf("outcome %s", o)
			}
			if failed.Finding.Scope != diagnosis.ScopeAccount || failed.Finding.Permanence != diagnosis.Permanent {
				t.Errorf("finding %+v", failed.Finding)
			}
			if n := strings.Count(server.Transcript(), "AUTH "); n == 0 {
				t.Error("the transcript shows no AUTH")
			}
			if n := len(server.Connections()); n != 1 {
				t.Errorf("%d connections, want 1: the first failure ends it", n)
			}
			if strings.Contains(err.Error(), "not-the-code") {
				t.Errorf("the error contains the password: %v", err)
			}
		})
	}
}

func TestClientIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	client := open(t, server, yan.Options{MaxConnections: 4})
	var wg sync.WaitGroup
	errs := make([]error, 40)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = client.Send(context.Background(), yan.Message{From: server.Login(), To: []string{"a@example.org"}, Text: "x"})
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := len(server.WaitMessages(len(errs))); n != len(errs) {
		t.Errorf("%d messages arrived, want %d", n, len(errs))
	}
}

func TestDeliverRefusesTheZeroEnvelope(t *testing.T) {
	t.Parallel()
	client := open(t, sandboxtest.Start(t, "plain"), yan.Options{})
	if _, err := client.SendTransaction(t.Context(), yan.Transaction{}); err == nil {
		t.Error("no error")
	}
}

// A transaction without a policy doesn't override the client's.
func TestDeliverKeepsThePolicyOfTheClient(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	client := open(t, server, yan.Options{Policy: yan.All})
	content, err := message.Compose(&yan.Message{From: server.Login(), To: []string{"a@example.org", "rcpt-550@example.org"}, Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.SendTransaction(t.Context(), yan.Transaction{Envelope: envelope, Content: content})
	if err == nil || result.Count(yan.NotTried) != 1 || result.Count(yan.Refused) != 1 {
		t.Errorf("error %v, outcomes %v", err, result.Recipients)
	}
	if n := len(server.Messages()); n != 0 {
		t.Errorf("%d messages arrived", n)
	}
}

// The size is that of the sent form, not of the composed one.
func TestSizeOfAMessageInItsSevenBitForm(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain", sandboxtest.WithoutExtension("8BITMIME", "SMTPUTF8", "BINARYMIME"))
	client := open(t, server, yan.Options{})
	result, err := client.Send(t.Context(), yan.Message{From: server.Login(), To: []string{"a@example.org"},
		Text: "你好", EightBit: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := int64(len(server.WaitMessages(1)[0].Data)); n != result.Size {
		t.Errorf("%d octets arrived, reported %d", n, result.Size)
	}
}

// silent is a transport that returns no outcomes.
type silent struct{}

func (silent) Send(context.Context, yan.Transaction) smtpclient.Result { return smtpclient.Result{} }
func (silent) Close() error                                            { return nil }

func TestNoErrorOnlyIfEverybodyIsTold(t *testing.T) {
	t.Parallel()
	_, err := yan.NewClient(silent{}).Send(t.Context(), yan.Message{From: "a@example.org", To: []string{"b@example.org"}, Text: "x"})
	if err == nil {
		t.Error("a transport without an outcome for the recipient counts as sent")
	}
}

func TestClientPrintsNoSecret(t *testing.T) {
	t.Parallel()
	client, err := yan.Open("qq", yan.Options{From: "me@qq.com", Password: "hunter2secret"})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, client); got != "client on a transport to smtps://smtp.qq.com:465" {
			t.Errorf("%s: %q", verb, got)
		}
	}
	if got := fmt.Sprint(yan.NewClient(&transport.Recorder{})); got != "client on a *transport.Recorder" {
		t.Errorf("a recorder's: %q", got)
	}
}

// The most important outcome is the one that is explained.
func TestWorstOutcome(t *testing.T) {
	t.Parallel()
	ranks := []yan.Outcome{ // the most important first
		{Status: yan.Unknown}, {Status: yan.Refused}, {Status: yan.Deferred}, {Status: yan.NotTried},
		{Status: yan.NotTried, Err: smtpclient.ErrAnotherRefused}, {Status: yan.Accepted},
	}
	for i, more := range ranks {
		for _, less := range ranks[i+1:] {
			for _, pair := range [][]yan.Outcome{{more, less}, {less, more}} {
				got, failed := yan.Result{Recipients: pair}.WorstOutcome()
				if !failed || got.Status != more.Status || got.Err != more.Err {
					t.Errorf("of %s and %s the decisive one is %s", pair[0], pair[1], got)
				}
			}
		}
	}
	if _, failed := (yan.Result{Recipients: ranks[5:]}).WorstOutcome(); failed {
		t.Error("everybody was accepted, and one is decisive")
	}
}
