package account_test

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
)

const twoAccounts = "default = \"work\"\n[account.work]\nfrom = \"me@example.com\"\nserver = \"smtp.example.com\"\n[account.shop]\nfrom = \"shop@shop.example\"\nserver = \"smtp.shop.example\"\n"

// Every key of [local] and [submit] is read, and missing ones have the documented defaults.
func TestSubmitIsRead(t *testing.T) {
	t.Parallel()
	if got, want := parse(t, twoAccounts).Submit(), (account.Submit{ForeignFrom: account.ForeignRewrite}); !reflect.DeepEqual(got, want) {
		t.Errorf("the defaults are %+v", got)
	}
	f := parse(t, twoAccounts+`
[local]
root = "ops@example.com"
Admin = ["dev@example.com", "Root"]
"*" = "all@example.com"
[submit]
account = "work"
from = "refuse"
per_hour = 50
max_rcpt = 5
socket = "/run/yan/submit.sock"
drop = "none"
[submit.users.www-data]
account = "shop"
from = ["*@shop.example", "*"]
per_hour = 100
max_rcpt = 20
[submit.users."j.doe"]
`)
	want := account.Submit{Account: "work", ForeignFrom: account.ForeignRefuse, PerHour: 50, MaxRecipients: 5, Socket: "/run/yan/submit.sock", Drop: account.SubmitNone,
		Users: map[string]account.SubmitUser{"www-data": {Account: "shop", From: []string{"*@shop.example", "*"}, PerHour: 100, MaxRecipients: 20}, "j.doe": {}}}
	if got := f.Submit(); !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
	if got := fmt.Sprint(f.Local()); got != "map[*:[all@example.com] admin:[dev@example.com ops@example.com] root:[ops@example.com]]" {
		t.Errorf("local names %v", got)
	}
}

// Every key of [listen.smtp] is read, and missing ones have the documented defaults.
func TestListenIsRead(t *testing.T) {
	t.Parallel()
	if _, ok := parse(t, twoAccounts).ListenSMTP(); ok {
		t.Error("a listener that nothing asks for")
	}
	got, ok := parse(t, twoAccounts+"[listen.smtp]\naddress = \"2525\"\n").ListenSMTP()
	want := account.ListenSMTP{Address: "localhost:2525", MaxConnections: 1000, MaxPerPeer: 50}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("the defaults are %+v, %v", got, ok)
	}
	got, _ = parse(t, twoAccounts+`
[listen.smtp]
address = "[::1]:25"
local = ["shop", "work"]
users = ["git"]
certificate = "/etc/cert.pem"
key = "/etc/key.pem"
networks = ["192.0.2.0/24", "2001:db8::1"]
repeat = "new"
trace = true
max_connections = 7
max_per_peer = 3
`).ListenSMTP()
	want = account.ListenSMTP{Address: "[::1]:25", Local: []string{"shop", "work"}, Users: []string{"git"}, Certificate: "/etc/cert.pem", Key: "/etc/key.pem",
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")}, RepeatNew: true, Trace: true, MaxConnections: 7, MaxPerPeer: 3}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
	for client, admits := range map[string]bool{"192.0.2.9": true, "::ffff:192.0.2.9": true, "192.0.3.9": false, "2001:db8::1": true, "2001:db8::2": false} {
		if got.Admits(netip.MustParseAddr(client)) != admits {
			t.Errorf("%s: %v", client, !admits)
		}
	}
	if open := (account.ListenSMTP{}); !open.Admits(netip.MustParseAddr("198.51.100.1")) {
		t.Error("without networks nothing can connect")
	}
}

