package sendcmd

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtp"
)

// resendWords are what --resend takes.
func resendWords() []string { return []string{string(smtp.Unknown), string(smtp.Refused)} }

// checkLog finds flags that --log makes no sense with.
func (a *runner) checkLog(s *sendFlags, given bool) error {
	var words []string
	for _, value := range s.resend {
		for word := range strings.SplitSeq(value, ",") {
			if word = strings.TrimSpace(word); !slices.Contains(resendWords(), word) {
				return a.Wrongf("%s %q: want unknown or refused", a.Name("resend"), word)
			}
			words = append(words, word)
		}
	}
	s.resend = words
	switch {
	case s.log == "" && given: // as of a variable of a script that is not set
		return a.Wrongf("%s is empty: want the name of a file", a.Name("log"))
	case s.log == "" && len(s.resend) > 0:
		return a.Wrongf("%s needs --log FILE, which knows what to send again", a.Name("resend"))
	case s.log == "":
		return nil
	case !s.raw:
		return a.Wrongf("%s is for --raw: a message made of flags is a new one each time, which no log could recognise", a.Name("log"))
	case s.dryRun:
		return a.Wrongf("%s can't be used with %s, which sends nothing", a.Name("log"), "--dry-run")
	case s.QuitAfter != "":
		return a.Wrongf("%s can't be used with %s, which sends nothing", a.Name("log"), "--quit-after")
	}
	return nil
}

// resume opens the log and picks the messages that are to be sent.
func (r *delivery) resume() error {
	if r.s.log == "" {
		r.todo = r.jobs
		return nil
	}
	log, err := sendlog.Open(r.s.log, r.a.Now)
	if err != nil {
		return r.a.logProblem(r.s.log, err)
	}
	r.log = log
	if log.CutOff() > 0 {
		r.a.Hint(r.a.T("The last line of %s was not written to its end, and is left out.", command.Printable(r.s.log)))
	}
	for _, b := range r.s.bad {
		if err := log.Bad(b.job.name, b.job.number, b.err.Err.Error()); err != nil {
			_ = log.Close() // the error that matters is err
			return r.a.logProblem(r.s.log, err)
		}
	}
	copies := map[sendlog.Key]int{}
	for _, j := range r.jobs {
		r.look(j, copies)
		if len(j.entry.To) > 0 {
			r.todo = append(r.todo, j)
		} else {
			j.close()
			r.settled = append(r.settled, j)
		}
	}
	return nil
}

// look finds out from the log what became of a message. copies counts how
// often each recipient was to get the same octets so far.
func (r *delivery) look(j *job, copies map[sendlog.Key]int) {
	if r.s.fit {
		if j.date = r.log.Date(j.hash); j.date.IsZero() {
			j.date = r.s.began
		}
		j.redate()
	}
	j.entry = &sendlog.Entry{Date: j.date, Hash: j.hash, File: j.name, Number: j.number, From: j.envelope.From()}
	for i, to := range j.envelope.To() {
		key := sendlog.Key{Hash: j.hash, Recipient: to.Wire()}
		copies[key]++
		key.Copy = copies[sendlog.Key{Hash: j.hash, Recipient: to.Wire()}]
		o, known := r.log.State(key)
		if !j.former.IsZero() {
			former := sendlog.Key{Hash: j.former, Recipient: to.Wire()}
			copies[former]++
			former.Copy = copies[former]
			if !known {
				o, known = r.log.State(former)
			}
		}
		if known && !r.sendsAgain(o.Status) {
			if j.logged == nil {
				j.logged = make([]smtp.Outcome, j.envelope.Len())
			}
			o.Recipient = to
			j.logged[i] = o
			continue
		}
		j.entry.To, j.entry.Copies = append(j.entry.To, to), append(j.entry.Copies, key.Copy)
	}
}

// sendsAgain reports whether a recipient of this status in the log is to get
// the message now.
func (r *delivery) sendsAgain(s smtp.Status) bool {
	return s == smtp.Deferred || s == smtp.NotTried || slices.Contains(r.s.resend, string(s))
}

// tellSettled tells of the messages of which there is nothing to send.
func (r *delivery) tellSettled() {
	for _, j := range r.settled {
		r.tell(j, yan.Result{MessageID: j.messageID, Size: j.size, Recipients: j.logged})
	}
}

// logProblem is what is wrong with the file of --log.
func (a *runner) logProblem(name string, err error) error {
	shown := a.Name("log") + " " + command.Printable(name)
	var version *sendlog.VersionError
	var damage *sendlog.DamageError
	switch {
	case errors.Is(err, sendlog.ErrBusy):
		return command.Fail(command.ExitTemporary, errors.New(a.T("%s: another yan is using this log at the moment", shown)), "")
	case errors.Is(err, sendlog.ErrForeign):
		return command.Fail(command.ExitUsage, errors.New(a.T("%s: this file is no log of yan, and is left as it is", shown)),
			a.T("Name a file that does not exist yet; the next run takes the same one."))
	case errors.Is(err, sendlog.ErrNotRegular):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: this is a folder, a device or a link, not a file", shown)), "")
	case errors.Is(err, sendlog.ErrUntrusted):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: other users can change this log or its folder, and it decides what is not sent again", shown)),
			a.T("Name a file of your own in a folder of your own."))
	case errors.As(err, &version):
		return command.Fail(command.ExitData, errors.New(a.T("%s: written by another version of yan (its format is %d)", shown, version.Version)), "")
	case errors.As(err, &damage):
		return command.Fail(command.ExitData, errors.New(a.T("%s: line %d is damaged (%v); nothing was sent", shown, damage.Line, damage.Err)),
			a.T("Repair the line: a line that is taken out is forgotten, and what it was about may be sent twice."))
	case errors.Is(err, fs.ErrNotExist):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: there is no such folder", shown)), "")
	case errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: no permission to write this file", shown)), "")
	}
	return command.Fail(command.ExitCantCreate, errors.New(a.T("%s: can't be written: %v", shown, err)), "")
}

// closeLog ends the log. It tells of what could not be written, and what that
// means: the outcomes that the log lacks were printed.
func (r *delivery) closeLog() {
	if r.log == nil {
		return
	}
	r.background.Wait()
	if err := r.log.Close(); err != nil {
		r.a.Explain(command.Fail(command.ExitCantCreate, errors.New(r.a.T("%s: can't be written: %v", r.a.Name("log")+" "+command.Printable(r.s.log), err)),
			r.a.T("No further message was sent. What was on its way, the log may have as unknown: what became of it is only told above.")))
		r.worst = command.Worse(r.worst, command.ExitCantCreate)
	}
}
