package discover

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A server that must not be returned, for each way that names it. Every port of
// every host leads to the same server.
func TestServersThatAreNeverGiven(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		option sandboxtest.Option
		why    func(error) bool
	}{
		{"wrong name", sandboxtest.WithCertificate("wrong-name"), badCertificate},
		{"expired", sandboxtest.WithCertificate("expired"), badCertificate},
		{"self-signed", sandboxtest.WithCertificate("self-signed"), badCertificate},
		{"no login", sandboxtest.WithoutExtension("AUTH"), func(err error) bool { return errors.Is(err, smtpclient.ErrAuthNotOffered) }},
		{"refuses everybody", sandboxtest.WithFault("greeting-554"), func(err error) bool {
			var e *smtp.Error
			return errors.As(err, &e) && e.Stage == smtp.StageGreeting && e.Reply.Code == 554
		}},
		{"hangs up", sandboxtest.WithFault("ehlo-cut"), func(err error) bool {
			var e *smtp.Error
			return errors.As(err, &e) && e.Stage == smtp.StageHello
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, zone(dnstest.Zone{
				"example.com": {"MX 5 mxbiz1.qq.com"}, "smtp.exmail.qq.com": {here},
				"_submissions._tcp.example.com": {"SRV 0 1 465 relay.example.com"}, "relay.example.com": {here},
			}))
			w.https(answer(configuration("smtp.example.com 465 SSL x", "relay.example.com 587 STARTTLS x")), "autoconfig.example.com")
			var all []string
			for _, host := range []string{"example.com", "smtp.example.com", "mail.example.com", "relay.example.com", "smtp.exmail.qq.com"} {
				all = append(all, host+":465", host+":587")
			}
			w.smtp(all, test.option)
			found, err := w.find("me@example.com")
			if err != nil || len(found) != 0 {
				t.Fatalf("%v, %v", found, err)
			}
			reached := map[Method]int{}
			for _, a := range w.tried {
				if strings.HasSuffix(a.What, ":465") || strings.HasSuffix(a.What, ":587") {
					reached[a.Way]++
					if a.Err == nil || !test.why(a.Err) {
						t.Errorf("%s %s: %v", a.Way, a.What, a.Err)
					}
				}
			}
			if got := fmt.Sprint(reached); got != "map[autoconfig:2 guess:6 mx:2 srv:1]" {
				t.Errorf("tried %s", got)
			}
		})
	}
}

func badCertificate(err error) bool {
	var e *smtp.Error
	var bad *tls.CertificateVerificationError
	return errors.As(err, &e) && e.Stage == smtp.StageTLS && errors.As(err, &bad)
}

// If STARTTLS is not offered, or removed by an attacker, the server is
// rejected.
func TestStrippedSTARTTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(nil))
	w.smtp([]string{"smtp.example.com:587"}, sandboxtest.WithoutExtension("STARTTLS"))
	found, err := w.find("me@example.com")
	if err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
	if said := w.why(ByGuess, "smtp.example.com:587"); !strings.Contains(said, smtpclient.ErrSTARTTLSNotOffered.Error()) {
		t.Errorf("said %q", said)
	}
}

