package account_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/smtp"
)

func TestEverythingIsRead(t *testing.T) {
	t.Parallel()
	f := parse(t, `
version = 1
default = "all"
[defaults]
signature = "inherited"
headers = { Organization = "雁", X-B = "b" }
timeout = "5m"
save_sent = true
pipelining = false
[account.all]
from = "名字 <me@example.com>"
server = "smtps://smtp.example.com"
user = "me"
auth = "plain"
secret = { command = "pass show mail" }
match = ["*@example.com"]
fallback = "plain"
signature_file = "sig.txt"
reply_to = "other@example.com"
headers = { X-A = "a", X-B = "" }
save_sent = "always"
imap = "imap://imap.example.com:1143"
sent_folder = "已发送"
tls_ca = "ca.pem"
tls_pin = "sha256:`+strings.Repeat("ab", 32)+`"
tls_cert = "cert.pem"
tls_key = "key.pem"
allow_cleartext_password = true
proxy = "socks5://127.0.0.1:1080"
local_name = "pc.example.com"
pipelining = true
connections = 4
pace = "60/m"
in_doubt = "retry"
timeout = "30s"
dkim_selector = "s1"
[account.all.oauth2]
client_id = "id"
client_secret = "not one"
auth_url = "https://a.example/"
token_url = "https://t.example/"
device_url = "http://127.0.0.1:1/"
scopes = ["a", "b"]
tenant = "t"
[account.plain]
from = "me@qq.com"
`)
	if got := len(f.Accounts()); got != 2 || f.Accounts()[0].Name != "all" {
		t.Fatalf("got %+v", f.Accounts())
	}
	all, _ := f.Account("all")
	want := account.Account{
		Name: "all", From: "名字 <me@example.com>", Server: "smtps://smtp.example.com", User: "me", Auth: "plain",
		Secret: account.Secret{Command: "pass show mail"},
		OAuth2: account.OAuth2{ClientID: "id", ClientSecret: "not one", AuthURL: "https://a.example/", TokenURL: "https://t.example/",
			DeviceURL: "http://127.0.0.1:1/", Scopes: []string{"a", "b"}, Tenant: "t"},
		Match: []string{"*@example.com"}, Fallback: "plain", SignatureFile: "sig.txt", ReplyTo: "other@example.com",
		Headers:  []account.Header{{Name: "Organization", Value: "雁"}, {Name: "X-A", Value: "a"}},
		SaveSent: account.SaveAlways, IMAP: "imap://imap.example.com:1143", SentFolder: "已发送",
		TLSCA: "ca.pem", TLSPin: "sha256:" + strings.Repeat("ab", 32), TLSCert: "cert.pem", TLSKey: "key.pem",
		AllowCleartextPassword: true, Proxy: "socks5://127.0.0.1:1080", LocalName: "pc.example.com",
		Connections: 4, Pace: account.Pace{Messages: 60, Per: time.Minute}, InDoubt: account.InDoubtRetry, Timeout: 30 * time.Second, DKIMSelector: "s1",
	}
	if !all.Same(want) {
		t.Errorf("got  %+v\nwant %+v", all, want)
	}
	plain, _ := f.Account("plain")
	if plain.Signature != "inherited" || plain.Timeout != 5*time.Minute || plain.SaveSent != account.SaveAuto || !plain.NoPipelining || len(plain.Headers) != 2 {
		t.Errorf("not inherited: %+v", plain)
	}
}

