package sandbox

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

func TestParseFault(t *testing.T) {
	t.Parallel()
	enhanced := smtp.EnhancedCode{Class: 4, Subject: 2, Detail: 1}
	for word, want := range map[string]Fault{
		"rcpt-550":                      {Stage: smtp.StageRcpt, Action: Reply, Code: 550},
		"rcpt=550":                      {Stage: smtp.StageRcpt, Action: Reply, Code: 550},
		"RCPT-550":                      {Stage: smtp.StageRcpt, Action: Reply, Code: 550},
		"rcpt-450-4.2.1+Mailbox_busy":   {Stage: smtp.StageRcpt, Action: Reply, Code: 450, Enhanced: enhanced, Text: "Mailbox busy"},
		"body-554+DT~SPM_a-b":           {Stage: smtp.StageBody, Action: Reply, Code: 554, Text: "DT:SPM a-b"},
		"body-cut":                      {Stage: smtp.StageBody, Action: Cut},
		"data-cut-1000":                 {Stage: smtp.StageData, Action: Cut, Octets: 1000},
		"data-421-4.2.1-1000*2+Closing": {Stage: smtp.StageData, Action: Reply, Code: 421, Enhanced: enhanced, Octets: 1000, Times: 2, Text: "Closing"},
		"ehlo-502*1":                    {Stage: smtp.StageHello, Action: Reply, Code: 502, Times: 1},
		"starttls-inject":               {Stage: smtp.StageStartTLS, Action: Inject},
		"tls-garbage":                   {Stage: smtp.StageTLS, Action: Garbage},
	} {
		got, err := ParseFault(word)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", word, got, err, want)
		}
		if again, err := ParseFault(got.String()); err != nil || again != got {
			t.Errorf("%s: %s does not read back: %+v, %v", word, got, again, err)
		}
	}
}

// Errors name the mistake and the right form.
func TestParseFaultErrors(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"":                "want STAGE-ACTION",
		"rcpt":            "want STAGE-ACTION",
		"lunch-550":       `no stage "lunch"; the stages are connect, tls`,
		"rcpt-explode":    `stage rcpt has no action "explode"; it has a reply code, stall`,
		"rcpt-inject":     "has no action",
		"rcpt-reply":      "has no action",
		"tls-drip":        "it has stall, cut, rst, garbage",
		"connect-450":     "it has stall, cut, rst",
		"rcpt-999":        "no reply code from 200 to 599",
		"rcpt-0550":       "no reply code",
		"rcpt-100":        "no reply code",
		"rcpt-450-x":      "neither an enhanced code like 4.2.1 nor a number of octets",
		"rcpt-450-4.2.x":  "neither an enhanced code",
		"rcpt-cut-4.2.1":  "no enhanced code belongs",
		"rcpt-cut-100":    "belongs to stage data, not rcpt",
		"data-drip-100":   "in the middle of the message there is reply, stall",
		"data-cut-0":      "number of octets",
		"data-cut-5-6":    "number of octets",
		"ehlo-502*0":      "no number of times",
		"rcpt-cut+text":   "only a reply has a text",
		"rcpt-550+a\r\nb": "control character",
	} {
		if _, err := ParseFault(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", word, err, want)
		}
	}
}

func TestFaultsNamesEveryStageAndAction(t *testing.T) {
	t.Parallel()
	all := Faults()
	seen := map[string]bool{}
	stages := map[smtp.Stage]bool{}
	for _, f := range all {
		word := f.String()
		if seen[word] {
			t.Errorf("%s is listed twice", word)
		}
		seen[word], stages[f.Stage] = true, true
		if got, err := ParseFault(word); err != nil || got != f {
			t.Errorf("%s: read back as %+v, %v", word, got, err)
		}
	}
	for _, stage := range smtp.Stages() {
		if !stages[stage] {
			t.Errorf("stage %s has no fault", stage)
		}
	}
	// connect 3, tls 4, ten stages of 13, inject, 9 reasons against a login, 7
	// in the middle of the data.
	if want := 3 + 4 + 10*13 + 1 + 9 + 7; len(all) != want {
		t.Errorf("%d faults, want %d", len(all), want)
	}
}

// Every fault, set in the Config.
func TestEveryFaultFromTheConfig(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, f := range Faults() {
		tried++
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			paced := &atomic.Int64{}
			s := start(t, Config{Faults: []Fault{f}, Pace: func() { paced.Add(1) }})
			checkFault(t, s, f, "a@example.org", paced)
		})
	}
	if tried != 154 {
		t.Errorf("%d faults tried", tried)
	}
}

