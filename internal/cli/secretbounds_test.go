package cli

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
)

// keptFor returns the keyring's value for a secret.
func keptFor(login, secret string) string {
	return `{"yan":1,"for":"` + login + `","secret":"` + secret + `"}`
}

// A stored password is not sent if the account of that name now has another server, and the error
// says why.
func TestKeptPasswordStaysWithItsServer(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for name, change := range map[string][]string{
		"server": {"account", "edit", "qq", "--set", "server=smtps://localhost:" + portOf(t, s.TLSAddr())},
		"user":   {"account", "edit", "qq", "--set", "user=other@qq.com"},
	} {
		d := newLoginDesk(t)
		d.secrets = []string{sandboxPassword}
		if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com"); code != command.ExitOK {
			t.Fatalf("%d %s", code, errs)
		}
		before := strings.Count(s.Transcript(), "C: AUTH")
		if code, _, errs := d.yan(change...); code != command.ExitOK {
			t.Fatalf("%s: %d %s", name, code, errs)
		}
		for lang, says := range map[string]string{"en": "is not used for", "zh": "不用于"} {
			for _, args := range [][]string{{"send", "-t", "a@qq.com", "-b", "x"}, {"account", "test"}} {
				code, out, errs := d.yan(append(args, "--lang", lang)...)
				if code != command.ExitConfig || !strings.Contains(errs, says) || !strings.Contains(errs, "yan login qq") {
					t.Errorf("%s: %v ends with %d: %s%s", name, args, code, out, errs)
				}
			}
		}
		code, out, _ := d.yan("doctor", "qq", "--dns", "127.0.0.1:1")
		if code != command.ExitConfig || !strings.Contains(strings.Join(strings.Fields(out), " "), `is for "me@qq.com (127.0.0.1)" and is not used for`) {
			t.Errorf("%s: doctor ends with %d: %s", name, code, out)
		}
		if n := strings.Count(s.Transcript(), "C: AUTH"); n != before {
			t.Errorf("%s: the password went out %d times", name, n-before)
		}
	}
}