// The test provokes every fault and checks its place.
func TestFaults(t *testing.T) {
	t.Parallel()
	const good = "[account.a]\nfrom = \"a@qq.com\"\n"
	tests := []struct {
		source string
		fault  account.Fault
		line   int
		key    string
		near   string
	}{
		{"a = [", account.FaultSyntax, 1, "", ""},
		{"[account.a", account.FaultSyntax, 1, "", ""},
		{"version = 2\nwhatever = 1", account.FaultVersion, 1, "version", ""},
		{"verson = 1", account.FaultUnknownKey, 1, "verson", "version"},
		{"[acount.a]\nfrom = \"x\"", account.FaultUnknownKey, 1, "acount", "account"},
		{good + "form = \"b@qq.com\"", account.FaultUnknownKey, 3, "account.a.form", "from"},
		{good + "sever = \"qq\"", account.FaultUnknownKey, 3, "account.a.sever", "server"},
		{good + "secret = { comand = \"x\" }", account.FaultUnknownKey, 3, "account.a.secret.comand", "command"},
		{good + "oauth2.clientid = \"x\"", account.FaultUnknownKey, 3, "account.a.oauth2.clientid", "client_id"},
		{good + "zzzzzz = 1", account.FaultUnknownKey, 3, "account.a.zzzzzz", ""},
		{good + "password = \"hunter2\"", account.FaultSecret, 3, "account.a.password", ""},
		{good + "授权码 = \"hunter2\"", account.FaultSecret, 3, "account.a.授权码", ""},
		{good + "\"授权码\" = \"hunter2\"", account.FaultSecret, 3, "account.a.\"授权码\"", ""},
		{good + "from = 1", account.FaultSyntax, 0, "", ""}, // twice
		{"[account.a]\nfrom = 1", account.FaultValue, 2, "account.a.from", ""},
		{good + "connections = \"4\"", account.FaultValue, 3, "account.a.connections", ""},
		{good + "connections = -1", account.FaultValue, 3, "account.a.connections", ""},
		{good + "match = \"x\"", account.FaultValue, 3, "account.a.match", ""},
		{good + "match = [\"x\"]", account.FaultValue, 3, "account.a.match", ""},
		{good + "match = [\"[@x\"]", account.FaultValue, 3, "account.a.match", ""},
		{good + "allow_cleartext_password = 1", account.FaultValue, 3, "account.a.allow_cleartext_password", ""},
		{"[account.a]\nserver = \"qq\"", account.FaultValue, 1, "account.a.from", ""},
		{"[account.a]\nfrom = \"nobody\"", account.FaultValue, 2, "account.a.from", ""},
		{"[account.a]\nfrom = \"a@nowhere.example\"", account.FaultValue, 1, "account.a.server", ""},
		{good + "server = \"smtps://u:p@x\"", account.FaultValue, 3, "account.a.server", ""},
		{good + "server = \"nosuch\"", account.FaultValue, 3, "account.a.server", ""},
		{good + "auth = \"MAGIC\"", account.FaultValue, 3, "account.a.auth", ""},
		{good + "secret = { command = \"x\", file = \"y\" }", account.FaultValue, 3, "account.a.secret", ""},
		{good + "secret = { command = \"x\", keyring = true }", account.FaultValue, 3, "account.a.secret", ""},
		{good + "secret = { netrc = 1 }", account.FaultValue, 3, "account.a.secret", ""},
		{good + "headers = { X-A = \"1\", x-a = \"2\" }", account.FaultValue, 3, "account.a.headers", ""},
		{"[defaults.headers]\nX-A = \"1\"\nx-a = \"2\"", account.FaultValue, 1, "defaults.headers", ""},
		{good + "From = \"b@qq.com\"", account.FaultUnknownKey, 3, "account.a.From", "from"},
		{"[Account.a]\nfrom = \"a@qq.com\"", account.FaultUnknownKey, 1, "Account", "account"},
		{good + "secret = { Command = \"x\" }", account.FaultUnknownKey, 3, "account.a.secret.Command", "command"},
		{"[defaults]\nfallback = \"b\"\n[account.b]\nfrom = \"b@qq.com\"\nfallback = \"b\"", account.FaultReference, 5, "account.b.fallback", ""},
		{good + "oauth2 = { tenant = \"x\" }", account.FaultValue, 3, "account.a.oauth2", ""},
		{good + "oauth2 = { client_id = \"x\", auth_url = \"http://a.example\" }", account.FaultValue, 3, "account.a.oauth2", ""},
		{good + "signature = \"x\"\nsignature_file = \"y\"", account.FaultValue, 3, "account.a.signature", ""},
		{good + "reply_to = \"x\"", account.FaultValue, 3, "account.a.reply_to", ""},
		{good + "headers = { From = \"x\" }", account.FaultValue, 3, "account.a.headers", ""},
		{good + "headers = { X = \"x\\ny\" }", account.FaultValue, 3, "account.a.headers", ""},
		{good + "save_sent = \"yes\"", account.FaultValue, 3, "account.a.save_sent", ""},
		{good + "imap = \"http://x\"", account.FaultValue, 3, "account.a.imap", ""},
		{good + "imap = \"imaps://u@x\"", account.FaultValue, 3, "account.a.imap", ""},
		{good + "imap = \"imaps://x:99999\"", account.FaultValue, 3, "account.a.imap", ""},
		{good + "tls_pin = \"x\"", account.FaultValue, 3, "account.a.tls_pin", ""},
		{good + "tls_cert = \"x\"", account.FaultValue, 3, "account.a.tls_cert", ""},
		{good + "proxy = \"ftp://x\"", account.FaultValue, 3, "account.a.proxy", ""},
		{good + "proxy = \"http://u:hunter2@x\"", account.FaultValue, 3, "account.a.proxy", ""},
		{good + "pace = \"60\"", account.FaultValue, 3, "account.a.pace", ""},
		{good + "pace = \"-1/m\"", account.FaultValue, 3, "account.a.pace", ""},
		{good + "pace = \"60/w\"", account.FaultValue, 3, "account.a.pace", ""},
		{good + "in_doubt = \"perhaps\"", account.FaultValue, 3, "account.a.in_doubt", ""},
		{"[outbox]\nurl = \"postgres://me:hunter2@db/mail\"", account.FaultSecret, 2, "outbox.url", ""},
		{"[outbox]\nurl = \"postgres://me@db/mail?password=hunter2\"", account.FaultSecret, 2, "outbox.url", ""},
		{"[outbox]\nurl = \"host=db password=hunter2\"", account.FaultSecret, 2, "outbox.url", ""},
		{"[outbox]\nurl = \"host=db dbname=mail\"", account.FaultValue, 2, "outbox.url", ""},
		{"[outbox]\nurl = \"mysql://me:hunter2@db/mail\"", account.FaultValue, 2, "outbox.url", ""},
		{"[outbox]\nurl = \"postgres://me:hunter2@db:x/mail\"", account.FaultValue, 2, "outbox.url", ""},
		{"[outbox]\npassword = \"hunter2\"", account.FaultSecret, 2, "outbox.password", ""},
		{"[outbox]\nuri = \"x\"", account.FaultUnknownKey, 2, "outbox.uri", "url"},
		{"[outbox]\nurl = 1", account.FaultValue, 2, "outbox.url", ""},
		{"[outbox]\npassword_command = \"pass db\"", account.FaultValue, 2, "outbox.password_command", ""},
		{"[outbox]\nurl = \"postgres://db/mail\"\npassword_command = \"pass db\"", account.FaultValue, 3, "outbox.password_command", ""},
		{"[outbox]\nbounce = \"nobody\"", account.FaultValue, 2, "outbox.bounce", ""},
		{"[outbox]\nqueue = \"sometimes\"", account.FaultValue, 2, "outbox.queue", ""},
		{"[outbox]\nin_doubt = \"\"", account.FaultValue, 2, "outbox.in_doubt", ""},
		{"[outbox]\nkeep_bodies = \"7\"", account.FaultValue, 2, "outbox.keep_bodies", ""},
		{"[outbox]\nkeep_messages = \"-7d\"", account.FaultValue, 2, "outbox.keep_messages", ""},
		{"[outbox]\nmin_free = \"a lot\"", account.FaultValue, 2, "outbox.min_free", ""},
		{"[outbox]\nmin_free = \"-1MiB\"", account.FaultValue, 2, "outbox.min_free", ""},
		{"outbox = 1", account.FaultValue, 1, "outbox", ""},
		{good + "timeout = \"30\"", account.FaultValue, 3, "account.a.timeout", ""},
		{"[defaults]\ntimeout = \"-1s\"", account.FaultValue, 2, "defaults.timeout", ""},
		{"[defaults]\nfrom = \"a@qq.com\"", account.FaultValue, 2, "defaults.from", ""},
		{"[account.\"a b\"]\nfrom = \"a@qq.com\"", account.FaultValue, 1, "account.\"a b\"", ""},
		{"default = \"b\"\n" + good, account.FaultReference, 1, "default", ""},
		{good + "fallback = \"b\"", account.FaultReference, 3, "account.a.fallback", ""},
		{good + "fallback = \"a\"", account.FaultReference, 3, "account.a.fallback", ""},
		{good + "fallback = \"b\"\n[account.b]\nfrom = \"b@qq.com\"\nfallback = \"a\"", account.FaultReference, 3, "account.a.fallback", ""},
	}
	seen := map[account.Fault]bool{}
	for _, test := range tests {
		_, err := account.Parse("config.toml", []byte(test.source))
		var p *account.ParseError
		if !errors.As(err, &p) {
			t.Errorf("%q: got %v, want a ParseError", test.source, err)
			continue
		}
		seen[p.Fault] = true
		if p.Fault != test.fault || p.Key != test.key || p.Near != test.near || test.line > 0 && p.Line != test.line {
			t.Errorf("%q: got %s at line %d, key %q, near %q (%v), want %s at %d, %q, %q",
				test.source, p.Fault, p.Line, p.Key, p.Near, p, test.fault, test.line, test.key, test.near)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	seen[account.FaultWritable] = true // concerns the file's mode: others_test.go
	for _, fault := range account.Faults() {
		if !seen[fault] {
			t.Errorf("%s was never provoked", fault)
		}
	}
}

// The account to which all others fall back has no fallback itself.
func TestFallbackOfAll(t *testing.T) {
	t.Parallel()
	const all = "[defaults]\nfallback = \"b\"\n[account.a]\nfrom = \"a@qq.com\"\n[account.b]\nfrom = \"b@qq.com\"\n"
	f := parse(t, all)
	a, _ := f.Account("a")
	b, _ := f.Account("b")
	if a.Fallback != "b" || b.Fallback != "" {
		t.Errorf("a falls back to %q, b to %q", a.Fallback, b.Fallback)
	}
	if err := f.Put(b); err != nil || string(f.Bytes()) != all {
		t.Errorf("nothing was changed: %v\n%s", err, f.Bytes())
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	f := parse(t, `
default = "work"
[account.qq]
from = "Me@qq.com"
match = ["sales@corp.example"]
[account.work]
from = "me@work.example"
server = "smtps://smtp.work.example"
match = ["*@corp.example", "*@*.corp.example"]
[account.twin]
from = "me+list@work.example"
server = "smtps://smtp.work.example"
match = ["*@*.corp.example", "x/y*@slash.example"]
`)
	tests := []struct{ name, from, want string }{
		{"qq", "", "qq"},
		{"qq", "me@work.example", "qq"},
		{"", "", "work"},
		{"", "me@qq.com", "qq"},
		{"", "ME@QQ.COM", "qq"},
		{"", "me+shop@qq.com", "qq"},
		{"", "me+list@work.example", "twin"}, // the whole address wins over the one without detail
		{"", "me+other@work.example", "work"},
		{"", "sales@corp.example", "qq"}, // an address wins over a pattern
		{"", "info@corp.example", "work"},
		{"", "x/yz@slash.example", "twin"},
		{"", "somebody@else.example", "work"},
	}
	for _, test := range tests {
		got, err := f.Choose(test.name, address(t, test.from))
		if err != nil || got.Name != test.want {
			t.Errorf("Choose(%q, %q) = %s, %v, want %s", test.name, test.from, got.Name, err, test.want)
		}
	}
	var unknown *account.UnknownAccountError
	if _, err := f.Choose("wrok", smtp.Address{}); !errors.As(err, &unknown) || !slices.Equal(unknown.Near, []string{"work"}) {
		t.Errorf("an unknown account: %v", err)
	}
	var ambiguous *account.AmbiguousError
	if _, err := f.Choose("", address(t, "a@b.corp.example")); !errors.As(err, &ambiguous) || len(ambiguous.Names) != 2 {
		t.Errorf("two that match: %v", err)
	}
	if _, err := parse(t, "").Choose("", smtp.Address{}); !errors.Is(err, account.ErrNone) {
		t.Errorf("an empty file: %v", err)
	}
	two := parse(t, "[account.a]\nfrom = \"a@qq.com\"\n[account.b]\nfrom = \"b@qq.com\"")
	if _, err := two.Choose("", smtp.Address{}); !errors.As(err, &ambiguous) || !ambiguous.From.IsZero() {
		t.Errorf("two and no default: %v", err)
	}
	if _, err := two.Choose("", address(t, "c@qq.com")); !errors.Is(err, account.ErrNone) {
		t.Errorf("a stranger and no default: %v", err)
	}
}

func address(t *testing.T, s string) smtp.Address {
	t.Helper()
	if s == "" {
		return smtp.Address{}
	}
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"YAN_CONFIG": "x.toml", "HOME": "/h"}, "x.toml"},
		{map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/yan/config.toml"},
		{map[string]string{"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/yan/config.toml"},
		{map[string]string{}, ""},
	}
	for _, test := range tests {
		got, err := account.Path(func(name string) string { return test.env[name] })
		if strings.ReplaceAll(got, `\`, "/") != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%v: got %q, %v, want %q", test.env, got, err, test.want)
		}
	}
}

// A URL of OAuth 2.0 that contains a password is refused, and not repeated in the error.
func TestOAuthURLsHoldNoPassword(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"https://me:hunter2@id.example/", "https://hunter2@id.example/", "http://me:hunter2@id.example/", "https://me:hunter2@id.example:x/", "hunter2@id.example%"} {
		for _, key := range []string{"auth_url", "token_url", "device_url"} {
			_, err := account.Parse("c.toml", fmt.Appendf(nil, "[account.a]\nfrom = \"me@qq.com\"\noauth2 = { client_id = \"x\", %s = %q }\n", key, u))
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s = %q: %v", key, u, err)
			}
		}
	}
}
