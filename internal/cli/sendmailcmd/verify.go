package sendmailcmd

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/enquiry"
	"github.com/yanmail/yan/smtp"
)

// verify prints where a message to each recipient would go.
func (a *sendmailCommand) verify(ctx context.Context, c call) error {
	list, err := a.operands(c)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return command.Fail(command.ExitUsage, errors.New(a.T("no recipient given")), "")
	}
	find, done, err := a.router(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	worst := command.ExitOK
	for _, r := range list {
		route, err := find(r.String())
		if err != nil {
			return err
		}
		shown := console.Visible(r.String())
		if route.Refusal != "" {
			a.Outf("%s\n", a.T("%s is not accepted: %s", shown, console.Visible(route.Refusal)))
			worst = command.WorseStatus(worst, exitOf(route.Rule, replyOf(route.Code)))
			continue
		}
		a.Outf("%s\n", a.T("%s goes to %s through the account %s", shown, console.Visible(strings.Join(route.Addresses, ", ")), route.Account))
	}
	if worst != command.ExitOK {
		return &command.Failure{Code: worst, Err: errors.New(a.T("not every recipient is accepted")), Told: true}
	}
	return nil
}

// router returns a function that finds where a recipient would go: the daemon's, or that of the user's
// own configuration.
func (a *sendmailCommand) router(ctx context.Context, c call) (find func(string) (enquiry.Route, error), done func(), err error) {
	p := a.places(c)
	if socket := p.publicSocket(); socket != "" && exists(socket) {
		asked := enquiry.Dial(socket)
		if _, err := asked.Route(ctx, "root"); !isDown(err) {
			return func(to string) (enquiry.Route, error) {
				route, err := asked.Route(ctx, to)
				if err != nil {
					err = a.enquiryFailure(err)
				}
				return route, err
			}, asked.Close, nil
		}
		asked.Close()
	}
	if p.drop != "" && dropfolder.Exists(p.drop) {
		return nil, nil, a.daemonDown(a.T("'yan serve' does not run on this machine, and only it knows where its messages go"))
	}
	_, policy, err := a.ownPolicy()
	if err != nil {
		return nil, nil, err
	}
	if policy == nil {
		return nil, nil, a.nowhere(p)
	}
	return func(to string) (enquiry.Route, error) {
		route, err := enquiry.Find(policy, peer(), to)
		if err != nil {
			failed, _ := errors.AsType[*command.Failure](a.admissionFailure(err))
			route.Refusal = a.T("%s. %s", a.TranslateError(failed.Err), failed.Hint)
		}
		return route, nil
	}, func() {}, nil
}

// daemonDown is the failure of a question that only the machine's daemon can answer.
func (a *sendmailCommand) daemonDown(what string) error {
	return command.Fail(command.ExitUnavailable, errors.New(what), a.T("Start it: %s", "systemctl start yan"))
}

// replyOf returns a reply of which only the code is known.
func replyOf(code int) smtp.Reply { return smtp.Reply{Code: code} }

// isDown reports an error of a daemon that does not run.
func isDown(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
