package doctor_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// atHome returns an exam whose server can't be reached, for tests of the
// domain's steps.
func atHome(t testing.TB, from string, zone dnstest.Zone) (doctor.Exam, *dnstest.Server) {
	t.Helper()
	dns := dnstest.Start(t, zone)
	return doctor.Exam{Server: transport.Server{Host: "mail.corp.example", Port: 4650}, From: address(t, from), Resolver: dns.Resolver(),
		Timeout: long,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: noAnswer{}}
		}}, dns
}

func rsaKey(t testing.TB, bits int) string {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

type want map[doctor.Name]doctor.StepStatus

// domains lists the DNS tests: the zone and the expected steps.
func domains(t testing.TB) map[string]struct {
	zone     dnstest.Zone
	selector string
	provider string
	from     string
	want     want
	says     map[doctor.Name]string // a part of the English detail
} {
	// Eleven lookups in a row.
	long := dnstest.Zone{"corp.example": {"TXT v=spf1 include:i1.example -all"}, "mail.corp.example": {"A 192.0.2.1"}}
	for i := 1; i <= 11; i++ {
		long[fmt.Sprintf("i%d.example", i)] = []string{fmt.Sprintf("TXT v=spf1 include:i%d.example -all", i+1)}
	}
	long["i12.example"] = []string{"TXT v=spf1 -all"}
	host := []string{"A 192.0.2.1"}
	spf := func(record string, more ...string) dnstest.Zone {
		return dnstest.Zone{"corp.example": append([]string{"TXT " + record}, more...), "mail.corp.example": host, "_dmarc.corp.example": {"TXT v=DMARC1; p=reject"},
			"_spf.google.com": {"TXT v=spf1 include:_netblocks.google.com ~all"}, "_netblocks.google.com": {"TXT v=spf1 ip4:203.0.113.0/24 ~all"}}
	}
	key := func(record string) dnstest.Zone {
		return dnstest.Zone{"corp.example": {"TXT v=spf1 -all"}, "s._domainkey.corp.example": {"TXT " + record}, "mail.corp.example": host,
			"_dmarc.corp.example": {"TXT v=DMARC1; p=reject"}}
	}
	dmarc := func(records ...string) dnstest.Zone {
		return dnstest.Zone{"corp.example": {"TXT v=spf1 ip4:192.0.2.1 -all"}, "_dmarc.corp.example": records, "mail.corp.example": host}
	}
	type row = struct {
		zone     dnstest.Zone
		selector string
		provider string
		from     string
		want     want
		says     map[doctor.Name]string
	}
	return map[string]row{
		"nothing at all": {zone: dnstest.Zone{"mail.corp.example": host}, want: want{doctor.NameMX: doctor.Warning, doctor.NameSRV: doctor.Info,
			doctor.NameSPF: doctor.Warning, doctor.NameDKIM: doctor.Info, doctor.NameDMARC: doctor.Warning, doctor.NameReceiver: doctor.Warning},
			says: map[doctor.Name]string{doctor.NameSPF: "no SPF record", doctor.NameReceiver: "nothing shows"}},
		"address only": {zone: dnstest.Zone{"corp.example": {"A 192.0.2.2"}, "mail.corp.example": host}, want: want{doctor.NameMX: doctor.Info}},
		"null MX":      {zone: dnstest.Zone{"corp.example": {"MX 0 ."}, "mail.corp.example": host}, want: want{doctor.NameMX: doctor.Warning}},
		"MX of Google": {zone: dnstest.Zone{"corp.example": {"MX 1 aspmx.l.google.com"}}, want: want{doctor.NameMX: doctor.OK},
			says: map[doctor.Name]string{doctor.NameMX: "Gmail"}},
		"SRV": {zone: dnstest.Zone{"_submissions._tcp.corp.example": {"SRV 0 1 465 mail.corp.example"}}, want: want{doctor.NameSRV: doctor.OK}},
		"another SRV": {zone: dnstest.Zone{"_submission._tcp.corp.example": {"SRV 0 1 587 smtp.other.example"}}, want: want{doctor.NameSRV: doctor.Info},
			says: map[doctor.Name]string{doctor.NameSRV: "a different server"}},
		"no submission": {zone: dnstest.Zone{"_submission._tcp.corp.example": {"SRV 0 0 0 ."}}, want: want{doctor.NameSRV: doctor.Info},
			says: map[doctor.Name]string{doctor.NameSRV: "offers no submission"}},
		"broken DNS": {zone: dnstest.Zone{"corp.example": {"SERVFAIL"}, "_dmarc.corp.example": {"SERVFAIL"}, "_submission._tcp.corp.example": {"SERVFAIL"}, "s._domainkey.corp.example": {"SERVFAIL"}}, selector: "s",
			want: want{doctor.NameMX: doctor.Info, doctor.NameSRV: doctor.Info, doctor.NameSPF: doctor.Info, doctor.NameDKIM: doctor.Info, doctor.NameDMARC: doctor.Info, doctor.NameReceiver: doctor.Info}},

		"SPF of the server": {zone: spf("v=spf1 a:mail.corp.example -all"), want: want{doctor.NameSPF: doctor.OK, doctor.NameDMARC: doctor.OK, doctor.NameReceiver: doctor.OK},
			says: map[doctor.Name]string{doctor.NameSPF: "it may send from another one", doctor.NameReceiver: "if the mail leaves from 192.0.2.1"}},
		"SPF of others": {zone: spf("v=spf1 ip4:198.51.100.0/24 ~all"), want: want{doctor.NameSPF: doctor.Warning, doctor.NameReceiver: doctor.Warning},
			says: map[doctor.Name]string{doctor.NameSPF: "softfail"}},
		"SPF of the provider": {zone: spf("v=spf1 include:_spf.google.com -all"), provider: "gmail", want: want{doctor.NameSPF: doctor.OK, doctor.NameReceiver: doctor.OK},
			says: map[doctor.Name]string{doctor.NameSPF: "203.0.113.1, used by Gmail", doctor.NameReceiver: "SPF passes and is aligned"}},
		"SPF without the provider": {zone: spf("v=spf1 a:mail.corp.example -all"), provider: "gmail", want: want{doctor.NameSPF: doctor.Warning, doctor.NameReceiver: doctor.Failed},
			says: map[doctor.Name]string{doctor.NameSPF: "does not authorize 203.0.113.1", doctor.NameReceiver: "p=reject"}},
		"SPF twice":     {zone: spf("v=spf1 -all", "TXT v=spf1 ~all"), want: want{doctor.NameSPF: doctor.Failed}, says: map[doctor.Name]string{doctor.NameSPF: "several"}},
		"SPF misspelt":  {zone: spf("v=spf1 inculde:x.example -all"), want: want{doctor.NameSPF: doctor.Failed}, says: map[doctor.Name]string{doctor.NameSPF: `"inculde:x.example"`}},
		"SPF to nobody": {zone: spf("v=spf1 include:nobody.example -all"), want: want{doctor.NameSPF: doctor.Failed}, says: map[doctor.Name]string{doctor.NameSPF: "nobody.example"}},
		"SPF in circle": {zone: spf("v=spf1 include:corp.example -all"), want: want{doctor.NameSPF: doctor.Failed}, says: map[doctor.Name]string{doctor.NameSPF: "includes itself"}},
		"SPF too long":  {zone: long, want: want{doctor.NameSPF: doctor.Failed}, says: map[doctor.Name]string{doctor.NameSPF: "needs 12 lookups"}},
		"own domain": {zone: dnstest.Zone{"qq.com": {"MX 10 mx3.qq.com", "TXT v=spf1 include:spf.mail.qq.com -all"}, "spf.mail.qq.com": {"TXT v=spf1 ip4:203.0.113.64/26 -all"}, "_dmarc.qq.com": {"TXT v=DMARC1; p=quarantine"}},
			provider: "qq", from: "me@qq.com", want: want{doctor.NameSPF: doctor.OK, doctor.NameDMARC: doctor.OK, doctor.NameReceiver: doctor.OK}},

		"no key":      {zone: key("v=other"), selector: "other", want: want{doctor.NameDKIM: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDKIM: "there is no key"}},
		"revoked key": {zone: key("v=DKIM1; p="), selector: "s", want: want{doctor.NameDKIM: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDKIM: "revoked"}},
		"bad key":     {zone: key("v=DKIM1; p=!"), selector: "s", want: want{doctor.NameDKIM: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDKIM: "base64"}},
		"weak key":    {zone: key("p=" + rsaKey(t, 768)), selector: "s", want: want{doctor.NameDKIM: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDKIM: "768 bits"}},
		"old key":     {zone: key("k=rsa; p=" + rsaKey(t, 1024)), selector: "s", want: want{doctor.NameDKIM: doctor.Warning, doctor.NameReceiver: doctor.Warning}},
		"good key": {zone: key("v=DKIM1; k=rsa; p=" + rsaKey(t, 2048)), selector: "s", want: want{doctor.NameDKIM: doctor.OK, doctor.NameReceiver: doctor.Warning},
			says: map[doctor.Name]string{doctor.NameReceiver: "only a DKIM signature"}},
		"tested key": {zone: key("v=DKIM1; t=y; p=" + rsaKey(t, 2048)), selector: "s", want: want{doctor.NameDKIM: doctor.Warning}},

		"two keys": {zone: dnstest.Zone{"corp.example": {"TXT v=spf1 -all"}, "s._domainkey.corp.example": {"TXT v=DKIM1; p=" + rsaKey(t, 2048), "TXT v=DKIM1; p="},
			"mail.corp.example": host, "_dmarc.corp.example": {"TXT v=DMARC1; p=reject"}}, selector: "s", want: want{doctor.NameDKIM: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDKIM: "2 TXT records"}},
		"sha1 key":     {zone: key("v=DKIM1; h=sha1; p=" + rsaKey(t, 2048)), selector: "s", want: want{doctor.NameDKIM: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDKIM: "sha256"}},
		"odd key":      {zone: key("v=DKIM1;; p=" + rsaKey(t, 2048)), selector: "s", want: want{doctor.NameDKIM: doctor.Warning}, says: map[doctor.Name]string{doctor.NameDKIM: "empty tag"}},
		"policy odd":   {zone: dmarc("TXT v=DMARC1; p=Reject; adkim=strict; pct=abc; foo"), want: want{doctor.NameDMARC: doctor.Warning}, says: map[doctor.Name]string{doctor.NameDMARC: "p=reject (record of corp.example), but receivers disagree about “adkim=strict; pct=abc; foo”"}},
		"reports only": {zone: dmarc("TXT v=DMARC1; rua=mailto:a@corp.example"), want: want{doctor.NameDMARC: doctor.Warning}, says: map[doctor.Name]string{doctor.NameDMARC: "p=none"}},
		"no semicolon": {zone: dmarc("TXT v=DMARC1, p=reject"), want: want{doctor.NameDMARC: doctor.Failed}, says: map[doctor.Name]string{doctor.NameDMARC: "semicolon"}},

		"no policy":       {zone: dmarc("TXT other"), want: want{doctor.NameDMARC: doctor.Warning, doctor.NameReceiver: doctor.OK}},
		"policy none":     {zone: dmarc("TXT v=DMARC1; p=none; aspf=s"), want: want{doctor.NameDMARC: doctor.OK, doctor.NameReceiver: doctor.OK}, says: map[doctor.Name]string{doctor.NameDMARC: "strict"}},
		"policy twice":    {zone: dmarc("TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"), want: want{doctor.NameDMARC: doctor.Failed}},
		"policy misspelt": {zone: dmarc("TXT v=DMARC1; p=rejct"), want: want{doctor.NameDMARC: doctor.Failed}},
		"policy of the organization": {zone: dnstest.Zone{"sub.corp.example": {"TXT v=spf1 -all"}, "_dmarc.corp.example": {"TXT v=DMARC1; p=none; sp=quarantine"}, "mail.corp.example": host},
			from: "me@sub.corp.example", provider: "gmail", want: want{doctor.NameDMARC: doctor.OK}, says: map[doctor.Name]string{doctor.NameDMARC: "p=quarantine (record of corp.example)"}},
	}
}

func TestDomains(t *testing.T) { // not parallel: short RSA keys need GODEBUG
	checked := 0
	for name, test := range domains(t) {
		from := test.from
		if from == "" {
			from = "me@corp.example"
		}
		e, _ := atHome(t, from, test.zone)
		e.DKIMSelector = test.selector
		if test.provider != "" {
			var ok bool
			if e.Server.Provider, ok = provider.ByID(test.provider); !ok {
				t.Fatalf("no provider %q", test.provider)
			}
		}
		r := e.Run(t.Context())
		check(t, nil, r)
		for step, status := range test.want {
			checked++
			if got := find(t, r, step); got.Status != status || !strings.Contains(got.Detail.EN, test.says[step]) {
				t.Errorf("%s: %s has status %s, want %s: %s", name, step, got.Status, status, got.Detail.EN)
			}
		}
	}
	if checked < 50 {
		t.Fatalf("only %d steps", checked)
	}
}

// A silent DNS server is waited for no longer than the timeout.
func TestSilentDNS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dns := mute{make(chan struct{})}
		defer close(dns.letGo)
		server, err := transport.ParseServer("smtps://mail.corp.example", address(t, "me@corp.example"))
		if err != nil {
			t.Fatal(err)
		}
		e := doctor.Exam{Server: server, From: address(t, "me@corp.example"), Resolver: dns, Timeout: 15 * time.Second}
		r := e.Run(t.Context())
		check(t, nil, r)
		if step := find(t, r, doctor.NameAddress); step.Status != doctor.Failed || step.Finding.Class == "" || step.Took != e.Timeout {
			t.Errorf("%+v", step)
		}
		if r.Took < e.Timeout || r.Took > 6*e.Timeout {
			t.Errorf("it took %v", r.Took)
		}
		for _, name := range []doctor.Name{doctor.NameMX, doctor.NameSPF, doctor.NameDMARC, doctor.NameReceiver} {
			if step := find(t, r, name); step.Status != doctor.Info {
				t.Errorf("%s is %s: %s", name, step.Status, step.Detail.EN)
			}
		}
	})
}

