package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/secret"
)

// Keys in the file are read, and missing keys have the documented defaults.
func TestOutboxIsRead(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	if o := new(account.File).Outbox(); o.KeepBodies != 7*day || o.KeepMessages != 90*day {
		t.Errorf("of the zero File it is %+v: what is finished would be forgotten at once", o)
	}
	o := parse(t, "").Outbox()
	if o.URL != "" || o.Bounce != account.BounceNone || o.Queue != account.QueueNever || o.InDoubt != account.InDoubtHold || o.KeepBodies != 7*day || o.KeepMessages != 90*day || o.MinFree != 64<<20 {
		t.Errorf("the defaults are %+v", o)
	}
	o = parse(t, `
[outbox]
url = "postgres://me@db/mail"
password_command = "pass show db"
bounce = "邮件管理员 <postmaster@qq.com>"
in_doubt = "retry"
queue = "offline"
keep_bodies = "12h"
keep_messages = "365d"
min_free = "1GB"
`).Outbox()
	if o.URL != "postgres://me@db/mail" || o.PasswordCommand != "pass show db" || o.Queue != account.QueueOffline || o.InDoubt != account.InDoubtRetry ||
		o.KeepBodies != 12*time.Hour || o.KeepMessages != 365*day || o.MinFree != 1e9 {
		t.Errorf("read %+v", o)
	}
	if to, report := o.ReportTo(); !report || to.String() != "postmaster@qq.com" {
		t.Errorf("reports go to %s, %v", to, report)
	}
	if to, report := parse(t, "[outbox]\nbounce = \"sender\"\n").Outbox().ReportTo(); !report || !to.IsZero() {
		t.Errorf("reports to the sender go to %s, %v", to, report)
	}
	if _, report := parse(t, "").Outbox().ReportTo(); report {
		t.Error("somebody is told without having asked for it")
	}
}

func TestSizesAndTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "512": 512, "64MiB": 64 << 20, "2 GiB": 2 << 30, "10kb": 10_000, "3KiB": 3 << 10, "1GB": 1e9} {
		if got := parse(t, "[outbox]\nmin_free = \""+text+"\"\n").Outbox().MinFree; got != want {
			t.Errorf("%q is %d octets, want %d", text, got, want)
		}
	}
	for _, text := range []string{"", "MiB", "1.5GB", "9223372036854775807GB", "1TB?"} {
		if _, err := account.Parse("f", []byte("[outbox]\nmin_free = \""+text+"\"\n")); err == nil {
			t.Errorf("%q is taken for a size", text)
		}
	}
	for text, want := range map[string]time.Duration{"0": 0, "0d": 0, "7d": 168 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute} {
		if got := parse(t, "[outbox]\nkeep_bodies = \""+text+"\"\n").Outbox().KeepBodies; got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]account.Pace{"10/s": {Messages: 10, Per: time.Second}, "60/m": {Messages: 60, Per: time.Minute},
		"500 / h": {Messages: 500, Per: time.Hour}, "2000/d": {Messages: 2000, Per: 24 * time.Hour}, "": {}} {
		f := parse(t, "[defaults]\npace = \"1/s\"\n[account.a]\nfrom = \"a@qq.com\"\npace = \""+text+"\"\n")
		a, _ := f.Account("a")
		if a.Pace != want {
			t.Errorf("%q is %v, want %v", text, a.Pace, want)
		}
		if a.Pace.String() != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%v is written %q", a.Pace, a.Pace)
		}
	}
}

// An account inherits pace and policy, and keeps its own when it is changed.
func TestPaceIsPut(t *testing.T) {
	t.Parallel()
	const source = "[defaults]\npace = \"60/m\"\nin_doubt = \"retry\"\n[account.a]\nfrom = \"a@qq.com\"\n"
	f := parse(t, source)
	a, _ := f.Account("a")
	if a.Pace.Messages != 60 || a.InDoubt != account.InDoubtRetry {
		t.Errorf("not inherited: %+v", a)
	}
	a.Pace, a.InDoubt = account.Pace{Messages: 5, Per: time.Hour}, account.InDoubtHold
	if err := f.Put(a); err != nil || string(f.Bytes()) != source+"pace = \"5/h\"\nin_doubt = \"hold\"\n" {
		t.Errorf("%v, got\n%s", err, f.Bytes())
	}
	if err := f.Set("a", "pace", "7/s"); err != nil || !strings.Contains(string(f.Bytes()), `pace = "7/s"`) {
		t.Errorf("%v, got\n%s", err, f.Bytes())
	}
}

