package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/secret/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// A code that was revoked can be replaced where yan itself keeps it in a file; of
// another place it is said where.
func TestLoginNewCodeIntoOwnFile(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for lang, says := range map[string][]string{"en": {"1) the secret: Authorization code"}, "zh": {"1) 密码：授权码"}} {
		d := newDesk(t)
		d.keyring = nil
		own := filepath.Join(d.home, "yan", "qq.secret")
		again := func(code int, errs string) {
			t.Helper()
			if code != exitOK || contents(t, own) != sandboxPassword+"\n" || !strings.Contains(d.config(), "qq.secret") {
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
		wants(t, "the terminal", errs, says...)
		again(code, errs)
		d.pipe, d.answers = true, []string{sandboxPassword}
		code, _, errs = d.login(s, "qq", "--secret-stdin")
		again(code, errs)
		d.pipe, d.env["CODE"] = false, wrongSecret
		d.answers = []string{"3"}
		code, _, errs = d.login(s, "qq", "--secret-env", "CODE")
		wants(t, "the terminal", errs, "CODE", "yan login qq --secret-…")
		if code != exitAuth {
			t.Errorf("%d %s", code, errs)
		}
	}
}

// QQ and NetEase show their codes in one piece, and people copy them with blanks.
func TestLoginJoinsAuthorizationCode(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newDesk(t)
	d.secrets = []string{sandboxPassword[:4] + " " + sandboxPassword[4:]}
	if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com"); code != exitOK || d.kept() != "qq/password="+keptFor("me@qq.com (127.0.0.1)", sandboxPassword) {
		t.Errorf("%d %s, kept %q", code, errs, d.kept())
	}
}

// An account that is there already does not keep the others from being taken over.
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
		{"", []string{"--all"}, exitOK, "Left as they are, since there are accounts of these names already (--replace replaces them): a", []string{"old@qq.com", "b@example.org"}},
		{"", []string{"--all", "--lang", "zh"}, exitOK, "以下账号已存在，未改动（--replace 可替换）：a", []string{"old@qq.com", "b@example.org"}},
		{"", []string{"--all", "--replace"}, exitOK, "Taken over", []string{"a@example.org", "b@example.org"}},
		{"y\ny\n", nil, exitOK, "Replace the account a (old@qq.com)?", []string{"a@example.org", "b@example.org"}},
		{"\ny\n", nil, exitOK, "Replace the account a (old@qq.com)?", []string{"old@qq.com", "b@example.org"}},
		{"", []string{"--name", "a"}, exitUsage, "there is an account a already", []string{"old@qq.com"}},
	} {
		w, out, errs, path := machineWith(t, there, tt.typed, secrettest.New())
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".msmtprc"), []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		code := Run(t.Context(), append([]string{"account", "import"}, tt.args...), w)
		wants(t, "the terminal", out.String()+errs.String(), tt.says)
		config := contents(t, path)
		wants(t, "the configuration", config, tt.kept...)
		if code != tt.code || strings.Count(config, "[account.") != len(tt.kept) {
			t.Errorf("%q: %d\n%s", tt.args, code, config)
		}
	}
}
