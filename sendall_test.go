package yan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// letters returns n messages with a shared attachment. Those at the places in bad can't be
// composed.
func letters(from string, n int, bad ...int) iter.Seq[yan.Message] {
	return func(yield func(yan.Message) bool) {
		for i := range n {
			m := yan.Message{From: from, To: []string{fmt.Sprintf("r%d@example.org", i)}, Subject: fmt.Sprint(i), Text: "你好\r\n",
				Attachments: []yan.Attachment{yan.Bytes("report.bin", []byte(strings.Repeat("\x00\xffdata", 100)))}}
			if slices.Contains(bad, i) {
				m.To = []string{"nobody"}
			}
			if !yield(m) {
				return
			}
		}
	}
}

// Each message has one result at its place, whether it was sent, refused, or could not be
// composed; also for a transport with Send only.
func TestSendAll(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	for name, client := range map[string]*yan.Client{
		"SMTP":     open(t, server, yan.Options{}),
		"recorder": yan.NewClient(&transport.Recorder{}),
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[int]bool{}
			for r, err := range client.SendAll(t.Context(), letters(server.Login(), 40, 3, 7, 39)) {
				if seen[r.Index] {
					t.Errorf("message %d has two results", r.Index)
				}
				seen[r.Index] = true
				if bad := r.Index == 3 || r.Index == 7 || r.Index == 39; bad {
					if err == nil || len(r.Recipients) != 0 {
						t.Errorf("message %d: %v, %v", r.Index, r.Recipients, err)
					}
					continue
				}
				if err != nil || r.MessageID == "" || r.Size == 0 || len(r.Recipients) != 1 ||
					r.Recipients[0].Recipient.String() != fmt.Sprintf("r%d@example.org", r.Index) {
					t.Errorf("message %d: %+v, %v", r.Index, r, err)
				}
			}
			if len(seen) != 40 {
				t.Errorf("%d results for 40 messages", len(seen))
			}
		})
	}
	arrived := server.WaitMessages(37)
	if len(arrived) != 37 {
		t.Errorf("%d messages arrived, want 37", len(arrived))
	}
	for _, m := range arrived {
		if "r"+m.Header("Subject")+"@example.org" != m.To[0] {
			t.Errorf("message %s went to %s", m.Header("Subject"), m.To)
		}
		if data, ok := m.Attachment("report.bin"); !ok || len(data) != 600 {
			t.Errorf("an attachment of %d octets, %v", len(data), ok)
		}
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("rules broken: %v", v)
	}
}

// If no message can be composed, no server is needed.
func TestSendAllComposesNothing(t *testing.T) {
	t.Parallel()
	client, err := yan.Open("smtps://127.0.0.1:1", yan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range client.SendAll(t.Context(), letters("me@example.org", 3, 0, 1, 2)) {
		if refused := (*yan.SendError)(nil); err == nil || errors.As(err, &refused) {
			t.Errorf("message %d: %v", r.Index, err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d results, want 3", n)
	}
}

func TestSendTransactions(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	client := open(t, server, yan.Options{})
	transactions := func(yield func(yan.Transaction) bool) {
		for m := range letters(server.Login(), 10) {
			content, err := message.Compose(&m)
			if err != nil {
				t.Error(err)
				return
			}
			envelope, err := content.Envelope()
			if err != nil || !yield(yan.Transaction{Envelope: envelope, Content: content}) {
				return
			}
		}
		yield(yan.Transaction{})
	}
	results, failed := 0, 0
	for r, err := range client.SendTransactions(t.Context(), transactions) {
		results++
		if err != nil {
			failed++
			if r.Index != 10 || !strings.Contains(err.Error(), "no recipients") {
				t.Errorf("message %d: %v", r.Index, err)
			}
		}
	}
	if results != 11 || failed != 1 || len(server.WaitMessages(10)) != 10 {
		t.Errorf("%d results, %d failed", results, failed)
	}
}

// perRecipient is a transport that answers as an LMTP server does: for each recipient, without a
// reply to the whole message.
type perRecipient struct{ transport.Recorder }

func (*perRecipient) Send(_ context.Context, t yan.Transaction) smtpclient.Result {
	var r smtpclient.Result
	for i, to := range t.Envelope.To() {
		o := smtp.Outcome{Recipient: to, Status: yan.Accepted, Reply: smtp.Reply{Code: 250, Lines: []string{fmt.Sprintf("<to@example.org> id%d Saved", i)}}}
		if i == 0 {
			o.Status, o.Reply = yan.Refused, smtp.Reply{Code: 550, Lines: []string{"no"}}
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	r.Reply = smtp.Reply{Code: 452, Lines: []string{"full"}}
	return r
}

// With LMTP the name is that of the first recipient with one.
func TestServerIDOfRecipients(t *testing.T) {
	t.Parallel()
	client := yan.NewClient(&perRecipient{})
	r, _ := client.Send(t.Context(), yan.Message{From: "me@example.org", To: []string{"a@example.org", "b@example.org", "c@example.org"}, Text: "x"})
	if r.ServerID != "id1" {
		t.Errorf("the id is %q, want that of the first accepted recipient", r.ServerID)
	}
}

// keeper is a transport that records its transactions.
type keeper struct {
	transport.Recorder
	mu       sync.Mutex
	contents []smtpclient.Content
}

func (k *keeper) Send(ctx context.Context, t yan.Transaction) smtpclient.Result {
	k.mu.Lock()
	k.contents = append(k.contents, t.Content)
	k.mu.Unlock()
	return k.Recorder.Send(ctx, t)
}

// Composed messages are closed: with their results, or when the loop ends.
func TestSendAllClosesContents(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	client := yan.NewClient(k)
	n := 0
	for _, err := range client.SendAll(t.Context(), letters("me@example.org", 10)) {
		if err != nil {
			t.Error(err)
		}
		if _, err := k.contents[n].WriteTo(io.Discard); err == nil {
			t.Errorf("content %d is open", n)
		}
		if n++; n == 5 {
			break
		}
	}
	if len(k.contents) != 5 {
		t.Errorf("%d messages were sent, want 5", len(k.contents))
	}
}

func TestSendAllSaysWhy(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain", sandboxtest.WithFault("rcpt-550"))
	client := open(t, server, yan.Options{})
	for r, err := range client.SendAll(t.Context(), letters(server.Login(), 3)) {
		refused := (*yan.SendError)(nil)
		if !errors.As(err, &refused) || refused.Result.Index != r.Index || refused.Result.MessageID != r.MessageID {
			t.Errorf("message %d: %v", r.Index, err)
		}
	}
}

// A transport with Send only takes no more messages after the context is done, either.
func TestSendAllOneByOneEndsWithItsContext(t *testing.T) {
	t.Parallel()
	client := yan.NewClient(&transport.Recorder{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	given, seen := 0, 0
	for range client.SendAll(ctx, func(yield func(yan.Message) bool) {
		for given < 1000 {
			given++
			if !yield(yan.Message{From: "me@example.org", To: []string{"you@example.org"}, Text: "hi"}) {
				return
			}
		}
	}) {
		if seen++; seen == 3 {
			cancel()
		}
	}
	if seen != given || given > 4 {
		t.Errorf("%d given, %d reported", given, seen)
	}
}
