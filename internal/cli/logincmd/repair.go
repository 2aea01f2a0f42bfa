package logincmd

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// loginRepair corrects the cause of a failed login.
type loginRepair struct{ *loginSetup }

// fix asks for the setting that has to change. It reports whether one was changed.
func (r loginRepair) fix(ctx context.Context, o smtp.Outcome, finding diagnosis.Finding) (bool, error) {
	switch remedyFor(o, finding) {
	case fixSecret:
		return r.fixSecret(ctx)
	case fixSender:
		return r.fixSender(ctx)
	case fixHost:
		return true, r.askServer(ctx, "")
	case fixPort:
		return r.fixPort(ctx, finding.Class)
	}
	return false, nil
}

// remedy is the setting to change after a failure.
type remedy int

const (
	fixNothing remedy = iota // only time or someone else can help
	fixSecret
	fixSender
	fixHost
	fixPort
	fixUser
	fixFile // the file with the secret
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

// fixSecret asks for the secret again. An empty answer means that something else is wrong. It goes
// on only after a change: another login with the same secret would only be refused again.
func (r loginRepair) fixSecret(ctx context.Context) (bool, error) {
	if r.refused >= maxRefused {
		r.say(r.a.T("%d logins were refused; yan stops before the provider locks the account.", r.refused))
		return false, nil
	}
	retype := r.password != ""
	for range maxRounds {
		if retype {
			before := r.password
			if err := r.askPassword(ctx, true); err != nil {
				return false, err
			}
			if r.password != "" {
				return true, nil
			}
			r.password = before
		}
		user, server := r.user, r.server
		taken, err := r.chooseFix(ctx)
		if err != nil || taken == fixNothing || taken == fixFile || r.user != user || r.server.String() != server.String() {
			return err == nil && taken != fixNothing, err
		}
		retype = r.password != ""
	}
	return false, nil
}

// chooseFix asks which other setting to change, and for its value.
func (r loginRepair) chooseFix(ctx context.Context) (remedy, error) {
	title := r.a.T("What do you want to change?")
	type way struct {
		remedy
		option string
		take   func() error
	}
	ways := []way{{fixUser, r.a.T("the user name %s", r.user), func() error { return r.askUser(ctx) }},
		{fixHost, r.a.T("the server %s", r.server.Host), func() error { return r.askServer(ctx, "") }}}
	switch {
	case r.password != "":
		ways = append(ways, way{fixSecret, r.a.T("enter it again: %s", r.secretName()), func() error { return nil }})
	case r.hasOwnFile(r.acc):
		ways = append([]way{{fixFile, r.a.T("the secret: %s", r.secretName()), func() error { return r.askOwnSecret(ctx) }}}, ways...)
	case r.acc.Secret.File != "":
		ways = append(ways, way{fixFile, r.a.T("the file with the secret: %s", command.QuoteName(r.acc.Secret.File)), func() error { return r.askSecretFile(ctx) }})
	}
	if r.acc.Secret != (account.Secret{}) && !r.hasOwnFile(r.acc) {
		r.say(r.a.T("The secret comes from %s. If it is wrong, change it there, or set another place: %s", r.secretPlaceName(), r.commandLine()+" --secret-…"))
	}
	var options []string
	for _, w := range ways {
		options = append(options, w.option)
	}
	i, err := r.ask.Choose(ctx, prompt.Question{Title: title}, append(options, r.a.T("nothing; stop")), 0)
	switch {
	case err != nil:
		return fixNothing, r.answerError(err, title, "--user")
	case i < len(ways):
		return ways[i].remedy, ways[i].take()
	}
	return fixNothing, nil
}

// hasOwnFile reports whether an account's secret is in the file that yan login writes for it.
func (l *loginSetup) hasOwnFile(acc account.Account) bool {
	return acc.Secret.File != "" && accounts.AbsolutePath(acc.File(acc.Secret.File)) == accounts.OwnSecretFile(l.file, acc.Name)
}

// askOwnSecret asks for the new content of the file that yan wrote.
func (r loginRepair) askOwnSecret(ctx context.Context) error {
	if err := r.askPassword(ctx, false); err != nil {
		return err
	}
	r.acc.Secret, r.intoOwn = account.Secret{}, true
	return nil
}

// askSecretFile asks for the file with the secret. The same file may have a new content by now.
func (r loginRepair) askSecretFile(ctx context.Context) error {
	name, err := r.askText(ctx, "--secret-file", prompt.Question{Title: r.a.T("File with the secret"), Default: r.acc.Secret.File,
		Check: func(answer string) error {
			if err := atomicfile.CheckReadable(answer); err != nil {
				return r.a.FileFailure(r.a.Name("secret-file"), answer, err)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return command.InternalFailure("the folder of this process", err)
	}
	r.acc.Secret.File = path
	return nil
}

func (r loginRepair) askUser(ctx context.Context) error {
	user, err := r.askText(ctx, "--user", prompt.Question{Title: r.a.T("User name"), Default: r.user, Check: r.a.checkUserName})
	if err == nil {
		r.user = user
		r.noteUser()
	}
	return err
}

// fixSender asks for another sender; the login stays.
func (r loginRepair) fixSender(ctx context.Context) (bool, error) {
	answer, err := r.askText(ctx, "--from", prompt.Question{Title: r.a.T("Sender"), Example: r.login.Address.String(),
		Help: r.a.T("An address that %s may send as.", r.user),
		Check: func(answer string) error {
			_, err := r.a.parseMailbox(answer)
			return err
		}})
	if err != nil {
		return false, err
	}
	box, err := r.a.parseMailbox(answer)
	if err != nil {
		return false, command.InternalFailure("the sender", err)
	}
	if box.Name == "" {
		box.Name = r.from.Name
	}
	r.from = box
	r.acc.From = box.String()
	r.noteUser()
	return true, nil
}

// fixPort offers other ports and encryptions of the same host.
func (r loginRepair) fixPort(ctx context.Context, class diagnosis.Class) (bool, error) {
	var servers, options []string
	ways := otherPorts(r.server)
	if wrongEncryption(class) {
		ways = append(otherEncryption(r.server), ways...)
	}
	r.triedServers = append(r.triedServers, r.server.String())
	for _, url := range ways {
		if at, err := transport.ParseServer(url, r.login.Address); err == nil && !slices.Contains(r.triedServers, at.String()) && !slices.Contains(servers, url) {
			servers = append(servers, url)
			options = append(options, r.a.HostAndPort(at))
		}
	}
	title := r.a.T("Which server should yan try?")
	options = append(options, r.a.T("the same one again"), r.a.T("another server"), r.a.T("none; stop"))
	i, err := r.ask.Choose(ctx, prompt.Question{Title: title}, options, 0)
	switch n := len(servers); {
	case err != nil:
		return false, r.answerError(err, title, "--server")
	case i < n:
		return true, r.useServer(servers[i], r.user)
	case i == n:
		return true, nil
	case i == n+1:
		return true, r.askServer(ctx, "")
	}
	return false, nil
}

// wrongEncryption reports whether the server answers, but not with the expected encryption.
func wrongEncryption(class diagnosis.Class) bool {
	switch class {
	case diagnosis.ClassWrongTLSMode, diagnosis.ClassStartTLSMissing, diagnosis.ClassTLSFailed, diagnosis.ClassTimeout, diagnosis.ClassConnectionLost:
		return true
	}
	return false
}

// otherEncryption returns the same port with the other encryption; nothing if the port was not
// given.
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

// otherPorts returns the host's encrypted ports: the provider's, or the two of RFC 8314.
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
