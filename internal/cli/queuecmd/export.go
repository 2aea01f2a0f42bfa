package queuecmd

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) exportCommand() *cobra.Command {
	q := &queueFlags{}
	var to string
	cmd := &cobra.Command{
		Use:               "export " + a.T("ID"),
		Short:             a.T("Print a message as it is sent, or save it to a file"),
		Long:              a.T("Print a message with its header, as it is sent, or save it to a file (.eml), completely or not at all. The header does not contain Bcc recipients: see 'yan queue show'."),
		Example:           "  yan queue export 12 -o message.eml\n  yan queue export 12 | less",
		ValidArgsFunction: a.completeIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.queueExport(cmd.Context(), q, to, args) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("output", "o", &to, a.T("FILE"), a.T("write to this file; an existing file is replaced")))
	q.registerOutbox(a.chooser, cmd)
	return cmd
}

func (a *queueCommands) queueExport(ctx context.Context, q *queueFlags, to string, args []string) error {
	id, err := a.parseOneID(args)
	if err != nil {
		return err
	}
	store, err := a.OpenReadOnly(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.noMessageError(id)
	}
	defer store.Close() // opened for reading only
	e, err := store.Show(ctx, id)
	if errors.Is(err, queue.ErrNotFound) {
		return a.noMessageError(id)
	}
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	body, err := store.Body(ctx, id)
	if errors.Is(err, queue.ErrNoBody) && e.HasBody {
		return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read message %d", id), err), a.lostText(id))
	}
	if errors.Is(err, queue.ErrNoBody) {
		return command.Fail(command.ExitData, errors.New(a.T("the content of message %d is no longer in the outbox", id)),
			a.T("It is deleted some time after all recipients are finished; the outcome: %s", "yan queue show "+id.String()))
	}
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	defer body.Close() // opened for reading only
	if to == "" || to == "-" {
		return a.exportToStdout(body, e)
	}
	if err := exportTo(to, body, e.Size); err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("%s %s can't be written", a.Name("output"), command.QuoteName(to)), err), "")
	}
	a.Hint(a.T("%s written to %s.", console.Size(e.Size), command.QuoteName(to)))
	return nil
}

// exportToStdout prints a message only if it can be read completely.
func (a *queueCommands) exportToStdout(body io.Reader, e queue.Entry) error {
	f, err := atomicfile.TempFile()
	if err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write a temporary file"), err), "")
	}
	defer f.Close() // closing removes the file
	if err := copyWhole(f, body, e.Size); err != nil {
		return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read message %d", e.ID), err), "")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read message %d", e.ID), err), "")
	}
	w, flush := a.OctetWriter()
	defer flush()
	_, _ = io.Copy(w, f) // the end of the command reports a failed write
	return nil
}

var errCutShort = localerr.New("its length has changed")

func copyWhole(w io.Writer, body io.Reader, size int64) error {
	n, err := io.Copy(w, body)
	if err == nil && n != size {
		err = errCutShort
	}
	return err
}

// exportTo writes a file atomically, and streams the message.
func exportTo(name string, body io.Reader, size int64) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return &fs.PathError{Op: "write", Path: name, Err: localerr.New("this is a folder")}
		}
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // a pipe or a device can't be replaced
		if err != nil {
			return err
		}
		return errors.Join(copyWhole(f, body, size), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.new") // 0600
	if err != nil {
		return err
	}
	err = copyWhole(f, body, size)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // report the first error instead
	}
	return err
}
