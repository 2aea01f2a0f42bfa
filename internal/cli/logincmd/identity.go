package logincmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/text/spelling"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// senderQuestions determine the sender and the login.
type senderQuestions struct{ *loginSetup }

// findSender takes sender and login from the argument and --from, and asks for the missing ones.
func (q senderQuestions) findSender(ctx context.Context, args []string) error {
	if err := q.readArgument(args); err != nil {
		return err
	}
	named := q.login.Name != ""
	if q.s.from != "" {
		box, err := q.a.parseMailbox(q.s.from)
		if err != nil {
			return q.a.Wrongf("%s: %v", q.a.Name("from"), err)
		}
		q.from, named = box, true
	}
	switch {
	case q.login.Address.IsZero() && !q.from.Address.IsZero():
		q.login = q.from
	case q.login.Address.IsZero():
		if err := q.askAddress(ctx); err != nil {
			return err
		}
		named = q.login.Name != ""
	}
	if q.from.Address.IsZero() {
		q.from = q.login
	}
	if q.person && !named && q.knownAccount() == nil {
		name, err := q.askText(ctx, "--from", prompt.Question{Title: q.a.T("Your name"),
			Help: q.a.T("As recipients will see it; press Enter for none."), Optional: true, Check: q.a.checkDisplayName})
		if err != nil {
			return err
		}
		q.from.Name = name
	}
	return nil
}

// readArgument parses ADDRESS or PROVIDER.
func (q senderQuestions) readArgument(args []string) error {
	if len(args) == 0 {
		return nil
	}
	word := strings.TrimSpace(args[0])
	if old, ok := q.file.Account(word); ok {
		return q.reuseAccount(old)
	}
	if strings.ContainsAny(word, "@＠") {
		box, err := q.a.parseMailbox(word)
		if err != nil {
			return command.Fail(command.ExitUsage, fmt.Errorf("%q: %w", word, err), "")
		}
		q.login = box
		return nil
	}
	p, ok := provider.Lookup(word)
	if !ok {
		hint := q.a.T("Enter your address, like me@example.com; 'yan providers' lists the known providers.")
		if near := provider.Nearest(word); len(near) > 0 {
			hint = q.a.T("Did you mean %s?", q.a.Listed(near))
		}
		return command.Fail(command.ExitUsage, errors.New(q.a.T("%q is neither an address nor a known provider", word)), hint)
	}
	if q.s.secretStdin && q.s.from == "" && !q.person { // otherwise the secret would be read as the address
		return command.Fail(command.ExitUsage, errors.New(q.a.T("unknown account %q, and no mailbox at %s is given", word, q.a.ChooseText(p.Names.EN, p.Names.ZH))),
			q.a.T("Set it with %s.", "yan login "+q.a.T("ADDRESS")))
	}
	if q.s.Server == "" {
		q.s.Server = p.ID
	}
	return nil
}

// checkRepairable refuses an invalid account, unless only its server is missing:
// login asks for that.
func (l *loginSetup) checkRepairable(old account.Account) error {
	if p := l.file.FaultOf(old.Name); p != nil && p.Key != "account."+old.Name+".server" {
		return l.a.BadConfiguration(l.file.Path(), p)
	}
	return nil
}

// reuseAccount logs in again to an existing account.
func (q senderQuestions) reuseAccount(old account.Account) error {
	if err := q.checkRepairable(old); err != nil {
		return err
	}
	box, err := message.ParseMailbox(old.From)
	if err != nil {
		return command.InternalFailure("the sender of account "+old.Name, err)
	}
	q.login, q.s.replace, q.relogin = box, true, true
	q.s.from = cmp.Or(q.s.from, old.From)
	if q.s.name == "" {
		q.s.name = old.Name
	}
	there := q.s.Server == ""
	if there {
		q.s.Server = old.Server
	} else if server, err := transport.ParseServer(q.s.Server, box.Address); err == nil {
		there = sameServer(server, accounts.ServerOf(old))
	}
	if q.s.user == "" && there {
		q.s.user = old.User
	}
	return nil
}

func (q senderQuestions) askAddress(ctx context.Context) error {
	example := "me@example.com"
	if p, ok := provider.Lookup(q.s.Server); ok && len(p.Domains) > 0 && !strings.Contains(p.Domains[0], "{") {
		example = "me@" + p.Domains[0]
	}
	var box message.Mailbox
	_, err := q.askText(ctx, "yan login "+q.a.T("ADDRESS"), prompt.Question{Title: q.a.T("Your e-mail address"),
		Example: example, Default: q.a.Getenv("EMAIL"),
		Check: func(answer string) (err error) {
			box, err = q.a.parseMailbox(answer)
			return err
		}})
	q.login = box
	return err
}

