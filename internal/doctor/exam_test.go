package doctor_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// healthy is the DNS of a correctly configured domain, with its server at
// 127.0.0.1.
func healthy() dnstest.Zone {
	return dnstest.Zone{
		"example.org":                    {"MX 10 mx.example.org", "TXT v=spf1 ip4:127.0.0.0/8 -all"},
		"_submissions._tcp.example.org":  {"SRV 0 1 465 mail.example.org"},
		"_dmarc.example.org":             {"TXT v=DMARC1; p=reject"},
		"sel._domainkey.example.org":     {"TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
		"mail.example.org":               {"A 127.0.0.1"},
		"_dmarc.misaligned.example":      {"TXT v=DMARC1; p=reject"},
		"misaligned.example":             {"MX 10 mx.example.org", "TXT v=spf1 -all"},
		"_submission._tcp.null.example":  {"SRV 0 0 0 ."},
		"null.example":                   {"MX 0 ."},
		"_submissions._tcp.null.example": {"SRV 0 0 0 ."},
	}
}

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// exam checks a sandbox with the right password; tests change it.
func exam(t testing.TB, s *sandboxtest.Server, url string) doctor.Exam {
	t.Helper()
	from := address(t, s.Login())
	server, err := transport.ParseServer(url, from)
	if err != nil {
		t.Fatal(err)
	}
	o := transport.Options{CAFile: s.CAFile()}
	selector := ""
	if from.Domain() == "example.org" {
		selector = "sel"
	}
	return doctor.Exam{Server: server, Options: o, From: from, Resolver: dnstest.Start(t, healthy()).Resolver(), Timeout: long,
		DKIMSelector: selector,
		Login: func(context.Context) (transport.Options, error) {
			if o.Password = s.Password(); !s.TakesPasswords() {
				o.Password, o.Token = "", o.Password
			}
			return o, nil
		}}
}

// check verifies the properties of every report.
func check(t testing.TB, s *sandboxtest.Server, r doctor.ExamReport) {
	t.Helper()
	if len(r.Steps) == 0 {
		t.Fatal("no steps")
	}
	for _, step := range r.Steps {
		where := string(step.Name) + " " + string(step.Status)
		if !slices.Contains(doctor.Names(), step.Name) || !slices.Contains(doctor.Statuses(), step.Status) {
			t.Errorf("%s is not a known step", where)
		}
		if !strings.Contains(step.Outcome.Reply.Text(), "请") { // the server's own words
			bothLanguages(t, where, step.Detail, false)
			if strings.HasSuffix(step.Detail.ZH, "。") {
				t.Errorf("%s: a table cell with a full stop: %q", where, step.Detail.ZH)
			}
		}
		bothLanguages(t, where, step.Advice, true)
		if step.Status == doctor.Failed && step.Advice.EN == "" && step.Finding.Advice.EN == "" ||
			step.Status == doctor.Warning && step.Advice.EN == "" {
			t.Errorf("%s: %q, without advice", where, step.Detail.EN)
		}
		if s != nil && strings.Contains(step.Detail.EN+step.Advice.EN+step.Finding.Hint.EN, s.Password()) {
			t.Errorf("%s shows the password", where)
		}
	}
	if s == nil {
		return
	}
	logins := strings.Count(s.Transcript(), "C: AUTH ")
	if logins > 1 {
		t.Errorf("it logged in %d times", logins)
	}
}

// bothLanguages finds texts that are missing, or in the other language.
func bothLanguages(t testing.TB, where string, text doctor.Text, empty bool) {
	t.Helper()
	if empty && text == (doctor.Text{}) {
		return
	}
	isHan := func(r rune) bool { return unicode.Is(unicode.Han, r) }
	switch {
	case text.EN == "" || text.ZH == "":
		t.Errorf("%s: a language is missing: %+v", where, text)
	case strings.Contains(text.EN+text.ZH, "%!"):
		t.Errorf("%s: a wrong format: %+v", where, text)
	case strings.ContainsFunc(text.EN, isHan):
		t.Errorf("%s: Chinese in the English text %q", where, text.EN)
	case text.EN != text.ZH && !strings.ContainsFunc(text.ZH, isHan) && !strings.ContainsAny(text.ZH, "，、"):
		t.Errorf("%s: no Chinese in %q", where, text.ZH)
	case strings.ContainsFunc(text.EN+text.ZH, unicode.IsControl):
		t.Errorf("%s: a control character in %+q", where, text)
	}
}

func find(t testing.TB, r doctor.ExamReport, name doctor.Name) doctor.Step {
	t.Helper()
	for i := len(r.Steps) - 1; i >= 0; i-- { // with two EHLOs the second counts
		if r.Steps[i].Name == name {
			return r.Steps[i]
		}
	}
	t.Fatalf("no step %s", name)
	return doctor.Step{}
}

func TestAllIsFine(t *testing.T) {
	t.Parallel()
	for _, profile := range sandboxtest.Profiles() {
		s := sandboxtest.Start(t, profile)
		for _, url := range []string{s.URL(), s.StartTLSURL()} {
			before := strings.Count(s.Transcript(), "C: AUTH ")
			e := exam(t, s, url)
			var told []doctor.Step
			e.Told = func(step doctor.Step) { told = append(told, step) }
			r := e.Run(t.Context())
			check(t, nil, r)
			for _, name := range []doctor.Name{doctor.NamePort, doctor.NameTLS, doctor.NameGreeting, doctor.NameHello, doctor.NameAuth,
				doctor.NameLogin, doctor.NameSender} {
				if step := find(t, r, name); step.Status != doctor.OK {
					t.Errorf("%s, %s: %s has status %s: %s", profile, url, name, step.Status, step.Detail.EN)
				}
			}
			if r.Count(doctor.Failed) > 0 || r.Interrupted || len(told) != len(r.Steps) {
				t.Errorf("%s: %d failed, %d of %d reported", profile, r.Count(doctor.Failed), len(told), len(r.Steps))
			}
			if n := strings.Count(s.Transcript(), "C: AUTH ") - before; n != 1 {
				t.Errorf("%s: %d logins, want 1", profile, n)
			}
		}
		for _, word := range []string{"C: DATA", "C: BDAT", "C: RCPT"} {
			if strings.Contains(s.Transcript(), word) {
				t.Errorf("%s: %s without --send-to", profile, word)
			}
		}
		if v := s.Violations(); len(v) > 0 || len(s.Messages()) > 0 || !s.WaitIdle() {
			t.Errorf("%s: %q, %d messages", profile, v, len(s.Messages()))
		}
	}
}

// A login with a password is a warning where the provider has announced the end of passwords; a
// token, an app password and an authorization code are not what it means.
func TestTheEndOfPasswords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		profile, provider string
		token             bool
		want              doctor.StepStatus
	}{
		{"microsoft365", "office365", false, doctor.Warning},
		{"microsoft365", "office365", true, doctor.OK},
		{"plain", "outlook", false, doctor.Warning},
		{"gmail", "gmail", false, doctor.OK},
		{"qq", "qq", false, doctor.OK},
		{"plain", "", false, doctor.OK},
	} {
		s := sandboxtest.Start(t, c.profile)
		e := exam(t, s, s.URL())
		e.Server.Provider, _ = provider.ByID(c.provider)
		if c.token {
			e.Login = func(context.Context) (transport.Options, error) {
				return transport.Options{CAFile: s.CAFile(), Token: s.Password()}, nil
			}
		}
		r := e.Run(t.Context())
		step := find(t, r, doctor.NameLogin)
		if step.Status != c.want || !r.LoggedIn() {
			t.Errorf("%+v: %s, %s", c, step.Status, step.Detail.EN)
		}
		if end := e.Server.Provider.Auth.PasswordEnd; c.want == doctor.Warning &&
			(!strings.Contains(step.Advice.EN, end.When.EN) || !strings.Contains(step.Advice.ZH, end.Do.ZH)) {
			t.Errorf("%+v: %+v", c, step.Advice)
		}
	}
}

