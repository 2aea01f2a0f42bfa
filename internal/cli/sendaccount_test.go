package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/sandboxtest"
)

func TestSendFromAnAccount(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t)
	env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	code, out, errs := run(t.Context(), env, "send", "-t", "a@example.org", "-s", "hi", "-b", "text")
	if code != command.ExitOK || !strings.Contains(out, "from account one") {
		t.Fatalf("exit status %d\n%s%s", code, out, errs)
	}
	m := servers["one"].WaitMessages(1)[0]
	if got := m.Header("From"); got != "一 <one@example.org>" {
		t.Errorf("From: %s", got)
	}
	if got := m.Header("Reply-To") + m.Header("Organization"); got != "<answers@example.org>Geese" {
		t.Errorf("Reply-To and Organization: %s", got)
	}
	if got := strings.ReplaceAll(m.Text(), "\r\n", "\n"); got != "text\n\n-- \n雁\n" {
		t.Errorf("text: %q", got)
	}
	if m.Login != servers["one"].Login() {
		t.Errorf("login: %s", m.Login)
	}
}

func TestWhichAccountSends(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t)
	env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	raw := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(raw, []byte("From: x@two.example\r\nTo: a@example.org\r\n\r\nx\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args    []string
		email   string
		account string
		from    string
	}{
		{[]string{"-t", "a@example.org", "-b", "x"}, "", "one", "one@example.org"},
		{[]string{"-t", "a@example.org", "-b", "x", "-A", "two"}, "", "two", "two@example.org"},
		{[]string{"-t", "a@example.org", "-b", "x", "-f", "two+shop@example.org"}, "", "two", "two+shop@example.org"},
		{[]string{"-t", "a@example.org", "-b", "x"}, "sales@two.example", "two", "sales@two.example"},
		{[]string{"-t", "a@example.org", "-b", "x"}, "two@example.org", "two", "two@example.org"},
		{[]string{"-t", "a@example.org", "-b", "x"}, "stranger@example.net", "one", "one@example.org"},
		{[]string{"--raw", raw}, "", "two", "x@two.example"},
	} {
		env["EMAIL"] = test.email
		code, out, errs := run(t.Context(), env, append([]string{"send", "--json"}, test.args...)...)
		var rep jsonout.SendReport
		if err := json.Unmarshal([]byte(out), &rep); err != nil {
			t.Fatalf("%v: exit status %d, %v\n%s%s", test.args, code, err, out, errs)
		}
		if code != command.ExitOK || rep.Account != test.account || rep.From != test.from {
			t.Errorf("%v with EMAIL %q: exit status %d, account %q, from %q, want %q, %q", test.args, test.email, code, rep.Account, rep.From, test.account, test.from)
		}
	}
}

// Variables apply to --server and to senders that no account serves. No account's server ever gets
// them.
func TestEnvironmentIsNotForAccounts(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t)
	env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	env["YAN_PASSWORD"] = "not for this server"
	code, out, errs := run(t.Context(), env, "send", "-A", "two", "-t", "a@example.org", "-b", "x")
	if code != command.ExitOK {
		t.Errorf("the account's own secret was not used: %d\n%s%s", code, out, errs)
	}
	delete(env, "YAN_PASSWORD")
	env["YAN_PASSWORD_FILE"] = filepath.Join(filepath.Dir(env["YAN_CONFIG"]), "one.code")
	code, _, errs = run(t.Context(), env, "send", "--server", servers["one"].URL(), "--tls-ca", servers["one"].CAFile(), "-f", servers["one"].Login(),
		"-t", "a@example.org", "-b", "x")
	if code != command.ExitOK {
		t.Errorf("--server: %d\n%s", code, errs)
	}
}

