package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

const (
	// maxRounds bounds how often something is corrected.
	maxRounds = 6
	// maxRefused bounds the logins that a server refuses: providers lock accounts
	// after a handful.
	maxRefused = 3
	// checkTimeout bounds one login, so that nobody waits RFC 5321's five minutes.
	checkTimeout = time.Minute
)

// proven logs in and asks whether the sender may send, until that works. What
// does not is explained, and the user corrects that one thing.
func (l *setup) proven(ctx context.Context) error {
	if l.s.noCheck {
		return nil
	}
	for round := 1; ; round++ {
		o, err := l.attempt(ctx)
		switch {
		case ctx.Err() != nil:
			return l.answer(ask.ErrCancelled, "", "")
		case err != nil:
			return err
		case o == nil:
			return nil
		}
		finding := yan.Explain(*o, l.provider().ID)
		code := exitForOutcome(*o, finding)
		l.tellFailure(*o, finding)
		if o.Stage == smtp.StageAuth && finding.Permanence != diagnosis.Temporary {
			l.refused++
		}
		stop := &failure{code: code, err: errors.New("not logged in"), told: true}
		if !l.person || round >= maxRounds {
			return stop
		}
		if fixed, err := l.fix(ctx, *o, finding); err != nil || !fixed {
			if err != nil {
				return err
			}
			l.say(l.a.T("Nothing was kept."))
			return stop
		}
	}
}

// attempt logs in and says MAIL FROM. The outcome is nil when the server took both.
func (l *setup) attempt(ctx context.Context) (*smtp.Outcome, error) {
	if l.password != "" {
		if _, err := l.trial.KeepPassword(ctx, l.acc, l.password); err != nil {
			return nil, internal("keeping the password in memory", err)
		}
	}
	o, err := l.acc.Options(ctx, l.trial)
	if err != nil {
		return nil, l.a.badSecret(l.acc, err)
	}
	o.StopAfter = smtp.StageMail
	if o.Proxy == "" {
		if o.Proxy, err = l.a.systemProxy(l.server); err != nil {
			return nil, err
		}
	}
	client, err := yan.Open(l.acc.Server, o)
	if err != nil {
		return nil, l.a.configf("the settings can't be used: %v", err)
	}
	defer client.Close()
	timeout := checkTimeout
	if l.s.timeout > 0 {
		timeout = l.s.timeout
	}
	within, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout{})
	defer cancel()
	l.say(l.a.paint(l.a.StderrWidth, dim, l.a.T("  Logging in to %s as %s …", l.server.Host, l.user)))
	began := l.a.Now()
	// It goes to nobody: the conversation ends behind MAIL FROM.
	result, err := client.Send(within, yan.Message{From: l.acc.From, To: []string{l.from.Address.String()}, Text: "-"})
	if failed := (*yan.SendError)(nil); err != nil && !errors.As(err, &failed) {
		return nil, l.a.composing(err)
	}
	if reachedStop(&sendFlags{serverFlags: serverFlags{quitAfter: string(smtp.StageMail)}}, result) {
		l.took = l.a.Now().Sub(began)
		l.done(l.a.T("Logged in, and %s may send (%s)", l.from.Address, l.took.Round(time.Millisecond)))
		return nil, nil
	}
	failed, _ := result.Decisive()
	return &failed, nil
}

// tellFailure says what the server said, and what it means.
func (l *setup) tellFailure(o smtp.Outcome, finding diagnosis.Finding) {
	what := l.a.T("The login did not work")
	switch {
	case o.Stage == smtp.StageMail:
		what = l.a.T("The login worked, but the server does not take the sender %s", l.from.Address)
	case o.Stage != smtp.StageAuth:
		what = l.a.T("The server %s can't be used", l.a.hostAndPort(l.server))
	}
	line := l.a.paint(l.a.StderrWidth, red, "✗") + " " + what
	if why := l.a.why(o); why != "" {
		line += l.a.T(": %s", why)
	}
	l.say(line)
	l.a.finding(l.a.Stderr, l.a.StderrWidth, finding)
	l.say("")
}

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
		return l.fixPort(ctx)
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
// wrong.
func (l *setup) fixSecret(ctx context.Context) (bool, error) {
	if l.refused >= maxRefused {
		l.say(l.a.T("That was login number %d that was refused; yan stops before the provider locks the account.", l.refused))
		return false, nil
	}
	if l.password != "" {
		before := l.password
		if err := l.askPassword(ctx, true); err != nil {
			return false, err
		}
		if l.password != "" {
			return true, nil
		}
		l.password = before
	}
	title := l.a.T("What shall change?")
	options := []string{l.a.T("the user name %s", l.user), l.a.T("the server %s", l.server.Host), l.a.T("nothing; stop")}
	i, err := l.ask.Choose(ctx, ask.Question{Title: title}, options, 0)
	switch {
	case err != nil:
		return false, l.answer(err, title, "--user")
	case i == 0:
		return true, l.askUser(ctx)
	case i == 1:
		return true, l.askServer(ctx, "")
	}
	return false, nil
}

func (l *setup) askUser(ctx context.Context) error {
	user, err := l.text(ctx, "--user", ask.Question{Title: l.a.T("User name"), Default: l.user})
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
		return false, internal("the sender", err)
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
func (l *setup) fixPort(ctx context.Context) (bool, error) {
	var servers, options []string
	for _, url := range otherPorts(l.server) {
		if at, err := transport.ParseServer(url, l.login.Address); err == nil {
			servers = append(servers, url)
			options = append(options, l.a.hostAndPort(at))
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

// otherPorts are the encrypted ways to a host: those that the provider has, or the
// two of RFC 8314.
func otherPorts(at transport.Server) []string {
	var list []string
	if at.Provider.ID != "" {
		for _, p := range at.Provider.SMTP.Ports {
			if p.TLS.Encrypted() && p.Port != at.Port && p.Port != 25 {
				list = append(list, serverURL(fmt.Sprintf("%s:%d", at.Host, p.Port)))
			}
		}
		return list
	}
	for _, url := range []string{"smtps://%s:465", "smtp://%s:587"} {
		if url = fmt.Sprintf(url, at.Host); url != at.String() {
			list = append(list, url)
		}
	}
	return list
}
