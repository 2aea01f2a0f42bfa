package accountroute

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/localnames"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// PolicySources are what a policy needs besides the configuration.
type PolicySources struct {
	// Tokens returns the tokens as they are now; nil means that there are none.
	Tokens func() *tokens.TokenFile
	// Aliases are those of /etc/aliases; nil means none.
	Aliases *localnames.Aliases
	// Hosts are the names of this machine, see [HostNames].
	Hosts []string
}

// SubmitPolicy makes the rules of package admission from the configuration. It is safe for concurrent
// use.
type SubmitPolicy struct {
	file     *account.File
	submit   account.Submit
	sources  PolicySources
	accounts map[string]baseGrant
	users    map[string][]admission.Pattern // SubmitUser.From
	names    *localnames.Table
	local    map[string]bool // domains that mean this machine
	own      map[string]bool // domains of the accounts, which never do
}

// baseGrant is what everyone who uses an account gets.
type baseGrant struct {
	admission.Grant
	err error
}

// NewSubmitPolicy returns the policy of a configuration, which must not be changed afterwards.
func NewSubmitPolicy(f *account.File, s PolicySources) *SubmitPolicy {
	p := &SubmitPolicy{file: f, submit: f.Submit(), sources: s, accounts: map[string]baseGrant{}, users: map[string][]admission.Pattern{},
		names: localnames.NewTable(f.Local(), s.Aliases), local: map[string]bool{"": true, "localhost": true, "localhost.localdomain": true}, own: map[string]bool{}}
	for _, a := range f.Accounts() {
		g, err := grantOf(a)
		if fault := f.FaultOf(a.Name); fault != nil {
			err = fault
		}
		p.accounts[a.Name] = baseGrant{g, err}
		if err == nil {
			p.own[g.Mailbox.Address.ASCIIDomain()] = true
		}
	}
	for name, u := range p.submit.Users {
		p.users[name] = patternsOf(u.From)
	}
	for _, host := range s.Hosts {
		p.local[strings.ToLower(host)] = true
	}
	return p
}

// grantOf returns the grant of a peer that uses an account and has no rules of its own.
func grantOf(a account.Account) (admission.Grant, error) {
	from, err := message.ParseMailbox(a.From)
	if err != nil {
		return admission.Grant{}, err
	}
	g := admission.Grant{Account: a.Name, Mailbox: from, From: patternsOf(append([]string{withDetail(from.Address.String())}, a.Match...)), SMTPUTF8: true}
	for _, m := range a.Match {
		if !strings.ContainsAny(m, "*?[") {
			g.From = append(g.From, patternsOf([]string{withDetail(m)})...)
		}
	}
	if l := a.Provider().Limits.MessageBytes; l.Status == provider.Official || l.Status == provider.Verified {
		g.MaxSize = l.Value
	}
	return g, nil
}

// withDetail returns the pattern of an address with any +detail (RFC 5233), which belongs to the same
// mailbox.
func withDetail(address string) string {
	at := strings.LastIndexByte(address, '@')
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(address[:max(at, 0)]) + "+*" + address[max(at, 0):]
}

