package sasl

import (
	"encoding/base64"
	"strings"
	"testing"
)

// The examples of the RFCs, step by step: the client's message, then the server's. "-" as the first
// message means none.
func TestMechanismsByTheExamplesOfTheirRFCs(t *testing.T) {
	t.Parallel()
	unbase64 := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, tc := range []struct {
		name, mechanism string
		creds           Credentials
		session         Session
		says            []string // the client's, the server's, the client's, ...
	}{
		{"RFC 4616 section 4", Plain, Credentials{Username: "tim", Password: "tanstaaftanstaaf"}, Session{},
			[]string{"\x00tim\x00tanstaaftanstaaf"}},
		{"RFC 4616 section 4 with authzid", Plain, Credentials{Username: "Kurt", Password: "xipj3plmq", AuthorizationID: "Ursel"}, Session{},
			[]string{"Ursel\x00Kurt\x00xipj3plmq"}},
		{"RFC 2195 section 2", CramMD5, Credentials{Username: "tim", Password: "tanstaaftanstaaf"}, Session{},
			[]string{"-", "<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890"}},
		{"RFC 7628 section 4.1", OAuthBearer, Credentials{Username: "user@example.com", Token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="},
			Session{Host: "server.example.com", Port: 143},
			[]string{unbase64("bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"),
				`{"status":"invalid_token"}`, "\x01"}},
		{"RFC 5801 escapes in OAUTHBEARER", OAuthBearer, Credentials{Username: "u", AuthorizationID: "a=b,c", Token: "t"}, Session{Host: "h", Port: 587},
			[]string{"n,a=a=3Db=2Cc,\x01host=h\x01port=587\x01auth=Bearer t\x01\x01"}},
		{"Google's XOAUTH2", XOAuth2, Credentials{Username: "someuser@example.com", Token: "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"}, Session{},
			[]string{unbase64("dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="),
				`{"status":"401"}`, ""}},
		{"draft-murchison-sasl-login", Login, Credentials{Username: "tim", Password: "tanstaaftanstaaf"}, Session{},
			[]string{"-", "User Name\x00", "tim", "Password\x00", "tanstaaftanstaaf"}},
		{"LOGIN in lower case", Login, Credentials{Username: "tim", Password: "p"}, Session{},
			[]string{"-", "username:", "tim", "", "p"}},
		{"RFC 5802 section 5", ScramSHA1, Credentials{Username: "user", Password: "pencil"}, Session{},
			[]string{"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
				"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
				"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
				"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", ""}},
		{"RFC 7677 section 3", ScramSHA256, Credentials{Username: "user", Password: "pencil"}, Session{},
			[]string{"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
				"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
				"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
				"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			mech := mechanism(t, tc.mechanism, tc.creds, tc.session, tc.says[0])
			if mech.Name() != tc.mechanism {
				t.Errorf("name %q", mech.Name())
			}
			first, err := mech.Start()
			if err != nil {
				t.Fatal(err)
			}
			if said := string(first); said != tc.says[0] && !(first == nil && tc.says[0] == "-") {
				t.Errorf("starts with %q, want %q", said, tc.says[0])
			}
			for i := 1; i+1 < len(tc.says); i += 2 {
				answer, err := mech.Next([]byte(tc.says[i]))
				if err != nil || string(answer) != tc.says[i+1] {
					t.Errorf("Next(%q) = %q, %v; want %q", tc.says[i], answer, err, tc.says[i+1])
				}
			}
			if err := mech.Finish(); err != nil {
				t.Error(err)
			}
		})
	}
}

// mechanism is New with the nonce of an RFC's example, if there is one.
func mechanism(t *testing.T, name string, c Credentials, s Session, first string) Mechanism {
	t.Helper()
	mech, err := New(name, c, s)
	if _, nonce, ok := strings.Cut(first, ",r="); ok {
		mech, err = newScram(name, c, s, func() string { return nonce })
	}
	if err != nil {
		t.Fatal(err)
	}
	return mech
}

func TestMechanismsEndWhereTheyHaveNoMoreToSay(t *testing.T) {
	t.Parallel()
	c := Credentials{Username: "u", Password: "secret"}
	p := mechanism(t, Plain, c, Session{}, "")
	if _, err := p.Next(nil); err == nil {
		t.Error("PLAIN answers a challenge")
	}
	l := mechanism(t, Login, c, Session{}, "")
	for range 2 {
		if _, err := l.Next(nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Next(nil); err == nil {
		t.Error("LOGIN answers a third prompt")
	}
	for _, bad := range []Credentials{{Username: "u\x00v", Password: "p"}, {Username: "u", Password: "p\x00q"}, {Username: "u", Password: "p", AuthorizationID: "a\x00"}} {
		if _, err := mechanism(t, Plain, bad, Session{}, "").Start(); err == nil {
			t.Errorf("PLAIN sends a NUL within %q", bad.Username)
		}
	}
	for _, bad := range []Credentials{{Username: "u\x01auth=Bearer x", Token: "t"}, {Username: "u", Token: "t\n"}, {Username: "u", AuthorizationID: "\x01", Token: "t"}} {
		for _, name := range []string{XOAuth2, OAuthBearer} {
			if _, err := New(name, bad, Session{}); err == nil {
				t.Errorf("%s takes a control character", name)
			}
		}
	}
	if _, err := New(ScramSHA256, Credentials{Username: "u", Password: "a\u0007b"}, Session{}); err == nil {
		t.Error("SCRAM takes what SASLprep forbids")
	}
}