// stepOf returns the steps at which a fault of a stage may show.
func stepOf(fault string, starttls bool) []doctor.Name {
	stage, _, _ := strings.Cut(fault, "-")
	switch smtp.Stage(stage) {
	case smtp.StageConnect, smtp.StageTLS:
		if starttls && smtp.Stage(stage) == smtp.StageConnect {
			return []doctor.Name{doctor.NameGreeting}
		}
		return []doctor.Name{doctor.NameTLS}
	case smtp.StageStartTLS:
		return []doctor.Name{doctor.NameTLS}
	case smtp.StageGreeting:
		return []doctor.Name{doctor.NameGreeting}
	case smtp.StageHello:
		return []doctor.Name{doctor.NameHello}
	case smtp.StageAuth:
		return []doctor.Name{doctor.NameLogin}
	}
	return []doctor.Name{doctor.NameSender}
}

// A fault at any stage fails its own step, once, and the later steps are
// skipped.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, word := range sandboxtest.Faults() {
		stage, action, _ := strings.Cut(word, "-")
		if !slices.Contains([]string{"connect", "tls", "greeting", "ehlo", "starttls", "auth", "mail"}, stage) {
			continue
		}
		for _, starttls := range []bool{false, true} {
			if stage == "starttls" && !starttls {
				continue
			}
			tried++
			t.Run(word, func(t *testing.T) {
				t.Parallel()
				s := sandboxtest.Start(t, "plain", sandboxtest.WithFault(word))
				url := s.URL()
				if starttls {
					url = s.StartTLSURL()
				}
				e := exam(t, s, url)
				if strings.HasPrefix(action, "stall") {
					var glass hourglass
					e.Dial = glass.dial
					whenStalled(t, s, word, glass.runOut)
				}
				r := e.Run(t.Context())
				check(t, s, r)
				next, wrong := r.Next()
				if harmless(action) {
					if wrong && next.Status == doctor.Failed {
						t.Errorf("%s failed: %s", next.Name, next.Detail.EN)
					}
					return
				}
				// A reset may arrive before the connection is established.
				names := stepOf(word, starttls)
				if action == "rst" {
					names = append(names, doctor.NamePort)
				}
				if !wrong || next.Status != doctor.Failed || !slices.Contains(names, next.Name) || next.Finding.Class == "" {
					t.Errorf("the fault shows at %s (%s, %s): %s", next.Name, next.Status, next.Finding.Class, next.Detail.EN)
				}
				if r.Count(doctor.Failed) != 1 {
					t.Errorf("%d steps failed", r.Count(doctor.Failed))
				}
				if mx := find(t, r, doctor.NameMX); mx.Status != doctor.OK {
					t.Errorf("the domain was not checked: %+v", mx)
				}
				if last := find(t, r, doctor.NameSender); last.Name != next.Name && last.Status != doctor.Skipped {
					t.Errorf("the step sender has status %s", last.Status)
				}
			})
		}
	}
	if tried < 50 {
		t.Fatalf("only %d faults", tried)
	}
}