// An address that other machines can reach needs a certificate, or two keys that say it in words.
func TestListenIsSafe(t *testing.T) {
	t.Parallel()
	const insecure = "insecure = \"i understand: passwords in the clear\"\n"
	for _, test := range []struct{ keys, fault string }{
		{"address = \"127.0.0.1:2525\"\nlocal = [\"work\"]\n", ""},
		{"address = \"127.9.9.9:2525\"\n", ""},
		{"address = \"localhost:2525\"\nusers = [\"git\"]\n", ""},
		{"address = \"[::ffff:127.0.0.1]:2525\"\n", ""},
		{"address = \"0.0.0.0:2525\"\ncertificate = \"c\"\nkey = \"k\"\n", ""},
		{"address = \"[::]:2525\"\n" + insecure + "networks = [\"192.0.2.0/24\"]\n", ""},
		{"address = \"0.0.0.0:2525\"\n", "address"},
		{"address = \"[::]:2525\"\n", "address"},
		{"address = \"192.0.2.1:2525\"\nnetworks = [\"192.0.2.0/24\"]\n", "address"},
		{"address = \"0.0.0.0:2525\"\n" + insecure, "insecure"},
		{"address = \"127.0.0.1:2525\"\n" + insecure, "insecure"},
		{"address = \"0.0.0.0:2525\"\ncertificate = \"c\"\nkey = \"k\"\nlocal = [\"work\"]\n", "local"},
		{"address = \"0.0.0.0:2525\"\ncertificate = \"c\"\nkey = \"k\"\nusers = [\"git\"]\n", "users"},
	} {
		_, err := account.Parse("config.toml", []byte(twoAccounts+"[listen.smtp]\n"+test.keys))
		var wrong *account.ParseError
		if test.fault == "" && err != nil {
			t.Errorf("%s%v", test.keys, err)
		} else if test.fault != "" && (!errors.As(err, &wrong) || wrong.Key != "listen.smtp."+test.fault || wrong.Line == 0) {
			t.Errorf("%swant a fault of %s, got %v", test.keys, test.fault, err)
		}
	}
}

