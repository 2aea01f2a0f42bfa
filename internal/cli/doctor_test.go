package cli

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
)

// doctorCase is a run of yan doctor: a sandbox under the provider's host name, a DNS server, and
// perhaps a configuration.
type doctorCase struct {
	profile string
	options []sandboxtest.Option
	zone    dnstest.Zone
	config  string // config.toml; CA is replaced with the file
	args    []string
	env     map[string]string // in addition to the default
	code    string            // the password; "" is the right password
	blocked bool              // no port answers
	today   bool              // the clock is right
	exit    int
}

// corp returns the DNS zone of a domain at Google Workspace, with changes.
func corp(differs dnstest.Zone) dnstest.Zone {
	zone := dnstest.Zone{
		"smtp.gmail.com": {"A 127.0.0.1"}, "smtp.qq.com": {"A 127.0.0.1"}, "smtp.office365.com": {"A 127.0.0.1"},
		"corp.example":                   {"MX 1 aspmx.l.google.com", "TXT v=spf1 include:_spf.google.com ~all"},
		"_spf.google.com":                {"TXT v=spf1 ip4:203.0.113.0/24 ~all"},
		"_submissions._tcp.corp.example": {"SRV 0 1 465 smtp.gmail.com"},
		"google._domainkey.corp.example": {"TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
		"_dmarc.corp.example":            {"TXT v=DMARC1; p=reject; adkim=s"},
		"qq.com":                         {"MX 10 mx3.qq.com", "TXT v=spf1 include:spf.mail.qq.com -all"},
		"spf.mail.qq.com":                {"TXT v=spf1 ip4:203.0.113.64/26 -all"},
		"_dmarc.qq.com":                  {"TXT v=DMARC1; p=quarantine"},
	}
	for name, records := range differs {
		zone[name] = records
	}
	return zone
}

const workspace = `version = 1
[account.work]
from = "李雷 <me@corp.example>"
server = "gmail"
tls_ca = "CA"
secret = { env = "WORK_CODE" }
`

// doctorCases returns the cases of the golden files.
func doctorCases() map[string]doctorCase {
	me := []sandboxtest.Option{sandboxtest.WithAccount("me@corp.example", sandboxPassword)}
	microsoft := append(me, sandboxtest.WithClock(aMonthAgo))
	atMicrosoft := strings.ReplaceAll(workspace, `"gmail"`, `"office365"`) + "dkim_selector = \"google\"\n"
	return map[string]doctorCase{
		"fine":          {profile: "gmail", options: me, zone: corp(nil), config: workspace + "dkim_selector = \"google\"\n"},
		"passwords-end": {profile: "microsoft365", options: microsoft, zone: corp(nil), config: atMicrosoft},
		"passwords-off": {profile: "microsoft365-off", options: microsoft, zone: corp(nil), config: atMicrosoft, exit: command.ExitAuth},
		"wrong-code":    {profile: "qq", zone: corp(nil), args: []string{"me@qq.com", "--tls-ca", "CA"}, code: wrongSecret, exit: command.ExitAuth},
		"blocked-ports": {profile: "qq", zone: corp(nil), args: []string{"me@qq.com", "--tls-ca", "CA"}, blocked: true, exit: command.ExitTemporary},
		"certificate-expired": {profile: "qq", zone: corp(nil), args: []string{"me@qq.com", "--tls-ca", "CA"},
			options: []sandboxtest.Option{sandboxtest.WithCertificate("expired")}, today: true, exit: command.ExitProtocol},
		"spf-missing": {profile: "gmail", options: me, config: workspace, zone: corp(dnstest.Zone{"corp.example": {"MX 1 aspmx.l.google.com"}, "_dmarc.corp.example": nil})},
		"dmarc-misaligned": {profile: "gmail", options: me, config: workspace, exit: command.ExitUnavailable,
			zone: corp(dnstest.Zone{"corp.example": {"MX 1 aspmx.l.google.com", "TXT v=spf1 mx -all"}, "aspmx.l.google.com": {"A 198.51.100.7"}})},
	}
}

func aMonthAgo() time.Time { return time.Now().AddDate(0, 0, -30) }

// consult runs the command and returns its output.
func consult(t testing.TB, c doctorCase, lang string, more ...string) (code int, out, errs string) {
	t.Helper()
	s := sandboxtest.Start(t, c.profile, c.options...)
	password := s.Password()
	if c.code != "" {
		password = c.code
	}
	env := map[string]string{"LANG": lang, "HOME": t.TempDir(), "YAN_PASSWORD": password, "WORK_CODE": password}
	env["YAN_CONFIG"] = filepath.Join(env["HOME"], "config.toml")
	maps.Copy(env, c.env)
	if c.config != "" {
		if err := os.WriteFile(env["YAN_CONFIG"], []byte(strings.ReplaceAll(c.config, "CA", filepath.ToSlash(s.CAFile()))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, o, e := testEnv(env)
	// The sandbox's certificate ends in ten days. With a clock one month back it is valid for
	// longer.
	w.Now = aMonthAgo
	if c.today {
		w.Now = time.Now
	}
	w.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		to, open := map[string]string{"465": s.TLSAddr(), "587": s.Addr()}[port]
		switch {
		case c.blocked:
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		case !open:
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}
	args := []string{"doctor", "--dns", dnstest.Start(t, c.zone).Addr()}
	for _, arg := range c.args {
		args = append(args, strings.ReplaceAll(arg, "CA", s.CAFile()))
	}
	code = Run(t.Context(), append(args, more...), w)
	if n := strings.Count(s.Transcript(), "C: AUTH "); n > 1 {
		t.Errorf("it logged in %d times", n)
	}
	for _, word := range []string{"C: DATA", "C: BDAT"} {
		if strings.Contains(s.Transcript(), word) {
			t.Errorf("%s was sent", word)
		}
	}
	if strings.Contains(o.String()+e.String(), password) {
		t.Error("the password is shown")
	}
	return code, o.String(), e.String()
}

var (
	aDuration = regexp.MustCompile(`( *)(\d[\d.]* (?:µs|ms|s))  `)
	aDay      = regexp.MustCompile(`\d{4}-\d\d-\d\d`)
	anID      = regexp.MustCompile(`[0-9A-F]+ - gsmtp`)
	inReply   = regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [0-9:]{8} [+-]\d{4}(?: [0-9A-F]+(]))?`)
)

// steady replaces values that vary from run to run; the columns keep their width.
func steady(out string) string {
	out = aDuration.ReplaceAllStringFunc(out, func(found string) string {
		m := aDuration.FindStringSubmatch(found)
		return console.Pad("", len(m[1])+console.Columns(m[2])-len("12 ms")) + "12 ms  "
	})
	out = inReply.ReplaceAllString(out, "Sun, 01 Mar 2026 08:00:00 +0000$1")
	return anID.ReplaceAllString(aDay.ReplaceAllString(out, "2026-03-01"), "0123456789AB - gsmtp")
}

func TestDoctorAsTheUserSeesIt(t *testing.T) {
	t.Parallel()
	if len(doctorCases()) < 6 {
		t.Fatal("scenes are missing")
	}
	for name, c := range doctorCases() {
		for _, lang := range []string{"en", "zh"} {
			code, out, errs := consult(t, c, lang)
			if code != c.exit || errs != "" {
				t.Errorf("%s: exit status %d, want %d: %s", name, code, c.exit, errs)
			}
			clitest.Golden(t, filepath.Join("testdata", "doctor", lang, name+".txt"), steady(out))
			if n := strings.Count(out, "What to do: ") + strings.Count(out, "怎么办："); n > 1 {
				t.Errorf("%s: %d things to do at once", name, n)
			}
		}
	}
}

func TestDoctorJSON(t *testing.T) {
	t.Parallel()
	for name, c := range doctorCases() {
		code, out, errs := consult(t, c, "zh", "--json")
		var j jsonout.Doctor
		clitest.Decode(t, out, &j)
		if code != c.exit || j.Exit != code || errs != "" || strings.Count(out, "\n") != 1 || len(j.Steps) < 15 {
			t.Errorf("%s: exit status %d and %d, %d steps: %s", name, code, j.Exit, len(j.Steps), errs)
		}
		if (j.Next == nil) != (j.Status == "ok") || j.Status == "failed" != (code != 0) {
			t.Errorf("%s: %s, next %+v", name, j.Status, j.Next)
		}
		for _, s := range j.Steps {
			if s.Status == string(doctor.Failed) && s.Name == string(doctor.NameLogin) && (s.Code != 535 || s.Diagnosis == nil || s.Stage != "auth") {
				t.Errorf("%s: %+v", name, s)
			}
		}
	}
}

// Errors of the command line or the configuration are reported before any connection.
func TestDoctorInput(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := filepath.Join(home, "config.toml")
	two := "version = 1\n[account.qq]\nfrom = \"me@qq.com\"\n[account.work]\nfrom = \"me@163.com\"\n"
	for _, test := range []struct {
		config string
		args   []string
		exit   int
		says   [2]string
	}{
		{"", nil, command.ExitConfig, [2]string{"yan login", "还没有账号"}},
		{two, nil, command.ExitConfig, [2]string{"several accounts and no default: qq, work", "没有默认账号"}},
		{two, []string{"wrok"}, command.ExitUsage, [2]string{"Did you mean work?", "既不是账号"}},
		{"", []string{"nobody"}, command.ExitUsage, [2]string{"neither an account nor a known provider", "既不是账号"}},
		{"", []string{"me@corp.example"}, command.ExitUsage, [2]string{"yan doctor smtp.corp.example -f me@corp.example", "不知道 me@corp.example 的服务器"}},
		{"", []string{"a b@c"}, command.ExitUsage, [2]string{"want an account", "应为账号"}},
		{"", []string{"smtp.example.com:0"}, command.ExitUsage, [2]string{"1 to 65535", "1 到 65535"}},
		{"", []string{"smtp.example.com:x"}, command.ExitUsage, [2]string{"want an account", "应为账号"}},
		{"", []string{"smtp://x:secret@host"}, command.ExitUsage, [2]string{"password in a URL", "密码"}},
		{"", []string{"smtp://host:465"}, command.ExitUsage, [2]string{"smtps://", "smtps://"}},
		{"", []string{"qq", "gmail"}, command.ExitUsage, [2]string{"unexpected argument", "多余的参数"}},
		{"", []string{"qq", "--dns", "ns.example"}, command.ExitUsage, [2]string{"192.0.2.53", "DNS 服务器"}},
		{"", []string{"qq", "--dns", "127.0.0.1:0"}, command.ExitUsage, [2]string{"192.0.2.53", "DNS 服务器"}},
		{"", []string{"qq", "--send-to", "a@example.org"}, command.ExitUsage, [2]string{"needs a sender", "需要发件人"}},
		{"", []string{"qq", "-f", "x"}, command.ExitUsage, [2]string{"want an address", ""}},
		{"", []string{"qq", "--timeout", "0s"}, command.ExitUsage, [2]string{"above zero", ""}},
		{"", []string{"qq", "--password", "x"}, command.ExitUsage, [2]string{"there is no --password", ""}},
		{"", []string{"qq", "--tls-ca", filepath.Join(home, "none")}, command.ExitNoInput, [2]string{"no such file", ""}},
		{"version = 2\n", nil, command.ExitConfig, [2]string{"", ""}},
	} {
		if err := os.WriteFile(file, []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		if test.config == "" {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		for i, lang := range []string{"en", "zh"} {
			w, out, errs := testEnv(map[string]string{"HOME": home, "YAN_CONFIG": file, "LANG": lang})
			w.Dial = func(context.Context, string, string) (net.Conn, error) {
				t.Errorf("%q: a connection", test.args)
				return nil, net.ErrClosed
			}
			code := Run(t.Context(), append([]string{"doctor"}, test.args...), w)
			if code != test.exit || out.Len() > 0 || !strings.Contains(errs.String(), test.says[i]) {
				t.Errorf("%q: exit status %d, want %d: %s%s", test.args, code, test.exit, out, errs)
			}
		}
	}
}

// Every form of naming a server is accepted.
func TestDoctorArguments(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for arg, want := range map[string]string{
		"qq": "smtps://smtp.qq.com:465", "QQ邮箱": "smtps://smtp.qq.com:465", "qq.com": "smtps://smtp.qq.com:465", "me@qq.com": "smtps://smtp.qq.com:465",
		"smtp.qq.com": "smtps://smtp.qq.com:465", "smtp.qq.com:587": "smtp://smtp.qq.com:587", "smtp.other.example": "smtps://smtp.other.example:465",
		"smtp.other.example:587": "smtp://smtp.other.example:587", "smtp.other.example:465": "smtps://smtp.other.example:465",
		"smtp://smtp.qq.com:587": "smtp://smtp.qq.com:587", "[::1]:465": "smtps://[::1]:465", "127.0.0.1:2525": "smtp://127.0.0.1:2525",
	} {
		w, out, errs := testEnv(map[string]string{"HOME": t.TempDir()})
		w.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			to := s.Addr()
			if port == "465" {
				to = s.TLSAddr()
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		}
		dns := dnstest.Start(t, corp(dnstest.Zone{"smtp.other.example": {"A 127.0.0.1"}}))
		Run(t.Context(), []string{"doctor", arg, "--json", "--dns", dns.Addr(), "--tls-ca", s.CAFile()}, w)
		var j jsonout.Doctor
		clitest.Decode(t, out.String(), &j)
		if j.Server != want {
			t.Errorf("%s: %s, want %s %s", arg, j.Server, want, errs)
		}
	}
}

func TestDoctorIsInterrupted(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain", sandboxtest.WithFault("auth-stall"))
	for _, more := range []string{"--json", "-v"} {
		ctx, cancel := context.WithCancel(t.Context())
		w, out, errs := testEnv(map[string]string{"HOME": t.TempDir(), "YAN_PASSWORD": s.Password()})
		w.Now = time.Now // then a certificate that ends soon causes a warning
		stalls := strings.Count(s.Transcript(), "fault auth-stall")
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			look := time.NewTicker(time.Millisecond)
			defer look.Stop()
			for ctx.Err() == nil && t.Context().Err() == nil {
				<-look.C
				if strings.Count(s.Transcript(), "fault auth-stall") > stalls { // the login waits for a reply
					cancel()
				}
			}
		}()
		code := Run(ctx, []string{"doctor", s.URL(), "--tls-ca", s.CAFile(), "--dns", "127.0.0.1:1", "--timeout", "5m", more}, w)
		said := out.String() + errs.String()
		if code != command.ExitTemporary || !strings.Contains(said, "interrupted") {
			t.Errorf("%s: exit status %d: %s", more, code, said)
		}
		if more == "--json" {
			var j jsonout.Doctor
			if err := json.Unmarshal(out.Bytes(), &j); err != nil || j.Status != "interrupted" || j.Next != nil {
				t.Errorf("%v: %s", err, out)
			}
		}
		cancel()
		<-watched
	}
}

// On a terminal each wait is announced, and the line is removed afterwards.
func TestDoctorShowsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	for _, url := range []string{s.URL(), s.StartTLSURL()} {
		w, out, _ := testEnv(map[string]string{"HOME": t.TempDir(), "YAN_PASSWORD": s.Password()})
		w.StdoutWidth = 100
		if code := Run(t.Context(), []string{"doctor", url, "--tls-ca", s.CAFile(), "--dns", "127.0.0.1:1"}, w); code != command.ExitOK {
			t.Fatalf("exit status %d", code)
		}
		for _, name := range []string{"Port", "TLS", "Greeting", "EHLO", "Login", "Sender", "SPF"} {
			if !strings.Contains(out.String(), "\x1b[2m… "+name+"\x1b[0m\r\x1b[K") {
				t.Errorf("%s: nothing says that %s is waited for, or it stays: %q", url, name, out)
			}
		}
	}
}

// An account is found by its name, its address, an address that it serves, and as the default. Its
// own secret is used, and its errors are reported.
func TestDoctorAccounts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arg, secret string
		exit        int
		from, says  string
	}{
		{"", `{ env = "WORK_CODE" }`, command.ExitOK, "me@corp.example", ""},
		{"work", `{ env = "WORK_CODE" }`, command.ExitOK, "me@corp.example", ""},
		{"me@corp.example", `{ env = "WORK_CODE" }`, command.ExitOK, "me@corp.example", ""},
		{"sales@corp.example", `{ env = "WORK_CODE" }`, command.ExitOK, "sales@corp.example", ""},
		{"work", `{ env = "NONE" }`, command.ExitConfig, "me@corp.example", "Account work: no secret in the variable NONE."},
		{"work", `{ file = "/none" }`, command.ExitConfig, "me@corp.example", "Account work: no secret in the file"},
	} {
		c := doctorCases()["fine"]
		c.config = strings.Replace(workspace, `{ env = "WORK_CODE" }`, test.secret, 1) + "match = [\"*@corp.example\"]\n"
		if c.args = nil; test.arg != "" {
			c.args = []string{test.arg}
		}
		code, out, errs := consult(t, c, "en", "--json")
		var j jsonout.Doctor
		clitest.Decode(t, out, &j)
		if code != test.exit || j.Account != "work" || j.From != test.from || errs != "" {
			t.Errorf("%q, %s: exit status %d, account %q, from %q: %s", test.arg, test.secret, code, j.Account, j.From, errs)
		}
		if test.says != "" && (j.Next == nil || j.Next.Step != "login" || !strings.HasPrefix(j.Next.Why.EN, test.says)) {
			t.Errorf("%s: %+v", test.secret, j.Next)
		}
		if test.says == "" {
			continue
		}
		at := slices.IndexFunc(j.Steps, func(s jsonout.DoctorStep) bool { return s.Name == "login" })
		if at < 0 || j.Steps[at].Detail != (jsonout.Bilingual{EN: "can't read the password: missing", ZH: "无法读取密码：不存在"}) || !strings.HasSuffix(j.Next.Why.ZH, "。") {
			t.Errorf("%s: %+v, next %+v", test.secret, j.Steps, j.Next)
		}
	}
}

// On a narrow terminal the details go on their own lines, and no line wraps.
func TestDoctorFitsTheTerminal(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	for _, lang := range []string{"en", "zh"} {
		w, out, _ := testEnv(map[string]string{"HOME": t.TempDir(), "LANG": lang, "YAN_PASSWORD": s.Password()})
		w.StdoutWidth, w.NoColor = 70, true
		if code := Run(t.Context(), []string{"doctor", s.URL(), "--tls-ca", s.CAFile(), "--dns", "127.0.0.1:1"}, w); code != command.ExitOK {
			t.Fatalf("exit status %d: %s", code, out)
		}
		for line := range strings.Lines(out.String()) {
			isStep := strings.HasPrefix(line, "✓ ") || strings.HasPrefix(line, "· ") || strings.HasPrefix(line, "   ")
			if isStep && console.Columns(strings.TrimRight(line, "\n")) > 71 {
				t.Errorf("%d columns: %s", console.Columns(line), line)
			}
		}
	}
}

// BenchmarkDoctor measures a whole run on loopback. ms/exam is the time that yan doctor reports,
// without the test's servers.
func BenchmarkDoctor(b *testing.B) {
	var sum float64
	for b.Loop() {
		code, out, errs := consult(b, doctorCases()["fine"], "en", "--json")
		var j jsonout.Doctor
		if err := json.Unmarshal([]byte(out), &j); code != command.ExitOK || err != nil {
			b.Fatalf("exit status %d, %v\n%s", code, err, errs)
		}
		sum += j.Took
	}
	b.ReportMetric(sum/float64(b.N), "ms/exam")
}
