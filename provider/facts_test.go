package provider_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/provider"
)

// count is the number of entries in providers.yaml.
const count = 49

// all returns provider.All, which must not be empty.
func all(t *testing.T) []provider.Provider {
	t.Helper()
	ps := provider.All()
	if len(ps) != count {
		t.Fatalf("%d providers, want %d", len(ps), count)
	}
	return ps
}

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	hostForm = regexp.MustCompile(`^([a-z0-9-]+|\{domain\}|[a-z-]*\{region\})(\.([a-z0-9-]+|\{domain\}|\{region\}))+$`)
	nameForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

func TestEveryEntry(t *testing.T) {
	t.Parallel()
	for _, p := range all(t) {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			if !idForm.MatchString(p.ID) {
				t.Errorf("id %q", p.ID)
			}
			if p.Names.EN == "" || p.Names.ZH == "" {
				t.Errorf("a name is missing: %+v", p.Names)
			}
			if p.Kind != provider.KindMailbox && p.Kind != provider.KindRelay {
				t.Errorf("kind %q", p.Kind)
			}
			if !slices.Contains([]string{"cn", "jp", "kr", "intl"}, p.Region) {
				t.Errorf("region %q", p.Region)
			}
			if !slices.Contains([]string{"high", "medium", "low"}, p.Confidence) {
				t.Errorf("confidence %q", p.Confidence)
			}
			if !slices.Contains(provider.SenderRules(), p.SenderRule) {
				t.Errorf("sender rule %q", p.SenderRule)
			}
			if p.Family != "" {
				if head, ok := provider.ByID(p.Family); !ok || head.Family != "" {
					t.Errorf("family %q is not the head of a family", p.Family)
				}
			}
			checkSMTP(t, p)
			checkReading(t, "imap", p.IMAP)
			checkReading(t, "pop3", p.POP3)
			checkAuth(t, p)
			checkLimits(t, p.Limits)
			for trait, status := range p.Traits {
				if !slices.Contains(provider.Traits(), trait) || !slices.Contains(provider.Statuses(), status) {
					t.Errorf("trait %q has status %q", trait, status)
				}
			}
			for _, q := range append([]string{p.Website, p.SMTP.Note, p.Limits.Note}, p.Quirks...) {
				if strings.Contains(q, "errors.md") || strings.HasPrefix(q, "as ") {
					t.Errorf("text refers to what the user can't see: %q", q)
				}
			}
		})
	}
}

func checkSMTP(t *testing.T, p provider.Provider) {
	t.Helper()
	s := p.SMTP
	for _, h := range append([]string{s.Host}, s.AltHosts...) {
		if !hostForm.MatchString(h) {
			t.Errorf("smtp host %q", h)
		}
	}
	if len(s.Ports) == 0 {
		t.Error("no ports")
	}
	encrypted, preferred := false, false
	seen := map[int]bool{}
	for _, port := range s.Ports {
		if port.Port < 1 || port.Port > 65535 || seen[port.Port] || slices.Contains(s.Closed, port.Port) {
			t.Errorf("port %d is out of range, listed twice or closed", port.Port)
		}
		seen[port.Port] = true
		if !slices.Contains(provider.TLSModes(), port.TLS) || !slices.Contains(provider.Statuses(), port.Status) {
			t.Errorf("port %+v has an unknown word", port)
		}
		encrypted = encrypted || port.TLS.Encrypted()
		preferred = preferred || port.Port == s.Prefer && port.TLS.Encrypted()
	}
	if !encrypted || !preferred {
		t.Errorf("no encrypted port, or the preferred %d is not one: %+v", s.Prefer, s.Ports)
	}
	for domain, h := range p.HostsByDomain {
		if !slices.Contains(p.Domains, domain) || !nameForm.MatchString(h.SMTP) {
			t.Errorf("hosts by domain: %q: %+v", domain, h)
		}
	}
	for region, h := range p.HostsByRegion {
		if region == "" || !nameForm.MatchString(h) {
			t.Errorf("hosts by region: %q: %q", region, h)
		}
	}
}

func checkReading(t *testing.T, what string, e provider.Endpoint) {
	t.Helper()
	if e.Host == "" {
		if e.Port != 0 || e.TLS != "" {
			t.Errorf("%s: no host, but %+v", what, e)
		}
		return
	}
	if !hostForm.MatchString(e.Host) || e.Port == 0 || !e.TLS.Encrypted() || !slices.Contains(provider.Statuses(), e.Status) {
		t.Errorf("%s: %+v", what, e)
	}
	if e.Username != "" && e.Username != "full" && e.Username != "localpart" {
		t.Errorf("%s: username %q", what, e.Username)
	}
}

