//go:build interop && linux

package interop

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/bounce"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// readStatus reads a report with Python's parser.
func readStatus(t *testing.T, r bounce.Report) (back struct {
	Defects    []string
	ReportType string `json:"report_type"`
	Auto       string
	Kinds      []string
	Words      string
	Message    map[string]string
	Recipients []map[string]string
	Subject    string
}) {
	t.Helper()
	content, _, err := bounce.Compose(r)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var b bytes.Buffer
	if _, err := content.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.eml")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var problems bytes.Buffer
	command := exec.Command(python, "-I", "statusback.py", file)
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	if err := json.Unmarshal(out, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// Python's parser and ours read a report alike.
func TestReportsAreReadByPython(t *testing.T) {
	failed := func(to string, lines ...string) queue.Recipient {
		a, err := smtp.ParseAddress(to)
		if err != nil {
			t.Fatal(err)
		}
		return queue.Recipient{Address: a, State: queue.Failed, Attempts: 2, Updated: time.Now(),
			Answer: queue.Answer{Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, Lines: lines}}}
	}
	ann := failed("ann@example.org").Address
	recipients := []queue.Recipient{failed("bob@example.net", "No such user"), failed("雁@例子.cn", "用户不存在\r\nX-Evil: 1"),
		failed("carol@example.net", strings.Repeat("so long ", 200))}
	back := readStatus(t, bounce.Report{PendingReport: outbox.PendingReport{ID: 1, From: ann, MessageID: "<1@example.org>", Created: time.Now(), Recipients: recipients,
		DSN: smtp.DSN{EnvelopeID: "job-7"}}, Sender: ann, Host: "mail.example.org",
		Text: strings.NewReader("From: ann@example.org\r\nSubject: =?UTF-8?B?5a2j5bqm5oql5ZGK?=\r\n\r\nbody\r\n")})
	if len(back.Defects) > 0 || back.ReportType != "delivery-status" || back.Auto != "auto-replied" || back.Subject != "季度报告" ||
		!slices.Equal(back.Kinds, []string{"text/plain", "message/delivery-status", "text/rfc822-headers"}) {
		t.Errorf("%+v", back)
	}
	if back.Message["Reporting-MTA"] != "dns; mail.example.org" || back.Message["Original-Envelope-Id"] != "job-7" {
		t.Errorf("%q", back.Message)
	}
	if len(back.Recipients) != 3 {
		t.Fatalf("%q", back.Recipients)
	}
	for i, want := range []string{"rfc822; bob@example.net", `utf-8; \x{96C1}@xn--fsqu00a.cn`, "rfc822; carol@example.net"} {
		got := back.Recipients[i]
		if got["Final-Recipient"] != want || got["Action"] != "failed" || got["Status"] != "5.1.1" || len(got) != 6 {
			t.Errorf("%q, want %s", got, want)
		}
	}
	if !strings.Contains(back.Words, "<雁@例子.cn>") || !strings.Contains(back.Words, "收件人不存在") {
		t.Errorf("the words are %s", back.Words)
	}
}
