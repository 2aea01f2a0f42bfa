package sendcmd

import (
	"context"
	"errors"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// sendRun sends the messages of one command line and prints the events of package sending.
type sendRun struct {
	a        *sendCommand
	s        *sendFlags
	changed  func(string) bool // reports whether a flag was given; it overrides the account
	messages []*sending.Outgoing
	run      *sending.Run
	pending  []*sending.Outgoing // the messages that the log does not show as finished
	// identities are the accounts that may send, by name.
	identities map[string]*accounts.Identity

	bar    runBar
	worst  int             // the worst exit status so far
	told   map[string]bool // texts that were printed once
	groups groupedFailures
}

// sendNow sends the messages and reports each.
func (a *sendCommand) sendNow(ctx context.Context, s *sendFlags, changed func(string) bool, messages []*sending.Outgoing) error {
	server, err := a.oneServer(s, messages)
	if err != nil {
		return err
	}
	r := a.newRun(s, changed, messages)
	o, err := r.runOptions(server)
	if err != nil {
		return err
	}
	r.createRun(o)
	defer r.run.Close() // Send has closed the log
	if err := r.run.Open(ctx); err != nil {
		r.explainLog(r.run.Close())
		return err
	}
	return r.sendPending(ctx)
}

// newRun returns a run that is not started.
func (a *sendCommand) newRun(s *sendFlags, changed func(string) bool, messages []*sending.Outgoing) *sendRun {
	return &sendRun{a: a, s: s, changed: changed, messages: messages, told: map[string]bool{}, identities: map[string]*accounts.Identity{}}
}

// runOptions opens the log and returns the options of the run.
func (r *sendRun) runOptions(server transport.Server) (o sending.Options, err error) {
	a, s := r.a, r.s
	o = sending.Options{Policy: parsePolicy(s.policy), Probe: s.QuitAfter != "", CloseEarly: s.transcript, Observe: r.handleEvent, Progress: r.bar.progressFunc,
		KeepUnreached: s.when == account.QueueOffline && s.id != nil, Now: a.Now, After: a.After}
	for _, word := range s.resend {
		o.Resend = append(o.Resend, smtp.Status(word))
	}
	if s.fit {
		o.Date = s.began
	}
	o.Sender = r.newSender(s.id, func(ctx context.Context) (*yan.Client, transport.Server, error) {
		client, err := r.openClient(ctx, server)
		return client, server, err
	})
	o.Sender.Server = server
	for next := r.fallbackOf(s.id); next != nil; next = r.fallbackOf(next) {
		o.Fallbacks = append(o.Fallbacks, r.newSender(next, func(ctx context.Context) (*yan.Client, transport.Server, error) { return r.takeOver(ctx, next) }))
	}
	if s.log != "" {
		o.Log, err = a.openLog(s)
	}
	return o, err
}

// createRun creates the run, which looks the messages up in the log.
func (r *sendRun) createRun(o sending.Options) {
	r.run = sending.New(o, r.messages)
	r.pending = r.run.Pending()
}

// sendPending sends the pending messages. It returns the worst exit status.
func (r *sendRun) sendPending(ctx context.Context) error {
	a := r.a
	if r.s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.s.Timeout, verdict.ErrTimeout{})
		defer cancel()
	}
	began := a.Now()
	if len(r.pending) > 0 {
		a.Settled = true
		r.bar.startBar(a, r.s, r.pending)
	}
	summary, err := r.run.Send(ctx)
	r.bar.clear()
	if err != nil {
		r.explainLog(summary.LogErr)
		return command.InternalFailure("sending", err)
	}
	r.printGroups()
	if summary.LogErr != nil {
		r.explainLog(summary.LogErr)
	}
	r.printSummary(summary, a.Now().Sub(began))
	if len(summary.Unreached) > 0 {
		if err := (&enqueuer{a, r.s}).enqueueAll(context.WithoutCancel(ctx), summary.Unreached); err != nil {
			return err
		}
	}
	if r.worst == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: r.worst, Err: errors.New("not sent to all"), Told: true}
}

// newSender returns an account, or a server without one, as a sender of package sending.
func (r *sendRun) newSender(id *accounts.Identity, open func(context.Context) (*yan.Client, transport.Server, error)) sending.AccountSender {
	sender := sending.AccountSender{Open: open}
	if id == nil {
		return sender
	}
	r.identities[id.Name] = id
	sender.Account, sender.Serves, sender.Introduce = id.Name, id.Serves, func(m *yan.Message) error { return r.a.introduce(m, id.Account, r.s.noSignature) }
	if id.KeepsSent() {
		sender.OpenSent = func(ctx context.Context) (sending.CopyMailbox, error) {
			mailbox, err := r.a.OpenMailbox(ctx, id)
			if err != nil {
				return nil, err
			}
			return mailbox, nil
		}
	}
	return sender
}

