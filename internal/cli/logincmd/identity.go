package logincmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/spelling"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// who finds out who sends and who logs in.
func (l *setup) who(ctx context.Context, args []string) error {
	if err := l.argument(args); err != nil {
		return err
	}
	named := l.login.Name != ""
	if l.s.from != "" {
		box, err := l.a.mailbox(l.s.from)
		if err != nil {
			return l.a.Wrongf("%s: %v", l.a.Name("from"), err)
		}
		l.from, named = box, true
	}
	switch {
	case l.login.Address.IsZero() && !l.from.Address.IsZero():
		l.login = l.from
	case l.login.Address.IsZero():
		if err := l.askAddress(ctx); err != nil {
			return err
		}
		named = l.login.Name != ""
	}
	if l.from.Address.IsZero() {
		l.from = l.login
	}
	if l.person && !named && l.known() == nil {
		name, err := l.text(ctx, "--from", ask.Question{Title: l.a.T("Your name"),
			Help: l.a.T("As recipients see it; Enter for none."), Optional: true, Check: l.a.displayName})
		if err != nil {
			return err
		}
		l.from.Name = name
	}
	return nil
}

// argument reads ADDRESS or PROVIDER.
func (l *setup) argument(args []string) error {
	if len(args) == 0 {
		return nil
	}
	word := strings.TrimSpace(args[0])
	if old, ok := l.file.Account(word); ok {
		return l.again(old)
	}
	if strings.ContainsAny(word, "@＠") {
		box, err := l.a.mailbox(word)
		if err != nil {
			return command.Fail(command.ExitUsage, fmt.Errorf("%q: %w", word, err), "")
		}
		l.login = box
		return nil
	}
	p, ok := provider.Lookup(word)
	if !ok {
		hint := l.a.T("Give your address, like me@example.com; 'yan providers' lists the providers that are known.")
		if near := provider.Nearest(word); len(near) > 0 {
			hint = l.a.T("Did you mean %s?", l.a.Listed(near))
		}
		return command.Fail(command.ExitUsage, errors.New(l.a.T("%q is neither an address nor a known provider", word)), hint)
	}
	if l.s.secretStdin && l.s.from == "" && !l.person { // the secret would be taken for the address
		return command.Fail(command.ExitUsage, errors.New(l.a.T("there is no account %q, and nothing says whose mailbox at %s it is", word, l.a.Pick(p.Names.EN, p.Names.ZH))),
			l.a.T("Give it as %s.", "yan login "+l.a.T("ADDRESS")))
	}
	if l.s.Server == "" {
		l.s.Server = p.ID
	}
	return nil
}

// mendable refuses an account that makes no sense, unless it lacks the server alone,
// which is asked for.
func (l *setup) mendable(old account.Account) error {
	if p := l.file.FaultOf(old.Name); p != nil && p.Key != "account."+old.Name+".server" {
		return l.a.BadConfiguration(l.file.Path(), p)
	}
	return nil
}

// again logs in to an account that there is.
func (l *setup) again(old account.Account) error {
	if err := l.mendable(old); err != nil {
		return err
	}
	box, err := message.ParseMailbox(old.From)
	if err != nil {
		return command.Internal("the sender of account "+old.Name, err)
	}
	l.login, l.s.replace, l.relogin = box, true, true
	l.s.from = cmp.Or(l.s.from, old.From)
	if l.s.name == "" {
		l.s.name = old.Name
	}
	there := l.s.Server == ""
	if there {
		l.s.Server = old.Server
	} else if server, err := transport.ParseServer(l.s.Server, box.Address); err == nil {
		there = samePlace(server, accounts.ServerOf(old))
	}
	if l.s.user == "" && there {
		l.s.user = old.User
	}
	return nil
}

func (l *setup) askAddress(ctx context.Context) error {
	example := "me@example.com"
	if p, ok := provider.Lookup(l.s.Server); ok && len(p.Domains) > 0 && !strings.Contains(p.Domains[0], "{") {
		example = "me@" + p.Domains[0]
	}
	var box message.Mailbox
	_, err := l.text(ctx, "yan login "+l.a.T("ADDRESS"), ask.Question{Title: l.a.T("Your e-mail address"),
		Example: example, Default: l.a.Getenv("EMAIL"),
		Check: func(answer string) (err error) {
			box, err = l.a.mailbox(answer)
			return err
		}})
	l.login = box
	return err
}

// mistyped asks about a domain that nobody known has and that is nearly one that
// many have: whoever registered gmial.com would like the passwords of gmail.com.
// It gives the provider, if the address was wrong.
func (l *setup) mistyped(ctx context.Context) (server string, err error) {
	address := l.login.Address
	p, domain := nearDomain(address.ASCIIDomain())
	if domain == "" {
		return "", nil
	}
	right := address.Local() + "@" + domain
	if !l.person {
		l.say(l.a.T("Is %s meant? No provider that is known has the domain %s.", right, address.Domain()))
		return "", nil
	}
	title := l.a.T("Did you mean %s?", right)
	yes, err := l.ask.Confirm(ctx, ask.Question{Title: title}, true)
	if err != nil || !yes {
		return "", l.answer(err, title, "--from")
	}
	box, err := l.a.mailbox(right)
	if err != nil {
		return "", command.Internal("the address", err)
	}
	if l.from.Address.Equal(address) {
		l.from.Address = box.Address
	}
	l.login.Address = box.Address
	return p.ID, nil
}

// nearDomain is a provider's domain that is one slip away: a letter that is wrong,
// missing, too many, or two that changed places.
func nearDomain(domain string) (p provider.Provider, near string) {
	for _, p := range provider.All() {
		for _, known := range p.Domains {
			if len(known) > len("ya.ru") && spelling.Distance([]rune(domain), []rune(known)) == 1 {
				return p, known
			}
		}
	}
	return p, ""
}