func TestAccountProblems(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t)
	tests := []struct {
		name, config string
		args         []string
		en, zh       string
	}{
		{"unknown account", clitest.TwoAccounts, []string{"-A", "tow"}, `unknown account "tow"`, `没有账号“tow”`},
		{"both", clitest.TwoAccounts, []string{"-A", "two", "--server", "qq"}, "the account has its own server", "账号已含服务器"},
		{"unknown key", clitest.TwoAccounts + "sever = 1\n", nil, "unknown key account.two.sever", "没有名为 account.two.sever 的配置项"},
		{"newer", "version = 9\n", nil, "by a newer yan", "由更新版本的 yan 写成"},
		{"a secret in clear", clitest.TwoAccounts + "password = \"hunter2\"\n", nil, "are not allowed in this file", "不能写在此文件中"},
		{"no TOML", "x", nil, "not TOML", "不是有效的 TOML"},
		{"no default", strings.Replace(clitest.TwoAccounts, `default = "one"`, "", 1), nil, "several accounts and no default", "没有默认账号"},
		{"two that match", clitest.TwoAccounts + "[account.three]\nfrom = \"two@example.org\"\nserver = \"smtps://x.example\"\n", []string{"-f", "two@example.org"},
			"several accounts can send as two@example.org", "多个账号都可用于 two@example.org"},
		{"no such CA", strings.Replace(clitest.TwoAccounts, "{two}", "server = \"smtps://127.0.0.1\"\ntls_ca = \"missing.pem\"", 1), []string{"-A", "two"},
			"account two: tls_ca", "账号 two：tls_ca"},
		{"no signature file", clitest.TwoAccounts + "[account.three]\nfrom = \"three@qq.com\"\nsignature_file = \"missing\"\n", []string{"-A", "three"},
			"account three: signature_file", "账号 three：signature_file"},
	}
	for _, test := range tests {
		for lang, want := range map[string]string{"en": test.en, "zh": test.zh} {
			env := clitest.WriteConfig(t, test.config, servers)
			env["LANG"] = lang
			before, err := os.ReadFile(env["YAN_CONFIG"])
			if err != nil {
				t.Fatal(err)
			}
			code, out, errs := run(t.Context(), env, append([]string{"send", "-t", "a@example.org", "-b", "x"}, test.args...)...)
			if code == command.ExitOK || !strings.Contains(errs, want) {
				t.Errorf("%s: exit status %d, want %q in\n%s%s", test.name, code, want, out, errs)
			}
			if strings.Contains(out+errs, "hunter2") {
				t.Errorf("%s: the secret is shown", test.name)
			}
			after, err := os.ReadFile(env["YAN_CONFIG"])
			if err != nil || string(before) != string(after) {
				t.Errorf("%s: the file was changed (%v)", test.name, err)
			}
		}
	}
	for name, s := range servers {
		if n := len(s.Messages()); n > 0 {
			t.Errorf("%s got %d messages", name, n)
		}
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		fault    string // of the first server
		to       []string
		args     []string
		code     int
		one, two int // messages
		twoTo    string
	}{
		{"nothing is wrong", "", []string{"a@example.org"}, nil, command.ExitOK, 1, 0, ""},
		{"the first hangs up", "greeting-421", []string{"a@example.org"}, nil, command.ExitOK, 0, 1, "a@example.org"},
		{"a recipient is deferred", "", []string{"a@example.org", "rcpt-450@example.org"}, []string{"--to-policy", "any"}, command.ExitPartial, 1, 0, ""},
		{"the message is deferred", "body-451", []string{"a@example.org"}, nil, command.ExitOK, 0, 1, "a@example.org"},
		{"all or none", "rcpt-450*1", []string{"a@example.org", "b@example.org"}, nil, command.ExitOK, 0, 1, "a@example.org b@example.org"},
		{"a limit with a 5xx", "body-550+Sender_frequency_limited", []string{"a@example.org"}, nil, command.ExitOK, 0, 1, "a@example.org"},
		{"refused permanently", "body-554", []string{"a@example.org"}, nil, command.ExitUnavailable, 0, 0, ""},
		{"the login is refused", "auth-535", []string{"a@example.org"}, nil, command.ExitAuth, 0, 0, ""},
		{"never after unknown", "body-cut", []string{"a@example.org"}, nil, command.ExitUnknown, 0, 0, ""},
		{"switched off", "greeting-421", []string{"a@example.org"}, []string{"--no-fallback"}, command.ExitTemporary, 0, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var options []sandboxtest.Option
			if test.fault != "" {
				options = append(options, sandboxtest.WithFault(test.fault))
			}
			servers := clitest.TwoServers(t, options...)
			env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
			args := append([]string{"send", "-b", "text"}, test.args...)
			for _, to := range test.to {
				args = append(args, "-t", to)
			}
			code, out, errs := run(t.Context(), env, args...)
			one, two := servers["one"].Messages(), servers["two"].Messages()
			if code != test.code || len(one) != test.one && test.code != command.ExitUnknown || len(two) != test.two {
				t.Fatalf("exit status %d, %d and %d messages, want %d, %d and %d\n%s%s", code, len(one), len(two), test.code, test.one, test.two, out, errs)
			}
			if test.two == 0 {
				return
			}
			if got := strings.Join(two[0].To, " "); got != test.twoTo {
				t.Errorf("two sent to %q, want %q", got, test.twoTo)
			}
			if !strings.Contains(errs, "using fallback account two") || !strings.Contains(out, "from account two") {
				t.Errorf("no sentence says so:\n%s%s", out, errs)
			}
			if got := two[0].Header("From") + " " + two[0].Header("Reply-To"); got != "<two@example.org> <answers@example.org>" && got != "<two@example.org> 一 <one@example.org>" {
				t.Errorf("From and Reply-To: %s", got)
			}
			if text := two[0].Text(); strings.Contains(text, "雁") {
				t.Errorf("the signature of the other account: %q", text)
			}
		})
	}
}