// A failed autoconfig is reported, and the next way is tried.
func TestAutoconfigFailures(t *testing.T) {
	t.Parallel()
	good := configuration("smtp.example.com 465 SSL x")
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		at      string // the host; default autoconfig.example.com
		what    string // the URL, if it is not that of the configuration
		want    string
	}{
		{name: "missing", handler: http.NotFound, want: "HTTP 404 Not Found"},
		{name: "a page", handler: answer("<!DOCTYPE html><html><body>Welcome<br></body></html>"), want: "not a mail configuration"},
		{name: "empty", handler: answer(""), want: "not a mail configuration"},
		{name: "cut off", handler: answer(good[:len(good)-20]), want: "not a mail configuration"},
		{name: "no server", handler: answer(configuration()), want: "the configuration has no SMTP server"},
		{name: "huge", handler: answer(strings.Repeat(" ", maxConfig) + good), want: "larger than 262144 octets"},
		{name: "never ends", handler: func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat("<a>", 1000))); err != nil {
					return
				}
			}
		}, want: "larger than 262144 octets"},
		{name: "redirect to http", handler: redirect("http://config.example.com/x.xml"), want: "redirect to http://config.example.com: only https is followed"},
		{name: "redirects for ever", handler: redirect("/again"), want: "more than 5 redirects"},
		{name: "plain only", handler: answer(configuration("smtp.example.com 25 plain x", "smtp.example.com 587 plain x")), what: "smtp.example.com:587", want: "the server is not encrypted"},
		{name: "login by network only", handler: answer(configuration("smtp.example.com 465 SSL x client-IP-address NTLM")), what: "smtp.example.com:465", want: "no login but by client-IP-address, NTLM"},
		{name: "nothing that listens", handler: answer(configuration("smtp.example.com 2525 STARTTLS x")), what: "smtp.example.com:2525", want: "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, zone(dnstest.Zone{"config.example.com": {here}}))
			w.https(test.handler, "autoconfig.example.com")
			w.smtp([]string{"mail.example.com:465"})
			found, err := w.find("me@example.com")
			if got, want := only(t, found, err), "guess verified smtps://mail.example.com mail.example.com:465/implicit user="; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if test.what == "" {
				test.what = "https://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=me%40example.com"
			}
			if said := w.why(ByAutoconfig, test.what); !strings.Contains(said, test.want) {
				w.log()
				t.Errorf("got the reason %q, want %q", said, test.want)
			}
		})
	}
}

// A captive portal has no certificate for the domain.
func TestAutoconfigOfAStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dnstest.Zone{"*.corp.example": {here}, "corp.example": {here}})
	w.https(answer(configuration("smtp.corp.example 465 SSL x")), "autoconfig.corp.example", "corp.example")
	w.smtp([]string{"smtp.corp.example:465"}, sandboxtest.WithCertificate("wrong-name"))
	found, err := w.find("me@corp.example")
	if err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
	const what = "https://corp.example/.well-known/autoconfig/mail/config-v1.1.xml"
	if said := w.why(ByAutoconfig, what); !strings.Contains(said, "certificate is valid for") {
		t.Errorf("said %q", said)
	}
}

// A redirect to another host is followed without sending the address there,
// whatever the caller's CheckRedirect says.
func TestAutoconfigRedirect(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		w := newWorld(t, zone(dnstest.Zone{"config.example.com": {here}}))
		asked := make(chan *http.Request, 10)
		w.https(func(rw http.ResponseWriter, r *http.Request) {
			asked <- r
			if r.Host == "config.example.com" {
				answer(configuration("smtp.example.com 465 SSL %EMAILADDRESS%"))(rw, r)
				return
			}
			http.Redirect(rw, r, "https://config.example.com/v1", http.StatusMovedPermanently)
		}, "autoconfig.example.com", "config.example.com")
		w.smtp([]string{"smtp.example.com:465"})
		f := w.finder()
		if own {
			f.HTTP = &http.Client{
				CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("never") },
				Transport:     &http.Transport{DialContext: w.dial, TLSClientConfig: &tls.Config{RootCAs: w.roots}, DisableKeepAlives: true},
			}
		}
		found, err := f.Find(t.Context(), parse(t, "me+a&b@example.com"))
		if err != nil || len(found) != 1 || found[0].Way != ByAutoconfig || found[0].User != "me+a&b@example.com" {
			t.Fatalf("%v, %v", found, err)
		}
		if len(asked) != 2 {
			t.Fatalf("%d requests", len(asked))
		}
		if first := <-asked; first.URL.Query().Get("emailaddress") != "me+a&b@example.com" {
			t.Errorf("asked %s", first.URL)
		}
		if second := <-asked; second.Referer() != "" || second.URL.RawQuery != "" {
			t.Errorf("asked %s, from %q", second.URL, second.Referer())
		}
	}
}

