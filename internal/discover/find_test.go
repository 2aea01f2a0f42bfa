package discover

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/transport"
)

const here = "A 127.0.0.1"

// zone returns the records of example.com with every usual host, and those of
// the test.
func zone(more dnstest.Zone) dnstest.Zone {
	z := dnstest.Zone{"example.com": {here}, "autoconfig.example.com": {here}, "smtp.example.com": {here}, "mail.example.com": {here}}
	for name, records := range more {
		z[name] = append(z[name], records...)
	}
	return z
}

// wayTest is a search in which one way finds a server.
type wayTest struct {
	name    string
	address string // default me@example.com
	zone    dnstest.Zone
	smtp    []string
	config  string   // an autoconfig
	at      []string // its hosts; default autoconfig.example.com
	want    string
}

func (test wayTest) run(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(test.zone))
	w.smtp(test.smtp)
	if test.config != "" {
		if test.at == nil {
			test.at = []string{"autoconfig.example.com"}
		}
		w.https(answer(test.config), test.at...)
	}
	if test.address == "" {
		test.address = "me@example.com"
	}
	found, err := w.find(test.address)
	if got := only(t, found, err); got != test.want {
		w.log()
		t.Fatalf("got  %s\nwant %s", got, test.want)
	}
	// The result is a valid server for transport.
	server, err := transport.ParseServer(found[0].Server, parse(t, test.address))
	if err != nil || server.Host != found[0].Host || server.Port != 0 && server.Port != found[0].Port {
		t.Errorf("transport reads it as %+v, %v", server, err)
	}
}

func TestAutoconfigAndMX(t *testing.T) {
	t.Parallel()
	for _, test := range []wayTest{
		{
			name: "autoconfig host", config: configuration("smtp.example.com 465 SSL %EMAILLOCALPART% password-cleartext"), smtp: []string{"smtp.example.com:465"},
			want: "autoconfig verified smtps://smtp.example.com smtp.example.com:465/implicit user=me imaps://imap.example.com:993",
		},
		{
			name: "autoconfig in .well-known", config: configuration("smtp.example.com 587 STARTTLS %EMAILADDRESS% password-encrypted"), at: []string{"example.com"}, smtp: []string{"smtp.example.com:587"},
			want: "autoconfig verified smtp://smtp.example.com smtp.example.com:587/starttls user=me@example.com imaps://imap.example.com:993",
		},
		{
			name: "autoconfig names a foreign host", config: configuration("mx.hoster.example 2465 STARTTLS %EMAILLOCALPART%_%EMAILDOMAIN%"), zone: dnstest.Zone{"mx.hoster.example": {here}}, smtp: []string{"mx.hoster.example:2465"},
			want: "autoconfig verified smtp://mx.hoster.example:2465 mx.hoster.example:2465/starttls user=me_example.com imaps://imap.example.com:993",
		},
		{
			name: "autoconfig names a known provider", config: configuration("smtp.exmail.qq.com 465 SSL %EMAILADDRESS%"), zone: dnstest.Zone{"smtp.exmail.qq.com": {here}}, smtp: []string{"smtp.exmail.qq.com:465"},
			want: "autoconfig verified smtps://smtp.exmail.qq.com smtp.exmail.qq.com:465/implicit user=me@example.com provider=exmail imaps://imap.example.com:993",
		},
		{
			name: "autoconfig without a password", config: configuration("smtp.example.com 465 SSL %EMAILADDRESS% OAuth2"), smtp: []string{"smtp.example.com:465"},
			want: "autoconfig verified smtps://smtp.example.com smtp.example.com:465/implicit user=me@example.com imaps://imap.example.com:993 oauth2",
		},
		{
			name: "MX", zone: dnstest.Zone{"example.com": {"MX 10 mxbiz2.qq.com", "MX 5 mxbiz1.qq.com"}, "smtp.exmail.qq.com": {here}}, smtp: []string{"smtp.exmail.qq.com:465"},
			want: "mx confirm exmail smtp.exmail.qq.com:465/implicit user=me@example.com provider=exmail imaps://imap.exmail.qq.com:993",
		},
		{
			name: "MX, second port", zone: dnstest.Zone{"example.com": {"MX 5 mxbiz1.qq.com"}, "smtp.exmail.qq.com": {here}}, smtp: []string{"smtp.exmail.qq.com:587"},
			want: "mx confirm smtp://smtp.exmail.qq.com smtp.exmail.qq.com:587/starttls user=me@example.com provider=exmail imaps://imap.exmail.qq.com:993",
		},
		{
			name: "MX of a region", zone: dnstest.Zone{"example.com": {"MX 10 mx.zoho.com.cn"}, "smtp.zoho.com.cn": {here}}, smtp: []string{"smtp.zoho.com.cn:465"},
			want: "mx confirm zoho/cn smtp.zoho.com.cn:465/implicit user=me@example.com provider=zoho",
		},
	} {
		t.Run(test.name, test.run)
	}
}