// Every fault, requested by a magic recipient: faults of stages after RCPT in
// the same transaction, earlier ones on the next connection.
func TestEveryFaultFromARecipient(t *testing.T) {
	t.Parallel()
	for _, f := range Faults() {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			paced := &atomic.Int64{}
			s := start(t, Config{Pace: func() { paced.Add(1) }})
			magic := f.String() + "@example.org"
			switch f.Stage {
			case smtp.StageRcpt, smtp.StageData, smtp.StageBody, smtp.StageReset, smtp.StageQuit:
				checkFault(t, s, f, magic, paced)
				return
			}
			c := login(t, s, "me@example.org")
			c.want("250", "MAIL FROM:<me@example.org>")
			c.want("250 2.1.5", "RCPT TO:<"+magic+">")
			checkFault(t, s, f, "a@example.org", paced)
			if f.Times == 0 { // once only
				login(t, s, "me@example.org").want("250", "MAIL FROM:<me@example.org>")
			}
		})
	}
}

// checkFault goes through all stages and checks the effect of the fault at its
// stage.
func checkFault(t *testing.T, s *Server, f Fault, to string, paced *atomic.Int64) {
	t.Helper()
	stage, got := walk(t, s, f, to)
	if f.Action == Drip {
		if stage != "" || paced.Load() < 5 {
			t.Errorf("drip: stopped at %q with %q, %d bytes paced", stage, got.raw, paced.Load())
		}
		return
	}
	if stage != f.Stage {
		t.Fatalf("stopped at %q with %s %.100q, want %q", stage, got.kind, got.raw, f.Stage)
	}
	want := map[Action]kind{Reply: replied, Stall: stalled, Cut: closed, Abort: aborted, Garbage: garbled,
		Endless: endless, Mixed: mixed, GBK: replied, Frame: garbled, Half: closed, Inject: replied}[f.Action]
	if f.Action.refusesLogin() {
		want = replied
	}
	// A cut with unread input makes TCP send a reset.
	unread := f.Action == Cut && got.kind == aborted && (f.Octets > 0 || f.Stage == smtp.StageTLS)
	// A reset in the middle of the message may reach the client while it
	// writes; it then reads the end of the connection.
	writing := f.Action == Abort && f.Octets > 0 && got.kind == closed
	if got.kind != want && !unread && !writing {
		t.Fatalf("got %s %.100q, want %s", got.kind, got.raw, want)
	}
	switch f.Action {
	case Reply:
		if got.code != fmt.Sprint(f.Code) {
			t.Errorf("got %q", got.raw)
		}
	case GBK:
		var p smtp.ReplyParser
		reply, _, err := p.Line([]byte(strings.TrimRight(got.raw, "\r\n")))
		if err != nil || !strings.Contains(reply.Text(), "请使用授权码登录") || reply.Code < 500 {
			t.Errorf("got %v, %v", reply, err)
		}
	case Frame:
		if !strings.HasPrefix(binaryFrame, got.raw) || len(got.raw) != 8 {
			t.Errorf("got %q", got.raw) // the 0a in the frame ends a line
		}
	case Half:
		if got.raw == "" || strings.HasSuffix(got.raw, "\n") {
			t.Errorf("got %q", got.raw)
		}
	}
	checkKept(t, s, f)
}

// checkKept checks whether the message was kept. If the reply to its end is
// lost or damaged, the server has accepted it; a client must report this as
// unknown.
func checkKept(t *testing.T, s *Server, f Fault) {
	t.Helper()
	want := 0
	switch f.Stage {
	case smtp.StageBody:
		if !f.isRefusal() {
			want = 1
		}
	case smtp.StageReset, smtp.StageQuit:
		want = 1
	}
	if got := s.Received(); got != want {
		t.Errorf("%d messages kept, want %d", got, want)
	}
}