func checkAuth(t *testing.T, p provider.Provider) {
	t.Helper()
	a := p.Auth
	if !slices.Contains(provider.AuthKinds(), a.Kind) || !slices.Contains(provider.Statuses(), a.MechanismsStatus) {
		t.Errorf("auth: kind %q, mechanisms %q", a.Kind, a.MechanismsStatus)
	}
	if len(a.Mechanisms) == 0 {
		t.Error("auth: no mechanisms")
	}
	if end := a.PasswordEnd; end != nil {
		_, err := time.Parse(time.DateOnly, end.Date)
		if err != nil || end.When.EN == "" || end.When.ZH == "" || end.Do.EN == "" || end.Do.ZH == "" || !slices.Contains(provider.Statuses(), end.Status) ||
			end.Announced > end.Date || p.Sources["auth.password_end"] == "" {
			t.Errorf("auth: the end of passwords lacks a date, a text, a status or a source: %+v", end)
		}
	}
	for _, m := range a.Mechanisms {
		if m != strings.ToUpper(m) {
			t.Errorf("auth: mechanism %q", m)
		}
	}
	if word, fixed := strings.CutPrefix(a.Username, "fixed:"); fixed && word == "" ||
		!fixed && !slices.Contains([]string{"full", "localpart", "other"}, a.Username) {
		t.Errorf("auth: username %q", a.Username)
	}
	if a.Username == "other" && len(a.Notes) == 0 {
		t.Error("auth: nothing tells the user which name to enter")
	}
	if o := a.OAuth2; o != nil && (o.Issuer == "" || o.Scope == "" || !isHTTPS(o.AuthURL) || !isHTTPS(o.TokenURL) ||
		o.DeviceURL != "" && !isHTTPS(o.DeviceURL) || !slices.Contains(provider.Statuses(), o.Status)) {
		t.Errorf("auth: oauth2 %+v", o)
	}
	h := p.CodeHelp
	if !h.IsZero() && (h.EN == "" || h.ZH == "" || len(h.URLs) == 0) {
		t.Errorf("code help is not complete: %+v", h)
	}
	if h.ZH != "" && !regexp.MustCompile(`\p{Han}`).MatchString(h.ZH) {
		t.Errorf("code help: %q is not Chinese", h.ZH)
	}
	for _, u := range h.URLs {
		if !isHTTPS(u) && u != "http://mail.163.com/help/help_spam_16.htm" {
			t.Errorf("code help: url %q", u)
		}
	}
}

func isHTTPS(u string) bool { return strings.HasPrefix(u, "https://") }

func checkLimits(t *testing.T, l provider.Limits) {
	t.Helper()
	for _, limit := range []provider.Limit{l.PerSecond, l.PerMinute, l.PerDay, l.PerConnection, l.Connections,
		l.Recipients, l.MessageBytes, l.AttachmentBytes} {
		if limit == (provider.Limit{}) {
			continue
		}
		if limit.Value < 0 || !slices.Contains(provider.Statuses(), limit.Status) {
			t.Errorf("limit %+v", limit)
		}
	}
}

// Facts that were converted by hand from prose to numbers.
func TestFactsThatCodeActsUpon(t *testing.T) {
	t.Parallel()
	get := func(id string) provider.Provider {
		p, ok := provider.ByID(id)
		if !ok {
			t.Fatalf("no %s", id)
		}
		return p
	}
	if l := get("office365").Limits; l.PerMinute.Value != 30 || l.Connections.Value != 3 || l.Recipients.Value != 500 {
		t.Errorf("office365: %+v", l)
	}
	if l := get("tencent_ses").Limits; l.PerSecond.Value != 20 || l.PerDay.Value != 500 {
		t.Errorf("tencent_ses: %+v", l)
	}
	if l := get("yeah").Limits; l.PerDay.Note == "" || l != get("netease163").Limits {
		t.Errorf("yeah does not have 163's limits: %+v", l)
	}
	if n := get("qq").Limits.MessageBytes; n.Value != 73400320 || n.Status != provider.Verified {
		t.Errorf("qq: %+v", n)
	}
	for id, trait := range map[string]provider.Trait{"qq": provider.FrameAfterQuit, "exmail": provider.HangsUpAfterFailedAuth,
		"netease126": provider.MaybeNoPipelining, "gmail": provider.SecretShownWithSpaces, "sina": provider.ComparesFromHeader} {
		if !get(id).Has(trait) {
			t.Errorf("%s lacks %s", id, trait)
		}
	}
	if get("gmail").Has(provider.FrameAfterQuit) {
		t.Error("gmail has QQ's trait")
	}
	if p := get("qq"); p.Sources["smtp.ports.465"] == "" || p.Sources["sender_rule"] == "" {
		t.Errorf("sources are lost: %v", p.Sources)
	}
	if n := len(get("netease126").Quirks); n != len(get("netease163").Quirks)+1 {
		t.Errorf("126 has %d quirks", n)
	}
	if o := get("gmail").Auth.OAuth2; o.DeviceURL != "" || o.AuthParams["access_type"] != "offline" || o.AuthParams["prompt"] != "consent" {
		t.Errorf("gmail: %+v", o)
	}
	for _, id := range []string{"outlook", "office365"} {
		if o := get(id).Auth.OAuth2; o.RedirectHost != "localhost" || o.DeviceURL == "" || !strings.Contains(o.Scope, "offline_access") {
			t.Errorf("%s: %+v", id, o)
		}
	}
	for _, trait := range provider.Traits() {
		if !slices.ContainsFunc(all(t), func(p provider.Provider) bool { return p.Has(trait) }) {
			t.Errorf("no provider has the trait %s", trait)
		}
	}
}

// A caller that changes a Provider does not affect others.
func TestValuesAreCopies(t *testing.T) {
	t.Parallel()
	p, _ := provider.ByID("outlook")
	p.Domains[0], p.SMTP.Ports[0].Port, p.Auth.OAuth2.Issuer, p.Quirks[0] = "x", 25, "x", "x"
	p.Sources["domains"] = "x"
	g, _ := provider.ByID("gmail")
	g.Relay.Ports[0], g.Auth.OAuth2.AuthParams["prompt"] = 1, "x"
	again, _ := provider.ByID("outlook")
	if again.Domains[0] == "x" || again.SMTP.Ports[0].Port == 25 || again.Auth.OAuth2.Issuer == "x" ||
		again.Quirks[0] == "x" || again.Sources["domains"] == "x" {
		t.Error("a caller changed the embedded facts")
	}
	if g, _ := provider.ByID("gmail"); g.Relay.Ports[0] == 1 || g.Auth.OAuth2.AuthParams["prompt"] == "x" {
		t.Error("a caller changed the relay's ports or the parameters")
	}
}