// A mistake in one of the tables is an error with its place, its kind and the nearest key.
func TestFaultsOfSubmission(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		table, line string
		fault       account.Fault
		near, says  string
	}{
		{"local", `root = 5`, account.FaultValue, "", "want an address"},
		{"local", `root = []`, account.FaultValue, "", "want an address"},
		{"local", `root = ["a@example.com", 7]`, account.FaultValue, "", "want an address"},
		{"local", `root = "a@@example.com"`, account.FaultValue, "", "a@@example.com"},
		{"local", `"root@host" = "a@example.com"`, account.FaultValue, "", "local user"},
		{"local", `root = "ops"`, account.FaultReference, "", "ops"},
		{"local", `root = "root"`, account.FaultReference, "", "circular local names: root, root"},
		{"submit", `acount = "work"`, account.FaultUnknownKey, "account", ""},
		{"submit", `account = "wrok"`, account.FaultReference, "", "wrok"},
		{"submit", `from = "no"`, account.FaultValue, "", "want rewrite or refuse"},
		{"submit", `from = ["*@example.com"]`, account.FaultValue, "", "want a text"},
		{"submit", `socket = "submit.sock"`, account.FaultValue, "", "starts with /"},
		{"submit", `drop = "drop"`, account.FaultValue, "", "starts with /"},
		{"submit", `per_hour = -1`, account.FaultValue, "", "want a number"},
		{"submit", `max_rcpt = "5"`, account.FaultValue, "", "want a number"},
		{"submit.users.git", `form = ["*"]`, account.FaultUnknownKey, "from", ""},
		{"submit.users.git", `from = ["example.com"]`, account.FaultValue, "", "*@example.com"},
		{"submit.users.git", `from = "rewrite"`, account.FaultValue, "", "want a list"},
		{"submit.users.git", `account = "wrok"`, account.FaultReference, "", "wrok"},
		{"submit.users.git", `max_rcpt = -1`, account.FaultValue, "", "want a number"},
		{"submit.user.git", `per_hour = 1`, account.FaultUnknownKey, "users", ""},
		{"listen.smtps", `address = "25"`, account.FaultUnknownKey, "smtp", ""},
		{"listen.smtp", `adress = "25"`, account.FaultUnknownKey, "address", ""},
		{"listen.smtp", `address = "mail.example.com:25"`, account.FaultValue, "", "IP address"},
		{"listen.smtp", `address = "127.0.0.1:70000"`, account.FaultValue, "", "want a port"},
		{"listen.smtp", `address = 2525`, account.FaultValue, "", "want a text"},
		{"listen.smtp", `address = "1:2:3"`, account.FaultValue, "", "want a port"},
		{"listen.smtp", `repeat = "never"`, account.FaultValue, "", "same or new"},
		{"listen.smtp", `insecure = "yes"`, account.FaultValue, "", account.UnderstoodInsecure},
		{"listen.smtp", `insecure = true`, account.FaultValue, "", "want a text"},
		{"listen.smtp", `networks = ["192.0.2.1/24"]`, account.FaultValue, "", "192.0.2.0/24"},
		{"listen.smtp", `networks = ["lan"]`, account.FaultValue, "", "want a network"},
		{"listen.smtp", `networks = []`, account.FaultValue, "", "empty"},
		{"listen.smtp", `certificate = "c.pem"`, account.FaultValue, "", "two files"},
		{"listen.smtp", `key = "k.pem"`, account.FaultValue, "", "two files"},
		{"listen.smtp", `local = ["wrok"]`, account.FaultReference, "", "wrok"},
		{"listen.smtp", `local = [""]`, account.FaultReference, "", "unknown account"},
		{"listen.smtp", `max_connections = 0`, account.FaultValue, "", "above zero"},
		{"listen.smtp", `max_per_peer = -1`, account.FaultValue, "", "above zero"},
		{"listen.smtp", `password = "hunter2"`, account.FaultSecret, "", ""},
	} {
		source := twoAccounts + "[" + test.table + "]\n" + test.line + "\n"
		if test.table == "listen.smtp" && !strings.HasPrefix(test.line, "address") {
			source += "address = \"2525\"\n"
		}
		_, err := account.Parse("config.toml", []byte(source))
		var wrong *account.ParseError
		if !errors.As(err, &wrong) || wrong.Fault != test.fault || wrong.Near != test.near || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("[%s] %s: %v", test.table, test.line, err)
			continue
		}
		if line := strings.Count(twoAccounts, "\n") + 2; wrong.Line != line && wrong.Line != line-1 {
			t.Errorf("[%s] %s: line %d, want %d", test.table, test.line, wrong.Line, line)
		}
	}
	if _, err := account.Parse("config.toml", []byte("[listen.smtp]\n")); err == nil {
		t.Error("a listener without an address")
	}
}

// A fault of a listener leaves the accounts usable, and is found by the daemon.
func TestFaultySubmission(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"[local]\nroot = 5\n", "[submit]\nfrom = \"no\"\n", "[listen.smtp]\naddress = \"0.0.0.0:25\"\n"} {
		f, err := account.LoadLenient(onDisk(t, twoAccounts+table))
		if err != nil || f.FaultOf("work") != nil || f.OutboxFault() != nil {
			t.Errorf("%s%v", table, err)
			continue
		}
		if f.SubmissionFault() == nil {
			t.Errorf("%sno fault", table)
		}
	}
	if p := parse(t, twoAccounts).SubmissionFault(); p != nil {
		t.Error(p)
	}
}

// Certificates are relative to the folder of the configuration.
func TestListenFiles(t *testing.T) {
	t.Parallel()
	f, err := account.Parse("/etc/yan/config.toml", []byte("[listen.smtp]\naddress = \"25\"\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := f.ListenSMTP(); !strings.HasSuffix(l.Certificate, "cert.pem") || l.Certificate == "cert.pem" || l.Key == "key.pem" {
		t.Errorf("%+v", l)
	}
}