// fallbackOf returns the fallback account of an account; nil if there is none.
func (r *sendRun) fallbackOf(id *accounts.Identity) *accounts.Identity {
	if id == nil || id.Fallback == "" || r.s.noFallback {
		return nil
	}
	next, ok := id.File.Account(id.Fallback)
	if !ok || r.identities[next.Name] != nil {
		return nil
	}
	return &accounts.Identity{Account: next, File: id.File, Secrets: id.Secrets, Given: id.Given}
}

// takeOver opens the client of another account. If that fails, nothing changes.
func (r *sendRun) takeOver(ctx context.Context, next *accounts.Identity) (client *yan.Client, server transport.Server, err error) {
	id, flags := r.s.id, r.s.ServerFlags
	r.s.id, r.s.ServerFlags = next, next.Given
	err = r.a.FillFlags(&r.s.ServerFlags, next, r.changed)
	if err == nil {
		server, err = r.s.TargetServer(r.a.Servers, r.s.loginAddress(smtp.Address{}))
	}
	if err == nil {
		client, err = r.openClient(ctx, server)
	}
	if err != nil {
		r.s.id, r.s.ServerFlags = id, flags
	}
	return client, server, err
}

// openClient logs in and returns the client.
func (r *sendRun) openClient(ctx context.Context, server transport.Server) (client *yan.Client, err error) {
	a, s := r.a, r.s
	principal := s.loginAddress(r.messages[0].Envelope.From())
	o, err := s.ClientOptions(a.Servers, principal, server)
	if err != nil {
		return nil, err
	}
	if s.id == nil {
		err = a.SetServerSecret(ctx, &s.ServerFlags, server, &o)
	} else if o.User = s.id.User; s.ReachesLogin() {
		err = a.SetAccountSecret(ctx, &s.ServerFlags, s.id, server, &o)
	}
	if err != nil {
		return nil, err
	}
	o.Window.Messages = s.window
	switch {
	case s.transcript:
		o.Trace = a.TraceSession(a.Stderr, a.StderrWidth)
	case !s.quiet && !s.json:
		o.Trace = a.TraceWaiting(server.Host)
	}
	if client, err = atomicfile.Await(ctx, func() (*yan.Client, error) { return yan.Open(s.Server, o) }, closeClient); err != nil {
		if ctx.Err() != nil {
			return nil, a.Interrupted()
		}
		return nil, a.Configf("invalid settings: %v", err)
	}
	return client, nil
}

// closeClient closes a client that was opened after the context ended.
func closeClient(c *yan.Client) { _ = c.Close() }

// loginAddress returns the address that selects server and login: the account's, or the sender's if
// there is no account.
func (s *sendFlags) loginAddress(from smtp.Address) smtp.Address {
	if s.id != nil {
		if address, err := s.id.Address(); err == nil {
			return address
		}
	}
	return from
}

func parsePolicy(word string) smtpclient.Policy {
	if word == "any" {
		return smtpclient.Any
	}
	return smtpclient.All
}

// oneServer returns the server of all messages. If the sender selects the server or the login,
// messages of different senders can't go in one run.
func (a *sendCommand) oneServer(s *sendFlags, messages []*sending.Outgoing) (transport.Server, error) {
	first, err := s.TargetServer(a.Servers, s.loginAddress(messages[0].Envelope.From()))
	if err != nil || s.id != nil {
		return first, err
	}
	last := messages[0]
	for _, j := range messages[1:] {
		if j.Envelope.From().Equal(last.Envelope.From()) {
			continue
		}
		last = j
		other, err := s.TargetServer(a.Servers, j.Envelope.From())
		if err != nil {
			return first, err
		}
		sameLogin := other.User == first.User &&
			(first.User != "" || !a.HasSecret() || j.Envelope.From().Equal(messages[0].Envelope.From()))
		if other.String() != first.String() || !sameLogin {
			return first, a.Wrongf("%s is from %s and %s from %s: they need different servers or logins; send them in separate runs",
				a.nameOf(messages[0]), messages[0].Envelope.From(), a.nameOf(j), j.Envelope.From())
		}
	}
	return first, nil
}
