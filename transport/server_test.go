package transport

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

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

func TestParseServer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, sender string
		want       Server // Provider is compared by ID in provider
		provider   string
	}{
		{"smtps://me%40qq.com@smtp.qq.com", "", Server{Host: "smtp.qq.com", User: "me@qq.com"}, "qq"},
		{"smtps://smtp.qq.com", "me@qq.com", Server{Host: "smtp.qq.com", User: "me@qq.com"}, "qq"},
		{"smtps://smtp.163.com:994", "", Server{Host: "smtp.163.com", Port: 994}, "netease163"},
		{"smtp://u@mail.example.org", "", Server{Host: "mail.example.org", User: "u", Security: smtpclient.STARTTLS}, ""},
		{"smtp://u@mail.example.org:2525/", "", Server{Host: "mail.example.org", Port: 2525, User: "u", Security: smtpclient.STARTTLS}, ""},
		{"smtp+notls://127.0.0.1:25", "", Server{Host: "127.0.0.1", Port: 25, Security: smtpclient.Plaintext}, ""},
		{"smtps://[::1]:465", "", Server{Host: "::1", Port: 465}, ""},
		{"smtps://邮件.例子", "", Server{Host: "xn--5nq051n.xn--fsqu00a"}, ""},
		{"lmtp://127.0.0.1", "", Server{Host: "127.0.0.1", Port: 24, Security: smtpclient.Plaintext, LMTP: true}, ""},
		{"lmtp+unix:///run/lmtp", "", Server{Socket: "/run/lmtp", Security: smtpclient.Plaintext, LMTP: true}, ""},
		{"qq", "me@qq.com", Server{Host: "smtp.qq.com", Port: 465, User: "me@qq.com"}, "qq"},
		{"QQ邮箱", "me@qq.com", Server{Host: "smtp.qq.com", Port: 465, User: "me@qq.com"}, "qq"},
		{"", "me@qq.com", Server{Host: "smtp.qq.com", Port: 465, User: "me@qq.com"}, "qq"},
		{"gmail", "me@example.org", Server{Host: "smtp.gmail.com", Port: 465, User: "me@example.org"}, "gmail"},
		{"office365", "me@example.org", Server{Host: "smtp.office365.com", Port: 587, User: "me@example.org", Security: smtpclient.STARTTLS}, "office365"},
		{"netease_vip", "me@vip.163.com", Server{Host: "smtp.vip.163.com", Port: 465, User: "me@vip.163.com"}, "netease_vip"},
		{"sendgrid", "me@example.org", Server{Host: "smtp.sendgrid.net", Port: 587, User: "apikey", Security: smtpclient.STARTTLS}, "sendgrid"},
		{"webde", "me@web.de", Server{Host: "smtp.web.de", Port: 587, User: "me", Security: smtpclient.STARTTLS}, "webde"},
		{"mail.example.org", "me@example.org", Server{Host: "mail.example.org"}, ""},
		{"mail.example.org:465", "", Server{Host: "mail.example.org", Port: 465}, ""},
		{"mail.example.org:587", "", Server{Host: "mail.example.org", Port: 587, Security: smtpclient.STARTTLS}, ""},
		{"mail.example.org:25", "", Server{Host: "mail.example.org", Port: 25, Security: smtpclient.STARTTLS}, ""},
		{"mail.example.org:2525", "", Server{Host: "mail.example.org", Port: 2525, Security: smtpclient.STARTTLS}, ""},
		{"mail.example.org:10465", "", Server{Host: "mail.example.org", Port: 10465}, ""},
		{"relay:587", "", Server{Host: "relay", Port: 587, Security: smtpclient.STARTTLS}, ""},
		{"localhost", "", Server{Host: "localhost"}, ""},
		{"192.0.2.1", "", Server{Host: "192.0.2.1"}, ""},
		{"192.0.2.1:25", "", Server{Host: "192.0.2.1", Port: 25, Security: smtpclient.STARTTLS}, ""},
		{"::1", "", Server{Host: "::1"}, ""},
		{"[::1]:587", "", Server{Host: "::1", Port: 587, Security: smtpclient.STARTTLS}, ""},
		{"smtp.qq.com:465", "me@qq.com", Server{Host: "smtp.qq.com", Port: 465, User: "me@qq.com"}, "qq"},
		{"smtp.qq.com:587", "me@qq.com", Server{Host: "smtp.qq.com", Port: 587, User: "me@qq.com", Security: smtpclient.STARTTLS}, "qq"},
		{"smtp.163.com:994", "", Server{Host: "smtp.163.com", Port: 994}, "netease163"},
		{"邮件.例子:465", "", Server{Host: "xn--5nq051n.xn--fsqu00a", Port: 465}, ""},
		{"ses/eu-west-1", "me@example.org", Server{Host: "email-smtp.eu-west-1.amazonaws.com", Port: 465}, "ses"},
	}
	for _, tt := range tests {
		t.Run(tt.in+" from "+tt.sender, func(t *testing.T) {
			t.Parallel()
			got, err := ParseServer(tt.in, address(t, tt.sender))
			if err != nil {
				t.Fatal(err)
			}
			if got.Provider.ID != tt.provider {
				t.Errorf("provider %q, want %q", got.Provider.ID, tt.provider)
			}
			got.Provider = tt.want.Provider
			if got.String() != tt.want.String() || got.User != tt.want.User || got.Port != tt.want.Port {
				t.Errorf("got %s as %q, want %s as %q", got, got.User, tt.want, tt.want.User)
			}
		})
	}
}

func TestParseServerRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, sender, want string }{
		{"", "", "no server"},
		{"", "me@nobody-knows.example", "is unknown"},
		{"qqq", "", "did you mean qq"},
		{"smtps://me:hunter2@smtp.qq.com", "", "YAN_PASSWORD_FILE"},
		{"smtps://me@qq.com:hunter2@smtp.qq.com", "", "YAN_PASSWORD_FILE"},
		{"me@qq.com:hunter2@smtp.qq.com", "", "starts with its scheme"},
		{"smtp.qq.con", "me@qq.com", "almost identical"},
		{"smtp.q.com:465", "me@qq.com", "write it as smtps://smtp.q.com:465"},
		{"mail.example.org:0", "", "between 1 and 65535"},
		{"mail.example.org:65536", "", "between 1 and 65535"},
		{"mail.example.org:x", "", "neither"},
		{"mail.example.org/x", "", "neither"},
		{"me:hunter2@smtp.qq.com:465", "", "starts with its scheme"},
		{"relay", "", "neither"},
		{"smtps:/me:hunter2@smtp.qq.com", "", "starts with its scheme"},
		{"http://smtp.qq.com", "", `scheme "http"`},
		{"smtps://", "", "no host"},
		{"smtps://h/x", "", "nothing may follow"},
		{"smtps://h?x=1", "", "nothing may follow"},
		{"smtps://h:0", "", "between 1 and 65535"},
		{"smtps://h:65536", "", "between 1 and 65535"},
		{"smtps://h:x", "", "invalid server URL"},
		{"smtp://smtp.qq.com:465", "", "smtps://"},
		{"smtp://example.org:465", "", "smtps://"},
		{"smtp://smtp.163.com:994", "", "smtps://"},
		{"lmtp+unix://", "", "no socket path"},
		{"ses", "me@example.org", "REGION"},
		{"netease_vip", "me@evil.example", "domain"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			_, err := ParseServer(tt.in, address(t, tt.sender))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error contains the password: %v", err)
			}
		})
	}
}

func TestServerID(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"Ok: queued as 4BCDEF1234", "4BCDEF1234"},
		{"Ok: queued as ", ""}, // QQ
		{"Mail OK queued as zwqz-smtp-mta-g5-1,_____wBnz3Kx 1700000000", "zwqz-smtp-mta-g5-1,_____wBnz3Kx"},
		{"OK id=1rABCD-000000-00", "1rABCD-000000-00"},
		{"OK  1700000000 a1-20020a5d4401000000b0032d8354fb43sm1234567wrq.76 - gsmtp", "a1-20020a5d4401000000b0032d8354fb43sm1234567wrq.76"},
		{"<x@y> [InternalId=12345, Hostname=AB.prod.outlook.com] 8123 bytes in 0.1, 60 KB/sec Queued mail for delivery", "12345"},
		{"Ok 0100018b2f3c4d5e-11111111-2222-3333-4444-555555555555-000000", "0100018b2f3c4d5e-11111111-2222-3333-4444-555555555555-000000"},
		{"6AUKPGKc000039 Message accepted for delivery", "6AUKPGKc000039"}, // sendmail
		{"cddf3f22 Message accepted for delivery", "cddf3f22"},             // OpenSMTPD
		{"feedbacf Message accepted for delivery", "feedbacf"},             // OpenSMTPD
		{"Received Message accepted for delivery", ""},
		{"Message accepted for delivery", ""}, // Domino
		{"Your Message accepted for delivery", ""},
		{"Message Queued (6BC8952D-A38A-42A2-A932-E516D34664FD.1)", "6BC8952D-A38A-42A2-A932-E516D34664FD.1"}, // Haraka
		{"Queued (0.031 seconds)", ""},                                                                        // hMailServer
		{"Ok. 000000006B0DDED6.00000034", "000000006B0DDED6.00000034"},                                        // Courier
		{"Ok.", ""},
		{"Message queued with id 3f481c415800015.", "3f481c415800015"}, // Stalwart
		{"ok 1715608800 qp 12345", "qp 12345"},                         // qmail
		{"<user@example.com> VIBoDbIgxmeDHAAA5yIOvg Saved", "VIBoDbIgxmeDHAAA5yIOvg"},
		{"Ok SESSIONID=<mail-1234-1700000000-1-123456>", "mail-1234-1700000000-1-123456"}, // Cyrus
		{"OK: queued", ""}, // go-smtp, maddy
		{"You offer the Amulet of Yendor to Anhur...", ""}, // chasquid
		{"OK: message queued", ""},                         // nodemailer's smtp-server
		{"send mail ok", ""},
		{"OK", ""},
	}
	for _, tt := range tests {
		if got := ServerID(smtp.Reply{Code: 250, Lines: []string{tt.text}}); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := ServerID(smtp.Reply{Code: 550, Lines: []string{"not queued as X"}}); got != "" {
		t.Errorf("a refusal has the id %q", got)
	}
}
