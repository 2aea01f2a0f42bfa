package sandbox

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Each reason in the words of each provider, requested by a login's local part.
func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	own := 0
	for _, p := range profiles() {
		for _, reason := range loginRefusals() {
			want := p.words.refusals[reason]
			if want == "" {
				want = p.words.authFailed
			} else {
				own++
			}
			want, _, _ = strings.Cut(want, "{")
			t.Run(p.name+" "+string(reason), func(t *testing.T) {
				t.Parallel()
				s := start(t, Config{Profile: p.name})
				c := login(t, s, "")
				c.want("334", "AUTH LOGIN")
				c.want("334", b64("auth-"+string(reason)+"@example.org"))
				got := strings.ReplaceAll(c.ask(b64(Password)).raw, "\r\n", "\n")
				if !strings.HasPrefix(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				checkViolations(t, s, "")
			})
		}
	}
	if own != 30 {
		t.Errorf("%d reasons have their own reply", own)
	}
}

// After this many wrong logins in a row the right one is refused too, until the
// lock expires; a right login before that resets the count.
func TestLock(t *testing.T) {
	t.Parallel()
	for profile, locked := range map[string]string{"plain": "454 4.7.0 Too many login", "microsoft365": "535 5.7.139 Authentication unsuccessful, account locked.",
		"netease": "451 Requested mail action not taken: too much fail", "qq": "535 Login fail."} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			begin := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
			var later atomic.Int64
			s := start(t, Config{Profile: profile, LockAfter: 3, Now: func() time.Time { return begin.Add(time.Duration(later.Load())) }})
			user, err := DefaultLogin(profile)
			if err != nil {
				t.Fatal(err)
			}
			try := func(user, secret, want string) {
				t.Helper()
				c := login(t, s, "") // each on its own connection: QQ hangs up
				c.want("334", "AUTH LOGIN")
				c.want("334", b64(user))
				c.want(want, b64(secret))
			}
			try(user, "wrong", "535")
			try(user, "wrong", "535")
			try(user, Password, "235")
			try(user, "wrong", "535")
			try(user, "wrong", "535")
			try("you@example.org", "wrong", "535") // another account
			try(user, "wrong", "535")
			try(user, Password, locked)
			later.Store(int64(LockTime - time.Second))
			try(user, Password, locked)
			later.Store(int64(LockTime))
			try(user, "wrong", "535")
			try(user, Password, "235")
		})
	}
}

// An incomplete exchange is not a wrong login.
func TestLockCountsWrongLoginsOnly(t *testing.T) {
	t.Parallel()
	s := start(t, Config{LockAfter: 1})
	c := login(t, s, "")
	c.want("334", "AUTH LOGIN")
	c.want("501", "*")
	c.want("501", "AUTH PLAIN ???")
	c.want("235", "AUTH PLAIN "+plainResponse("me@example.org", Password))
}

func TestLockIsBounded(t *testing.T) {
	t.Parallel()
	var l lock
	now := time.Unix(0, 0)
	for range maxTracked {
		l.recordLogin(time.Duration(len(l.tries)).String(), false, 5, now)
	}
	l.recordLogin("one more", false, 1, now)
	if l.recordLogin("one more", true, 1, now) || len(l.tries) != maxTracked {
		t.Errorf("%d logins are remembered", len(l.tries))
	}
}

// The stage at which a sender other than the login's own is refused.
func TestSenderRules(t *testing.T) {
	t.Parallel()
	stages := []string{"MAIL", "RCPT", "DATA"}
	for _, test := range []struct {
		profile  string
		rule     SenderRule
		envelope string // the stage that refuses a foreign envelope sender
		header   string // the stage that refuses a foreign From header
		refusal  string
	}{
		{"plain", "", "", "", ""},
		{"plain", AnySender, "", "", ""},
		{"plain", SenderAtMail, "MAIL", "", "553 5.7.1"},
		{"plain", SenderAtRcpt, "RCPT", "", "553 5.7.1"},
		{"plain", SenderAtBody, "message", "", "553 5.7.1"},
		{"plain", SenderAtHeader, "MAIL", "message", "553 5.7.1"},
		// The profiles' own rules.
		{"qq", "", "MAIL", "message", "501 Mail from address must be same as authorization user."},
		{"netease", "", "MAIL", "message", "55"}, // 553 to MAIL, 554 DT:SUM to the header
		{"gmail", "", "", "", ""},
		{"microsoft365", "", "message", "", "550 5.7.60"},
		{"qq", AnySender, "", "", ""},
	} {
		t.Run(test.profile+" "+string(test.rule), func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{Profile: test.profile, SenderRule: test.rule, SenderAliases: []string{"sales@corp.example"}})
			own, err := DefaultLogin(test.profile)
			if err != nil {
				t.Fatal(err)
			}
			try := func(envelope, header, want string) {
				t.Helper()
				c := login(t, s, own)
				lines := []string{"MAIL FROM:<" + envelope + ">", "RCPT TO:<a@example.com>", "DATA"}
				for i, line := range lines {
					a := c.ask(line)
					if refused := a.code[0] > '3'; refused || want == stages[i] {
						if !refused || want != stages[i] || !strings.HasPrefix(a.raw, test.refusal) {
							t.Errorf("%s, %s: %s gets %q, want a refusal of %q at %q", envelope, header, line, a.raw, test.refusal, want)
						}
						return
					}
				}
				a := c.ask("From: <" + header + ">\r\nTo: a@example.com\r\nSubject: hello\r\nDate: Wed, 1 Jul 2026 08:00:00 +0000\r\n" +
					"Message-ID: <1@example.org>\r\n\r\nhello\r\n.")
				if refused := a.code[0] > '3'; refused != (want == "message") || refused && !strings.HasPrefix(a.raw, test.refusal) {
					t.Errorf("%s, %s: the message gets %q, want a refusal at %q", envelope, header, a.raw, want)
				}
			}
			try(own, own, "")
			try(strings.ToUpper(own), own, "")
			try("sales@corp.example", "Sales@corp.example", "")
			try("you@example.org", own, test.envelope)
			try(own, "you@example.org", test.header)
			checkViolations(t, s, "")
		})
	}
}
