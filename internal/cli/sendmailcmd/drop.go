package sendmailcmd

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/localerr"
)

// intoFolder puts the message into the drop folder.
func (a *sendmailCommand) intoFolder(dir string, l *letter) error {
	e := dropfolder.Envelope{From: l.from.String(), Return: l.dsn.Return, EnvelopeID: l.dsn.EnvelopeID, Notify: strings.Join(l.dsn.Notify, ","), Key: l.key}
	for _, r := range l.to {
		e.To = append(e.To, r.String())
	}
	err := dropfolder.Write(dir, e, l.content)
	if err == nil {
		return nil
	}
	code := command.ExitTemporary
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		code = command.ExitCantCreate
	}
	hint := ""
	if isFull(err) {
		hint = a.T("The disk is full.")
	}
	return command.Fail(code, localerr.Errorf("%s: %w", a.T("the message can't be kept in the drop folder %s", dir), err), hint)
}

// isFull reports an error of a full disk, a quota, or the largest size of a file of this process.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
