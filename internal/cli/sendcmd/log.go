package sendcmd

import (
	"errors"
	"io/fs"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/sending/sendlog"
)

// openLog opens the file of --log.
func (a *sendCommand) openLog(s *sendFlags) (*sendlog.Log, error) {
	log, err := sendlog.Open(s.log, a.Now)
	if err != nil {
		return nil, a.logProblem(s.log, err)
	}
	if log.CutOff() > 0 {
		a.Hint(a.T("The last line of %s is incomplete and is ignored.", command.QuoteName(s.log)))
	}
	for _, b := range s.bad {
		if err := log.Bad(b.message.File, b.message.Number, b.err.Err.Error()); err != nil {
			_ = log.Close() // report the first error instead
			return nil, a.logProblem(s.log, err)
		}
	}
	return log, nil
}

// logProblem explains an error of the --log file.
func (a *sendCommand) logProblem(name string, err error) error {
	shown := a.Name("log") + " " + command.QuoteName(name)
	var version *sendlog.VersionError
	var damage *sendlog.DamageError
	switch {
	case errors.Is(err, sendlog.ErrBusy):
		return command.Fail(command.ExitTemporary, errors.New(a.T("%s: another yan is using this log", shown)), "")
	case errors.Is(err, sendlog.ErrForeign):
		return command.Fail(command.ExitUsage, errors.New(a.T("%s: not a log of yan; it was not changed", shown)),
			a.T("Name a file that does not exist yet; use the same file for the next run."))
	case errors.Is(err, sendlog.ErrNotRegular):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: this is a folder, a device or a link, not a file", shown)), "")
	case errors.Is(err, sendlog.ErrUntrusted):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: other users can change this log or its folder, and it decides which messages are not resent", shown)),
			a.T("Use a file and a folder that belong to you."))
	case errors.As(err, &version):
		return command.Fail(command.ExitData, errors.New(a.T("%s: written by another version of yan (format %d)", shown, version.Version)), "")
	case errors.As(err, &damage):
		return command.Fail(command.ExitData, errors.New(a.T("%s: line %d is damaged (%v); nothing was sent", shown, damage.Line, damage.Err)),
			a.T("Repair the line: if you delete it, its record is lost and messages may be sent twice."))
	case errors.Is(err, fs.ErrNotExist):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: there is no such folder", shown)), "")
	case errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: no permission to write this file", shown)), "")
	}
	return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: can't be written: %v", shown, err)), "")
}

// explainLog prints why the log could not be written, and the consequence: the missing outcomes are
// only in the output.
func (r *sendRun) explainLog(err error) {
	if err == nil {
		return
	}
	r.a.Explain(command.Fail(command.ExitCantCreate, errors.New(r.a.T("%s: can't be written: %v", r.a.Name("log")+" "+command.QuoteName(r.s.log), err)),
		r.a.T("No further messages were sent. The log may have messages in flight as unknown; their outcomes are only shown above.")))
	r.worst = command.WorseStatus(r.worst, command.ExitCantCreate)
}
