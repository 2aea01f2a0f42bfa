//go:build interop && linux

package interop

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Documented exit statuses, after sysexits.h.
const (
	exitData      = 65
	exitNoUser    = 67
	exitTemporary = 75
	exitProtocol  = 76
	exitAuth      = 77
	exitPartial   = 79
)

// refusal is a case in which a message must not be sent, and the command's
// report.
type refusal struct {
	service string
	as      authentication
	args    []string // instead of an ordinary message; nil for one
	exit    int
	class   string // of the diagnosis
}

// Each failure has its exit status, its class, and advice in both languages;
// and no message arrives.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := real(t)
	wrong := authentication{password: "wr0ng = password, %41"}
	tests := map[string]refusal{
		"unknown recipient":  {"submission", authentication{}, to("reject-nobody@example.test"), exitNoUser, "RECIPIENT_INVALID"},
		"recipient deferred": {"submission", authentication{}, to("defer-somebody@example.test"), exitTemporary, "TEMPORARY"},
		"mailbox full":       {"smtps", authentication{}, to("full-somebody@example.test"), exitTemporary, "RECIPIENT_FULL"},
		"hung up on":         {"submission", authentication{}, to("drop-somebody@example.test"), exitTemporary, "TEMPORARY"},
		"no login":           {"submission", authentication{none: true}, nil, exitAuth, "AUTH_REQUIRED"},
	}
	for _, mechanism := range offeredMechanisms(t, s, "submission") {
		as, class := wrong, "AUTH_BAD_CREDENTIALS"
		as.mechanism = mechanism
		if usesToken(mechanism) {
			as, class = authentication{mechanism: mechanism, token: bearerToken("another key")}, "AUTH_TOKEN_REFUSED"
		}
		tests["wrong secret, "+mechanism] = refusal{"submission", as, nil, exitAuth, class}
	}
	for certificate, class := range map[string]string{"expired": "TLS_EXPIRED", "untrusted": "TLS_UNTRUSTED", "othername": "TLS_NAME"} {
		for _, mode := range []string{"submission", "smtps"} {
			tests[certificate+" certificate, "+mode] = refusal{mode + "-" + certificate, authentication{}, nil, exitProtocol, class}
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.checkRefused(t, s.urlFor(test.service, test.as), s.trust(test.service), test)
		})
	}
}

func to(recipient string) []string {
	return []string{"-f", login, "-t", recipient, "-s", "你好", "-b", "Hello World"}
}

// checkRefused sends with --json and then as text in each language.
func (s *servers) checkRefused(t *testing.T, url string, trust []string, test refusal) {
	t.Helper()
	box := boxFor(t)
	args := test.args
	if args == nil {
		args = to(box + "@example.test")
	}
	common := slices.Concat([]string{"send", "--server", url}, trust, test.as.flags(), args)
	told := parseReport(t, s.yan(t, test.as, append(common, "--json")...))
	if told.Exit != test.exit {
		t.Errorf("exit status %d, want %d; recipients %+v", told.Exit, test.exit, told.Recipients)
	}
	if len(told.Recipients) != 1 || told.Recipients[0].Status == "accepted" || told.Recipients[0].Status == "unknown" {
		t.Errorf("the recipients are %+v", told.Recipients)
	}
	if told.Diagnosis == nil {
		t.Fatal("no diagnosis in the report")
	}
	if test.class != "" && told.Diagnosis.Class != test.class {
		t.Errorf("class %s, want %s; recipients %+v", told.Diagnosis.Class, test.class, told.Recipients)
	}
	for _, language := range []string{"en", "zh"} {
		cause, advice := told.Diagnosis.Cause[language], told.Diagnosis.Advice[language]
		if cause == "" || advice == "" || holdsHan(cause) != (language == "zh") || holdsHan(advice) != (language == "zh") {
			t.Errorf("in %s: cause %q, advice %q", language, cause, advice)
		}
		r := s.yan(t, test.as, append(common, "--lang", language)...)
		if r.exit != test.exit {
			t.Errorf("exit status %d with --lang %s, want %d", r.exit, language, test.exit)
		}
		if !strings.Contains(r.stderr, cause) || !strings.Contains(r.stderr, advice) {
			t.Errorf("--lang %s does not give cause %q and advice %q:\n%s", language, cause, advice, r.stderr)
		}
	}
	if files := s.files(t, box); len(files) > 0 {
		t.Errorf("a message that was reported as refused arrived: %q", files)
	}
}

