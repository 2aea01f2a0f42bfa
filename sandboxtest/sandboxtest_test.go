package sandboxtest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
)

// send sends a small message and returns its result.
func send(t *testing.T, url string, s *sandboxtest.Server, o yan.Options, to ...string) (yan.Result, error) {
	t.Helper()
	if o.CAFile == "" {
		o.CAFile = s.CAFile()
	}
	client, err := yan.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), sandboxtest.Patience)
	defer cancel()
	if len(to) == 0 {
		to = []string{"friend@163.com"}
	}
	return client.Send(ctx, yan.Message{From: s.Login(), To: to, Subject: "周报", Text: "第一行\n.第二行\n",
		HTML: "<p>第一行</p>", Attachments: []yan.Attachment{yan.Bytes("报告.txt", []byte("内容\x00\xff"))}})
}

// This module's client sends through every profile on every port and violates
// no rule.
func TestEveryProfile(t *testing.T) {
	t.Parallel()
	profiles := sandboxtest.Profiles()
	if len(profiles) != 7 {
		t.Errorf("profiles %v", profiles)
	}
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, profile)
			for n, url := range []string{s.URL(), s.StartTLSURL()} {
				o := yan.Options{Password: s.Password()}
				if !s.TakesPasswords() {
					o = yan.Options{Token: s.Password()}
				}
				if _, err := send(t, url, s, o); err != nil {
					t.Fatalf("%s: %v", url, err)
				}
				m := s.WaitMessages(n + 1)[n]
				if m.Header("subject") != "周报" || m.Text() != "第一行\r\n.第二行\r\n" || !strings.Contains(m.HTML(), "第一行") {
					t.Errorf("subject %q, text %q, html %q", m.Header("subject"), m.Text(), m.HTML())
				}
				if content, ok := m.Attachment("报告.txt"); !ok || string(content) != "内容\x00\xff" {
					t.Errorf("attachment %q, %v", content, ok)
				}
				if m.Login != s.Login() || m.From != s.Login() || !m.TLS || !slices.Equal(m.To, []string{"friend@163.com"}) {
					t.Errorf("%+v", m)
				}
			}
			if v := s.Violations(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("10001@qq.com", "code"), sandboxtest.WithAccount("b@qq.com", "b"))
		if s.Login() != "10001@qq.com" || s.Password() != "code" || !strings.HasPrefix(s.URL(), "smtps://10001%40qq.com@127.0.0.1:") {
			t.Errorf("%s %s %s", s.Login(), s.Password(), s.URL())
		}
		if _, err := send(t, s.URL(), s, yan.Options{Password: "code"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("faults", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "plain", sandboxtest.WithFault("ehlo-502*1", "body-cut"))
		result, err := send(t, s.URL(), s, yan.Options{})
		if err == nil || result.Recipients[0].Status != smtp.Unknown {
			t.Errorf("%v, %v", result.Recipients, err)
		}
		if err := s.AddFault("mail-explode"); err == nil {
			t.Error("no error for an unknown fault")
		}
		if err := s.AddFault("greeting-554+No"); err != nil {
			t.Error(err)
		}
		if _, err := send(t, s.URL(), s, yan.Options{}); err == nil || !strings.Contains(err.Error(), "554 No") {
			t.Error(err)
		}
	})
	t.Run("limits", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "plain", sandboxtest.WithMaxSize(100), sandboxtest.WithMaxRecipients(1), sandboxtest.WithAuthRequired(),
			sandboxtest.WithoutExtension("PIPELINING", "CHUNKING"), sandboxtest.WithMechanisms("LOGIN"))
		result, err := send(t, s.URL(), s, yan.Options{Password: s.Password()})
		if err == nil || !strings.Contains(err.Error(), "552 5.3.4") && !strings.Contains(err.Error(), "100") {
			t.Errorf("%v, %v", result, err)
		}
		if c := s.Connections(); len(c) == 0 || c[0].Login != s.Login() || c[0].Messages != 0 || c[0].Turns < 3 {
			t.Errorf("%+v", c)
		}
	})
	t.Run("certificate", func(t *testing.T) {
		t.Parallel()
		for _, kind := range []string{"expired", "self-signed", "wrong-name"} {
			s := sandboxtest.Start(t, "plain", sandboxtest.WithCertificate(kind))
			if _, err := send(t, s.URL(), s, yan.Options{}); err == nil || len(s.Messages()) != 0 {
				t.Errorf("%s: %v", kind, err)
			}
		}
	})
	t.Run("cleartext", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "plain", sandboxtest.WithCleartextPassword())
		if _, err := send(t, s.CleartextURL(), s, yan.Options{Password: s.Password(), AllowCleartextPassword: true}); err != nil {
			t.Error(err)
		}
		if m := s.WaitMessages(1)[0]; m.TLS || m.Login == "" {
			t.Errorf("%+v", m)
		}
	})
	t.Run("LMTP", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "plain", sandboxtest.WithLMTP())
		result, _ := send(t, s.LMTPURL(), s, yan.Options{}, "a@example.com", "body-452@example.com")
		if len(result.Recipients) != 2 || result.Recipients[0].Status != smtp.Accepted || result.Recipients[1].Status != smtp.Deferred {
			t.Errorf("%v", result.Recipients)
		}
		if s := sandboxtest.Start(t, "plain"); s.LMTPURL() != "" {
			t.Error("LMTP is open without WithLMTP")
		}
	})
	t.Run("tokens", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "gmail", sandboxtest.WithTokens(func(login, token string) bool {
			return login == "me@gmail.com" && token == "ya29.fresh"
		}))
		if _, err := send(t, s.URL(), s, yan.Options{Token: s.Password()}); err == nil || !strings.Contains(err.Error(), "535 5.7.8") {
			t.Error(err)
		}
		if _, err := send(t, s.URL(), s, yan.Options{Token: "ya29.fresh"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a locked account", func(t *testing.T) {
		t.Parallel()
		begin := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
		var later atomic.Int64
		s := sandboxtest.Start(t, "plain", sandboxtest.WithLockAfter(1), sandboxtest.WithClock(func() time.Time {
			return begin.Add(time.Duration(later.Load()))
		}))
		for _, try := range []struct{ password, want string }{{"wrong", "535"}, {s.Password(), "454"}} {
			if _, err := send(t, s.URL(), s, yan.Options{Password: try.password}); err == nil || !strings.Contains(err.Error(), try.want) {
				t.Errorf("%s: %v", try.want, err)
			}
		}
		later.Store(int64(time.Hour))
		if _, err := send(t, s.URL(), s, yan.Options{Password: s.Password()}); err != nil {
			t.Error(err)
		}
	})
	t.Run("senders", func(t *testing.T) {
		t.Parallel()
		options := []sandboxtest.Option{sandboxtest.WithAccount("a@corp.example", "a"), sandboxtest.WithAccount("b@corp.example", "b"), sandboxtest.WithSenderRule("rcpt")}
		for _, alias := range []string{"c@corp.example", "a@corp.example"} {
			s := sandboxtest.Start(t, "plain", append(options[:3:3], sandboxtest.WithSenderAlias(alias))...)
			// b logs in; a is the sender.
			result, err := send(t, strings.Replace(s.URL(), "a%40", "b%40", 1), s, yan.Options{Password: "b"})
			if mine := alias == s.Login(); (err == nil) != mine || result.Recipients[0].Stage == smtp.StageRcpt == mine {
				t.Errorf("alias %s: %v, %v", alias, result.Recipients, err)
			}
		}
	})
	t.Run("host names", func(t *testing.T) {
		t.Parallel()
		s := sandboxtest.Start(t, "plain", sandboxtest.WithHostNames("smtp.corp.example", "smtp2.corp.example"))
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.CAPEM())
		for name, good := range map[string]bool{"smtp.corp.example": true, "smtp2.corp.example": true, "mail.example.org": true, "corp.example": false} {
			conn, err := tls.Dial("tcp", s.TLSAddr(), &tls.Config{RootCAs: roots, ServerName: name})
			if (err == nil) != good {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil {
				conn.Close()
			}
		}
	})
	t.Run("client certificate and maildir", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
		s := sandboxtest.Start(t, "plain", sandboxtest.WithClientCertificateRequired(), sandboxtest.WithMaxTLS(tls.VersionTLS12),
			sandboxtest.WithMaildir(dir), sandboxtest.WithClock(func() time.Time { return now }), sandboxtest.WithIdleTimeout(time.Minute))
		certFile, keyFile, err := s.ClientCertificate(s.Login())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := send(t, s.URL(), s, yan.Options{CertFile: certFile, KeyFile: keyFile, Mechanism: "EXTERNAL"}); err != nil {
			t.Fatal(err)
		}
		if m := s.WaitMessages(1)[0]; m.Login != s.Login() || !m.Time.Equal(now) {
			t.Errorf("%+v", m)
		}
		if files, err := os.ReadDir(filepath.Join(dir, "friend@163.com", "new")); err != nil || len(files) != 1 {
			t.Errorf("%v, %v", files, err)
		}
	})
}