// harmless reports whether an action has no effect on the report.
func harmless(action string) bool { return action == "drip" }

func TestCertificates(t *testing.T) {
	t.Parallel()
	for kind, class := range map[string]diagnosis.Class{"expired": diagnosis.ClassTLSExpired,
		"self-signed": diagnosis.ClassTLSUntrusted, "wrong-name": diagnosis.ClassTLSName} {
		s := sandboxtest.Start(t, "plain", sandboxtest.WithCertificate(kind))
		for _, url := range []string{s.URL(), s.StartTLSURL()} {
			e := exam(t, s, url)
			asked := false
			login := e.Login
			e.Login = func(ctx context.Context) (transport.Options, error) {
				asked = true
				return login(ctx)
			}
			r := e.Run(t.Context())
			check(t, s, r)
			next, _ := r.Next()
			if next.Name != doctor.NameCertificate || next.Finding.Class != class || len(next.Facts.Names) == 0 || next.Facts.DaysLeft == nil {
				t.Errorf("%s: %s, %s, %+v", kind, next.Name, next.Finding.Class, next.Facts)
			}
			if asked {
				t.Errorf("%s: the secret was read for a server that is not the right one", kind)
			}
		}
		if strings.Contains(s.Transcript(), "AUTH") {
			t.Errorf("%s: a login", kind)
		}
	}
}