// Setting a key of [outbox] changes only that key, in the form of the file.
func TestSetAndUnsetOutbox(t *testing.T) {
	t.Parallel()
	const a = "[account.a]\nfrom = \"a@qq.com\"\n"
	set := func(key, value string) func(*account.File) error {
		return func(f *account.File) error { return f.SetOutbox(key, value) }
	}
	unset := func(key string) func(*account.File) error {
		return func(f *account.File) error { return f.UnsetOutbox(key) }
	}
	for _, test := range []struct {
		name, before string
		do           func(*account.File) error
		after        string
	}{
		{"the first", a, set("url", "o.db"), a + "\n[outbox]\nurl = \"o.db\"\n"},
		{"an empty file", "", set("url", "o.db"), "version = 1\n\n[outbox]\nurl = \"o.db\"\n"},
		{"nothing but comments", "# mine\n", set("url", "o.db"), "# mine\nversion = 1\n\n[outbox]\nurl = \"o.db\"\n"},
		{"another one", "[outbox]\nurl = \"o.db\" # here\n" + a, set("bounce", "sender"), "[outbox]\nurl = \"o.db\" # here\nbounce = \"sender\"\n" + a},
		{"instead", "[outbox]\nurl = \"o.db\" # here\n" + a, set("url", "p.db"), "[outbox]\nurl = \"p.db\" # here\n" + a},
		{"dotted", "outbox.url = \"o.db\"\n" + a, set("bounce", "sender"), "outbox.url = \"o.db\"\noutbox.bounce = \"sender\"\n" + a},
		{"inline", "outbox = { url = \"o.db\" }\n" + a, set("bounce", "sender"), "outbox = { url = \"o.db\", bounce = \"sender\" }\n" + a},
		{"taken out", "[outbox]\nurl = \"o.db\"\nbounce = \"sender\"\n" + a, unset("url"), "[outbox]\nbounce = \"sender\"\n" + a},
		{"the last", "[outbox]\nurl = \"o.db\"\n\n" + a, unset("url"), a},
		{"missing", a, unset("url"), a},
		{"a number in it", "[outbox]\nkeep_bodies = \"1d\"\n", set("min_free", "5"), "[outbox]\nkeep_bodies = \"1d\"\nmin_free = \"5\"\n"},
	} {
		f := parse(t, test.before)
		if err := test.do(f); err != nil || strings.TrimLeft(string(f.Bytes()), "\n") != test.after {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", test.name, err, f.Bytes(), test.after)
		}
	}
	f := parse(t, a)
	for _, test := range []struct {
		key, value string
		fault      account.Fault
		near       string
	}{
		{"url", "postgres://me:hunter2@db/mail", account.FaultSecret, ""},
		{"keep_bodies", "long", account.FaultValue, ""},
		{"bouncy", "sender", account.FaultUnknownKey, "bounce"},
		{"url.x", "y", account.FaultUnknownKey, ""},
		{"password", "hunter2", account.FaultSecret, ""},
	} {
		var p *account.ParseError
		if err := f.SetOutbox(test.key, test.value); !errors.As(err, &p) || p.Fault != test.fault || p.Near != test.near || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s = %q: %v", test.key, test.value, err)
		}
	}
	if string(f.Bytes()) != a {
		t.Errorf("the file was changed by what is wrong:\n%s", f.Bytes())
	}
}

// A fault in [outbox] leaves the accounts usable, and can be corrected key by key.
func TestFaultyOutbox(t *testing.T) {
	t.Parallel()
	path := onDisk(t, "[outbox]\nbounce = \"nobody\"\nkeep_bodies = \"7\"\n[account.a]\nfrom = \"a@qq.com\"\n")
	if _, err := account.Load(path); err == nil {
		t.Error("it makes no sense and is loaded")
	}
	f, err := account.LoadLenient(path)
	if err != nil || len(f.Faults()) != 2 || f.FaultOf("a") != nil {
		t.Fatalf("%v, %v", f.Faults(), err)
	}
	if p := f.OutboxFault(); p == nil || p.Line != 3 {
		t.Errorf("%v", p)
	}
	if kept := f.Outbox().KeepBodies; kept == 0 {
		t.Error("what can't be read is taken for 0: the bodies would go at once")
	}
	if err := f.SetOutbox("bounce", "sender"); err != nil || len(f.Faults()) != 1 {
		t.Errorf("one of two is put right: %v, %v", err, f.Faults())
	}
	if err := f.UnsetOutbox("keep_bodies"); err != nil || f.OutboxFault() != nil {
		t.Errorf("both are put right: %v, %v", err, f.OutboxFault())
	}
}

func TestWhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	path := onDisk(t, "[outbox]\nurl = \"mail/out.db\"\n")
	f, err := account.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	where := func(o account.Outbox) (string, error) {
		return o.Where(t.Context(), credentials.New[account.Account](&secret.Vault{Home: home}))
	}
	if got, err := where(f.Outbox()); err != nil || got != filepath.Join(filepath.Dir(path), "mail", "out.db") {
		t.Errorf("a relative path is %q, %v", got, err)
	}
	if got, err := where(parse(t, "").Outbox()); err != nil || got != "" {
		t.Errorf("nothing: %q, %v", got, err)
	}
	const shared = "[outbox]\nurl = \"postgres://me@db/mail?sslmode=require\"\n"
	if got, err := where(parse(t, shared).Outbox()); err != nil || got != "postgres://me@db/mail?sslmode=require" {
		t.Errorf("without a command: %q, %v", got, err)
	}
	if got, err := where(parse(t, shared+"password_command = \"echo p@ss/word\"\n").Outbox()); err != nil || got != "postgres://me:p%40ss%2Fword@db/mail?sslmode=require" {
		t.Errorf("with a command: %q, %v", got, err)
	}
	_, err = where(parse(t, shared+"password_command = \"exit 3 hunter2\"\n").Outbox())
	var wrong *secret.Error
	if !errors.As(err, &wrong) || wrong.Problem != secret.CommandFailed || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a command that fails: %v", err)
	}
}

// onDisk writes a configuration.
func onDisk(t *testing.T, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
