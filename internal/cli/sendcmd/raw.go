package sendcmd

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// rawReader reads whole messages as --raw and its flags say.
type rawReader struct {
	*sendCommand
	s *sendFlags
}

// rawMessages checks all messages before the first is sent. It closes each one again, so that a run
// of any length needs few open files; a single message stays open.
func (r *rawReader) rawMessages(ctx context.Context, args []string) ([]*sending.Outgoing, error) {
	given, err := flagRecipients(r.s)
	if err != nil {
		return nil, r.ComposeFailure(err)
	}
	if err := r.findAuthor(); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var messages []*sending.Outgoing
	for _, name := range args {
		found, err := r.findMessages(name)
		if err != nil {
			return nil, err
		}
		messages = append(messages, found...)
	}
	several := len(messages) > 1
	var bad []badMessage
	for _, j := range messages {
		err := r.checkRaw(j, given)
		if ctx.Err() != nil {
			err = r.Interrupted()
		}
		var failed *command.Failure
		if errors.As(err, &failed) && failed.Code == command.ExitData {
			bad = append(bad, badMessage{j, failed})
			j.Close()
			continue
		}
		if err != nil {
			discardAll(messages)
			return nil, err
		}
		if j.Source != nil && several {
			j.Close()
		}
	}
	left, err := r.withoutBad(messages, bad)
	if err != nil {
		discardAll(messages)
	}
	return left, err
}

// hashOf returns the hash of the octets to send, or, with --fit, of the octets before it.
func hashOf(c sending.OutgoingContent) (sendlog.Hash, error) {
	sum, err := c.Fingerprint()
	return sendlog.Hash(sum), err
}

// findMessages returns the messages that an argument names.
func (r *rawReader) findMessages(name string) ([]*sending.Outgoing, error) {
	if name == "-" {
		if r.StdinTTY > 0 {
			return nil, r.Usagef("--raw: name a file, or pipe a message in")
		}
		return []*sending.Outgoing{{File: name}}, nil
	}
	found, err := mailfiles.Find(name, r.s.findOptions())
	if errors.Is(err, mailfiles.ErrNotRegular) { // a pipe, which can be read only once
		return []*sending.Outgoing{{File: name}}, nil
	}
	if err == nil || errors.Is(err, mailfiles.ErrMarked) {
		r.printLeftOut(name, found)
	}
	if err != nil {
		return nil, r.mailProblem(name, err)
	}
	messages := make([]*sending.Outgoing, len(found.Messages))
	for i := range found.Messages {
		m := &found.Messages[i]
		messages[i] = &sending.Outgoing{File: m.Path, Number: m.Number, Source: m}
	}
	return messages, nil
}

// mailProblem explains an error of package mailfiles about an argument.
func (r *rawReader) mailProblem(name string, err error) error {
	shown := "--raw " + command.QuoteName(name)
	switch {
	case errors.Is(err, mailfiles.ErrEmptyMaildir):
		return command.Fail(command.ExitNoInput, errors.New(r.T("%s: this Maildir contains no message", shown)), "")
	case errors.Is(err, mailfiles.ErrMarked):
		return command.Fail(command.ExitNoInput, errors.New(r.T("%s: no messages to send", shown)), r.T("Use %s to send them anyway.", "--include-deleted"))
	case errors.Is(err, mailfiles.ErrNoMail):
		return command.Fail(command.ExitNoInput, errors.New(r.T("%s: this folder is neither a Maildir nor contains an .eml file", shown)),
			r.T("A Maildir contains the folders cur and new; in other folders only files that end in .eml are read, and no subfolders."))
	case errors.Is(err, mailfiles.ErrEmpty):
		return command.Fail(command.ExitData, errors.New(r.T("%s: the file is empty", shown)), "")
	}
	if failed := r.ambiguousMbox(shown, err); failed != nil {
		return failed
	}
	return r.FileFailure("--raw", name, err)
}

// ambiguousMbox explains why an mbox file can't be split into messages. It returns nil for other
// errors.
func (r *rawReader) ambiguousMbox(shown string, err error) error {
	var glued *mbox.GluedError
	var unlike *mbox.UnlikeError
	var bare *mbox.BareError
	switch {
	case errors.As(err, &glued):
		return command.Fail(command.ExitData, errors.New(r.T("%s: line %d looks like the start of a message, but the line before it is not empty", shown, glued.Line)),
			r.T("If a message starts there, insert an empty line before it; if not, put a > before the From."))
	case errors.As(err, &unlike):
		return command.Fail(command.ExitData, errors.New(r.T("%s: line %d may start a message or quote one: it does not look like line 1", shown, unlike.Line)),
			r.T("If it is text, use %s; if each such line starts a message, use %s.", "--mbox alike", "--mbox every"))
	case errors.As(err, &bare):
		return command.Fail(command.ExitData, errors.New(r.T("%s: line %d looks like the start of a message, but no header field follows", shown, bare.Line)),
			r.T("If it is text, put a > before the From; if not, the header of that message is missing."))
	}
	return nil
}

// checkRaw reads a whole message and sets its envelope: from the flags, and from the header if they
// are missing.
func (r *rawReader) checkRaw(j *sending.Outgoing, given []smtp.Address) error {
	var err error
	if j.Source != nil {
		err = j.Open()
	} else {
		err = r.openOnce(j)
	}
	if err != nil {
		return r.rawProblem(j, err)
	}
	if j.Envelope, err = r.rawEnvelope(j, given); err != nil {
		return err
	}
	j.Size, j.MessageID = j.Content.Size(), j.Content.MessageID()
	if r.s.log != "" {
		if j.Hash, err = hashOf(j.Content); err != nil {
			return r.rawProblem(j, err)
		}
		former, ok, err := j.Content.FormerFingerprint()
		if err != nil {
			return r.rawProblem(j, err)
		}
		if ok {
			j.FormerHash = former
		}
	}
	return nil
}

