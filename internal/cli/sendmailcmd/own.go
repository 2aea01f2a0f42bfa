package sendmailcmd

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/outbox"
)

// intoOwnOutbox puts the message into the user's outbox.
func (a *sendmailCommand) intoOwnOutbox(ctx context.Context, p places, l *letter) (kept, error) {
	desk, store, err := a.ownAdmission(ctx, p)
	if err != nil {
		return kept{}, err
	}
	defer store.Close() // committed or not, nothing is pending
	t, err := desk.Begin(peer(), l.from.String(), l.dsn, l.content.Size())
	if err != nil {
		return kept{}, a.admissionFailure(err)
	}
	for _, r := range l.to {
		if err := t.Recipient(r.String(), strings.Join(l.dsn.Notify, ",")); err != nil {
			return kept{}, a.admissionFailure(err)
		}
	}
	r, w := io.Pipe()
	go func() {
		_, err := l.content.WriteTo(w)
		_ = w.CloseWithError(err) // a pipe's never fails
	}()
	got, err := t.Accept(ctx, r)
	_ = r.Close() // ends the writer
	if err != nil {
		return kept{}, a.admissionFailure(err)
	}
	return kept{id: got.ID.String()}, nil
}

// peer is this process.
func peer() admission.Peer {
	if runtime.GOOS == "windows" { // users have no number there
		return admission.Peer{}
	}
	u := peeruser.Of(os.Geteuid())
	return admission.Peer{User: u.Name, UID: u.UID}
}

// ownPolicy returns the rules of the user's configuration. It is nil if there is no account.
func (a *sendmailCommand) ownPolicy() (*account.File, admission.Policy, error) {
	path, err := account.Path(a.Getenv)
	if err != nil {
		return nil, nil, nil // a service without a home has no configuration
	}
	f, err := a.LoadCached(path)
	if err != nil {
		return nil, nil, a.BadConfiguration(path, err)
	}
	if fault := f.SubmissionFault(); fault != nil {
		return nil, nil, a.BadConfiguration(path, fault)
	}
	if a.fileNamed && !f.Exists() {
		return nil, nil, command.Fail(command.ExitConfig, errors.New(a.T("-C: there is no file %s", command.QuoteName(path))), "")
	}
	if len(f.Accounts()) == 0 {
		return nil, nil, nil
	}
	names, _, err := accountroute.SystemNames()
	if err != nil {
		names.Aliases = nil // the error is about that file; 'yan sendmail -bi' tells it
	}
	return f, accountroute.NewSubmitPolicy(f, names), nil
}

// ownAdmission opens the user's outbox. The caller closes the store.
func (a *sendmailCommand) ownAdmission(ctx context.Context, p places) (*admission.Admission, outbox.Store, error) {
	f, policy, err := a.ownPolicy()
	if err != nil {
		return nil, nil, err
	}
	if policy == nil {
		return nil, nil, a.nowhere(p)
	}
	if f.Outbox().PasswordCommand != "" && a.fileNamed {
		return nil, nil, command.Fail(command.ExitConfig, errors.New(a.T("-C: a configuration with password_command can't be named on the command line")),
			a.T("Programs pass addresses of strangers as arguments, and one that begins with -C must not run commands. Set YAN_CONFIG instead."))
	}
	store, err := a.OpenQueue(ctx, a.givenOutbox())
	if err != nil {
		return nil, nil, err
	}
	return admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: store, Now: a.Now}), store, nil
}

// givenOutbox returns the outbox that the environment names; "" if none.
func (a *sendmailCommand) givenOutbox() string {
	given := a.Getenv(command.Variable("outbox"))
	if given != "" {
		a.Origin["outbox"] = command.Variable("outbox")
	}
	return given
}