// offerCorrection asks about an unknown domain that is one typing error away from a provider's: the owner
// of gmial.com must not get passwords of gmail.com. If the user agrees, it returns the provider.
func (l *loginSetup) offerCorrection(ctx context.Context) (server string, err error) {
	address := l.login.Address
	p, domain := nearDomain(address.ASCIIDomain())
	if domain == "" {
		return "", nil
	}
	right := address.Local() + "@" + domain
	if !l.person {
		l.say(l.a.T("Did you mean %s? No known provider has the domain %s.", right, address.Domain()))
		return "", nil
	}
	title := l.a.T("Did you mean %s?", right)
	yes, err := l.ask.Confirm(ctx, prompt.Question{Title: title}, true)
	if err != nil || !yes {
		return "", l.answerError(err, title, "--from")
	}
	box, err := l.a.parseMailbox(right)
	if err != nil {
		return "", command.InternalFailure("the address", err)
	}
	if l.from.Address.Equal(address) {
		l.from.Address = box.Address
	}
	l.login.Address = box.Address
	return p.ID, nil
}

// nearDomain returns a provider's domain that differs by one letter wrong, missing or added, or by
// two swapped.
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

// parseMailbox parses one address; its error is in the user's language.
func (a *loginCommand) parseMailbox(s string) (message.Mailbox, error) {
	switch {
	case strings.ContainsRune(s, '＠'):
		return message.Mailbox{}, errors.New(a.T("type the half-width @ instead of the full-width ＠"))
	case !strings.Contains(s, "@"):
		return message.Mailbox{}, errors.New(a.T("want an address like me@example.com"))
	}
	box, err := message.ParseMailbox(s)
	if err != nil {
		return box, localerr.Errorf("%s: %w", a.T("enter one address"), err)
	}
	return box, nil
}

// checkDisplayName refuses text that can't be a display name.
func (a *loginCommand) checkDisplayName(name string) error {
	if strings.Contains(name, "@") {
		return errors.New(a.T("enter a name here, not an address"))
	}
	return a.OneLine(a.T("Your name"), name)
}

// knownAccount returns the account with the same sender, or nil.
func (l *loginSetup) knownAccount() *account.Account {
	for _, acc := range l.file.Accounts() {
		if from, err := acc.Address(); err == nil && from.Equal(l.from.Address) {
			return &acc
		}
	}
	return nil
}

// accountNaming finds the account's name.
type accountNaming struct{ *loginSetup }

// chooseName takes --name, the name of the account with the same sender, or a new one
// made from the address. An existing account is changed only if the user agrees.
func (n accountNaming) chooseName(ctx context.Context) error {
	name := n.s.name
	if name == "" {
		if same := n.knownAccount(); same != nil {
			name = same.Name
		} else if name = n.shortName(); n.nameTaken(name) {
			name = n.freeName(name)
		}
	}
	if old, exists := n.file.Account(name); exists {
		if err := n.checkRepairable(old); err != nil {
			return err
		}
		if err := n.consentToReplace(ctx, old); err != nil {
			return err
		}
		n.old = &old
	}
	n.inheritSettings(name)
	return nil
}

func (n accountNaming) nameTaken(name string) bool {
	_, taken := n.file.Account(name)
	return taken
}

// consentToReplace asks whether an account may be changed.
func (n accountNaming) consentToReplace(ctx context.Context, old account.Account) error {
	if n.s.replace {
		return nil
	}
	exists := n.a.T("account %s exists already, for %s", old.Name, old.From)
	if !n.person {
		return command.Fail(command.ExitUsage, errors.New(exists), n.a.T("Use 'yan login %s' to log in to it again, --replace to change it, or --name to give the new account another name.", old.Name))
	}
	title := n.a.T("Change the account %s?", old.Name)
	yes, err := n.ask.Confirm(ctx, prompt.Question{Title: title, Help: exists}, true)
	switch {
	case err != nil:
		return n.answerError(err, title, "--replace")
	case !yes:
		return command.Fail(command.ExitUsage, errors.New(n.a.T("account %s was not changed", old.Name)), n.a.T("Use --name to give the new account another name."))
	}
	return nil
}

// inheritSettings creates the account, which may replace l.old. It keeps all settings if the same
// mailbox logs in again at the same server; otherwise only the user's settings and not the
// server's. The old IMAP server or authorization server must never get the new secret.
func (l *loginSetup) inheritSettings(name string) {
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

// isSameMailbox reports whether an account is the mailbox that logs in now: same address, and same
// provider or, if none is known, same host.
func (l *loginSetup) isSameMailbox(old account.Account) bool {
	address, err := old.Address()
	return err == nil && (address.Equal(l.login.Address) || address.Equal(l.from.Address)) && sameServer(accounts.ServerOf(old), l.server)
}

func sameServer(a, b transport.Server) bool {
	if a.Provider.ID != "" || b.Provider.ID != "" {
		return a.Provider.ID == b.Provider.ID
	}
	return strings.EqualFold(a.Host, b.Host)
}

// resetForServer drops inherited settings when the user picks another server.
func (l *loginSetup) resetForServer() error {
	if !l.same || l.isSameMailbox(*l.old) {
		return nil
	}
	l.inheritSettings(l.acc.Name)
	l.noteUser()
	return l.applyFlags()
}

// shortName derives a name from the domain: "qq", "163", "example".
func (n accountNaming) shortName() string {
	labels := strings.Split(n.login.Address.ASCIIDomain(), ".")
	p := n.provider()
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

// freeName returns the first unused of name-2, name-3, ….
func (n accountNaming) freeName(name string) string {
	for i := 2; ; i++ {
		if next := fmt.Sprintf("%s-%d", name, i); !n.nameTaken(next) {
			return next
		}
	}
}