// The exam's clock decides whether a certificate is too old or too new.
func TestCertificateByTheClock(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain", sandboxtest.WithCertificate("expired"))
	for years, want := range map[int]string{0: "expired on", -20: "not valid before"} {
		e := exam(t, s, s.URL())
		e.Now = func() time.Time { return time.Now().AddDate(years, 0, 0) }
		if step := find(t, e.Run(t.Context()), doctor.NameCertificate); step.Status != doctor.Failed || !strings.HasPrefix(step.Detail.EN, want) {
			t.Errorf("%d years: %s: %s", years, step.Status, step.Detail.EN)
		}
	}
}

// A valid certificate of the sandbox ends in ten days; a clock set back makes
// that more.
func TestCertificateEndsSoon(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	for days, want := range map[int]doctor.StepStatus{0: doctor.Warning, 3: doctor.Warning, 6: doctor.OK} {
		e := exam(t, s, s.URL())
		e.Now = func() time.Time { return time.Now().AddDate(0, 0, -days) }
		r := e.Run(t.Context())
		check(t, nil, r)
		step := find(t, r, doctor.NameCertificate)
		if step.Status != want || *step.Facts.DaysLeft != 9+days {
			t.Errorf("%d days ago: %s, %d left", days, step.Status, *step.Facts.DaysLeft)
		}
	}
	old := sandboxtest.Start(t, "plain", sandboxtest.WithMaxTLS(tls.VersionTLS12))
	if step := find(t, exam(t, old, old.URL()).Run(t.Context()), doctor.NameTLS); step.Facts.TLSVersion != "TLS 1.2" {
		t.Errorf("%+v", step.Facts)
	}
}

func TestSendTo(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	e := exam(t, s, s.URL())
	e.SendTo, e.Test = address(t, "friend@163.com"), yan.Message{Subject: "test", Text: "x"}
	r := e.Run(t.Context())
	check(t, s, r)
	if step := find(t, r, doctor.NameMessage); step.Status != doctor.OK || len(s.WaitMessages(1)) != 1 {
		t.Errorf("%+v", step)
	}
	e = exam(t, s, s.URL())
	e.From, e.SendTo = address(t, "other@qq.com"), address(t, "friend@163.com")
	e.Options.User = s.Login()
	login := e.Login
	e.Login = func(ctx context.Context) (transport.Options, error) {
		o, err := login(ctx)
		o.User = s.Login()
		return o, err
	}
	r = e.Run(t.Context())
	check(t, nil, r)
	if step := find(t, r, doctor.NameSender); step.Status != doctor.Failed || step.Finding.Class != diagnosis.ClassSenderMismatch {
		t.Errorf("%+v", step)
	}
	if step := find(t, r, doctor.NameMessage); step.Status != doctor.Skipped {
		t.Errorf("%+v", step)
	}
	for fault, want := range map[string]smtp.Status{"rcpt-550": smtp.Refused, "body-cut": smtp.Unknown} {
		s := sandboxtest.Start(t, "plain", sandboxtest.WithFault(fault))
		e := exam(t, s, s.URL())
		e.SendTo = address(t, "friend@example.org")
		r := e.Run(t.Context())
		check(t, s, r)
		if step := find(t, r, doctor.NameMessage); step.Status != doctor.Failed || step.Outcome.Status != want {
			t.Errorf("%s: %+v", fault, step)
		}
	}
}

