package sendmailcmd

import (
	"context"
	"errors"
	"strings"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// overSocket hands the message to the daemon. The error is errNoDaemon if the daemon is down, is
// stopping, or has not answered: if it has the message all the same, its key makes the next copy
// the same message.
func (a *sendmailCommand) overSocket(ctx context.Context, socket string, l *letter) (kept, error) {
	conn, err := smtpclient.Dial(ctx, smtpclient.Config{Socket: socket, Security: smtpclient.Plaintext, LocalName: localDomain,
		Timeouts: smtpclient.Timeouts{Connect: greetingPatience, Greeting: greetingPatience, Silence: greetingPatience, Command: replyPatience, DataInit: replyPatience, DataEnd: replyPatience}})
	if err != nil {
		if ctx.Err() != nil {
			return kept{}, a.textFailure(ctx.Err())
		}
		return kept{}, a.dialFailure(err)
	}
	defer conn.Close()
	envelope, err := l.envelope()
	if err != nil {
		return kept{}, err
	}
	result := conn.Send(ctx, smtpclient.Transaction{Envelope: envelope, Content: l.content, Policy: smtpclient.All})
	// The daemon needs no QUIT: nothing is lost if the connection closes now.
	return a.afterSocket(ctx, result)
}

// dialFailure returns errNoDaemon, or the daemon's refusal of this user.
func (a *sendmailCommand) dialFailure(err error) error {
	if e, ok := errors.AsType[*smtp.Error](err); ok && e.Reply.Permanent() {
		return a.refusedBy(e.Reply, "")
	}
	return errNoDaemon
}

// envelope returns the envelope for SMTP, in which local names have localDomain.
func (l *letter) envelope() (smtp.Envelope, error) {
	to := make([]smtp.Address, 0, len(l.to))
	for _, r := range l.to {
		to = append(to, r.address)
	}
	e, err := smtp.NewEnvelope(l.from, to...)
	if err == nil && !l.dsn.IsZero() {
		e, err = e.WithDSN(l.dsn)
	}
	if err != nil {
		return e, command.Fail(command.ExitUsage, err, "")
	}
	return e, nil
}

// keptAs is before the number of the message in the daemon's reply.
const keptAs = "kept as "

// afterSocket finds what has become of the message: with policy All, of all recipients alike, though
// one of them may be the reason.
func (a *sendmailCommand) afterSocket(ctx context.Context, result smtpclient.Result) (kept, error) {
	worst := result.Outcomes[0]
	for _, o := range result.Outcomes {
		if rank(o) > rank(worst) {
			worst = o
		}
	}
	switch {
	case worst.Status == smtp.Accepted:
		_, id, _ := strings.Cut(result.Reply.Text(), keptAs)
		return kept{id: id}, nil
	case worst.Reply.Code == 421, worst.Reply.IsZero() && (result.Lost || worst.Status == smtp.Unknown):
		if ctx.Err() != nil {
			return kept{}, a.textFailure(ctx.Err())
		}
		return kept{}, errNoDaemon
	case !worst.Reply.IsZero():
		return kept{}, a.refusedBy(worst.Reply, worst.Recipient.String())
	case errors.Is(worst.Err, smtpclient.ErrTooLarge):
		return kept{}, command.Fail(command.ExitData, localerr.Errorf("%s: %w", a.T("the message can't be kept"), worst.Err), "")
	}
	return kept{}, a.textFailure(worst.Err)
}

// rank orders outcomes by how much they say about the message.
func rank(o smtp.Outcome) int {
	switch {
	case o.Reply.Permanent():
		return 5
	case o.Reply.Transient() && o.Reply.Code != 421: // 421 tells about the connection
		return 4
	case o.Reply.Transient():
		return 3
	case o.Err != nil:
		return 2
	case o.Status != smtp.Accepted:
		return 1
	}
	return 0
}
