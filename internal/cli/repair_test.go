package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// A revoked code can be replaced in the file where yan keeps it. For other places the error names
// the place.
func TestLoginNewCodeIntoOwnFile(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for lang, says := range map[string][]string{"en": {"1) the secret: Authorization code"}, "zh": {"1) 密码：授权码"}} {
		d := newLoginDesk(t)
		d.keyring = nil
		own := filepath.Join(d.home, "yan", "qq.secret")
		again := func(code int, errs string) {
			t.Helper()
			if code != command.ExitOK || contents(t, own) != sandboxPassword+"\n" || !strings.Contains(d.config(), "qq.secret") {
				t.Errorf("%d %s\n%s", code, errs, d.config())
			}
			if err := os.WriteFile(own, []byte(wrongSecret+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.answers, d.secrets = []string{"2"}, []string{sandboxPassword}
		code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
		again(code, errs)
		d.answers, d.secrets = []string{"1"}, []string{sandboxPassword}
		code, _, errs = d.login(s, "qq", "--lang", lang)
		clitest.Wants(t, "the terminal", errs, says...)
		again(code, errs)
		d.pipe, d.answers = true, []string{sandboxPassword}
		code, _, errs = d.login(s, "qq", "--secret-stdin")
		again(code, errs)
		d.pipe, d.env["CODE"] = false, wrongSecret
		d.answers = []string{"3"}
		code, _, errs = d.login(s, "qq", "--secret-env", "CODE")
		clitest.Wants(t, "the terminal", errs, "CODE", "yan login qq --secret-…")
		if code != command.ExitAuth {
			t.Errorf("%d %s", code, errs)
		}
	}
}

// QQ and NetEase show their codes without blanks, but people copy them with blanks.
func TestLoginJoinsAuthorizationCode(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.secrets = []string{sandboxPassword[:4] + " " + sandboxPassword[4:]}
	if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com"); code != command.ExitOK || d.kept() != "qq/password="+keptFor("me@qq.com (127.0.0.1)", sandboxPassword) {
		t.Errorf("%d %s, kept %q", code, errs, d.kept())
	}
}

// An existing account does not stop the import of the others.
func TestAccountImportSkipsWhatIsThere(t *testing.T) {
	t.Parallel()
	const there = "version = 1\n\n[account.a]\nfrom = \"old@qq.com\"\n"
	const settings = "defaults\ntls on\nauth on\naccount a\nhost mail.example.org\nfrom a@example.org\nuser a\npasswordeval pass a\n" +
		"\naccount b\nhost mail.example.org\nfrom b@example.org\nuser b\npasswordeval pass b\n"
	for _, tt := range []struct {
		typed string
		args  []string
		code  int
		says  string
		kept  []string
	}{
		{"", []string{"--all"}, command.ExitOK, "Unchanged, because accounts with these names exist (use --replace to replace them): a", []string{"old@qq.com", "b@example.org"}},
		{"", []string{"--all", "--lang", "zh"}, command.ExitOK, "以下账号已存在，未改动（--replace 可替换）：a", []string{"old@qq.com", "b@example.org"}},
		{"", []string{"--all", "--replace"}, command.ExitOK, "Imported into", []string{"a@example.org", "b@example.org"}},
		{"y\ny\n", nil, command.ExitOK, "Replace the account a (old@qq.com)?", []string{"a@example.org", "b@example.org"}},
		{"\ny\n", nil, command.ExitOK, "Replace the account a (old@qq.com)?", []string{"old@qq.com", "b@example.org"}},
		{"", []string{"--name", "a"}, command.ExitUsage, "account a exists already", []string{"old@qq.com"}},
	} {
		w, out, errs, path := machineWith(t, there, tt.typed, secrettest.New())
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".msmtprc"), []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		code := Run(t.Context(), append([]string{"account", "import"}, tt.args...), w)
		clitest.Wants(t, "the terminal", out.String()+errs.String(), tt.says)
		config := contents(t, path)
		clitest.Wants(t, "the configuration", config, tt.kept...)
		if code != tt.code || strings.Count(config, "[account.") != len(tt.kept) {
			t.Errorf("%q: %d\n%s", tt.args, code, config)
		}
	}
}

// If the encryption is wrong for the port, yan offers the same port with the other encryption. It
// does not repeat an offer that failed.
func TestLoginOtherEncryption(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for name, tt := range map[string]struct{ wrong, right string }{
		"TLS":      {"smtp://" + s.TLSAddr(), "smtps://" + s.TLSAddr()},
		"STARTTLS": {"smtps://" + s.Addr(), "smtp://" + s.Addr()},
	} {
		d := newLoginDesk(t)
		d.answers, d.secrets = []string{"1"}, []string{sandboxPassword}
		code, _, errs := d.yan("login", "me@qq.com", "--from", "me@qq.com", "--server", tt.wrong, "--tls-ca", s.CAFile(), "--timeout", "2s")
		clitest.Wants(t, name, errs, "Which server should yan try?")
		if code != command.ExitOK || !strings.Contains(d.config(), tt.right) {
			t.Errorf("%s: %d %s\n%s", name, code, errs, d.config())
		}
	}
	d := newLoginDesk(t)
	d.answers, d.secrets = []string{"1", "5"}, []string{sandboxPassword}
	_, _, errs := d.yan("login", "me@qq.com", "--from", "me@qq.com", "--server", "smtps://127.0.0.1:1", "--tls-ca", s.CAFile())
	if n := strings.Count(errs, ") 127.0.0.1:465, TLS"); n != 1 {
		t.Errorf("the server that was tried is offered %d times, want once:\n%s", n, errs)
	}
}

// An invalid login name is refused before it is sent.
func TestLoginUserName(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for lang, says := range map[string]string{"en": "a login name must not contain spaces", "zh": "登录名不能含有空格"} {
		for _, user := range []string{"me @qq.com", "me\t", "a\x00b"} {
			d := newLoginDesk(t)
			code, _, errs := d.login(s, "me@qq.com", "--user", user, "--lang", lang)
			clitest.Wants(t, "the terminal", errs, says)
			if code != command.ExitUsage {
				t.Errorf("%q: %d %s", user, code, errs)
			}
		}
	}
	if strings.Contains(s.Transcript(), "AUTH") {
		t.Error("it was sent")
	}
}

// If a stored secret is missing, the error does not look as if there had never been one.
func TestSendSecretThatIsGone(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.secrets = []string{sandboxPassword}
	if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com"); code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	for lang, says := range map[string]string{"en": "Account qq has no stored secret.", "zh": "没有（或不再有）为账号 qq 保存的密码"} {
		clear(d.keyring)
		d.secrets = []string{sandboxPassword}
		code, _, errs := d.yan("send", "-t", "friend@163.com", "-s", "hi", "-b", "x", "--lang", lang)
		clitest.Wants(t, "the terminal", errs, says, "yan login qq")
		if code != command.ExitOK {
			t.Errorf("%d %s", code, errs)
		}
	}
}