// walk sends a message and returns the stage at which the answer was unusual,
// or "".
func walk(t *testing.T, s *Server, f Fault, to string) (smtp.Stage, answer) {
	t.Helper()
	patience := patient
	if f.Action == Stall {
		patience = 30 * time.Millisecond // long enough to see that no answer comes
	}
	if f.Stage == smtp.StageConnect || f.Stage == smtp.StageTLS {
		return walkTLS(t, s, f, patience)
	}
	c, err := tryDial(t, s, s.SubmissionAddr())
	if err != nil {
		return f.Stage, answer{kind: kindOf(err), raw: err.Error()}
	}
	text := "Subject: walk\r\n\r\n" + strings.Repeat("0123456789\r\n", 1000)
	for _, step := range []struct {
		stage smtp.Stage
		send  string
		code  string
	}{
		{smtp.StageGreeting, "", "220"},
		{smtp.StageHello, "EHLO client.example\r\n", "250"},
		{smtp.StageStartTLS, "STARTTLS\r\n", "220"},
		{smtp.StageTLS, "", ""},
		{smtp.StageHello, "EHLO client.example\r\n", "250"},
		{smtp.StageAuth, "AUTH PLAIN " + plainResponse("me@example.org", Password) + "\r\n", "235"},
		{smtp.StageMail, "MAIL FROM:<me@example.org>\r\n", "250"},
		{smtp.StageRcpt, "RCPT TO:<" + to + ">\r\n", "250"},
		{smtp.StageData, "DATA\r\n", "354"},
		{smtp.StageBody, text + ".\r\n", "250"},
		{smtp.StageReset, "RSET\r\n", "250"},
		{smtp.StageQuit, "QUIT\r\n", "221"},
	} {
		if step.stage == smtp.StageTLS {
			if err := c.secure(c.tlsConfig(), patient); err != nil {
				return smtp.StageStartTLS, answer{kind: garbled, raw: err.Error()}
			}
			continue
		}
		if step.send != "" { // even an empty write would consume the reset
			c.send(step.send)
		}
		wait := patient
		if step.stage == f.Stage && f.Octets == 0 || step.stage == smtp.StageBody && f.Octets > 0 {
			wait = patience // at other stages an answer comes, however busy the machine is
		}
		a := c.read(wait)
		if step.stage == smtp.StageStartTLS && c.in.Buffered() > 0 {
			return step.stage, a // injected
		}
		if a.kind != replied || a.code != step.code {
			if step.stage == smtp.StageBody && f.Octets > 0 {
				return smtp.StageData, a
			}
			return step.stage, a
		}
	}
	return "", answer{}
}

func walkTLS(t *testing.T, s *Server, f Fault, patience time.Duration) (smtp.Stage, answer) {
	t.Helper()
	c, err := tryDial(t, s, s.TLSAddr())
	if err != nil {
		return f.Stage, answer{kind: kindOf(err), raw: err.Error()}
	}
	if f.Stage == smtp.StageConnect || f.Action == Garbage {
		if f.Stage == smtp.StageTLS {
			c.send("\x16\x03\x01\x00\x01\x00")
		}
		a := c.read(patience)
		if a.kind == closed && strings.HasPrefix(a.raw, garbage) {
			a.kind = garbled
		}
		return f.Stage, a
	}
	err = c.secure(c.tlsConfig(), patience)
	if err == nil {
		return "", answer{}
	}
	return f.Stage, answer{kind: kindOf(err), raw: err.Error()}
}

// A sender and a login can be magic too.
func TestMagicSenderAndLogin(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	c := login(t, s, "")
	c.want("454 4.7.0 Try later", "AUTH PLAIN "+plainResponse("auth-454-4.7.0+Try_later@example.org", Password))
	c.want("235", "AUTH PLAIN "+plainResponse("me@example.org", Password))
	c.want("451 ", "MAIL FROM:<mail-451@example.org>")
	c.want("250", "MAIL FROM:<body-554+DT~SPM@example.org>")
	c.want("250", "RCPT TO:<a@example.org>")
	c.want("354", "DATA")
	c.want("554 DT:SPM", "Subject: x", "", "x", ".")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("501 fault", "RCPT TO:<rcpt-999@example.org>")
	c.want("250", "RCPT TO:<rcpt@example.org>")
	if s.Received() != 0 || len(s.Violations()) != 0 {
		t.Errorf("%d messages, violations %v", s.Received(), s.Violations())
	}
}

// A fault with Times stops by itself.
func TestFaultTimes(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Faults: []Fault{{Stage: smtp.StageHello, Action: Reply, Code: 502, Times: 2}}})
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("502", "EHLO client.example")
	c.want("502", "EHLO client.example")
	c.want("250", "HELO client.example")
}

// A positive reply takes effect: a 354 although there is no recipient.
func TestForced354(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Faults: []Fault{{Stage: smtp.StageData, Action: Reply, Code: 354}}})
	c := login(t, s, "me@example.org")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("550", "RCPT TO:<rcpt-550@example.org>")
	c.want("354", "DATA")
	c.want("554 5.5.1", ".")
	if s.Received() != 0 {
		t.Error("a message without recipients was kept")
	}
}

// An endless reply is bounded: 10 MB are sent, then the server hangs up.
func TestEndlessIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Faults: []Fault{{Stage: smtp.StageGreeting, Action: Endless}}})
	c := dial(t, s, s.SubmissionAddr())
	n, err := io.Copy(io.Discard, c.in)
	if err != nil || n < maxEndless || n > maxEndless+1000 {
		t.Errorf("%d octets, %v", n, err)
	}
}

// A magic word of this connection takes precedence over the faults of the
// Config.
func TestMagicGoesFirst(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Faults: []Fault{{Stage: smtp.StageMail, Action: Reply, Code: 450}}})
	c := login(t, s, "")
	c.want("451", "MAIL FROM:<mail-451@example.org>")
	c.want("450", "MAIL FROM:<me@example.org>")
}