// mailbox reads one address, and says in the user's language what is wrong.
func (a *runner) mailbox(s string) (message.Mailbox, error) {
	switch {
	case strings.ContainsRune(s, '＠'):
		return message.Mailbox{}, errors.New(a.T("type the half-width @ instead of the full-width ＠"))
	case !strings.Contains(s, "@"):
		return message.Mailbox{}, errors.New(a.T("want an address like me@example.com"))
	}
	box, err := message.ParseMailbox(s)
	if err != nil {
		return box, sentence.Errorf("%s: %w", a.T("this is not one address"), err)
	}
	return box, nil
}

// displayName refuses what can't stand beside an address.
func (a *runner) displayName(name string) error {
	if strings.Contains(name, "@") {
		return errors.New(a.T("a name is wanted here, not an address"))
	}
	return a.OneLine(a.T("Your name"), name)
}

// known is the account of this user that has the same sender; nil for none.
func (l *setup) known() *account.Account {
	for _, acc := range l.file.Accounts() {
		if from, err := acc.Address(); err == nil && from.Equal(l.from.Address) {
			return &acc
		}
	}
	return nil
}

// called finds the account's name. One that exists is changed only if that is
// what the user wants.
func (l *setup) called(ctx context.Context) error {
	name := l.s.name
	if name == "" {
		if same := l.known(); same != nil {
			name = same.Name
		} else if name = l.shortName(); l.taken(name) {
			name = l.free(name)
		}
	}
	if old, exists := l.file.Account(name); exists {
		if err := l.mendable(old); err != nil {
			return err
		}
		if err := l.consentToReplace(ctx, old); err != nil {
			return err
		}
		l.old = &old
	}
	l.base(name)
	return nil
}

func (l *setup) taken(name string) bool {
	_, taken := l.file.Account(name)
	return taken
}

// consentToReplace asks whether an account may be changed.
func (l *setup) consentToReplace(ctx context.Context, old account.Account) error {
	if l.s.replace {
		return nil
	}
	exists := l.a.T("there is an account %s already, for %s", old.Name, old.From)
	if !l.person {
		return command.Fail(command.ExitUsage, errors.New(exists), l.a.T("Log in to it again with 'yan login %s', change it with --replace, or give the new one another name with --name.", old.Name))
	}
	title := l.a.T("Change the account %s?", old.Name)
	yes, err := l.ask.Confirm(ctx, ask.Question{Title: title, Help: exists}, true)
	switch {
	case err != nil:
		return l.answer(err, title, "--replace")
	case !yes:
		return command.Fail(command.ExitUsage, errors.New(l.a.T("the account %s stays as it is", old.Name)), l.a.T("Give the new one another name with --name."))
	}
	return nil
}

// base is what the account has that nobody was asked about: what it had, where the
// same mailbox logs in again at the same place. Another mailbox, or place, gets of it
// only what is the user's and not the server's: the old IMAP server or authorization
// server must not hear of the new secret.
func (l *setup) base(name string) {
	server := l.acc.Server
	l.acc = accounts.NewAccount(l.file, name)
	l.same = l.old != nil && l.isSameMailbox(*l.old)
	switch old := l.old; {
	case l.same:
		l.acc = *old
		l.acc.AllowCleartextPassword = old.AllowCleartextPassword && l.server.Security == smtpclient.Plaintext
	case old != nil:
		l.acc.Signature, l.acc.SignatureFile, l.acc.Headers, l.acc.ReplyTo = old.Signature, old.SignatureFile, old.Headers, old.ReplyTo
		l.acc.Match, l.acc.Fallback = old.Match, old.Fallback
	}
	if l.old != nil && l.from.Name == "" && l.s.from == "" { // not asked for
		if box, err := message.ParseMailbox(l.old.From); err == nil {
			l.from.Name = box.Name
		}
	}
	l.acc.From, l.acc.Server = l.from.String(), server
	l.acc.OAuth2 = account.OAuth2{}
}

// isSameMailbox reports whether an account is what logs in now: the address, and
// the provider or, where none is known, the host.
func (l *setup) isSameMailbox(old account.Account) bool {
	address, err := old.Address()
	return err == nil && (address.Equal(l.login.Address) || address.Equal(l.from.Address)) && samePlace(accounts.ServerOf(old), l.server)
}

func samePlace(a, b transport.Server) bool {
	if a.Provider.ID != "" || b.Provider.ID != "" {
		return a.Provider.ID == b.Provider.ID
	}
	return strings.EqualFold(a.Host, b.Host)
}

// moved begins anew where another server than that of the old account is tried after
// all.
func (l *setup) moved() error {
	if !l.same || l.isSameMailbox(*l.old) {
		return nil
	}
	l.base(l.acc.Name)
	l.noteUser()
	return l.settings()
}

// shortName is what one would call the account: "qq", "163", "example".
func (l *setup) shortName() string {
	labels := strings.Split(l.login.Address.ASCIIDomain(), ".")
	p := l.provider()
	if p.ID != "" {
		if named, ok := provider.ByName(labels[0]); ok && named.ID == p.ID && accounts.IsAccountName(labels[0]) {
			return labels[0]
		}
		return p.ID
	}
	for _, label := range labels[:max(1, len(labels)-1)] {
		if accounts.IsAccountName(label) && !strings.HasPrefix(labels[0], "[") && label != "mail" && label != "vip" {
			return label
		}
	}
	return "mail"
}

// free is the first of name-2, name-3, … that no account has.
func (l *setup) free(name string) string {
	for i := 2; ; i++ {
		if next := fmt.Sprintf("%s-%d", name, i); !l.taken(next) {
			return next
		}
	}
}