func TestSRVAndGuesses(t *testing.T) {
	t.Parallel()
	for _, test := range []wayTest{
		{
			name: "SRV", zone: dnstest.Zone{
				"_submissions._tcp.example.com": {"SRV 0 1 465 smtp.example.com"}, "_imaps._tcp.example.com": {"SRV 0 1 993 imap.example.com"},
			}, smtp: []string{"smtp.example.com:465"},
			want: "srv verified smtps://smtp.example.com smtp.example.com:465/implicit user= imaps://imap.example.com:993",
		},
		{
			name: "SRV, old service", zone: dnstest.Zone{
				"_submission._tcp.example.com": {"SRV 0 1 587 mail.example.com"}, "_imap._tcp.example.com": {"SRV 0 1 143 mail.example.com"},
			}, smtp: []string{"mail.example.com:587"},
			want: "srv verified smtp://mail.example.com mail.example.com:587/starttls user= imap://mail.example.com:143",
		},
		{
			name: "SRV, port 465 under the old service", zone: dnstest.Zone{"_submission._tcp.example.com": {"SRV 0 1 465 smtp.example.com"}}, smtp: []string{"smtp.example.com:465"},
			want: "srv verified smtps://smtp.example.com smtp.example.com:465/implicit user=",
		},
		{
			name: "SRV to a foreign host", zone: dnstest.Zone{
				"_submissions._tcp.example.com": {"SRV 0 1 465 smtp.foreign.example"}, "smtp.foreign.example": {here},
				"_imaps._tcp.example.com": {"SRV 0 1 993 imap.foreign.example"},
			}, smtp: []string{"smtp.foreign.example:465"},
			want: "srv confirm smtps://smtp.foreign.example smtp.foreign.example:465/implicit user= imaps://imap.foreign.example:993",
		},
		{
			name: "SRV to one host inside and another outside", zone: dnstest.Zone{
				"_submissions._tcp.example.com": {"SRV 0 1 465 smtp.example.com"}, "_imaps._tcp.example.com": {"SRV 0 1 993 imap.foreign.example"},
			}, smtp: []string{"smtp.example.com:465"},
			want: "srv verified smtps://smtp.example.com smtp.example.com:465/implicit user=",
		},
		{
			name: "SRV to two foreign hosts", zone: dnstest.Zone{
				"_submissions._tcp.example.com": {"SRV 0 1 465 smtp.foreign.example"}, "smtp.foreign.example": {here},
				"_imaps._tcp.example.com": {"SRV 0 1 993 imap.other.example"},
			}, smtp: []string{"smtp.foreign.example:465"},
			want: "srv confirm smtps://smtp.foreign.example smtp.foreign.example:465/implicit user=",
		},
		{
			name: "SRV to a known provider", zone: dnstest.Zone{"_submissions._tcp.example.com": {"SRV 0 1 465 smtp.gmail.com"}, "smtp.gmail.com": {here}}, smtp: []string{"smtp.gmail.com:465"},
			want: "srv confirm smtps://smtp.gmail.com smtp.gmail.com:465/implicit user=me@example.com provider=gmail imaps://imap.gmail.com:993",
		},
		{
			name: "SRV of a domain below", address: "me@dept.example.com", zone: dnstest.Zone{"_submissions._tcp.dept.example.com": {"SRV 0 1 465 smtp.example.com"}}, smtp: []string{"smtp.example.com:465"},
			want: "srv verified smtps://smtp.example.com smtp.example.com:465/implicit user=",
		},
		{
			name: "guess", smtp: []string{"smtp.example.com:465", "smtp.example.com:587", "mail.example.com:465"},
			want: "guess verified smtps://smtp.example.com smtp.example.com:465/implicit user=",
		},
		{
			name: "guess, mail", smtp: []string{"mail.example.com:587"},
			want: "guess verified smtp://mail.example.com mail.example.com:587/starttls user=",
		},
		{
			name: "guess, the domain itself", smtp: []string{"example.com:465"},
			want: "guess verified smtps://example.com example.com:465/implicit user=",
		},
		{
			name: "guess below a public suffix", address: "me@github.io", zone: dnstest.Zone{"smtp.github.io": {here}}, smtp: []string{"smtp.github.io:465"},
			want: "guess confirm smtps://smtp.github.io smtp.github.io:465/implicit user=",
		},
		{
			name: "internationalised domain", address: "me@例子.example", zone: dnstest.Zone{
				"xn--fsqu00a.example": {here}, "_submissions._tcp.xn--fsqu00a.example": {"SRV 0 1 465 smtp.xn--fsqu00a.example"}, "smtp.xn--fsqu00a.example": {here},
			}, smtp: []string{"smtp.xn--fsqu00a.example:465"},
			want: "srv verified smtps://smtp.xn--fsqu00a.example smtp.xn--fsqu00a.example:465/implicit user=",
		},
	} {
		t.Run(test.name, test.run)
	}
}