// patternsOf returns those of a list that are valid; account.CheckSenders has checked them.
func patternsOf(list []string) []admission.Pattern {
	var patterns []admission.Pattern
	for _, s := range list {
		if p, err := admission.ParsePattern(s); err == nil {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// Grant implements admission.Policy.
func (p *SubmitPolicy) Grant(peer admission.Peer) (admission.Grant, error) {
	if peer.Token != "" {
		return p.tokenGrant(peer.Token)
	}
	u := p.submit.Users[peer.User]
	g, err := p.accountGrant(cmp.Or(u.Account, p.submit.Account, p.file.Default()))
	if err != nil {
		return g, err
	}
	g.From = append(g.From[:len(g.From):len(g.From)], p.users[peer.User]...)
	if p.submit.ForeignFrom == account.ForeignRefuse {
		g.Foreign = admission.Refuse
	}
	p.limit(&g, peer)
	return g, nil
}

// limit sets the limits of a user of this machine.
func (p *SubmitPolicy) limit(g *admission.Grant, peer admission.Peer) {
	u := p.submit.Users[peer.User]
	g.PerHour, g.MaxRecipients = cmp.Or(u.PerHour, p.submit.PerHour), cmp.Or(u.MaxRecipients, p.submit.MaxRecipients)
}

func (p *SubmitPolicy) tokenGrant(name string) (admission.Grant, error) {
	var known tokens.ProgramToken
	ok := false
	if p.sources.Tokens != nil {
		known, ok = p.sources.Tokens().Find(name)
	}
	if !ok { // removed during the session
		return admission.Grant{}, admission.NewRefusal("account", 550, "5.7.1", localerr.Errorf("the token %s does not exist any more", name), localerr.New("create one with 'yan token new'"))
	}
	g, err := p.accountGrant(known.Account)
	if err != nil {
		return g, err
	}
	if len(known.From) > 0 {
		g.From, g.Foreign = patternsOf(known.From), admission.Refuse
	}
	g.PerHour, g.MaxRecipients = known.PerHour, known.MaxRecipients
	return g, nil
}

// accountGrant returns the grant of an account. A fault of the configuration is temporary: the message
// waits at the program until it is corrected.
func (p *SubmitPolicy) accountGrant(name string) (admission.Grant, error) {
	g, ok := p.accounts[name]
	switch {
	case name == "":
		return admission.Grant{}, admission.NewRefusal("account", 451, "4.3.5", localerr.New("no account is set for this program"), localerr.New("set a default: yan account default NAME"))
	case !ok:
		return admission.Grant{}, admission.NewRefusal("account", 451, "4.3.5", localerr.Errorf("unknown account %q", name), localerr.New("set it up with 'yan login'"))
	case g.err != nil:
		return admission.Grant{}, admission.NewRefusal("account", 451, "4.3.5", localerr.Errorf("the account %s can't be used", name), localerr.New("'yan config check' says why"))
	}
	return g.Grant, nil
}

// Local implements admission.Policy.
func (p *SubmitPolicy) Local(name string) ([]smtp.Address, error) {
	to, err := p.names.Find(name)
	if err == nil {
		to, err = p.outside(to)
	}
	if err == nil {
		return to, nil
	}
	err = localerr.Errorf("%q is a local name: %w", name, err)
	hint := localerr.Errorf("add to the table [local] in %s: %s", p.file.Path(), localLine(name))
	if errors.Is(err, localnames.ErrUnknown) {
		err = localerr.Errorf("%q is a local name without an address", name)
	}
	return nil, admission.NewRefusal("local", 550, "5.1.1", err, hint)
}

// outside replaces addresses in a domain of this machine, as /etc/aliases may have them, by those that
// their names stand for. Names that have none are left out; the error is about one if no address is
// left.
func (p *SubmitPolicy) outside(list []smtp.Address) ([]smtp.Address, error) {
	isLocal := func(a smtp.Address) bool { return p.IsLocalDomain(a.ASCIIDomain()) }
	if !slices.ContainsFunc(list, isLocal) {
		return list, nil
	}
	var to []smtp.Address
	var unknown error
	for _, a := range list {
		found := []smtp.Address{a}
		if isLocal(a) {
			var err error
			if found, err = p.names.Find(strings.Trim(a.Local(), `"`)); err != nil {
				unknown = err
			}
		}
		for _, address := range found {
			if !isLocal(address) && !slices.ContainsFunc(to, address.Equal) {
				to = append(to, address)
			}
		}
	}
	if len(to) == 0 {
		return nil, cmp.Or(unknown, localnames.ErrUnknown)
	}
	return to, nil
}

// localLine returns the line of [local] that a name needs.
func localLine(name string) string {
	bare := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
	if !bare {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name + ` = "you@example.com"`
}

// IsLocalDomain implements admission.Policy. The domain of an account is never local, even if this
// machine has the same name.
func (p *SubmitPolicy) IsLocalDomain(domain string) bool {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	return p.local[domain] && !p.own[domain]
}

// ListenPolicy is the policy of the programs that use [listen.smtp] without a login.
type ListenPolicy struct {
	*SubmitPolicy
	accounts []string
}

// ForListener returns the policy of a listener: the peers without a token send from its accounts, if
// it has any.
func (p *SubmitPolicy) ForListener(l account.ListenSMTP) *ListenPolicy {
	return &ListenPolicy{SubmitPolicy: p, accounts: l.Local}
}

// Grant implements admission.Policy.
func (p *ListenPolicy) Grant(peer admission.Peer) (admission.Grant, error) {
	if peer.Token != "" || len(p.accounts) == 0 {
		return p.SubmitPolicy.Grant(peer)
	}
	g, err := p.accountGrant(p.accounts[0])
	for _, name := range p.accounts[1:] {
		if other, unusable := p.accountGrant(name); unusable == nil {
			g.Others = append(g.Others, other)
		}
	}
	if peer.User != "" { // of users: the other way in must not have other limits
		p.limit(&g, peer)
		for i := range g.Others {
			p.limit(&g.Others[i], peer)
		}
	}
	return g, err
}