// The failures of DNS, and their errors.
func TestDNSFailures(t *testing.T) {
	t.Parallel()
	all := func(failure string) dnstest.Zone {
		return dnstest.Zone{"example.com": {failure}, "*.example.com": {failure}, "_tcp.example.com": {failure}, "*._tcp.example.com": {failure}}
	}
	for _, test := range []struct {
		name    string
		zone    dnstest.Zone
		limit   time.Duration
		offline bool
		said    string
	}{
		{"nothing there", zone(nil), time.Minute, false, "no such host"},
		{"no such domain", dnstest.Zone{"example.org": {here}}, time.Minute, false, "no such host"},
		{"takes no mail", zone(dnstest.Zone{"example.com": {"MX 0 ."}}), time.Minute, false, "the domain takes no mail"},
		{"unknown exchanger", zone(dnstest.Zone{"example.com": {"MX 10 mx.example.com", "MX 20 mxbiz1.qq.com"}}), time.Minute, false, "mx.example.com. belongs to no known provider"},
		{"SERVFAIL", all("SERVFAIL"), time.Minute, true, "server misbehaving"},
		{"REFUSED", all("REFUSED"), time.Minute, true, "server misbehaving"},
		{"silence", all("SILENCE"), 300 * time.Millisecond, true, errTimeout.Error()},
		{"SERVFAIL for MX alone", zone(dnstest.Zone{"example.com": {"SERVFAIL MX"}}), time.Minute, false, "server misbehaving"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.zone)
			f := w.finder()
			f.Timeout = test.limit
			found, err := f.Find(t.Context(), parse(t, "me@example.com"))
			if len(found) != 0 || errors.Is(err, ErrOffline) != test.offline || !test.offline && err != nil {
				t.Errorf("%v, %v", found, err)
			}
			// A timeout may also be reported by DNS itself.
			if said := w.why(ByMX, "MX example.com"); !strings.Contains(said, test.said) && !(test.limit < time.Minute && strings.Contains(said, "timeout")) {
				t.Errorf("said %q", said)
			}
		})
	}
}

func TestNoNetwork(t *testing.T) {
	t.Parallel()
	down := func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("network is unreachable")
	}
	f := Finder{Resolver: &net.Resolver{PreferGo: true, Dial: down}, Dial: down}
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if len(found) != 0 || !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "network is unreachable") {
		t.Errorf("%v, %v", found, err)
	}
	if found, err := f.Find(t.Context(), parse(t, "me@163.com")); err != nil || len(found) != 1 {
		t.Errorf("a known provider: %v, %v", found, err)
	}
}

// DNS is silent, but a server answers: the network is not offline.
func TestOnlyDNSIsSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(nil))
	w.smtp([]string{"smtp.example.com:465"}, sandboxtest.WithCertificate("expired"))
	f := w.finder()
	f.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("of the test")
	}}
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

// An address without a domain to query.
func TestNoDomain(t *testing.T) {
	t.Parallel()
	for _, address := range []smtp.Address{{}, parse(t, "me@[127.0.0.1]")} {
		if found, err := (&Finder{}).Find(t.Context(), address); err == nil || len(found) != 0 || errors.Is(err, ErrOffline) {
			t.Errorf("%q: %v, %v", address, found, err)
		}
	}
}

// One host is connected to once, however many ways name it.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(dnstest.Zone{"_submissions._tcp.example.com": {"SRV 0 1 465 smtp.example.com"}}))
	w.https(answer(configuration("smtp.example.com 465 SSL x")), "autoconfig.example.com", "example.com")
	server := w.smtp([]string{"smtp.example.com:465"})
	found, err := w.find("me@example.com")
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if !server.WaitIdle() {
		t.Error("the connection stays open")
	}
	if n := len(server.Connections()); n != 1 || !strings.Contains(server.Transcript(), "C: QUIT") {
		t.Errorf("got %d connections, or no QUIT", n)
	}
}
