package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

func TestSubmission(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id, domain string
		want       string
	}{
		{"qq", "qq.com", "smtp.qq.com:465 implicit"},
		{"qq", "", "smtp.qq.com:465 implicit"},
		{"outlook", "hotmail.de", "smtp-mail.outlook.com:587 starttls"},
		{"netease_vip", "vip.126.com", "smtp.vip.126.com:465 implicit"},
		{"netease_vip", "VIP.188.COM", "smtp.vip.188.com:465 implicit"},
		{"netease_vip", "", ""},
		{"netease_vip", "evil.example", ""},
		{"sina", "sina.cn", "smtp.sina.cn:465 implicit"},
		{"sina", "2008.sina.com", "smtp.sina.com:465 implicit"},
		{"gmx", "gmx.co.uk", "mail.gmx.com:465 implicit"},
		{"gmx", "gmx.at", "mail.gmx.net:465 implicit"},
		{"alibaba_qiye", "company.cn", "smtp.qiye.aliyun.com:465 implicit"},
		{"yahoojp", "yahoo.co.jp", "smtp.mail.yahoo.co.jp:465 implicit"},
		{"ses", "", ""},
		{"proton_bridge", "pm.me", "127.0.0.1:1025 starttls"},
	} {
		p, ok := provider.ByID(tt.id)
		if !ok {
			t.Fatalf("no %s", tt.id)
		}
		where, ok := p.Submission(tt.domain)
		if got := show(where); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s for %q: %q, %v, want %q", tt.id, tt.domain, got, ok, tt.want)
		}
	}
}

func TestSubmissionInRegion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ id, region, want string }{
		{"ses", "eu-west-1", "email-smtp.eu-west-1.amazonaws.com:465 implicit"},
		{"ses", "US-EAST-1", "email-smtp.us-east-1.amazonaws.com:465 implicit"},
		{"ses", "", ""},
		{"ses", "evil.example/", ""},
		{"ses", "a.b", ""},
		{"zoho", "cn", "smtp.zoho.com.cn:465 implicit"},
		{"zoho", "org", "smtppro.zoho.com:465 implicit"},
		{"zoho", "moon", ""},
		{"aliyun_dm", "ap-southeast-1", "smtpdm-ap-southeast-1.aliyun.com:465 implicit"},
		{"qq", "cn", ""},
	} {
		p, ok := provider.ByID(tt.id)
		if !ok {
			t.Fatalf("no %s", tt.id)
		}
		where, ok := p.SubmissionInRegion(tt.region)
		if got := show(where); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s in %q: %q, %v, want %q", tt.id, tt.region, got, ok, tt.want)
		}
	}
}

func show(e provider.Endpoint) string {
	if e.Host == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d %s", e.Host, e.Port, e.TLS)
}

// An unencrypted port is never chosen, even if the data prefers it.
func TestSubmissionIsEncrypted(t *testing.T) {
	t.Parallel()
	for _, p := range all(t) {
		domain := ""
		if len(p.Domains) > 0 {
			domain = p.Domains[0]
		}
		where, ok := p.Submission(domain)
		if !ok && p.ID != "ses" {
			t.Errorf("%s: no submission server", p.ID)
		}
		if ok && (!where.TLS.Encrypted() || where.Port == 0 || strings.Contains(where.Host, "{")) {
			t.Errorf("%s: %+v", p.ID, where)
		}
		if known, found := p.TLSFor(where.Port); ok && (!found || known.TLS != where.TLS) {
			t.Errorf("%s: TLSFor(%d) = %+v, %v", p.ID, where.Port, known, found)
		}
	}
	for _, tt := range []struct {
		mode provider.TLSMode
		want int
	}{{provider.NoTLS, 587}, {provider.UnknownTLS, 587}, {provider.NoneOrStartTLS, 587}, {provider.StartTLS, 25}} {
		p := provider.Provider{SMTP: provider.SMTP{Host: "smtp.example.com", Prefer: 25, Ports: []provider.Port{
			{Port: 25, TLS: tt.mode}, {Port: 587, TLS: provider.StartTLS}}}}
		if where, ok := p.Submission(""); !ok || where.Port != tt.want {
			t.Errorf("25 is %s: got %+v, %v", tt.mode, where, ok)
		}
	}
	plain := provider.Provider{SMTP: provider.SMTP{Host: "smtp.example.com", Prefer: 25,
		Ports: []provider.Port{{Port: 25, TLS: provider.NoTLS}}}}
	if where, ok := plain.Submission(""); ok {
		t.Errorf("an unencrypted port was chosen: %+v", where)
	}
	if _, ok := plain.TLSFor(465); ok {
		t.Error("TLSFor returned an unknown port")
	}
}

func TestReading(t *testing.T) {
	t.Parallel()
	vip, _ := provider.ByID("netease_vip")
	if e, ok := vip.IMAPFor("vip.163.com"); !ok || e.Host != "imap.vip.163.com" || e.Port != 993 {
		t.Errorf("imap: %+v, %v", e, ok)
	}
	if e, ok := vip.POP3For("188.com"); !ok || e.Host != "pop.188.com" {
		t.Errorf("pop3: %+v, %v", e, ok)
	}
	if e, ok := vip.IMAPFor("evil.example"); ok {
		t.Errorf("imap of an unknown domain: %+v", e)
	}
	icloud, _ := provider.ByID("icloud")
	if e, ok := icloud.POP3For("me.com"); ok {
		t.Errorf("icloud has no POP3: %+v", e)
	}
	if e, ok := icloud.IMAPFor("me.com"); !ok || e.Username != "localpart" {
		t.Errorf("icloud: %+v, %v", e, ok)
	}
}

func TestLoginFor(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"qq": "Me@example.com", "webde": "Me", "yahoojp": "Me", "sendgrid": "apikey",
		"sparkpost": "SMTP_Injection", "resend": "resend", "ses": "", "brevo": "", "postmark": "", "mailgun": "Me@example.com"} {
		p, ok := provider.ByID(id)
		if !ok {
			t.Fatalf("no %s", id)
		}
		address, err := smtp.ParseAddress("Me@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.LoginFor(address); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
		if got := p.LoginFor(smtp.Address{}); got != "" && !strings.HasPrefix(p.Auth.Username, "fixed:") {
			t.Errorf("%s: no address logs in as %q", id, got)
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"exmail": "qq", "qq": "qq", "yeah": "netease163", "aol": "yahoo"} {
		if p, _ := provider.ByID(id); p.Head() != want {
			t.Errorf("%s: head %q, want %q", id, p.Head(), want)
		}
	}
}
