package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	stdsmtp "net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/daemon"
)

// startListening runs 'yan serve --smtp' and returns the listener's address.
func startListening(t *testing.T, more ...string) (*service, string) {
	t.Helper()
	s := startServe(t, append([]string{"--smtp", "127.0.0.1:0"}, more...)...)
	s.out.waitFor(t, "SMTP")
	s.errs.waitFor(t, "msg=serving")
	found := regexp.MustCompile(`SMTP +(127\.0\.0\.1:\d+)`).FindStringSubmatch(s.out.String())
	if found == nil {
		t.Fatalf("the address is not shown:\n%s", s.out)
	}
	return s, found[1]
}

// A plain client hands a message over without a login and without TLS; it arrives at the provider from
// the account, and nothing of it is in the log.
func TestServeTakesMail(t *testing.T) {
	t.Parallel()
	s, at := startListening(t)
	text := "From: Fritz <fritz@old.example>\r\nTo: friend@example.org\r\nSubject: Geheimnis\r\n\r\nHello World\r\n"
	if err := stdsmtp.SendMail(at, nil, "fritz@old.example", []string{"friend@example.org"}, []byte(text)); err != nil {
		t.Fatal(err)
	}
	got := s.sandbox.WaitMessages(1)
	if len(got) != 1 || got[0].From != s.sandbox.Login() || strings.Join(got[0].To, " ") != "friend@example.org" {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{"From: Fritz <" + s.sandbox.Login() + ">", "Reply-To: ", "fritz@old.example", "Hello World"} {
		if !strings.Contains(string(got[0].Data), want) {
			t.Errorf("no %q in\n%s", want, got[0].Data)
		}
	}
	var refused *textproto.Error
	err := stdsmtp.SendMail(at, nil, "fritz@old.example", []string{"nobody-here@localhost"}, []byte(text))
	if !errors.As(err, &refused) || refused.Code != 550 || !strings.Contains(refused.Msg, `nobody-here = "you@example.com"`) {
		t.Errorf("a local name: %v", err)
	}
	c, err := daemon.Dial(t.Context(), s.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if w := c.Found.Ways; len(w) != 1 || w[0].Way != "smtp" || w[0].Accepted != 1 || w[0].Refused["local"] != 1 {
		t.Errorf("the status has %+v", w)
	}
	if code := s.end(t); code != command.ExitOK {
		t.Errorf("exit status %d", code)
	}
	for _, word := range []string{"fritz", "nobody-here", "friend@", "Geheimnis", "Hello World"} {
		if strings.Contains(s.errs.String(), word) {
			t.Errorf("the log holds %q:\n%s", word, s.errs)
		}
	}
	if _, err := net.Dial("tcp", at); err == nil {
		t.Error("it still listens")
	}
}

// A token that a command creates works at once, only for its senders, and not after it was removed.
func TestServeTakesTokens(t *testing.T) {
	t.Parallel()
	s, at := startListening(t, "--metrics", "0")
	env := map[string]string{"YAN_CONFIG": s.config}
	if code, _, errs := run(t.Context(), env, "token", "new", "grafana"); code != command.ExitOK { // EHLO lists AUTH while there is a token
		t.Fatal(errs)
	}
	code, out, errs := run(t.Context(), env, "token", "new", "gitea", "--from", "git@example.org", "--json")
	var created jsonout.TokenCreated
	if err := json.Unmarshal([]byte(out), &created); err != nil || code != command.ExitOK {
		t.Fatalf("%d, %v: %s", code, err, errs)
	}
	send := func(from string) error {
		return stdsmtp.SendMail(at, stdsmtp.PlainAuth("", "gitea", created.Token, "127.0.0.1"), from, []string{"friend@example.org"},
			[]byte("From: "+from+"\r\nSubject: x\r\n\r\nhi\r\n"))
	}
	if err := send("git@example.org"); err != nil {
		t.Fatal(err)
	}
	var refused *textproto.Error
	if err := send("other@example.org"); !errors.As(err, &refused) || refused.Code != 550 || !strings.Contains(refused.Msg, "5.7.1") {
		t.Errorf("another sender: %v", err)
	}
	if code, _, errs := run(t.Context(), env, "token", "remove", "gitea", "--yes"); code != command.ExitOK {
		t.Fatal(errs)
	}
	if err := send("git@example.org"); !errors.As(err, &refused) || refused.Code != 535 {
		t.Errorf("a token that was removed: %v", err)
	}
	if got := s.sandbox.WaitMessages(1); len(got) != 1 || got[0].From != "git@example.org" {
		t.Errorf("%+v", got)
	}
	s.out.waitFor(t, "/metrics")
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(s.out.String())
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var text strings.Builder
	buf := make([]byte, 1<<16)
	for {
		n, err := r.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	for _, want := range []string{`yan_accepted_messages_total{way="smtp"} 1`, `yan_refused_total{rule="sender",way="smtp"} 1`, `yan_refused_total{rule="login",way="smtp"} 1`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if strings.Contains(s.errs.String(), created.Token) {
		t.Error("the log holds the token")
	}
}

// A reload changes what programs may do; an invalid table keeps the previous rules.
func TestServeReloadsRules(t *testing.T) {
	t.Parallel()
	s, at := startListening(t)
	before, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	send := func() error {
		return stdsmtp.SendMail(at, nil, "a@example.org", []string{"root@localhost"}, []byte("Subject: x\r\n\r\nhi\r\n"))
	}
	reload := func(more string) daemon.ReloadReply {
		t.Helper()
		if err := os.WriteFile(s.config, append(before, more...), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := daemon.Dial(t.Context(), s.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		told, err := c.Reload(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	if told := reload("[local]\nroot = \"friend@example.org\"\n"); told.Error != "" {
		t.Fatal(told.Error)
	}
	if err := send(); err != nil {
		t.Errorf("after the reload: %v", err)
	}
	if told := reload("[local]\nroot = 5\n"); !strings.Contains(told.Error, "local.root") {
		t.Errorf("an invalid table: %+v", told)
	}
	if err := send(); err != nil {
		t.Errorf("after an invalid table: %v", err)
	}
	if told := reload(""); told.Error != "" {
		t.Fatal(told.Error)
	}
	if err := send(); err == nil {
		t.Error("root still has an address")
	}
}

// A way in that can't be opened as configured ends the start with its exit status, a sentence and what to
// do.
func TestServeRefusesToListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // after the parallel tests
	const account = "[account.work]\nfrom = \"me@qq.com\"\n"
	const two = account + "[account.home]\nfrom = \"me@163.com\"\n"
	for name, test := range map[string]struct {
		config string
		args   []string
		code   int
		want   []string
	}{
		"open":            {account + "[listen.smtp]\naddress = \"0.0.0.0:0\"\n", nil, command.ExitConfig, []string{"config.toml:4:1", "listen.smtp.address", "add certificate and key"}},
		"open by flag":    {account, []string{"--smtp", "0.0.0.0:0"}, command.ExitConfig, []string{"other machines can reach this address"}},
		"no token":        {account + "[listen.smtp]\naddress = \"0.0.0.0:0\"\ncertificate = \"c\"\nkey = \"k\"\n", nil, command.ExitConfig, []string{"there are no logins", "yan token new"}},
		"local":           {account + "[listen.smtp]\naddress = \"0.0.0.0:0\"\ncertificate = \"c\"\nkey = \"k\"\nlocal = [\"work\"]\n", nil, command.ExitConfig, []string{"listen.smtp.local", "log in"}},
		"certificate":     {account + "[listen.smtp]\naddress = \"127.0.0.1:0\"\ncertificate = \"c\"\nkey = \"k\"\n", nil, command.ExitConfig, []string{"certificate of [listen.smtp] can't be used"}},
		"insecure":        {account + "[listen.smtp]\naddress = \"0.0.0.0:0\"\ninsecure = \"yes\"\n", nil, command.ExitConfig, []string{"i understand: passwords in the clear"}},
		"a slip":          {account + "[listen.smtp]\nadress = \"2525\"\n", nil, command.ExitConfig, []string{"unknown key listen.smtp.adress", "Did you mean address"}},
		"unknown account": {account + "[submit]\naccount = \"wrok\"\n", nil, command.ExitConfig, []string{"submit.account", "wrok"}},
		"no account":      {"", []string{"--smtp", "0"}, command.ExitConfig, []string{"no accounts", "yan login"}},
		"no default":      {two, []string{"--smtp", "0"}, command.ExitConfig, []string{"no default account", "yan account default"}},
		"not an address":  {account, []string{"--smtp", "mail.example.com:25"}, command.ExitUsage, []string{"--smtp", "IP address or localhost"}},
		"no port":         {account, []string{"--smtp", "127.0.0.1"}, command.ExitUsage, []string{`--smtp "127.0.0.1": want a port`}},
		"empty":           {account, []string{"--smtp", ""}, command.ExitUsage, []string{`--smtp "": want a port`}},
		"empty folder":    {account, []string{"--smtp-cert", ""}, command.ExitUsage, []string{`--smtp-cert "": want a folder`}},
		"taken":           {account, []string{"--smtp", taken.Addr().String()}, command.ExitUnavailable, []string{"can't listen for SMTP", "Another program listens there"}},
		"drop":            {account + "[submit]\ndrop = \"/nowhere/drop\"\n", nil, command.ExitCantCreate, []string{"can't use the drop folder", "docs/listener.md", `drop = "none"`}},
		"socket":          {account + "[submit]\nsocket = \"/dev/null/submit.sock\"\n", nil, command.ExitCantCreate, []string{"can't open the submission socket", `socket = "none"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := shortFolder(t)
			config := filepath.Join(dir, "config.toml")
			if err := os.WriteFile(config, []byte(test.config), 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"YAN_CONFIG": config, "HOME": dir, "YAN_OUTBOX": filepath.Join(dir, "outbox.db")}
			ctx, cancel := context.WithTimeout(t.Context(), servePatience/4) // one that starts ends with 0
			defer cancel()
			code, _, errs := run(ctx, env, append([]string{"serve"}, test.args...)...)
			if code != test.code {
				t.Errorf("exit status %d, want %d: %s", code, test.code, errs)
			}
			for _, want := range test.want {
				if !strings.Contains(strings.Join(strings.Fields(errs), " "), want) {
					t.Errorf("no %q in\n%s", want, errs)
				}
			}
			code, _, errs = run(ctx, env, append([]string{"--lang", "zh", "serve"}, test.args...)...)
			if found := englishSentence(errs); code != test.code || found != "" && !strings.Contains(found, "no such file") && !strings.Contains(found, "already in use") && !strings.Contains(found, "passwords in the clear") {
				t.Errorf("exit status %d, English %q in\n%s", code, found, errs)
			}
		})
	}
}

// 'yan serve --smtp-cert' makes a certificate that the listener can use, and says how to trust it.
func TestServeMakesACertificate(t *testing.T) {
	t.Parallel()
	dir := shortFolder(t)
	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[account.work]\nfrom = \"me@qq.com\"\n[listen.smtp]\naddress = \"127.0.0.1:0\"\ncertificate = %q\nkey = %q\n", filepath.Join(dir, "tls", "cert.pem"), filepath.Join(dir, "tls", "key.pem"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"YAN_CONFIG": config, "HOME": dir}
	code, out, errs := run(t.Context(), env, "serve", "--smtp-cert", filepath.Join(dir, "tls"), "--smtp-name", "box.lan")
	if code != command.ExitOK || !strings.Contains(out, "box.lan") || !strings.Contains(out, "update-ca-certificates") || !strings.Contains(out, "NODE_EXTRA_CA_CERTS") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	if code, out, errs = run(t.Context(), env, "serve", "--smtp-cert", filepath.Join(dir, "tls")); code != command.ExitOK || !strings.Contains(out, "renewed") || !strings.Contains(out, "box.lan") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	code, _, errs = run(t.Context(), env, "serve", "--smtp-cert", filepath.Join(dir, "tls"), "--smtp-name", "other.lan")
	if code != command.ExitConfig || !strings.Contains(errs, "other names") || !strings.Contains(errs, "ca-key.pem") {
		t.Errorf("%d\n%s", code, errs)
	}
	if code, _, errs = run(t.Context(), env, "serve", "--smtp-cert", filepath.Join(dir, "x"), "--smtp-name", "a b"); code != command.ExitUsage || !strings.Contains(errs, "--smtp-name") {
		t.Errorf("%d\n%s", code, errs)
	}
}

// The files of the listener's certificate are among those that 'yan config check' reads.
func TestConfigCheckReadsTheListenersCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"HOME": dir, "YAN_CONFIG": filepath.Join(dir, "config.toml"), "CODE": "x"}
	check := func(certificate, key string) (int, string) {
		t.Helper()
		text := "version = 1\n[account.work]\nfrom = \"me@example.com\"\nserver = \"qq\"\nsecret = { env = \"CODE\" }\n[listen.smtp]\naddress = \"2525\"\n" +
			fmt.Sprintf("certificate = %q\nkey = %q\n", certificate, key)
		if err := os.WriteFile(env["YAN_CONFIG"], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, _ := run(t.Context(), env, "config", "check")
		return code, out
	}
	tls := filepath.Join(dir, "tls")
	if code, _, errs := run(t.Context(), env, "serve", "--smtp-cert", tls); code != command.ExitOK {
		t.Fatal(errs)
	}
	certificate, key := filepath.Join(tls, "cert.pem"), filepath.Join(tls, "key.pem")
	if code, out := check(certificate, key); code != command.ExitOK {
		t.Errorf("%d: %s", code, out)
	}
	if code, out := check(certificate, filepath.Join(dir, "none.pem")); code != command.ExitConfig || !strings.Contains(out, "listen.smtp.key: ") || !strings.Contains(out, "there is no such file") {
		t.Errorf("%d: %s", code, out)
	}
	if code, out := check(certificate, filepath.Join(tls, "ca-key.pem")); code != command.ExitConfig || !strings.Contains(out, "listen.smtp.certificate: ") || !strings.Contains(out, "not a valid certificate") {
		t.Errorf("%d: %s", code, out)
	}
}