// The stored secret of an account is deleted with the account, even if the account now uses another
// place for its secret, and also when another account takes its name.
func TestKeptSecretsGoWithTheAccount(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	const config = "version = 1\n[account.qq]\nfrom = \"me@qq.com\"\nsecret = { env = \"CODE\" }\n"
	for name, c := range map[string]struct {
		args []string
		left []string
	}{
		"removed":           {[]string{"account", "remove", "qq", "--yes"}, nil},
		"replaced":          {[]string{"account", "import", "rc.msmtprc", "--from", "msmtp", "--all", "--as", "qq", "--replace"}, nil},
		"replaced by login": {[]string{"login", "me@qq.com", "--name", "qq", "--replace", "--no-check", "--secret-env", "CODE"}, nil},
		"logged in":         {[]string{"login", "me@qq.com", "--name", "qq", "--replace", "--no-check", "--secret-stdin", "--tls-ca", s.CAFile()}, []string{"qq/password"}},
		"kept":              {[]string{"account", "remove", "qq", "--yes", "--keep-secret"}, []string{"qq/oauth2", "qq/password"}},
	} {
		d := newLoginDesk(t)
		d.writes(config)
		for _, item := range []string{"qq/password", "qq/oauth2"} {
			d.keyring[[2]string{"yan", item}] = "old"
		}
		d.secrets = []string{sandboxPassword}
		if c.args[0] == "account" && c.args[1] == "import" {
			c.args[2] = filepath.Join(d.home, c.args[2])
			rc := "account x\nhost mail.example.org\ntls on\nauth on\nuser x\nfrom x@example.org\npasswordeval \"pass x\"\n"
			if err := os.WriteFile(c.args[2], []byte(rc), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := d.yan(c.args...)
		var left []string
		for key := range d.keyring {
			left = append(left, key[1])
		}
		slices.Sort(left)
		if code != command.ExitOK || !slices.Equal(left, c.left) || strings.Contains(d.kept(), "old") && name != "kept" {
			t.Errorf("%s: exit status %d, left is %q, want %q\n%s%s", name, code, left, c.left, out, errs)
		}
	}
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// No sender given to doctor sends the account's secret to another server.
func TestDoctorGivesTheSecretToItsOwnServer(t *testing.T) {
	t.Parallel()
	const byAddress = "version = 1\n[account.mine]\nfrom = \"me@gmail.com\"\nmatch = [\"*@qq.com\"]\ntls_ca = \"CA\"\nsecret = { env = \"WORK_CODE\" }\n"
	for _, args := range [][]string{{"mine", "-f", "me@qq.com"}, {"me@qq.com"}, {"mine"}} {
		code, out, errs := consult(t, doctorCase{profile: "gmail", config: byAddress, args: args, zone: corp(dnstest.Zone{}),
			env:     map[string]string{"YAN_FROM": "me@qq.com"},
			options: []sandboxtest.Option{sandboxtest.WithAccount("me@gmail.com", sandboxPassword)}}, "en", "--json")
		var j jsonout.Doctor
		clitest.Decode(t, out, &j)
		if !strings.Contains(j.Server, "smtp.gmail.com") {
			t.Errorf("%v: exit status %d, %s: %s", args, code, j.Server, errs)
		}
		if len(args) == 1 && args[0] == "mine" && j.From != "me@gmail.com" {
			t.Errorf("YAN_FROM counts for an account: %s", j.From)
		}
	}
}

// Permission to send a password in cleartext holds for one server.
func TestCleartextWordIsOfOneAccount(t *testing.T) {
	t.Parallel()
	const clear = `version = 1
default = "one"
[account.one]
from = "one@example.org"
fallback = "two"
server = "smtp+notls://127.0.0.1:1"
user = "one"
auth = "plain"
secret = { file = "two.code" }
[account.two]
from = "two@example.org"
server = "{two.plain}"
user = "{two.login}"
auth = "plain"
secret = { file = "two.code" }
`
	two := sandboxtest.Start(t, "plain", sandboxtest.WithCleartextPassword())
	host := strings.TrimPrefix(two.StartTLSURL(), "smtp://")
	env := clitest.WriteConfig(t, strings.Replace(clear, "{two.plain}", "smtp+notls://"+host, 1), map[string]*sandboxtest.Server{"two": two})
	for _, test := range []struct {
		variable string
		args     []string
	}{
		{"", []string{"--allow-cleartext-password"}}, // meant for account one, which can't be reached
		{"true", []string{"-A", "two"}},
		{"true", nil},
	} {
		env["YAN_ALLOW_CLEARTEXT_PASSWORD"] = test.variable
		code, out, errs := run(t.Context(), env, append([]string{"send", "-t", "a@example.org", "-b", "x"}, test.args...)...)
		if code == command.ExitOK || strings.Contains(two.Transcript(), "C: AUTH") {
			t.Errorf("%v with the variable %q: exit status %d, the password went in clear\n%s%s", test.args, test.variable, code, out, errs)
		}
	}
	code, out, errs := run(t.Context(), env, "send", "-t", "a@example.org", "-b", "x", "-A", "two", "--allow-cleartext-password")
	if !strings.Contains(two.Transcript(), "C: AUTH") {
		t.Errorf("the flag is not a word for the account that is named: %d\n%s%s", code, out, errs)
	}
}

// defaultsOfOthers holds defaults that set another mailbox's login.
const defaultsOfOthers = `version = 1
default = "other"
[defaults]
server = "smtps://smtp.other.example"
user = "other"
auth = "xoauth2"
secret = { command = "echo other" }
oauth2 = { client_id = "other", token_url = "https://other.example/token" }
allow_cleartext_password = true
imap = "imaps://imap.other.example"
local_name = "pc.example"
[account.other]
from = "other@other.example"
`

// An account from import or yan login logs in as it was told, whatever the defaults say.
func TestNewAccountsInheritNoLogin(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for name, c := range map[string]struct {
		rc, server string
		login      []string
		secret     account.Secret
	}{
		"a URL":      {"host mail.example.org\nuser x\npassword " + clitest.Marker, "smtps://mail.example.org:465", nil, account.Secret{}},
		"a provider": {"host smtp.qq.com\nuser me@qq.com\npassword " + clitest.Marker, "smtps://smtp.qq.com:465", nil, account.Secret{}},
		"a command":  {"host mail.example.org\nuser x\npasswordeval \"pass x\"", "smtps://mail.example.org:465", nil, account.Secret{Command: "pass x"}},
		"by yan login": {"", "smtps://" + s.TLSAddr(), []string{"login", "me@qq.com", "--name", "new", "--from", "me@qq.com", "--server", "smtps://" + s.TLSAddr(),
			"--tls-ca", s.CAFile()}, account.Secret{}},
		"by yan login at a provider": {"", "smtps://smtp.qq.com:465", []string{"login", "me@qq.com", "--name", "new", "--from", "me@qq.com", "--no-check"}, account.Secret{}},
	} {
		d := newLoginDesk(t)
		d.writes(defaultsOfOthers)
		d.secrets = []string{sandboxPassword}
		args := c.login
		if args == nil {
			file := filepath.Join(d.home, "rc.msmtprc")
			rc := "account x\ntls on\ntls_starttls off\nport 465\nauth on\nfrom me@qq.com\n" + c.rc + "\n"
			if err := os.WriteFile(file, []byte(rc), 0o600); err != nil {
				t.Fatal(err)
			}
			args = []string{"account", "import", file, "--from", "msmtp", "--all", "--as", "new"}
		}
		if code, out, errs := d.yan(args...); code != command.ExitOK {
			t.Fatalf("%s: exit status %d\n%s%s", name, code, out, errs)
		}
		f, err := account.Load(d.env["YAN_CONFIG"])
		if err != nil {
			t.Fatal(err)
		}
		acc, _ := f.Account("new")
		mailbox, err := acc.Mailbox()
		if err != nil || strings.Contains(mailbox.Host, "other") {
			t.Errorf("%s: the mailbox is at %q, %v", name, mailbox.Host, err)
		}
		if got := accounts.ServerOf(acc).String(); got != c.server || acc.Auth != "" || acc.UsesOAuth2() || acc.AllowCleartextPassword || acc.Secret != c.secret || acc.User == "other" {
			t.Errorf("%s: %s, want %s: %+v", name, got, c.server, acc)
		}
		if acc.LocalName != "pc.example" {
			t.Errorf("%s: settings besides the login are inherited: %+v", name, acc)
		}
		if other, _ := f.Account("other"); other.Server != "smtps://smtp.other.example" || other.User != "other" {
			t.Errorf("%s: the other account changed", name)
		}
	}
}

// If another mailbox or server takes the name of an account, only the user's own settings are kept.
func TestLoginReplacesByAnother(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	const config = `version = 1
[account.qq]
from = "Me <me@corp.example>"
server = "smtps://smtp.corp.example"
user = "corp"
auth = "plain"
secret = { command = "echo corp" }
oauth2 = { client_id = "corp", token_url = "https://corp.example/token" }
match = ["*@corp.example"]
signature = "Yours"
headers = { Organization = "Geese" }
reply_to = "answers@corp.example"
imap = "imaps://imap.corp.example"
sent_folder = "corp"
save_sent = "always"
allow_cleartext_password = true
proxy = "socks5://proxy.corp.example"
tls_pin = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
local_name = "corp.example"
`
	for name, args := range map[string][]string{
		"another mailbox": {"me@qq.com", "--name", "qq", "--replace", "--from", "me@qq.com"},
		"another place":   {"qq", "--from", "me@qq.com", "--user", "me@qq.com"},
	} {
		d := newLoginDesk(t)
		d.writes(config)
		d.secrets = []string{sandboxPassword}
		code, _, errs := d.login(s, args...)
		if code != command.ExitOK {
			t.Errorf("%s: exit status %d\n%s", name, code, errs)
			continue
		}
		f, err := account.Load(d.env["YAN_CONFIG"])
		if err != nil {
			t.Fatal(err)
		}
		acc, _ := f.Account("qq")
		for _, word := range []string{"imap.corp", "proxy.corp", "smtp.corp", "token", "echo", "sha256", "allow_clear", "sent_folder", "plain", "local_name"} {
			if strings.Contains(d.config(), word) {
				t.Errorf("%s: %s is left of the other mailbox:\n%s", name, word, d.config())
			}
		}
		if acc.Signature != "Yours" || acc.ReplyTo != "answers@corp.example" || len(acc.Headers) != 1 || len(acc.Match) != 1 {
			t.Errorf("%s: the user's own settings are lost: %+v", name, acc)
		}
		if kept := d.kept(); !strings.Contains(kept, sandboxPassword) {
			t.Errorf("%s: the keyring holds %q", name, kept)
		}
	}
}

// If the host is corrected during a login, the new host does not get the secret of the first one.
func TestLoginCorrectedToAnotherPlace(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.writes("version = 1\n[account.work]\nfrom = \"me@qq.com\"\nserver = \"smtps://localhost:1\"\nuser = \"me@qq.com\"\nimap = \"imaps://localhost:2\"\n" +
		"secret = { env = \"OLD\" }\ntls_ca = \"" + filepath.ToSlash(s.CAFile()) + "\"\n")
	d.env["OLD"] = wrongSecret
	d.answers = []string{"4", "smtps://" + s.TLSAddr()} // another server, on 127.0.0.1
	d.secrets = []string{sandboxPassword}
	code, _, errs := d.yan("login", "work", "--tls-ca", s.CAFile())
	if code != command.ExitOK || strings.Contains(d.config(), "imap") || strings.Contains(d.config(), "OLD") {
		t.Errorf("exit status %d\n%s\n%s", code, errs, d.config())
	}
	if strings.Contains(s.Transcript(), "535") {
		t.Error("the old secret went to the new server")
	}
}

// The variables of yan send do not redirect an account.
func TestVariablesAreNotForAccounts(t *testing.T) {
	t.Parallel()
	s, evil := sandboxtest.Start(t, "qq"), sandboxtest.Start(t, "qq")
	variables := map[string]string{"YAN_SERVER": "smtps://" + evil.TLSAddr(), "YAN_USER": "evil", "YAN_AUTH": "login", "YAN_FROM": "evil@qq.com",
		"YAN_SECRET_ENV": "EVIL", "YAN_SECRET_COMMAND": "echo evil", "YAN_SECRET_FILE": "evil", "YAN_TLS_CA": s.CAFile()}
	d := newLoginDesk(t)
	config := "version = 1\n\n[account.work]\nfrom = \"me@qq.com\"\nserver = \"smtps://" + s.TLSAddr() + "\"\nuser = \"me@qq.com\"\ntls_ca = \"" + filepath.ToSlash(s.CAFile()) + "\"\n"
	d.writes(config)
	maps.Copy(d.env, variables)
	for _, args := range [][]string{{"login", "work"}, {"login", "me@qq.com", "--replace"}} {
		d.secrets, d.answers = []string{sandboxPassword}, []string{"y"}
		if len(args) == 3 { // by address it is the provider's host, which the test does not contact
			args = append(args, "--no-check")
		}
		code, _, errs := d.yan(args...)
		if code != command.ExitOK || strings.Contains(d.config(), "evil") || strings.Contains(d.config(), evil.TLSAddr()) {
			t.Errorf("%v: exit status %d\n%s\n%s", args, code, errs, d.config())
		}
		if len(args) == 2 && d.config() != config {
			t.Errorf("the account changed:\n%s", d.config())
		}
	}
	if evil.Transcript() != "" {
		t.Errorf("something went there:\n%s", evil.Transcript())
	}
	for _, help := range []string{"en", "zh"} {
		if _, out, _ := d.yan("login", "--help", "--lang", help); !strings.Contains(out, "YAN_SERVER") {
			t.Errorf("the help does not say so:\n%s", out)
		}
	}
}

// Errors about a command, and the note that it is stored, never show a part that may be the secret.
func TestCommandsAreNotShownWhole(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for _, line := range []string{"echo\t" + sandboxPassword, "PW=" + sandboxPassword + " sh -c 'printenv PW'", "cat <<< " + sandboxPassword + " && false",
		"PW='a " + sandboxPassword + "' false"} {
		d := newLoginDesk(t) // it searches all output for the secret
		code, out, errs := d.login(s, "me@qq.com", "--name", "qq", "--from", "me@qq.com", "--secret-command", line)
		if code == command.ExitOK && !strings.Contains(out, "…") {
			t.Errorf("%q: %s%s", line, out, errs)
		}
		d.writes("version = 1\n[account.qq]\nfrom = \"me@qq.com\"\nsecret = { command = \"false " + "\" }\n")
		if code, _, errs := d.yan("account", "test"); code != command.ExitConfig || !strings.Contains(errs, "the command false") {
			t.Errorf("exit status %d: %s", code, errs)
		}
	}
	for line, want := range map[string]string{"A=1 B=2 show x": "show …", "": "", "x": "x", "x\ty": "x …", "A=1": "…", "1=2 x": "1=2 …"} {
		if got := accounts.StartOf(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// Accounts with the same login and secret are not tried again after a refusal, because providers
// lock mailboxes. Other secrets and users are tried.
func TestAccountTestStopsAtOneRefusal(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for lang, says := range map[string]string{"en": "b: not tried: same login and secret as a", "zh": "b：未尝试：登录名和密码与 a "} {
		d := newLoginDesk(t)
		config := "version = 1\n"
		for _, acc := range [][2]string{{"a", "WRONG"}, {"b", "SAME"}, {"c", "OTHER"}, {"d", "RIGHT"}, {"e", "RIGHT"}} {
			config += "[account." + acc[0] + "]\nfrom = \"me@qq.com\"\nserver = \"smtps://" + s.TLSAddr() + "\"\nuser = \"" + s.Login() + "\"\ntls_ca = \"" + filepath.ToSlash(s.CAFile()) +
				"\"\nsecret = { env = \"" + acc[1] + "\" }\n"
		}
		d.writes(config)
		maps.Copy(d.env, map[string]string{"WRONG": wrongSecret, "SAME": wrongSecret, "OTHER": "another one", "RIGHT": s.Password()})
		before := strings.Count(s.Transcript(), "C: AUTH")
		code, out, errs := d.yan("account", "test", "--all", "--lang", lang)
		if n := strings.Count(s.Transcript(), "C: AUTH") - before; n != 4 || code == command.ExitOK {
			t.Errorf("%d logins, exit status %d\n%s%s", n, code, out, errs)
		}
		if !strings.Contains(errs, says) {
			t.Errorf("%q is not said:\n%s", says, errs)
		}
	}
}