func TestNoPasswordInTheClear(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain", sandboxtest.WithCleartextPassword(), sandboxtest.WithMechanisms("PLAIN", "LOGIN"))
	e := exam(t, s, s.CleartextURL())
	e.Login = func(context.Context) (transport.Options, error) {
		t.Error("the secret was read")
		return transport.Options{}, nil
	}
	r := e.Run(t.Context())
	check(t, s, r)
	if next, _ := r.Next(); find(t, r, doctor.NameAuth).Status != doctor.Failed || next.Name != doctor.NameTLS && next.Name != doctor.NameAuth {
		t.Errorf("%+v", next)
	}
	if strings.Contains(s.Transcript(), "C: AUTH") {
		t.Error("a login")
	}
	e = exam(t, s, s.CleartextURL())
	e.Options.AllowCleartextPassword = true
	r = e.Run(t.Context())
	check(t, s, r)
	if step := find(t, r, doctor.NameAuth); step.Status != doctor.Warning || find(t, r, doctor.NameLogin).Status != doctor.OK {
		t.Errorf("%+v", step)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for name, test := range map[string]struct {
		login  func(context.Context) (transport.Options, error)
		status doctor.StepStatus
	}{
		"none":       {nil, doctor.Skipped},
		"none there": {func(context.Context) (transport.Options, error) { return transport.Options{}, nil }, doctor.Skipped},
		"locked":     {func(context.Context) (transport.Options, error) { return transport.Options{}, errors.New("locked") }, doctor.Failed},
		"wrong": {func(context.Context) (transport.Options, error) {
			return transport.Options{Password: "wrongsecret"}, nil
		}, doctor.Failed},
		"token": {func(context.Context) (transport.Options, error) {
			return transport.Options{FreshToken: func(_ context.Context, refused string) (string, error) {
				if refused != "" {
					t.Error("a second token was asked for")
				}
				return s.Password(), nil
			}}, nil
		}, doctor.OK},
		"no token": {func(context.Context) (transport.Options, error) {
			return transport.Options{FreshToken: func(context.Context, string) (string, error) { return "", errors.New("consent has ended") }}, nil
		}, doctor.Failed},
	} {
		e := exam(t, s, s.URL())
		e.Login = test.login
		r := e.Run(t.Context())
		check(t, nil, r)
		step := find(t, r, doctor.NameLogin)
		if step.Status != test.status {
			t.Errorf("%s: status %s: %s", name, step.Status, step.Detail.EN)
		}
		var secret *doctor.SecretError
		if got := errors.As(step.Outcome.Err, &secret); got != (name == "locked" || name == "no token") {
			t.Errorf("%s: %v", name, step.Outcome.Err)
		}
		if test.status != doctor.OK && find(t, r, doctor.NameSender).Status != doctor.Skipped {
			t.Errorf("%s: the sender was asked for", name)
		}
	}
}

// A configured mechanism is tried even if the server does not list it, as
// sending does.
func TestNamedMechanismIsTried(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	e := exam(t, s, s.URL())
	e.Options.Mechanism = "CRAM-MD5"
	e.Login = func(context.Context) (transport.Options, error) {
		return transport.Options{Password: s.Password()}, nil
	}
	r := e.Run(t.Context())
	if step := find(t, r, doctor.NameAuth); step.Status != doctor.Info || step.Facts.Mechanism != "CRAM-MD5" {
		t.Errorf("%s: %s", step.Status, step.Detail.EN)
	}
	if step := find(t, r, doctor.NameLogin); step.Status != doctor.Failed || step.Outcome.Reply.Code != 504 {
		t.Errorf("%s: %s %v", step.Status, step.Detail.EN, step.Outcome)
	}
	if r.LoggedIn() {
		t.Error("a refused login counts as successful")
	}
}
