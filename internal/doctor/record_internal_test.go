package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

func TestParseSPF(t *testing.T) {
	t.Parallel()
	for record, wrong := range map[string]string{
		"v=spf1": "", "V=SPF1 -all": "", "v=spf1  a mx ptr ~all": "", "v=spf1 a/24 a:x.example/24//64 mx:y.example ?all": "",
		"v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 ip6:2001:db8::1 ip6:2001:db8::/32 -all": "",
		"v=spf1 redirect=x.example exp=%{d}.y.example":                                 "", "v=spf1 exists:%{i}.z.example moo=1 -all": "",
		"v=spf2 -all": "v=spf1", "spf": "v=spf1", "v=spf1 all:x": "nothing may follow", "v=spf1 include:": "names no domain",
		"v=spf1 include": "names no domain", "v=spf1 ip4:x": "192.0.2.0/24", "v=spf1 ip4:2001:db8::1": "192.0.2.0/24",
		"v=spf1 ip6:192.0.2.1": "2001:db8::/32", "v=spf1 ip4:192.0.2.1/33": "192.0.2.0/24", "v=spf1 -": "not known", "v=spf1 +redirect=x": "not known",
		"v=spf1 redirect=": "names no domain", "v=spf1 redirect=a.example redirect=b.example": "twice", "v=spf1 inlcude:x": "not known", "v=spf1 a\u4e2d": "ASCII",
	} {
		_, err := parseSPF(record)
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, want %q", record, err, wrong)
		}
	}
}

func TestLookupsOfARecord(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]int{
		"v=spf1 -all": 0, "v=spf1 a mx ptr exists:%{i}.x include:%{d}.x ip4:192.0.2.1 -all": 5,
		"v=spf1 a -all mx": 1, "v=spf1 redirect=%{d}.x": 1, "v=spf1 -all redirect=x.example": 0, "v=spf1 a:x.example/24 exp=%{d}": 1,
	} {
		terms, err := parseSPF(record)
		if err != nil {
			t.Fatal(err)
		}
		w := &walk{}
		if err := w.through(t.Context(), terms, nil); err != nil || w.lookups != want {
			t.Errorf("%q: %d lookups, want %d (%v)", record, w.lookups, want, err)
		}
	}
	for network, want := range map[string]string{"192.0.2.0/24": "192.0.2.1", "192.0.2.7": "192.0.2.7", "192.0.2.6/31": "192.0.2.6", "2001:db8::/32": "2001:db8::1"} {
		if got := inside(network).String(); got != want {
			t.Errorf("inside %s: %s, want %s", network, got, want)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	const ed = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	for record, wrong := range map[string]string{
		"k=ed25519; p=" + ed: "", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7T yWQHOg7hcvPapiMlrwIaaPcHURo=;": "", "p=": "", "v=DKIM1; s=email:x; k=ed25519; p=" + ed: "",
		"v=DKIM2; p=" + ed: "version", "k=ed25519; p=AAAA": "32 octets", "p=" + ed: "can't be read", "k=dsa; p=" + ed: "not known", "v=DKIM1": "no key",
		"p=%": "base64", "x": "tag=value", "p=; p=": "twice", "s=tlsa; p=" + ed: "not for e-mail", "=1": "tag=value",
	} {
		_, err := parseKey(record)
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, want %q", record, err, wrong)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for greeting, want := range map[string]Status{
		"AS4P190CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at Sun, 1 Mar 2026 11:59:30 +0000": OK,
		"mx ESMTP Sendmail 8.18.1/8.18.1; Sun, 1 Mar 2026 20:00:01 +0800":                                          OK,
		"mx ESMTP Sendmail 8.18.1/8.18.1; Sun, 1 Mar 2026 12:06:00 GMT":                                            Warning,
		"mx ESMTP Sendmail 8.18.1/8.18.1; Sun, 1 Mar 2026 11:50:00 UTC":                                            Warning,
		"mx ready; Sun, 1 Mar 2026 12:00:00 CST":                                                                   Info, // one of three zones of that name
		"163.com Anti-spam GT for Coremail System (163com[20141201])":                                              Info,
		"smtp.gmail.com ESMTP 5b1f17b1804b1-4abc - gsmtp":                                                          Info,
		"mx; Sun, 31 Feb 2026 12:00:00 +0000":                                                                      Info,
	} {
		s := clockStep(smtp.Reply{Code: 220, Lines: []string{greeting}}, now)
		if s.Status != want || (s.Facts.SkewSeconds == nil) != (want == Info) {
			t.Errorf("%q: %s: %s", greeting, s.Status, s.Detail.EN)
		}
	}
}

func FuzzParseSPF(f *testing.F) {
	for _, s := range []string{"v=spf1 -all", "v=spf1 include:x.example a:b/24 ip6:::1/0 redirect=y exp=%{d}", "v=spf1 =", "v=spf1 a=", "v=spf1 0." + strings.Repeat("\xa1\xa1", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, record string) {
		terms, err := parseSPF(record)
		if err != nil {
			if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error holds raw input: %q", err)
			}
			return
		}
		for _, term := range reached(terms) {
			if term.name == "" || strings.ToLower(term.name) != term.name {
				t.Errorf("%q: a term without a name", record)
			}
			if term.name == "ip4" && !term.modifier && !inside(term.value).Is4() {
				t.Errorf("%q: %q holds no address", record, term.value)
			}
		}
	})
}

func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"v=DKIM1; k=rsa; p=", "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", ";;=", "t=y:s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, record string) {
		key, err := parseKey(record)
		if err == nil && !key.revoked && key.bits == 0 {
			t.Errorf("%q: a key without bits", record)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("the error holds raw input: %q", err)
		}
	})
}

func FuzzDateIn(f *testing.F) {
	f.Add("mx ESMTP Sendmail; Sun, 1 Mar 2026 12:06:00 GMT")
	f.Add("1 Jan 0000 00:00:00 +9999")
	f.Fuzz(func(t *testing.T, greeting string) {
		at, ok := dateIn(greeting)
		if !ok && !at.IsZero() {
			t.Errorf("%q: %s, and none", greeting, at)
		}
		clockStep(smtp.Reply{Code: 220, Lines: []string{greeting}}, time.Unix(0, 0))
	})
}