func holdsHan(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// An attacker removes STARTTLS from the server's reply. No login and no message
// may follow.
func TestStrippedSTARTTLS(t *testing.T) {
	t.Parallel()
	s := real(t)
	proxy := startStripProxy(t, s.port["submission"])
	url := strings.Replace(s.url("submission"), port(s.port["submission"]), port(proxy.port), 1)
	s.checkRefused(t, url, s.trust("submission"), refusal{exit: exitProtocol, class: "STARTTLS_MISSING"})
	said, stripped := proxy.heard()
	if stripped == 0 {
		t.Error("the proxy saw no STARTTLS to take out")
	}
	for line := range strings.Lines(said) {
		if verb := strings.ToUpper(strings.Fields(line + " -")[0]); verb != "EHLO" && verb != "QUIT" {
			t.Errorf("the client said %q without TLS", line)
		}
	}
}

// TLS from the first byte on a port that speaks SMTP first, and the reverse.
func TestWrongTLSMode(t *testing.T) {
	t.Parallel()
	s := real(t)
	for name, service := range map[string][2]string{"TLS at once": {"smtps", "submission"}, "STARTTLS": {"submission", "smtps"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := strings.Replace(s.url(service[0]), port(s.port[service[0]]), port(s.port[service[1]]), 1)
			// With a TLS server a client that waits for the greeting waits
			// forever.
			args := append(to(boxFor(t)+"@example.test"), "--timeout", "2s")
			told := parseReport(t, s.yan(t, authentication{}, slices.Concat([]string{"send", "--json", "--server", url}, s.trust(service[0]), args)...))
			if told.Exit != exitProtocol && told.Exit != exitTemporary {
				t.Errorf("exit status %d", told.Exit)
			}
		})
	}
}

// Without the explicit option no password and no token is sent unencrypted.
func TestNoCleartextPassword(t *testing.T) {
	t.Parallel()
	s := real(t)
	for _, mechanism := range []string{"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			as := authentication{mechanism: mechanism}
			if usesToken(mechanism) {
				as.token = bearerToken(tokenKey)
			}
			s.checkRefused(t, s.url("notls"), nil, refusal{as: as, exit: exitAuth, class: "CLEARTEXT_PASSWORD"})
		})
	}
	// With SCRAM the password is not sent, so no option is needed.
	t.Run("of itself", func(t *testing.T) {
		t.Parallel()
		told := parseReport(t, s.yan(t, authentication{},
			append([]string{"send", "--json", "--server", s.url("notls")}, to(boxFor(t)+"@example.test")...)...))
		if told.Status != "sent" {
			t.Fatalf("the report is %+v", told)
		}
		if used := s.mechanismUsed(t, told.ServerID); used != "SCRAM-SHA-256" {
			t.Errorf("the server saw %s", used)
		}
	})
}

// Of three recipients two are refused: with "any" the third gets the message,
// with "all" none does.
func TestSomeRefused(t *testing.T) {
	t.Parallel()
	s := real(t)
	for _, service := range []string{"submission", "submission-nochunking", "submission-nopipelining"} {
		for policy, exit := range map[string]int{"any": exitPartial, "all": exitNoUser} {
			t.Run(service+" "+policy, func(t *testing.T) {
				t.Parallel()
				box := "some-" + service + "-" + policy
				good := box + "@example.test"
				args := []string{"-f", login, "-t", "reject-1@example.test," + good + ",defer-1@example.test", "-s", "你好", "-b", "Hello"}
				told, r := s.send(t, service, authentication{}, append(args, "--to-policy", policy)...)
				if r.exit != exit {
					t.Errorf("exit status %d, want %d\n%s", r.exit, exit, r.stdout)
				}
				want := map[string]string{"reject-1@example.test": "refused", good: "accepted", "defer-1@example.test": "deferred"}
				if policy == "all" {
					want[good] = "not tried"
				}
				if policy == "all" && service == "submission-nopipelining" {
					// One refusal is enough, so the next recipient is not
					// tried.
					want["defer-1@example.test"] = "not tried"
				}
				for _, recipient := range told.Recipients {
					if recipient.Status != want[recipient.Address] {
						t.Errorf("%s is %q, want %q", recipient.Address, recipient.Status, want[recipient.Address])
					}
				}
				if len(told.Recipients) != len(want) {
					t.Errorf("the report has %d recipients, want %d", len(told.Recipients), len(want))
				}
				// Messages sent later show that nothing arrived before.
				more := 1
				if policy == "any" {
					more = 2
				}
				s.mustSend(t, service, authentication{}, to(good)...)
				s.delivered(t, box, more)
			})
		}
	}
}

// A message above the server's SIZE is not started.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := real(t)
	large := filepath.Join(t.TempDir(), "large.bin")
	writeRandom(t, large, sizeLimit)
	s.checkRefused(t, s.url("submission"), s.trust("submission"),
		refusal{args: append(to(boxFor(t)+"@example.test"), "-a", large), exit: exitData, class: "TOO_LARGE"})
}
