package sendmailcmd

import (
	"context"
	"errors"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/enquiry"
)

// wake makes the daemon look for due messages: the machine's, or that of the user's own outbox.
func (a *sendmailCommand) wake(ctx context.Context, c call) error {
	if socket := a.places(c).publicSocket(); socket != "" && exists(socket) {
		asked := enquiry.Dial(socket)
		defer asked.Close()
		err := asked.Wake(ctx)
		if err == nil {
			return nil
		}
		if !isDown(err) {
			return a.enquiryFailure(err)
		}
	}
	if a.WakeOwn(ctx, a.givenOutbox()) {
		return nil
	}
	return command.Fail(command.ExitUnavailable, errors.New(a.T("no 'yan serve' is running that could send waiting messages")),
		a.T("Start it, or send them now: %s", "yan queue run"))
}
