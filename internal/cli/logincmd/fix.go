package logincmd

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// fix asks for the one thing that has to change. It reports whether something did.
func (l *setup) fix(ctx context.Context, o smtp.Outcome, finding diagnosis.Finding) (bool, error) {
	switch remedyFor(o, finding) {
	case fixSecret:
		return l.fixSecret(ctx)
	case fixSender:
		return l.fixSender(ctx)
	case fixHost:
		return true, l.askServer(ctx, "")
	case fixPort:
		return l.fixPort(ctx, finding.Class)
	}
	return false, nil
}

// remedy is what a failure wants changed.
type remedy int

const (
	fixNothing remedy = iota // time, or something outside
	fixSecret
	fixSender
	fixHost
	fixPort
	fixUser
	fixFile // in which the secret is
)

func remedyFor(o smtp.Outcome, finding diagnosis.Finding) remedy {
	switch finding.Class {
	case diagnosis.ClassAuthBadCredentials, diagnosis.ClassAuthNeedAppPassword, diagnosis.ClassAuthServiceDisabled:
		return fixSecret
	case diagnosis.ClassSenderMismatch, diagnosis.ClassSenderUnverified, diagnosis.ClassAddressSyntax:
		return fixSender
	case diagnosis.ClassHostNotFound, diagnosis.ClassWrongHost, diagnosis.ClassTLSName, diagnosis.ClassTLSUntrusted,
		diagnosis.ClassTLSExpired, diagnosis.ClassProtocolError, diagnosis.ClassAuthNoMechanism:
		return fixHost
	case diagnosis.ClassConnectionRefused, diagnosis.ClassPortBlocked, diagnosis.ClassTimeout, diagnosis.ClassWrongTLSMode,
		diagnosis.ClassStartTLSMissing, diagnosis.ClassTLSFailed, diagnosis.ClassConnectionLost:
		return fixPort
	}
	switch {
	case finding.Permanence == diagnosis.Temporary, finding.Retry.Kind == diagnosis.RetryDelay:
		return fixNothing
	case o.Stage == smtp.StageAuth && !o.Reply.IsZero() && finding.Class == diagnosis.ClassUnclassified:
		return fixSecret
	case o.Stage == smtp.StageMail && finding.Class == diagnosis.ClassUnclassified:
		return fixSender
	}
	return fixNothing
}

// fixSecret asks for the secret again. Nothing typed means that something else is
// wrong. A login with what was refused already would only be one more that is
// refused, so that it goes on only when something has changed.
func (l *setup) fixSecret(ctx context.Context) (bool, error) {
	if l.refused >= maxRefused {
		l.say(l.a.T("That was login number %d that was refused; yan stops before the provider locks the account.", l.refused))
		return false, nil
	}
	retype := l.password != ""
	for range maxRounds {
		if retype {
			before := l.password
			if err := l.askPassword(ctx, true); err != nil {
				return false, err
			}
			if l.password != "" {
				return true, nil
			}
			l.password = before
		}
		user, server := l.user, l.server
		taken, err := l.chooseFix(ctx)
		if err != nil || taken == fixNothing || taken == fixFile || l.user != user || l.server.String() != server.String() {
			return err == nil && taken != fixNothing, err
		}
		retype = l.password != ""
	}
	return false, nil
}

// chooseFix asks what else shall change, and for that.
func (l *setup) chooseFix(ctx context.Context) (remedy, error) {
	title := l.a.T("What shall change?")
	type way struct {
		remedy
		option string
		take   func() error
	}
	ways := []way{{fixUser, l.a.T("the user name %s", l.user), func() error { return l.askUser(ctx) }},
		{fixHost, l.a.T("the server %s", l.server.Host), func() error { return l.askServer(ctx, "") }}}
	switch {
	case l.password != "":
		ways = append(ways, way{fixSecret, l.a.T("type it again: %s", l.secretName()), func() error { return nil }})
	case l.hasOwnFile(l.acc):
		ways = append([]way{{fixFile, l.a.T("the secret: %s", l.secretName()), func() error { return l.askOwnSecret(ctx) }}}, ways...)
	case l.acc.Secret.File != "":
		ways = append(ways, way{fixFile, l.a.T("the file with the secret: %s", command.Printable(l.acc.Secret.File)), func() error { return l.askSecretFile(ctx) }})
	}
	if l.acc.Secret != (account.Secret{}) && !l.hasOwnFile(l.acc) {
		l.say(l.a.T("The secret comes from %s. If that is wrong, change it there, or give another place: %s", l.secretPlaceName(), l.command()+" --secret-…"))
	}
	var options []string
	for _, w := range ways {
		options = append(options, w.option)
	}
	i, err := l.ask.Choose(ctx, ask.Question{Title: title}, append(options, l.a.T("nothing; stop")), 0)
	switch {
	case err != nil:
		return fixNothing, l.answer(err, title, "--user")
	case i < len(ways):
		return ways[i].remedy, ways[i].take()
	}
	return fixNothing, nil
}

