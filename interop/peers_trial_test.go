//go:build interop && linux

package interop

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// fate is the outcome that a server is set up to give a message.
type fate int

const (
	taken       fate = iota
	partly           // one of two recipients is refused
	refusedRcpt      // the only recipient is refused
	refusedLate      // refused after its end
)

// trial is a batch of messages to one server, accepted and refused ones mixed.
type trial struct {
	id       string // unique for each run
	tired    bool   // see peer
	messages []trialMessage
}

type trialMessage struct {
	fate     fate
	from     string
	to       []string
	text     string // as sent, with LF
	body     string
	outcomes []smtp.Outcome
	serverID string
}

// newTrial creates 200 messages: every tenth is refused at its recipient, every
// twentieth after its end.
func newTrial(id string, p peer) *trial {
	const many = 200
	t := &trial{id: id, tired: p.tired}
	for i := range many {
		m := trialMessage{from: "sender@example.test", to: []string{"good@example.test"}}
		field := ""
		switch {
		case i%10 == 5 || i%20 == 18 && !p.late:
			m.fate, m.to = refusedRcpt, []string{fmt.Sprintf("reject-%d@example.test", i)}
		case i%20 == 18:
			m.fate, m.from, field = refusedLate, "late-sender@example.test", "X-Refuse: yes\n"
		case i%50 == 9:
			m.fate, m.to = partly, append(m.to, fmt.Sprintf("reject-%d@example.test", i))
		}
		m.body = fmt.Sprintf("begin %s-%d\n.a line with a dot\n..\n%send %s-%d\n", id, i,
			strings.Repeat("A line of the message.\n", 1+i%7*20), id, i)
		m.text = fmt.Sprintf("From: %s\nTo: %s\nSubject: trial %d\nDate: Mon, 30 Nov 2026 12:00:00 +0000\nMessage-ID: <%s-%d@example.test>\n%s\n%s",
			m.from, strings.Join(m.to, ", "), i, id, i, field, m.body)
		t.messages = append(t.messages, m)
	}
	return t
}

// transactions returns the messages in the form of package smtpclient.
func (t *trial) transactions(tb testing.TB) []yan.Transaction {
	tb.Helper()
	all := make([]yan.Transaction, len(t.messages))
	for i, m := range t.messages {
		content, err := message.ReadRaw(strings.NewReader(m.text))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { content.Close() })
		var to []smtp.Address
		for _, address := range m.to {
			to = append(to, mustAddress(tb, address))
		}
		envelope, err := smtp.NewEnvelope(mustAddress(tb, m.from), to...)
		if err != nil {
			tb.Fatal(err)
		}
		all[i] = yan.Transaction{Envelope: envelope, Content: content, Policy: smtpclient.Any}
	}
	return all
}

func mustAddress(tb testing.TB, text string) smtp.Address {
	tb.Helper()
	address, err := smtp.ParseAddress(text)
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

// verdict is a line of the table.
type verdict struct {
	counts         map[smtp.Status]int // of recipients
	contradictions []string
	named          int // accepted messages whose id was in the reply
}

var trialMark = regexp.MustCompile(`(?m)^begin (\S+)-(\d+)$`)

// judge compares Yan's outcomes with the server's messages, and with the
// server's outcome for each message when it is sent alone.
func (t *trial) judge(stored []string) verdict {
	v := verdict{counts: map[smtp.Status]int{}}
	wrong := func(format string, args ...any) {
		v.contradictions = append(v.contradictions, fmt.Sprintf(format, args...))
	}
	has := make([]int, len(t.messages))
	for _, text := range stored {
		for k, mark := range trialMark.FindAllStringSubmatch(text, -1) {
			if mark[1] != t.id {
				continue
			}
			i := mustNumber(mark[2])
			has[i]++
			_, body, _ := strings.Cut(text, "begin "+mark[1]+"-"+mark[2]+"\n")
			if body = "begin " + mark[1] + "-" + mark[2] + "\n" + body; k > 0 || strings.TrimRight(body, "\n") != strings.TrimRight(t.messages[i].body, "\n") {
				wrong("message %d is not stored as it was sent: %.200q", i, text)
			}
		}
	}
	for i, m := range t.messages {
		accepted := 0
		if len(m.outcomes) != len(m.to) {
			wrong("message %d has %d outcomes", i, len(m.outcomes))
		}
		for k, o := range m.outcomes {
			v.counts[o.Status]++
			if o.Status == smtp.Accepted {
				accepted++
			}
			refused := m.fate == refusedLate || strings.HasPrefix(m.to[k], "reject-")
			if o.Status == smtp.Deferred && !(refused && t.tired) {
				wrong("message %d is put off: %v", i, o)
			}
			if o.Status == smtp.Refused && !refused || o.Status == smtp.Accepted && refused {
				wrong("message %d, which the server %s: %v", i, map[bool]string{true: "refuses", false: "takes"}[refused], o)
			}
		}
		unknown := slices.ContainsFunc(m.outcomes, func(o smtp.Outcome) bool { return o.Status == smtp.Unknown })
		if has[i] != min(accepted, 1) && !(unknown && has[i] <= 1) {
			wrong("message %d is stored %d times: %v", i, has[i], m.outcomes)
		}
		if accepted > 0 && m.serverID != "" {
			v.named++
		}
	}
	return v
}

func mustNumber(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err) // the expression matched digits, or the test wrote them
	}
	return n
}
