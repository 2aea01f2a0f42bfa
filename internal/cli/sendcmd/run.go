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
	a        *runner
	s        *sendFlags
	changed  func(string) bool // reports whether a flag was given; it overrides the account
	messages []*sending.Message
	run      *sending.Run
	settled  int // number of messages that the log shows as finished
	// identities are the accounts that may send, by name.
	identities map[string]*accounts.Identity

	bar    runBar
	worst  int             // the worst exit status so far
	told   map[string]bool // texts that were printed once
	groups groupedFailures
}

// newRun returns a run that is not started.
func (a *runner) newRun(s *sendFlags, changed func(string) bool, messages []*sending.Message) *sendRun {
	return &sendRun{a: a, s: s, changed: changed, messages: messages, told: map[string]bool{}, identities: map[string]*accounts.Identity{}}
}

// options opens the log and returns the options of the run.
func (r *sendRun) options(server transport.Server) (o sending.Options, err error) {
	a, s := r.a, r.s
	o = sending.Options{Policy: policy(s.policy), Probe: s.QuitAfter != "", CloseEarly: s.transcript, Observe: r.observe, Progress: r.bar.progress,
		KeepUnreached: s.when == account.QueueOffline && s.id != nil, Now: a.Now, After: a.After}
	for _, word := range s.resend {
		o.Resend = append(o.Resend, smtp.Status(word))
	}
	if s.fit {
		o.Date = s.began
	}
	o.Sender = r.sender(s.id, func(ctx context.Context) (*yan.Client, transport.Server, error) {
		client, err := r.open(ctx, server)
		return client, server, err
	})
	o.Sender.Server = server
	for next := r.fallbackOf(s.id); next != nil; next = r.fallbackOf(next) {
		o.Fallbacks = append(o.Fallbacks, r.sender(next, func(ctx context.Context) (*yan.Client, transport.Server, error) { return r.takeOver(ctx, next) }))
	}
	o.Log, err = a.openLog(s)
	return o, err
}

// start creates the run, which looks the messages up in the log.
func (r *sendRun) start(o sending.Options) {
	r.run = sending.New(o, r.messages)
	r.settled = len(r.messages) - len(r.run.Pending())
}

// deliver sends the pending messages. It returns the worst exit status.
func (r *sendRun) deliver(ctx context.Context) error {
	a := r.a
	if r.s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.s.Timeout, verdict.ErrTimeout{})
		defer cancel()
	}
	began := a.Now()
	if pending := r.run.Pending(); len(pending) > 0 {
		a.Settled = true
		r.bar.begin(a, r.s, pending)
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
	r.conclude(summary, a.Now().Sub(began))
	if len(summary.Unreached) > 0 {
		if err := (&enqueuer{a, r.s}).enqueue(context.WithoutCancel(ctx), summary.Unreached); err != nil {
			return err
		}
	}
	if r.worst == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: r.worst, Err: errors.New("not sent to all"), Told: true}
}

// sender returns an account, or a server without one, as a sender of package sending.
func (r *sendRun) sender(id *accounts.Identity, open func(context.Context) (*yan.Client, transport.Server, error)) sending.Sender {
	sender := sending.Sender{Open: open}
	if id == nil {
		return sender
	}
	r.identities[id.Name] = id
	sender.Account, sender.Serves, sender.Introduce = id.Name, id.Serves, func(m *yan.Message) error { return r.a.Introduce(m, id.Account, r.s.noSignature) }
	if id.KeepsSent() {
		sender.OpenSent = func(ctx context.Context) (sending.Mailbox, error) {
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
	err = r.a.Fill(&r.s.ServerFlags, next, r.changed)
	if err == nil {
		server, err = r.s.Target(r.a.Servers, r.s.principal(smtp.Address{}))
	}
	if err == nil {
		client, err = r.open(ctx, server)
	}
	if err != nil {
		r.s.id, r.s.ServerFlags = id, flags
	}
	return client, server, err
}

// open logs in and returns the client.
func (r *sendRun) open(ctx context.Context, server transport.Server) (client *yan.Client, err error) {
	a, s := r.a, r.s
	principal := s.principal(r.messages[0].Envelope.From())
	o, err := s.Options(a.Servers, principal, server)
	if err != nil {
		return nil, err
	}
	if s.id != nil {
		err = a.LogIn(ctx, &s.ServerFlags, s.id, server, &o)
	} else {
		err = a.Login(ctx, &s.ServerFlags, server, &o)
	}
	if err != nil {
		return nil, err
	}
	o.Window.Messages = s.window
	if s.transcript {
		o.Trace = a.Transcript(a.Stderr, a.StderrWidth)
	}
	if !s.quiet && !s.json {
		o.Trace = a.TraceWaiting(o.Trace, server.Host)
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

// principal returns the address that selects server and login: the account's, or the sender's if
// there is no account.
func (s *sendFlags) principal(from smtp.Address) smtp.Address {
	if s.id != nil {
		if address, err := s.id.Address(); err == nil {
			return address
		}
	}
	return from
}

func policy(word string) smtpclient.Policy {
	if word == "any" {
		return smtpclient.Any
	}
	return smtpclient.All
}