// hasOwnFile reports whether the secret of an account is in the file that yan login
// writes for it.
func (l *setup) hasOwnFile(acc account.Account) bool {
	return acc.Secret.File != "" && accounts.Absolute(acc.File(acc.Secret.File)) == accounts.OwnSecretFile(l.file, acc.Name)
}

// askOwnSecret asks for what is to stand in the file that yan wrote.
func (l *setup) askOwnSecret(ctx context.Context) error {
	if err := l.askPassword(ctx, false); err != nil {
		return err
	}
	l.acc.Secret, l.intoOwn = account.Secret{}, true
	return nil
}

// askSecretFile asks where the secret is. The same file again may hold another by
// now.
func (l *setup) askSecretFile(ctx context.Context) error {
	name, err := l.text(ctx, "--secret-file", ask.Question{Title: l.a.T("File with the secret"), Default: l.acc.Secret.File,
		Check: func(answer string) error {
			if err := wholefile.Check(answer); err != nil {
				return l.a.File(l.a.Name("secret-file"), answer, err)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return command.Internal("the folder of this process", err)
	}
	l.acc.Secret.File = path
	return nil
}

func (l *setup) askUser(ctx context.Context) error {
	user, err := l.text(ctx, "--user", ask.Question{Title: l.a.T("User name"), Default: l.user, Check: l.a.userName})
	if err == nil {
		l.user = user
		l.noteUser()
	}
	return err
}

// fixSender asks for another sender; the login stays.
func (l *setup) fixSender(ctx context.Context) (bool, error) {
	answer, err := l.text(ctx, "--from", ask.Question{Title: l.a.T("Sender"), Example: l.login.Address.String(),
		Help: l.a.T("An address that %s may send as.", l.user),
		Check: func(answer string) error {
			_, err := l.a.mailbox(answer)
			return err
		}})
	if err != nil {
		return false, err
	}
	box, err := l.a.mailbox(answer)
	if err != nil {
		return false, command.Internal("the sender", err)
	}
	if box.Name == "" {
		box.Name = l.from.Name
	}
	l.from = box
	l.acc.From = box.String()
	l.noteUser()
	return true, nil
}

// fixPort offers the other ways to the same host.
func (l *setup) fixPort(ctx context.Context, class diagnosis.Class) (bool, error) {
	var servers, options []string
	ways := otherPorts(l.server)
	if wrongEncryption(class) {
		ways = append(otherEncryption(l.server), ways...)
	}
	l.triedServers = append(l.triedServers, l.server.String())
	for _, url := range ways {
		if at, err := transport.ParseServer(url, l.login.Address); err == nil && !slices.Contains(l.triedServers, at.String()) && !slices.Contains(servers, url) {
			servers = append(servers, url)
			options = append(options, l.a.HostAndPort(at))
		}
	}
	title := l.a.T("Where shall yan try?")
	options = append(options, l.a.T("the same again"), l.a.T("another server"), l.a.T("nowhere; stop"))
	i, err := l.ask.Choose(ctx, ask.Question{Title: title}, options, 0)
	switch n := len(servers); {
	case err != nil:
		return false, l.answer(err, title, "--server")
	case i < n:
		return true, l.use(servers[i], l.user)
	case i == n:
		return true, nil
	case i == n+1:
		return true, l.askServer(ctx, "")
	}
	return false, nil
}

// wrongEncryption: the server answers, and in another way than was expected.
func wrongEncryption(class diagnosis.Class) bool {
	switch class {
	case diagnosis.ClassWrongTLSMode, diagnosis.ClassStartTLSMissing, diagnosis.ClassTLSFailed, diagnosis.ClassTimeout, diagnosis.ClassConnectionLost:
		return true
	}
	return false
}

// otherEncryption is the same port, encrypted in the other way; nothing where the port
// was not said.
func otherEncryption(at transport.Server) []string {
	if at.Port == 0 {
		return nil
	}
	other := transport.Server{Host: at.Host, Port: at.Port, Security: smtpclient.ImplicitTLS}
	if at.Security == smtpclient.ImplicitTLS {
		other.Security = smtpclient.STARTTLS
	}
	return []string{other.String()}
}

// otherPorts are the encrypted ways to a host: those that the provider has, or the
// two of RFC 8314.
func otherPorts(at transport.Server) []string {
	var list []string
	if at.Provider.ID != "" {
		for _, p := range at.Provider.SMTP.Ports {
			if p.TLS.Encrypted() && p.Port != at.Port && p.Port != 25 {
				security := smtpclient.ImplicitTLS
				if p.TLS == provider.StartTLS {
					security = smtpclient.STARTTLS
				}
				list = append(list, transport.Server{Host: at.Host, Port: p.Port, Security: security}.String())
			}
		}
		return list
	}
	for _, way := range []struct {
		port     int
		security smtpclient.Security
	}{{465, smtpclient.ImplicitTLS}, {587, smtpclient.STARTTLS}} {
		if at.Security != way.security || at.Port != 0 && at.Port != way.port {
			list = append(list, transport.Server{Host: at.Host, Port: way.port, Security: way.security}.String())
		}
	}
	return list
}