// Without a sender, or with an address literal, no domain is queried.
func TestNoDomain(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"", "me@[192.0.2.1]"} {
		e, dns := atHome(t, "me@corp.example", dnstest.Zone{"mail.corp.example": {"A 192.0.2.1"}})
		e.From = smtp.Address{}
		if from != "" {
			e.From = address(t, from)
		}
		r := e.Run(t.Context())
		check(t, nil, r)
		if step := find(t, r, doctor.NameReceiver); step.Status != doctor.Skipped {
			t.Errorf("%q: %+v", from, step)
		}
		for _, q := range dns.Queries() {
			if q.Name != "mail.corp.example" && !strings.HasPrefix(q.Name, "mail.corp.example.") {
				t.Errorf("%q: asked %s", from, q)
			}
		}
	}
}

func TestUnknownHost(t *testing.T) {
	t.Parallel()
	e, _ := atHome(t, "me@corp.example", dnstest.Zone{})
	r := e.Run(t.Context())
	check(t, nil, r)
	next, _ := r.Next()
	if next.Name != doctor.NameAddress || next.Finding.Class != "HOST_NOT_FOUND" {
		t.Errorf("%+v", next)
	}
	if step := find(t, r, doctor.NameLogin); step.Status != doctor.Skipped {
		t.Errorf("%+v", step)
	}
}

// Every step and every status occurs, in both languages.
func TestEveryStepAndStatus(t *testing.T) {
	names, statuses := map[doctor.Name]int{}, map[doctor.StepStatus]int{}
	count := func(r doctor.ExamReport) {
		check(t, nil, r)
		for _, step := range r.Steps {
			names[step.Name]++
			statuses[step.Status]++
		}
	}
	for _, test := range domains(t) {
		from := test.from
		if from == "" {
			from = "me@corp.example"
		}
		e, _ := atHome(t, from, test.zone)
		e.SendTo = address(t, "you@corp.example")
		count(e.Run(t.Context()))
	}
	for _, name := range doctor.Names() {
		if names[name] == 0 {
			t.Errorf("step %s was never reported", name)
		}
	}
	for _, status := range doctor.Statuses() {
		if statuses[status] == 0 {
			t.Errorf("status %s was never reported", status)
		}
	}
}