// A better way wins, even if a worse one has a result too.
func TestTheMoreTrustworthyWayIsGiven(t *testing.T) {
	t.Parallel()
	steps := []struct {
		way Method
		add func(*world)
	}{
		{ByGuess, func(w *world) { w.smtp([]string{"mail.example.com:587"}) }},
		{BySRV, func(w *world) { w.smtp([]string{"relay.foreign.example:465"}) }},
		{ByMX, func(w *world) { w.smtp([]string{"smtp.exmail.qq.com:465"}) }},
		{ByAutoconfig, func(w *world) {
			w.https(answer(configuration("smtp.example.com 465 SSL %EMAILADDRESS%")), "example.com")
			w.smtp([]string{"smtp.example.com:465"})
		}},
	}
	w := newWorld(t, zone(dnstest.Zone{
		"example.com": {"MX 5 mxbiz1.qq.com"}, "smtp.exmail.qq.com": {here}, "relay.foreign.example": {here},
		"_submissions._tcp.example.com": {"SRV 0 1 465 relay.foreign.example"},
	}))
	for _, step := range steps {
		step.add(w)
		for range 5 {
			found, err := w.find("me@example.com")
			if err != nil || len(found) != 1 || found[0].Way != step.way {
				t.Fatalf("%s: %v, %v", step.way, found, err)
			}
		}
	}
}

func TestKnownProviderIsGivenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dnstest.Zone{})
	found, err := w.find("me@qq.com")
	if got, want := only(t, found, err), "provider verified qq smtp.qq.com:465/implicit user=me@qq.com provider=qq imaps://imap.qq.com:993"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	found, err = w.find("me@outlook.com")
	if got := only(t, found, err); !strings.HasSuffix(got, " oauth2") {
		t.Error(got)
	}
	if len(w.dns.Queries()) != 0 || len(w.dialed) != 0 {
		t.Errorf("the network was used: %v, %v", w.dns.Queries(), w.dialed)
	}
	if len(w.tried) != 2 || w.why(ByProvider, "qq.com") != "served" {
		t.Errorf("attempts %v", w.tried)
	}
}

func BenchmarkKnownProvider(b *testing.B) {
	address := parse(b, "me@qq.com")
	for b.Loop() {
		if found, err := (&Finder{}).Find(b.Context(), address); err != nil || len(found) != 1 {
			b.Fatal(found, err)
		}
	}
}

// For every provider's domain the result is valid for transport, or has an
// empty host because a region is missing.
func TestEveryKnownDomain(t *testing.T) {
	t.Parallel()
	count := 0
	for _, p := range provider.All() {
		for _, domain := range p.Domains {
			domain = strings.NewReplacer("{cc}", "de", "{tenant}", "corp").Replace(domain)
			address := parse(t, "me@"+domain)
			found, err := (&Finder{}).Find(t.Context(), address)
			if err != nil || len(found) != 1 {
				t.Errorf("%s: %v, %v", domain, found, err)
				continue
			}
			count++
			server, err := transport.ParseServer(found[0].Server, address)
			if (err == nil) != (found[0].Host != "") || server.Host != found[0].Host || server.Port != found[0].Port {
				t.Errorf("%s: %s, %+v, %v", domain, line(found[0]), server, err)
			}
		}
	}
	if count < 49 {
		t.Errorf("only %d domains", count)
	}
}

