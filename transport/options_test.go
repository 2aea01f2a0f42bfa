package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

func TestOptionsPrintNoSecret(t *testing.T) {
	t.Parallel()
	o := Options{User: "me@qq.com", Password: "hunter2secret", Token: "tokensecret", Proxy: "socks5://u:proxysecret@127.0.0.1:1"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("open", "options", o)
	encoded, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{log.String(), string(encoded), o.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		printed = append(printed, fmt.Sprintf(verb, o), fmt.Sprintf(verb, struct{ O Options }{o}))
	}
	for _, s := range printed {
		for _, secret := range []string{"hunter2", "tokens", "proxys", fmt.Sprintf("%x", "hunter2")} {
			if strings.Contains(s, secret) {
				t.Errorf("%q holds %q", s, secret)
			}
		}
	}
}

// Unsuitable verbs matter most: for them package fmt prints every field.
func TestTransportPrintsNoSecret(t *testing.T) {
	t.Parallel()
	s, err := Open("qq", Options{From: "me@qq.com", Password: "hunter2secret"})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		if got := fmt.Sprintf(verb, s); got != "transport to smtps://smtp.qq.com:465" {
			t.Errorf("%s: %q", verb, got)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	gmail, ok := provider.ByID("gmail")
	if !ok {
		t.Fatal("no gmail")
	}
	tests := []struct {
		name           string
		o              Options
		s              Server
		user, password string
		none           bool
		wantErr        string
	}{
		{name: "nothing given", none: true},
		{name: "user of the URL", o: Options{Password: "p"}, s: Server{User: "u"}, user: "u", password: "p"},
		{name: "user of the options wins", o: Options{User: "o", Password: "p"}, s: Server{User: "u"}, user: "o", password: "p"},
		{name: "the sender logs in", o: Options{From: "me@example.org", Password: "p"}, user: "me@example.org", password: "p"},
		{name: "line end dropped", o: Options{User: "u", Password: "p\r\n"}, user: "u", password: "p"},
		{name: "groups joined", o: Options{User: "u", Password: "abcd efgh"}, s: Server{Provider: gmail}, user: "u", password: "abcdefgh"},
		{name: "a blank may be part of it", o: Options{User: "u", Password: "abcd efgh"}, user: "u", password: "abcd efgh"},
		{name: "nobody to log in", o: Options{Password: "p"}, wantErr: "without a user name"},
		{name: "mechanism without a secret", o: Options{User: "u", Mechanism: "PLAIN"}, wantErr: "no password or token"},
		{name: "LMTP does not log in", o: Options{From: "me@example.org", Password: "p"}, s: Server{LMTP: true}, none: true},
		{name: "LMTP with a user does", o: Options{Password: "p"}, s: Server{LMTP: true, User: "u"}, user: "u", password: "p"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := tt.o.loginCredentials(tt.s)
			switch {
			case tt.wantErr != "":
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("error %v, want %q", err, tt.wantErr)
				}
			case err != nil:
				t.Error(err)
			case (c == nil) != tt.none:
				t.Errorf("credentials %v", c)
			case c != nil && (c.Username != tt.user || c.Password != tt.password):
				t.Errorf("%q with a password of %d characters", c.Username, len(c.Password))
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, server, want string
		o                  Options
	}{
		{"bad sender", "qq", "no @", Options{From: "me"}},
		{"missing CA file", "smtps://h", "no-such-file", Options{CAFile: "no-such-file"}},
		{"bad pin", "smtps://h", "64 hexadecimal", Options{Pin: "sha256:00"}},
		{"local name that would be a command", "smtps://h", "local name", Options{LocalName: "x\r\nQUIT"}},
		{"unknown mechanism", "smtps://u@h", "known are", Options{Mechanism: "ROT13", Password: "p"}},
		{"stage that nothing can stop at", "smtps://h", "can't stop", Options{StopAfter: smtp.StageBody}},
		{"host that is none", "smtps://-邮件.example", "not a host name", Options{}},
		{"certificate without key", "smtps://h", "a certificate file and a key file", Options{CertFile: "x"}},
		{"bad proxy", "smtps://h", "must be a URL", Options{Proxy: "127.0.0.1"}},
		{"proxy to a socket", "lmtp+unix:///run/lmtp", "/run/lmtp", Options{Proxy: "socks5://127.0.0.1"}},
		{"unknown proxy", "smtps://h", "socks5", Options{Proxy: "ftp://127.0.0.1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Open(tt.server, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestServerString(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"smtps://smtp.qq.com", "smtps://smtp.qq.com:465", "smtp://h:587", "smtp+notls://127.0.0.1:25",
		"lmtp://[::1]:24", "lmtp+unix:///run/lmtp"} {
		s, err := ParseServer(url, smtp.Address{})
		if err != nil {
			t.Fatal(err)
		}
		if s.String() != url {
			t.Errorf("%s became %s", url, s)
		}
	}
	if got := (Server{Host: "h", Security: smtpclient.STARTTLS}).String(); got != "smtp://h" {
		t.Errorf("got %s", got)
	}
}