// A mistake in the options is reported before the server starts.
func TestNewErrors(t *testing.T) {
	t.Parallel()
	for want, option := range map[string]sandboxtest.Option{
		`no stage "lunch"`:     sandboxtest.WithFault("lunch-550"),
		"must not be empty":    sandboxtest.WithAccount("a@b.c", ""),
		`no mechanism "NTLM"`:  sandboxtest.WithMechanisms("NTLM"),
		"expired":              sandboxtest.WithCertificate("stolen"),
		"which are good":       sandboxtest.WithTokens(nil),
		"want at least one":    sandboxtest.WithLockAfter(0),
		`no sender rule "odd"`: sandboxtest.WithSenderRule("odd"),
	} {
		if _, err := sandboxtest.New("plain", option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := sandboxtest.New("hotmail"); err == nil || !strings.Contains(err.Error(), "plain, qq") {
		t.Error(err)
	}
}

func TestFilesAndTranscript(t *testing.T) {
	t.Parallel()
	s, err := sandboxtest.New("gmail")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(s.CAFile())
	if err != nil || string(ca) != string(s.CAPEM()) {
		t.Error(err)
	}
	block, _ := pem.Decode(s.CertificatePEM())
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !slices.Contains(leaf.DNSNames, "smtp.gmail.com") {
		t.Errorf("%v, %v", leaf.DNSNames, err)
	}
	if _, err := send(t, s.URL(), s, yan.Options{Password: s.Password()}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.CAFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the files still exist: %v", err)
	}
	got := s.Transcript()
	if !strings.Contains(got, "1 C: EHLO ") || !strings.Contains(got, "1 S: 235 2.7.0 Accepted") || strings.Contains(got, s.Password()) {
		t.Errorf("transcript:\n%s", got)
	}
}

// A provider's refusal of a login is classified by its reason; without a
// distinct reply, as its usual refusal.
func TestRefusedLoginsAreUnderstood(t *testing.T) {
	t.Parallel()
	type table = map[string]diagnosis.Class
	microsoft := table{"serviceoff": diagnosis.ClassAuthServiceDisabled, "toomany": diagnosis.ClassAuthRateLimited,
		"basicoff": diagnosis.ClassAuthBasicDisabled, "policy": diagnosis.ClassAuthAdminPolicy, "ipdenied": diagnosis.ClassAuthAdminPolicy}
	for profile, own := range map[string]struct {
		provider string
		usual    diagnosis.Class
		reasons  table
	}{
		"plain": {"", diagnosis.ClassAuthBadCredentials, table{"serviceoff": diagnosis.ClassAuthServiceDisabled, "blocked": diagnosis.ClassAccountBlocked,
			"apppassword": diagnosis.ClassAuthNeedAppPassword, "weblogin": diagnosis.ClassAuthNeedWebLogin, "toomany": diagnosis.ClassAuthRateLimited,
			"basicoff": diagnosis.ClassAuthBasicDisabled, "policy": diagnosis.ClassAuthAdminPolicy, "ipdenied": diagnosis.ClassIPNotAllowed}},
		"qq": {"qq", diagnosis.ClassAuthBadCredentials, table{"apppassword": diagnosis.ClassAuthNeedAppPassword}},
		"netease": {"netease163", diagnosis.ClassAuthBadCredentials, table{"serviceoff": diagnosis.ClassAuthServiceDisabled,
			"toomany": diagnosis.ClassAuthRateLimited, "ipdenied": diagnosis.ClassAuthRateLimited}},
		"gmail": {"gmail", diagnosis.ClassAuthBadCredentials, table{"apppassword": diagnosis.ClassAuthNeedAppPassword,
			"weblogin": diagnosis.ClassAuthNeedWebLogin, "toomany": diagnosis.ClassAuthRateLimited}},
		"microsoft365":      {"office365", diagnosis.ClassAuthBadCredentials, microsoft},
		"microsoft365-off":  {"office365", diagnosis.ClassAuthBadCredentials, microsoft},
		"microsoft365-gone": {"office365", diagnosis.ClassAuthBadCredentials, microsoft},
	} {
		for _, reason := range []string{"wrongcode", "serviceoff", "blocked", "apppassword", "weblogin", "toomany", "basicoff", "policy", "ipdenied"} {
			t.Run(profile+" "+reason, func(t *testing.T) {
				t.Parallel()
				s := sandboxtest.Start(t, profile, sandboxtest.WithFault("auth-"+reason))
				result, err := send(t, s.URL(), s, yan.Options{Password: s.Password()})
				if err == nil {
					t.Fatal("the login passed")
				}
				want, ok := own.reasons[reason]
				if !ok {
					want = own.usual
				}
				if f := diagnosis.Diagnose(diagnosis.FromOutcome(result.Recipients[0], own.provider)); f.Class != want {
					t.Errorf("%v: %s by %s, want %s", err, f.Class, f.Basis, want)
				}
			})
		}
	}
}

// Microsoft 365 without passwords refuses the right one, in words that are explained as what
// they mean, and takes a token.
func TestPasswordsAreOff(t *testing.T) {
	t.Parallel()
	for profile, words := range map[string]string{
		"microsoft365-off":  "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
		"microsoft365-gone": "550 5.7.30 Basic authentication is not supported for Client Submission.",
	} {
		s := sandboxtest.Start(t, profile)
		if s.TakesPasswords() {
			t.Errorf("%s takes passwords", profile)
		}
		result, err := send(t, s.URL(), s, yan.Options{Password: s.Password()})
		if err == nil {
			t.Fatalf("%s: the password was accepted", profile)
		}
		o := result.Recipients[0]
		if f := diagnosis.Diagnose(diagnosis.FromOutcome(o, "office365")); f.Class != diagnosis.ClassAuthBasicDisabled || !strings.HasPrefix(o.Reply.String(), words) {
			t.Errorf("%s: %s, %s by %s", profile, o.Reply, f.Class, f.Basis)
		}
		if _, err := send(t, s.URL(), s, yan.Options{Token: s.Password()}); err != nil {
			t.Errorf("%s: the token was refused: %v", profile, err)
		}
	}
}

func TestFaultsAreWords(t *testing.T) {
	t.Parallel()
	words := sandboxtest.Faults()
	if len(words) != 154 {
		t.Errorf("%d faults", len(words))
	}
	if _, err := sandboxtest.New("plain", sandboxtest.WithFault(words...)); err != nil {
		t.Error(err)
	}
}

// Messages written by other programs are decoded too.
func TestMessageDecoding(t *testing.T) {
	t.Parallel()
	m := sandboxtest.Message{Data: []byte(strings.ReplaceAll(`From: =?gb2312?B?0+A=?= <a@b.c>
Received: one
Received: two
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=gbk
Content-Transfer-Encoding: base64

xOO6ww==
--y
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>=E4=BD=A0</p>
--y--
--x
Content-Type: image/png; name="=?UTF-8?B?5Zu+LnBuZw==?="
Content-Disposition: inline
Content-ID: <logo@b.c>
Content-Transfer-Encoding: base64

AAEC
--x
Content-Disposition: attachment; filename*=UTF-8''%E6%8A%A5.txt

text
--x--
`, "\n", "\r\n"))}
	if got := m.Header("from"); got != "余 <a@b.c>" {
		t.Errorf("from %q", got)
	}
	if got := m.HeaderValues("RECEIVED"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("received %q", got)
	}
	if m.Text() != "你好" || m.HTML() != "<p>你</p>" || m.Header("X-None") != "" {
		t.Errorf("text %q, html %q", m.Text(), m.HTML())
	}
	parts, err := m.Parts()
	if err != nil || len(parts) != 4 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	want := sandboxtest.Part{ContentType: "image/png", Params: parts[2].Params, Disposition: "inline", FileName: "图.png",
		ContentID: "logo@b.c", Body: []byte{0, 1, 2}}
	if !reflect.DeepEqual(parts[2], want) {
		t.Errorf("got %+v", parts[2])
	}
	if content, ok := m.Attachment("报.txt"); !ok || string(content) != "text" {
		t.Errorf("%q, %v", content, ok)
	}
	if _, ok := m.Attachment("none"); ok {
		t.Error("found an attachment that does not exist")
	}
}
