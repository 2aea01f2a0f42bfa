package accountroute_test

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/localnames"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/smtp"
)

const policyConfig = `
default = "work"
[account.work]
from = "Me <me@example.com>"
server = "smtp.example.com"
match = ["*@list.example.com", "sales-*@example.com", "boss@example.com"]
[account.shop]
from = "shop@shop.example"
server = "smtp.shop.example"
[account.gmail]
from = "me@gmail.com"
[account.broken]
from = "me@corp.test"
[local]
root = "ops@example.com"
[submit]
per_hour = 50
[submit.users.www-data]
account = "shop"
from = ["*@shop.example", "orders@example.net"]
per_hour = 100
max_rcpt = 20
[submit.users.lost]
account = "broken"
`

// policy reads a configuration and creates tokens.
func policy(t *testing.T, source string, list ...tokens.ProgramToken) *accountroute.SubmitPolicy {
	t.Helper()
	f, err := account.LoadLenient(write(t, "config.toml", source))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tokens.toml")
	for _, token := range list {
		if _, err := tokens.New(t.Context(), path, path, token, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	known, err := tokens.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	aliases, _, err := localnames.ParseAliases(strings.NewReader("backup: night@example.com\nweb: root@box.example.com, Backup@BOX, deploy@box\nlost: deploy@box.example.com\nloop: loop@box.example.com\n"))
	if err != nil {
		t.Fatal(err)
	}
	return accountroute.NewSubmitPolicy(f, accountroute.PolicySources{Tokens: func() *tokens.TokenFile { return known }, Aliases: aliases,
		Hosts: []string{"box", "box.example.com", "example.com"}})
}

// has reports whether a grant lets its peer use a sender as it is.
func has(g admission.Grant, from string) bool {
	a, err := smtp.ParseAddress(from)
	return err == nil && (a.Equal(g.Mailbox.Address) || slices.ContainsFunc(g.From, func(p admission.Pattern) bool { return p.Matches(a) }))
}

// Each peer gets the account, the senders and the limits that the configuration or its token names.
func TestGrants(t *testing.T) {
	t.Parallel()
	p := policy(t, policyConfig, tokens.ProgramToken{Name: "gitea", Account: "work", From: []string{"git@example.com"}, PerHour: 7, MaxRecipients: 3},
		tokens.ProgramToken{Name: "any", Account: "shop"}, tokens.ProgramToken{Name: "gone", Account: "removed"})
	for _, test := range []struct {
		peer                   admission.Peer
		account, own, stranger string
		foreign                admission.Foreign
		perHour, recipients    int
		wrong                  string
	}{
		{peer: admission.Peer{User: "root"}, account: "work", own: "me@example.com me+tag@example.com news@list.example.com sales-eu@example.com boss+x@example.com BOSS@example.com", stranger: "you@example.com shop@shop.example", perHour: 50},
		{peer: admission.Peer{User: "www-data", UID: 33}, account: "shop", own: "shop@shop.example any@shop.example orders@example.net", stranger: "me@example.com", perHour: 100, recipients: 20},
		{peer: admission.Peer{}, account: "work", own: "me@example.com", stranger: "a@example.net", perHour: 50},
		{peer: admission.Peer{Token: "gitea"}, account: "work", own: "git@example.com me@example.com", stranger: "boss@example.com", foreign: admission.Refuse, perHour: 7, recipients: 3},
		{peer: admission.Peer{Token: "any"}, account: "shop", own: "shop@shop.example", stranger: "me@example.com"},
		{peer: admission.Peer{Token: "gone"}, wrong: "451 4.3.5"},
		{peer: admission.Peer{Token: "nobody"}, wrong: "550 5.7.1"},
		{peer: admission.Peer{User: "lost"}, wrong: "451 4.3.5"},
	} {
		g, err := p.Grant(test.peer)
		if test.wrong != "" {
			var refused *admission.Refusal
			if !errors.As(err, &refused) || refused.Rule != "account" || !strings.HasPrefix(refused.Reply.String(), test.wrong) || refused.Hint == nil {
				t.Errorf("%s: %v", test.peer, err)
			}
			continue
		}
		if err != nil || g.Account != test.account || g.Foreign != test.foreign || g.PerHour != test.perHour || g.MaxRecipients != test.recipients || !g.SMTPUTF8 {
			t.Errorf("%s: %+v, %v", test.peer, g, err)
		}
		for own := range strings.FieldsSeq(test.own) {
			if !has(g, own) {
				t.Errorf("%s may not send as %s", test.peer, own)
			}
		}
		for other := range strings.FieldsSeq(test.stranger) {
			if has(g, other) {
				t.Errorf("%s may send as %s", test.peer, other)
			}
		}
	}
	if g, err := policy(t, policyConfig+"[submit.users.me]\naccount = \"gmail\"\n").Grant(admission.Peer{User: "me"}); err != nil || g.MaxSize == 0 || g.Mailbox.Address.String() != "me@gmail.com" {
		t.Errorf("the provider's limit: %+v, %v", g, err)
	}
	if g, err := policy(t, "[account.a]\nfrom = \"a@qq.com\"\n[submit]\nfrom = \"refuse\"\n").Grant(admission.Peer{User: "root"}); err != nil || g.Foreign != admission.Refuse || g.Account != "a" {
		t.Errorf("refuse: %+v, %v", g, err)
	}
	if _, err := policy(t, "").Grant(admission.Peer{User: "root"}); err == nil {
		t.Error("a grant without an account")
	}
}

// Without a login, programs at the listener send from its first account, whoever they are.
func TestGrantsOfTheListener(t *testing.T) {
	t.Parallel()
	p := policy(t, policyConfig, tokens.ProgramToken{Name: "gitea", Account: "work"})
	at := p.ForListener(account.ListenSMTP{Local: []string{"shop"}})
	for _, test := range []struct {
		peer    admission.Peer
		account string
	}{{admission.Peer{}, "shop"}, {admission.Peer{User: "root"}, "shop"}, {admission.Peer{Token: "gitea"}, "work"}} {
		if g, err := at.Grant(test.peer); err != nil || g.Account != test.account {
			t.Errorf("%s: %s, %v", test.peer, g.Account, err)
		}
	}
	if g, err := at.Grant(admission.Peer{User: "www-data"}); err != nil || g.PerHour != 100 || g.MaxRecipients != 20 {
		t.Errorf("the limits of a user: %+v, %v", g, err)
	}
	if g, err := p.ForListener(account.ListenSMTP{}).Grant(admission.Peer{User: "www-data"}); err != nil || g.Account != "shop" || g.PerHour != 100 {
		t.Errorf("a user of this machine: %+v, %v", g, err)
	}
}

// A local name has the addresses of [local], then those of /etc/aliases; otherwise the refusal has the
// line to add.
func TestLocalNames(t *testing.T) {
	t.Parallel()
	p := policy(t, policyConfig)
	for name, want := range map[string]string{"root": "ops@example.com", "Root": "ops@example.com", "backup": "night@example.com"} {
		if to, err := p.Local(name); err != nil || len(to) != 1 || to[0].String() != want {
			t.Errorf("%s: %v, %v", name, to, err)
		}
	}
	// Nothing is ever sent to a user at this machine.
	if to, err := p.Local("web"); err != nil || len(to) != 2 || to[0].String() != "ops@example.com" || to[1].String() != "night@example.com" {
		t.Errorf("web: %v, %v", to, err)
	}
	var refused *admission.Refusal
	for name, line := range map[string]string{"lost": `lost = "you@example.com"`, "loop": `loop = "you@example.com"`, "nobody": `nobody = "you@example.com"`, "j.doe": `"j.doe" = "you@example.com"`} {
		if _, err := p.Local(name); !errors.As(err, &refused) || refused.Rule != "local" || refused.Reply.Code != 550 || !strings.Contains(refused.Hint.Error(), line) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for domain, local := range map[string]bool{"": true, "localhost": true, "LOCALHOST.": true, "box": true, "box.example.com": true, "Box.Example.Com": true,
		"example.com": false, "example.net": false, "shop.example": false} { // example.com is an account's domain
		if p.IsLocalDomain(domain) != local {
			t.Errorf("%q: %v", domain, !local)
		}
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	const hosts = "127.0.0.1 localhost\n127.0.1.1\tbox.example.com box mail.example.net # box.comment\n192.0.2.1 other.example.com other\n::1 Box.v6.example.com. BOX\n"
	for host, want := range map[string]string{"box": "box box.example.com Box.v6.example.com BOX", "box.example.com": "box.example.com box", "none": "none", "other": "other other.example.com"} {
		if got := strings.Join(accountroute.HostNames(host, strings.NewReader(hosts)), " "); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}