// openOnce reads standard input or a pipe, which can be read only once.
func (r *rawReader) openOnce(j *sending.Outgoing) error {
	in := r.Stdin
	if j.File != "-" {
		f, err := atomicfile.Open(r.Ctx, j.File)
		if err != nil {
			return err
		}
		defer f.Close() // opened for reading: Close can't lose data
		in = f
	}
	c, err := r.s.rawOptions().Read(in)
	if err != nil {
		return err
	}
	j.Content = c
	return nil
}

// rawProblem explains an error of a whole message.
func (a *sendCommand) rawProblem(j *sending.Outgoing, err error) error {
	var at *os.PathError
	switch {
	case errors.Is(err, context.Canceled):
		return a.Interrupted()
	case errors.Is(err, message.ErrMbox):
		return command.Fail(command.ExitData, errors.New(a.T("--raw %s: this is an mbox file; give it as a file name, so that its messages can be separated", command.QuoteName(j.File))), "")
	case errors.As(err, &at), errors.Is(err, mailfiles.ErrNotRegular), errors.Is(err, mailfiles.ErrChanged):
		return a.FileFailure("--raw", j.File, err)
	}
	// The sentence below names the message already.
	detail := strings.TrimPrefix(a.TranslateError(err), "raw message: ")
	if j.Source != nil && j.Source.Fits() {
		return command.Fail(command.ExitData, errors.New(a.T("--raw %s: can't be sent as a message: %s", a.nameOf(j), detail)), a.T("Use %s to send this message.", "--fit"))
	}
	hint := ""
	if errors.Is(err, message.ErrNoMessage) {
		hint = a.T("Give a complete message: header fields such as From: and To:, an empty line, then the text.")
	}
	return command.Fail(command.ExitData, errors.New(a.T("--raw %s: can't be sent as a message: %s", a.nameOf(j), detail)), hint)
}

// rawEnvelope returns the envelope: from the flags, and the rest from the header. A flag replaces a
// field even if the field is invalid. If From is invalid, the sender is the one of a composed message.
func (r *rawReader) rawEnvelope(j *sending.Outgoing, given []smtp.Address) (smtp.Envelope, error) {
	to, toErr := given, error(nil)
	if len(given) == 0 {
		to, toErr = j.Content.Recipients()
	}
	from, fromErr := j.Content.From()
	if r.s.from != "" {
		box, err := message.ParseMailbox(r.s.from)
		if err != nil {
			return smtp.Envelope{}, r.ComposeFailure(err)
		}
		from, fromErr = box.Address, nil
	}
	if fromErr != nil {
		own, err := r.ownSender()
		if err != nil {
			return smtp.Envelope{}, err
		}
		if !own.IsZero() {
			from, fromErr = own, nil
		}
	}
	if fromErr != nil || toErr != nil {
		return smtp.Envelope{}, r.envelopeError(j, fromErr, toErr)
	}
	return smtp.NewEnvelope(from, to...)
}

// ownSender returns the sender of a composed message: the account's address, EMAIL or the user of
// the server URL; zero if there is none.
func (r *rawReader) ownSender() (smtp.Address, error) {
	id, err := r.SelectAccount(r.s.account, r.s.Server, r.StatedSender(r.s.sender, r.s.from))
	if err != nil {
		return smtp.Address{}, err
	}
	flags := *r.s
	flags.id = id
	text, err := r.senderAddress(&flags)
	if err != nil {
		return smtp.Address{}, nil // the caller reports the error of the header instead
	}
	box, err := message.ParseMailbox(text)
	if err != nil {
		return smtp.Address{}, nil
	}
	return box.Address, nil
}

// envelopeError returns the error for a message whose envelope is incomplete.
func (r *rawReader) envelopeError(j *sending.Outgoing, fromErr, toErr error) error {
	name, hint := r.nameOf(j), r.T("Use -t to set the recipients and -f to set the sender.")
	noSender, noRecipients := errors.Is(fromErr, message.ErrNoSender), errors.Is(toErr, message.ErrNoRecipients)
	var problem string
	switch {
	case noSender && noRecipients:
		problem = r.T("--raw %s: the message has neither a sender nor recipients", name)
	case fromErr != nil && toErr != nil:
		problem = r.T("--raw %s: can't read the sender or the recipients from its header: %s; %s", name, r.TranslateError(fromErr), r.TranslateError(toErr))
	case noSender:
		problem, hint = r.T("--raw %s: the message has no sender in From", name), r.T("Use -f to set the sender.")
	case fromErr != nil:
		problem, hint = r.T("--raw %s: can't read the sender from its header: %s", name, r.TranslateError(fromErr)), r.T("Use -f to set the sender.")
	case noRecipients:
		problem, hint = r.T("--raw %s: the message has no recipient in To, Cc or Bcc", name), r.T("Use -t to set the recipients.")
	default:
		problem, hint = r.T("--raw %s: can't read the recipients from its header: %s", name, r.TranslateError(toErr)), r.T("Use -t to set the recipients.")
	}
	return command.Fail(command.ExitData, errors.New(problem), hint)
}

// flagRecipients returns all recipients in the flags. The flags were checked before.
func flagRecipients(s *sendFlags) ([]smtp.Address, error) {
	var list []smtp.Address
	for _, values := range [][]string{s.to, s.cc, s.bcc} {
		for _, v := range values {
			boxes, err := message.ParseMailboxList(v)
			if err != nil {
				return nil, err
			}
			for _, box := range boxes {
				list = append(list, box.Address)
			}
		}
	}
	return list, nil
}
