//go:build interop && linux

package interop

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Dovecot's submission server lists DSN only after the login. A request for DSN
// reaches the next server: Postfix reports the success to the sender.
func TestDSNAtDovecotSubmission(t *testing.T) {
	t.Parallel()
	s := real(t)
	var mu sync.Mutex
	var seen []smtpclient.Event
	client, err := yan.Open(s.url("submission-dovecot"), yan.Options{CAFile: s.certificate("ca.pem"), Password: password,
		Trace: func(e smtpclient.Event) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, e)
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	box := boxFor(t)
	sender, to := mustAddress(t, box+"-sender@example.test"), mustAddress(t, box+"@example.test")
	content, err := message.ReadRaw(strings.NewReader("From: " + sender.String() + "\nTo: " + to.String() + "\nSubject: dsn\n\nhello\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := smtp.NewEnvelope(sender, to)
	if err == nil {
		envelope, err = envelope.WithDSN(smtp.DSN{Return: "HDRS", EnvelopeID: "job-7", Notify: []string{"SUCCESS"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.SendTransaction(t.Context(), yan.Transaction{Envelope: envelope, Content: content})
	if err != nil {
		t.Fatalf("%v: %v", err, result.Recipients)
	}
	mu.Lock()
	lists := listDSN(seen)
	mu.Unlock()
	if !slices.Equal(lists, []bool{false, false, true}) { // at first, after STARTTLS, after the login
		t.Errorf("the replies to EHLO list DSN: %t", lists)
	}
	s.delivered(t, box, 1)
	report, err := os.ReadFile(s.delivered(t, box+"-sender", 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"report-type=delivery-status", "Original-Envelope-Id: job-7", "Final-Recipient: rfc822; " + to.String()} {
		if !strings.Contains(string(report), want) {
			t.Errorf("no %q in the report\n%s", want, report)
		}
	}
}

// listDSN returns for each reply to EHLO whether it lists DSN.
func listDSN(seen []smtpclient.Event) (lists []bool) {
	for _, e := range seen {
		switch {
		case e.Direction == smtpclient.Sent && strings.HasPrefix(e.Text, "EHLO "):
			lists = append(lists, false)
		case e.Direction == smtpclient.Received && strings.HasPrefix(e.Text, "250") && strings.HasSuffix(e.Text, "DSN"):
			lists[len(lists)-1] = true
		}
	}
	return lists
}
