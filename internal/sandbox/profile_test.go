package sandbox

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// The profiles agree with the provider facts.
func TestProfilesFollowTheFacts(t *testing.T) {
	t.Parallel()
	imitated := 0
	for _, name := range Profiles() {
		p, err := findProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.provider == "" {
			continue
		}
		imitated++
		facts, ok := provider.ByID(p.provider)
		if !ok {
			t.Fatalf("%s: no provider %q", name, p.provider)
		}
		caps := p.ehloOffer(Config{}, true, false).caps
		if !slices.Equal(caps.Auth(), facts.Auth.Mechanisms) {
			t.Errorf("%s: offers %v, the facts have %v", name, caps.Auth(), facts.Auth.Mechanisms)
		}
		if caps.Size() != facts.Limits.MessageBytes.Value {
			t.Errorf("%s: SIZE %d, the facts have %d", name, caps.Size(), facts.Limits.MessageBytes.Value)
		}
		if p.hosts[0] != facts.SMTP.Host {
			t.Errorf("%s: host %s, the facts have %s", name, p.hosts[0], facts.SMTP.Host)
		}
		if got := caps.Has("STARTTLS"); got != facts.Has(provider.StartTLSInsideTLS) {
			t.Errorf("%s: STARTTLS inside TLS %v", name, got)
		}
		if p.maxRecipients == 0 || p.domain == "" || p.before == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if imitated != 6 {
		t.Errorf("%d providers are imitated", imitated)
	}
}

// Every reply of every profile is well-formed and of the class that its stage
// needs.
func TestWordsAreReplies(t *testing.T) {
	t.Parallel()
	for _, name := range Profiles() {
		p, err := findProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		w := p.words
		n := 0
		for class, replies := range map[int][]string{
			2: {w.greeting, w.startTLS, w.authOK, w.mailOK, w.rcptOK, w.queued, w.reset, w.noop, w.bye,
				p.ehloOffer(Config{}, false, false).ehloReply(), p.ehloOffer(Config{}, true, true).ehloReply()},
			3: {w.dataGo},
			4: {w.busy},
			5: {w.authFailed, w.authBad, w.authUnknown, w.authCanceled, w.authTwice, w.tlsRequired, w.authRequired, w.badSender,
				w.badAddress, w.badFrom, w.badContent, w.tooLarge, w.badSequence, w.badSyntax, w.badParam, w.unknown, w.noRecipients},
		} {
			for _, reply := range replies {
				n++
				var parser smtp.ReplyParser
				lines := strings.Split(reply, "\n")
				for i, line := range lines {
					got, last, err := parser.Line([]byte(line))
					if err != nil || got.Code/100 != class || last != (i == len(lines)-1) {
						t.Errorf("%s: %q: %v, %v", name, reply, got, err)
					}
				}
			}
		}
		if n != 30 {
			t.Errorf("%s: %d replies", name, n)
		}
		if !slices.Contains([]string{"452", "550"}, w.tooMany[:3]) || w.chunkOK == "" || w.userPrompt == "" || w.passPrompt == "" {
			t.Errorf("%s: tooMany %q, chunkOK %q", name, w.tooMany, w.chunkOK)
		}
	}
}

// Microsoft 365 has no PLAIN, so the library logs in with LOGIN.
func TestLoginOnly(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Profile: "microsoft365"})
	user, err := DefaultLogin("microsoft365")
	if err != nil {
		t.Fatal(err)
	}
	c := login(t, s, user)
	c.want("250", "MAIL FROM:<"+user+">")
	if got := s.Connections()[0].Login; got != user {
		t.Errorf("logged in as %q", got)
	}
}