// Of several whole messages, the fallback account sends only those whose sender it serves.
func TestFallbackOfWholeMessages(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t, sandboxtest.WithFault("body-451"))
	env := clitest.WriteConfig(t, strings.Replace(clitest.TwoAccounts, `match = ["*@two.example"]`, `match = ["one@example.org"]`, 1), servers)
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "run.log")
	for _, name := range []string{"1.eml", "2.eml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("From: one@example.org\r\nTo: a@example.org\r\nSubject: "+name+"\r\n\r\nx\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := run(t.Context(), env, "send", "-A", "one", "--raw", dir, "--log", log)
	if code != command.ExitOK || len(servers["one"].Messages()) != 0 || len(servers["two"].Messages()) != 2 {
		t.Fatalf("exit status %d, %d and %d messages\n%s%s", code, len(servers["one"].Messages()), len(servers["two"].Messages()), out, errs)
	}
	if strings.Count(errs, "using fallback account") != 1 {
		t.Errorf("the sentence is not printed once:\n%s", errs)
	}
	code, out, errs = run(t.Context(), env, "send", "-A", "two", "--raw", dir, "--log", log)
	if code != command.ExitOK || len(servers["two"].Messages()) != 2 {
		t.Errorf("the log did not know: exit status %d\n%s%s", code, out, errs)
	}

	stranger := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	code, _, errs = run(t.Context(), stranger, "send", "-A", "one", "--raw", dir)
	if code != command.ExitTemporary || !strings.Contains(errs, "it can't send as one@example.org") {
		t.Errorf("a sender that the other account does not serve: exit status %d\n%s", code, errs)
	}
}

func TestDryRunShowsTheAccount(t *testing.T) {
	t.Parallel()
	env := clitest.WriteConfig(t, "[account.qq]\nfrom = \"名字 <me@qq.com>\"\nsignature = \"Bye\"\n", nil)
	code, out, errs := run(t.Context(), env, "send", "-n", "-t", "a@example.org", "--html", "<html><body>Hi</body></html>")
	if code != command.ExitOK || !strings.Contains(out, "<me@qq.com>") || !strings.Contains(out, "Hi<p>-- <br>") {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
	if code, out, _ = run(t.Context(), env, "send", "-n", "-t", "a@example.org", "-b", "Hi", "--no-signature"); code != command.ExitOK || strings.Contains(out, "Bye") {
		t.Errorf("--no-signature: exit status %d\n%s", code, out)
	}
}

// If the fallback account fails, the outcome at the first account is final.
func TestFallbackThatCantBeHad(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]string{
		"no secret":  `secret = { file = "two.code" }|secret = { file = "missing" }`,
		"no CA file": `tls_ca = "{two.ca}"|tls_ca = "missing.pem"`,
	} {
		servers := clitest.TwoServers(t, sandboxtest.WithFault("body-451+Try_later"))
		from, to, _ := strings.Cut(broken, "|")
		env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
		config, err := os.ReadFile(env["YAN_CONFIG"])
		if err != nil {
			t.Fatal(err)
		}
		from = strings.ReplaceAll(from, "{two.ca}", servers["two"].CAFile())
		changed := strings.Replace(string(config), from, to, 1)
		if changed == string(config) {
			t.Fatalf("%s: %q is not in the configuration", name, from)
		}
		if err := os.WriteFile(env["YAN_CONFIG"], []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := run(t.Context(), env, "send", "-t", "a@example.org", "-b", "x")
		if code != command.ExitTemporary || !strings.Contains(out, "451") || !strings.Contains(errs, "Fallback account two is not used") {
			t.Errorf("%s: exit status %d\n%s%s", name, code, out, errs)
		}
	}
}

// Messages that the fallback account does not serve are reported as well, each once.
func TestFallbackOfSomeMessages(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t, sandboxtest.WithFault("greeting-421"))
	env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	dir := t.TempDir()
	const served, others = 3, 9
	for i := range served + others {
		from := "one@example.org"
		if i%4 == 3 {
			from = "x@two.example"
		}
		text := "From: " + from + "\r\nTo: a@example.org\r\n\r\nx\r\n"
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.eml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := run(t.Context(), env, "send", "-A", "one", "--raw", dir, "--json")
	status := map[string]int{}
	for line := range strings.Lines(out) {
		var rep jsonout.SendReport
		if err := json.Unmarshal([]byte(line), &rep); err != nil {
			t.Fatal(err)
		}
		status[rep.From+" "+rep.Status]++
	}
	want := map[string]int{"x@two.example sent": served, "one@example.org failed": others}
	if code != command.ExitTemporary || !maps.Equal(status, want) || len(servers["two"].Messages()) != served {
		t.Errorf("exit status %d, got %v, want %v, two got %d\n%s", code, status, want, len(servers["two"].Messages()), errs)
	}
}
