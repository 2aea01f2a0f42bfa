package outboxes

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/telemetry/redact"
	"github.com/yanmail/yan/queue"
)

// OutboxProblem explains why the outbox can't be used.
func (a *Outboxes) OutboxProblem(given string, err error) error {
	shown := outbox.DescribeName(a.OutboxName(given))
	var newer *queue.NewerError
	var mishap *delivering.PartPanicError
	var untrusted *atomicfile.UntrustedError
	code, hint := command.ExitIO, ""
	switch {
	case errors.Is(err, context.Canceled):
		return command.Fail(command.ExitTemporary, errors.New(a.T("interrupted")), "")
	case errors.As(err, &mishap):
		a.Errf("%s\n", console.VisibleLines(redact.Text(string(mishap.Stack))))
		return command.Fail(command.ExitInternal, err, a.T("Please report this bug and include the lines above."))
	case errors.Is(err, queue.ErrUncertain):
		code, hint = command.ExitUnknown, a.T("Check before you run it again: %s", "yan queue")
	case errors.Is(err, queue.ErrCopied):
		code, hint = command.ExitConfig, a.CopiedHint()
	case errors.As(err, &untrusted):
		code = command.ExitConfig
	case errors.Is(err, queue.ErrFull):
		code, hint = command.ExitTemporary, a.T("Free disk space, or delete finished messages: %s", "yan queue prune")
	case errors.As(err, &newer):
		code, hint = command.ExitConfig, a.T("Update yan, or use another outbox with --outbox.")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		code = command.ExitCantCreate
	case errors.Is(err, queue.ErrClosed): // closed by this program
		code = command.ExitUnavailable
	case outbox.IsPostgres(shown):
		code = command.ExitTemporary
	}
	return command.Fail(code, WithOutboxName(shown, err, a.T("the outbox %s", command.QuoteName(shown))), hint)
}

// WithOutboxName adds the outbox to an error that does not name it.
func WithOutboxName(shown string, err error, as string) error {
	if shown == "" || strings.Contains(err.Error(), shown) {
		return err
	}
	return localerr.Errorf("%s: %w", as, err)
}

// CopiedHint returns what to do with a copied outbox.
func (a *Outboxes) CopiedHint() string {
	return a.T("If the original is gone: %s. If it is not, or you are not sure: %s; waiting messages are then in doubt.", "yan queue adopt --moved", "yan queue adopt")
}
