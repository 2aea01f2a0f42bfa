package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
)

// A password is not sent to the owner of a mistyped domain.
func TestLoginMistyped(t *testing.T) {
	t.Parallel()
	d := newLoginDesk(t)
	d.answers = []string{"y"}
	d.env["YAN_PASSWORD"] = sandboxPassword
	code, _, errs := d.yan("login", "me@gmial.com", "--from", "Me <me@gmial.com>", "--dns", "127.0.0.1:1", "--no-check")
	if code != command.ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	clitest.Wants(t, "the terminal", errs, "Did you mean me@gmail.com?")
	clitest.Wants(t, "the configuration", d.config(), "[account.gmail]", `from = "Me <me@gmail.com>"`)
	d.pipe = true
	if code, _, errs := d.yan("login", "me@gmial.com", "--dns", "127.0.0.1:1"); code != command.ExitTemporary || !strings.Contains(errs, "Did you mean me@gmail.com?") {
		t.Errorf("a pipe: %d %s", code, errs)
	}
}

// A host found by DNS alone is shown, and gets no data before the user agrees.
func TestLoginTrustsNoDNS(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	elsewhere := sandboxtest.Start(t, "plain", sandboxtest.WithHostNames("mail.host.test"))
	_, port, err := net.SplitHostPort(elsewhere.TLSAddr())
	if err != nil {
		t.Fatal(err)
	}
	dns := dnstest.Start(t, dnstest.Zone{"_submissions._tcp.corp.test": {"SRV 0 1 " + port + " mail.host.test"}, "mail.host.test": {"A 127.0.0.1"}})
	ca := filepath.Join(t.TempDir(), "both.pem")
	var roots []byte
	for _, file := range []string{s.CAFile(), elsewhere.CAFile()} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, b...)
	}
	if err := os.WriteFile(ca, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	d := newLoginDesk(t)
	args := []string{"login", "me@corp.test", "--from", "me@qq.com", "--user", "me@qq.com", "--dns", dns.Addr(), "--tls-ca", ca}
	d.answers = []string{"2", "smtps://" + s.TLSAddr()} // another server
	d.secrets = []string{sandboxPassword}
	code, _, errs := d.yan(args...)
	if code != command.ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	clitest.Wants(t, "the terminal", errs, "✓ SRV record", "mail.host.test  (SRV record)", "Is this your mail server?", "DNS can be forged")
	d.answers = nil
	d.env["YAN_PASSWORD"], d.pipe = sandboxPassword, true
	code, _, errs = d.yan(append(args, "--replace")...)
	if code != command.ExitConfig {
		t.Errorf("a pipe: %d %s", code, errs)
	}
	clitest.Wants(t, "the error", errs, "--server smtps://mail.host.test:"+port)
	if strings.Contains(elsewhere.Transcript(), "C: AUTH") {
		t.Error("a password went there")
	}
}

// The search uses the proxy of the account's connections, which alone knows the host here.
func TestLoginSearchesThroughProxy(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithHostNames("smtp.corp.test"))
	dns := dnstest.Start(t, dnstest.Zone{"corp.test": {"TXT nothing"}})
	for _, kind := range []string{"http", "socks5"} {
		proxy, err := startProxyTo(kind, map[string]string{"smtp.corp.test:465": s.TLSAddr()})
		if err != nil {
			t.Fatal(err)
		}
		defer proxy.close()
		url := kind + "://" + proxy.listener.Addr().String()
		for name, test := range map[string]struct {
			args   []string
			env    map[string]string
			config string
			code   int
		}{
			"flag":          {args: []string{"--proxy", url}},
			"configuration": {config: "version = 1\n\n[defaults]\nproxy = \"" + url + "\"\n"},
			"ALL_PROXY":     {env: map[string]string{"ALL_PROXY": url}},
			"NO_PROXY":      {env: map[string]string{"ALL_PROXY": url, "NO_PROXY": ".corp.test"}, code: command.ExitNoHost},
			"none":          {code: command.ExitNoHost},
			"nonsense":      {env: map[string]string{"ALL_PROXY": "nonsense"}, code: command.ExitNoHost},
		} {
			d := newLoginDesk(t)
			d.pipe = true
			d.env["YAN_PASSWORD"] = sandboxPassword
			for name, value := range test.env {
				d.env[name] = value
			}
			if test.config != "" {
				d.writes(test.config)
			}
			before := proxy.tunnels.Load()
			code, _, errs := d.yan(append([]string{"login", "me@corp.test", "--from", "me@qq.com", "--user", "me@qq.com", "--dns", dns.Addr(), "--tls-ca", s.CAFile()}, test.args...)...)
			if code != test.code {
				t.Errorf("%s, %s: exit status %d: %s", kind, name, code, errs)
			}
			if went := proxy.tunnels.Load() - before; (went >= 2) != (test.code == command.ExitOK) { // one to probe, one to log in
				t.Errorf("%s, %s: %d connections", kind, name, went)
			}
		}
	}
}

// Without a network or a domain no server is found. Only the latter is the user's mistake.
func TestLoginFindsNothing(t *testing.T) {
	t.Parallel()
	for lang, says := range map[string][2]string{"en": {"no network: neither DNS nor any server answered", "[127.0.0.1] is not a domain"},
		"zh": {"没有网络", "[127.0.0.1] 不是域名"}} {
		d := newLoginDesk(t)
		d.pipe = true
		d.env["YAN_PASSWORD"] = sandboxPassword
		if code, _, errs := d.yan("login", "me@corp.test", "--dns", "127.0.0.1:1", "--lang", lang); code != command.ExitTemporary || !strings.Contains(errs, says[0]) {
			t.Errorf("no network: %d %s", code, errs)
		}
		if code, _, errs := d.yan("login", "me@[127.0.0.1]", "--lang", lang); code != command.ExitUsage || !strings.Contains(errs, says[1]) {
			t.Errorf("no domain: %d %s", code, errs)
		}
		d.empty()
	}
}