// The user rejected a host.
func TestNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(dnstest.Zone{
		"example.com": {"MX 5 mxbiz1.qq.com"}, "smtp.exmail.qq.com": {here},
	}))
	w.smtp([]string{"smtp.exmail.qq.com:465", "smtp.exmail.qq.com:587", "mail.example.com:465"})
	f := w.finder()
	var ways []Method
	for range 4 {
		found, err := f.Find(t.Context(), parse(t, "me@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			break
		}
		ways = append(ways, found[0].Way)
		f.Not = append(f.Not, found[0].Host)
	}
	if want := []Method{ByMX, ByGuess}; !slices.Equal(ways, want) {
		t.Errorf("got %v, want %v", ways, want)
	}
	f = w.finder()
	f.Not = []string{"smtp.qq.com"}
	if found, err := f.Find(t.Context(), parse(t, "me@qq.com")); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

// The order of RFC 2782 and RFC 8314, and invalid targets.
func TestSRVOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, submissions, submission, want string }{
		{"priority", "20 0 465 a.example.com", "10 0 587 b.example.com", "b.example.com:587"},
		{"TLS from the first byte", "10 0 465 a.example.com", "10 9 587 b.example.com", "a.example.com:465"},
		{"weight", "10 1 465 a.example.com|10 7 465 b.example.com|10 3 465 c.example.com", "", "b.example.com:465"},
		{"name", "10 1 465 c.example.com|10 1 465 b.example.com", "", "b.example.com:465"},
		{"not offered with TLS from the first byte", "0 0 0 .", "0 1 587 b.example.com", "b.example.com:587"},
		{"port 0 and the root beside a server", "0 0 0 a.example.com|0 0 465 .|5 0 465 c.example.com", "", "c.example.com:465"},
		{"the first can't be reached", "0 0 465 closed.example.com|5 0 465 b.example.com", "", "b.example.com:465"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			z := dnstest.Zone{"*.example.com": {here}}
			for name, records := range map[string]string{"_submissions._tcp.example.com": test.submissions, "_submission._tcp.example.com": test.submission} {
				for record := range strings.SplitSeq(records, "|") {
					if record != "" {
						z[name] = append(z[name], "SRV "+record)
					}
				}
			}
			w := newWorld(t, z)
			w.smtp([]string{"a.example.com:465", "b.example.com:465", "b.example.com:587", "c.example.com:465"})
			found, err := w.find("me@example.com")
			if err != nil || len(found) != 1 || (endpoint{found[0].Host, found[0].Port, ""}).String() != test.want {
				w.log()
				t.Errorf("got %v, %v, want %s", found, err, test.want)
			}
		})
	}
}

// A domain that denies every submission service is believed.
func TestSubmissionIsNotOffered(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		zone  dnstest.Zone
		found bool
	}{
		"both":                      {dnstest.Zone{"_submissions._tcp.example.com": {"SRV 0 0 0 ."}, "_submission._tcp.example.com": {"SRV 0 0 0 ."}}, false},
		"one, the other is missing": {dnstest.Zone{"_submission._tcp.example.com": {"SRV 0 0 0 ."}}, false},
		"one, the other is unknown": {dnstest.Zone{"_submission._tcp.example.com": {"SRV 0 0 0 ."}, "_submissions._tcp.example.com": {"SERVFAIL"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, zone(test.zone))
			w.smtp([]string{"smtp.example.com:465"}, sandboxtest.WithHostNames("smtp.example.com"))
			found, err := w.find("me@example.com")
			if err != nil || (len(found) == 1) != test.found {
				t.Errorf("%v, %v", found, err)
			}
			if said := w.why(ByGuess, "smtp.example.com:465"); strings.Contains(said, errDenied.Error()) == test.found {
				t.Errorf("said %q", said)
			}
		})
	}
}
