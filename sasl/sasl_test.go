package sasl_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/sasl"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	password := sasl.Credentials{Username: "u", Password: "p"}
	token := sasl.Credentials{Username: "u", Token: "t"}
	both := sasl.Credentials{Username: "u", Password: "p", Token: "t"}
	secure := &tls.ConnectionState{}
	for _, tc := range []struct {
		name    string
		creds   sasl.Credentials
		tls     *tls.ConnectionState
		offered string
		want    string // "" for none
	}{
		{"SCRAM first", password, secure, "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", sasl.ScramSHA256},
		{"SHA-1 before passwords", password, secure, "PLAIN SCRAM-SHA-1", sasl.ScramSHA1},
		{"PLUS needs TLS", password, nil, "SCRAM-SHA-256-PLUS SCRAM-SHA-1", sasl.ScramSHA1},
		{"PLUS that can't be bound", password, secure, "SCRAM-SHA-256-PLUS PLAIN", sasl.Plain},
		{"PLAIN before LOGIN", password, secure, "LOGIN PLAIN", sasl.Plain},
		{"LOGIN before CRAM-MD5", password, secure, "CRAM-MD5 LOGIN", sasl.Login},
		{"CRAM-MD5 alone", password, secure, "CRAM-MD5 GSSAPI", sasl.CramMD5},
		{"QQ", password, secure, "LOGIN PLAIN XOAUTH XOAUTH2", sasl.Plain},
		{"Microsoft", password, secure, "LOGIN XOAUTH2", sasl.Login},
		{"Microsoft with a token", token, secure, "LOGIN XOAUTH2", sasl.XOAuth2},
		{"Gmail with a token", token, secure, "LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH", sasl.OAuthBearer},
		{"a token hides the password", both, secure, "PLAIN XOAUTH2", sasl.XOAuth2},
		{"a token and no OAuth", token, secure, "LOGIN PLAIN", ""},
		{"a token is no password", both, secure, "PLAIN", ""},
		{"password and OAuth only", password, secure, "XOAUTH2 OAUTHBEARER", ""},
		{"nothing in common", password, secure, "GSSAPI NTLM", ""},
		{"nothing offered", password, secure, "", ""},
		{"no user", sasl.Credentials{Password: "p"}, secure, "PLAIN LOGIN SCRAM-SHA-256", ""},
		{"certificate", sasl.Credentials{}, secure, "PLAIN EXTERNAL", sasl.External},
		{"certificate and user", sasl.Credentials{Username: "u"}, secure, "PLAIN EXTERNAL", sasl.External},
		{"certificate without TLS", sasl.Credentials{}, nil, "EXTERNAL", ""},
		{"EXTERNAL and a password", password, secure, "EXTERNAL", ""},
	} {
		got, ok := sasl.Choose(tc.creds, sasl.Session{TLS: tc.tls, Offered: strings.Fields(tc.offered)})
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q, %v; want %q", tc.name, got, ok, tc.want)
		}
	}
}

func TestNewRefusesWhatCannotServe(t *testing.T) {
	t.Parallel()
	password := sasl.Credentials{Username: "u", Password: "hunter22"}
	for name, tc := range map[string]struct {
		mechanism string
		creds     sasl.Credentials
	}{
		"unknown":               {"GSSAPI", password},
		"lower case":            {"plain", password},
		"with line end":         {"PLAIN\r\nRSET", password},
		"OAuth with a password": {sasl.XOAuth2, password},
		"PLUS without TLS":      {sasl.ScramSHA1Plus, password},
		"EXTERNAL":              {sasl.External, password},
		"token":                 {sasl.Plain, sasl.Credentials{Username: "u", Token: "hunter22"}},
		"no password":           {sasl.Login, sasl.Credentials{Username: "u"}},
	} {
		if _, err := sasl.New(tc.mechanism, tc.creds, sasl.Session{}); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "hunter22") || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: %q", name, err)
		}
	}
	for _, name := range sasl.Mechanisms() {
		if sasl.KeepsPassword(name) != strings.HasPrefix(name, "SCRAM") {
			t.Errorf("%s keeps the password: %v", name, sasl.KeepsPassword(name))
		}
	}
	external, err := sasl.New(sasl.External, sasl.Credentials{AuthorizationID: "a"}, sasl.Session{TLS: &tls.ConnectionState{}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := external.Start()
	again, _ := external.Next(nil)
	if string(first) != "a" || err != nil || string(again) != "a" || external.Name() != sasl.External || external.Finish() != nil {
		t.Errorf("EXTERNAL starts with %q", first)
	}
	if external, err = sasl.New(sasl.External, sasl.Credentials{}, sasl.Session{TLS: &tls.ConnectionState{}}); err != nil {
		t.Fatal(err)
	}
	if first, _ := external.Start(); first == nil || len(first) != 0 {
		t.Errorf("EXTERNAL without a name has the empty response, not %v", first)
	}
}

// No form of printing shows a secret: of the credentials, of a struct that contains them, or of a
// mechanism in progress.
func TestCredentialsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	c := sasl.Credentials{Username: "me@qq.com", Password: "hunter22", Token: "ya29.token"}
	if got := c.Secrets(); !slices.Equal(got, []string{"hunter22", "ya29.token"}) {
		t.Errorf("secrets %q", got)
	}
	type config struct {
		Auth    sasl.Credentials
		Pointer *sasl.Credentials
		List    []sasl.Credentials
		Map     map[string]sasl.Credentials
	}
	values := []any{c, &c, config{c, &c, []sasl.Credentials{c}, map[string]sasl.Credentials{"a": c}}, []any{c}}
	made := 0
	for _, name := range sasl.Mechanisms() {
		for _, creds := range []sasl.Credentials{{Username: "u", Password: c.Password}, {Username: "u", Token: c.Token}} {
			if mech, err := sasl.New(name, creds, sasl.Session{}); err == nil {
				values = append(values, mech)
				made++
			}
		}
	}
	if made < 7 {
		t.Fatalf("only %d mechanisms", made)
	}
	for _, v := range values {
		var printed []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%08.3f", "%U", "%e"} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v, "group", slog.GroupValue(slog.Any("x", v)))
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
		if text, err := json.Marshal(v); err == nil {
			b.Write(text)
		}
		if text, err := xml.Marshal(v); err == nil {
			b.Write(text)
		}
		printed = append(printed, b.String(), fmt.Sprint(v), fmt.Errorf("x: %w", fmt.Errorf("%v", v)).Error())
		for _, p := range printed {
			for _, secret := range []string{"hunter22", "ya29.token", "68756e746572", "796132392e"} {
				if strings.Contains(p, secret) {
					t.Errorf("%T shows %q: %s", v, secret, p)
				}
			}
		}
	}
	if got := c.String() + c.GoString(); got != `credentials of "me@qq.com"credentials of "me@qq.com"` {
		t.Errorf("%q", got)
	}
}
