package cli

import (
	"bytes"
	"context"
	"errors"
	"net/mail"
	"os"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mbox"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// rawJobs checks all messages before the first of them is sent. It closes
// each again, so that a run of any length needs few files at once; where
// there is one only, it stays open.
func (a *app) rawJobs(ctx context.Context, s *sendFlags, args []string) ([]*job, error) {
	given, err := recipients(s)
	if err != nil {
		return nil, a.composing(err)
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var jobs []*job
	for _, name := range args {
		found, err := a.find(s, name)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, found...)
	}
	for _, j := range jobs {
		err := a.checkRaw(s, j, given)
		if ctx.Err() != nil {
			err = a.interrupted()
		}
		if err != nil {
			closeAll(jobs)
			return nil, err
		}
		if j.file != nil && len(jobs) > 1 {
			j.close()
		}
	}
	return jobs, nil
}

// find lists the messages that an argument stands for.
func (a *app) find(s *sendFlags, name string) ([]*job, error) {
	if name == "-" {
		if a.StdinTTY > 0 {
			return nil, a.usagef("--raw: name a file, or pipe the message in")
		}
		return []*job{{name: name}}, nil
	}
	found, err := mailfiles.Find(name, s.findOptions())
	if errors.Is(err, mailfiles.ErrNotRegular) { // a pipe, which can be read once
		return []*job{{name: name}}, nil
	}
	if err == nil || errors.Is(err, mailfiles.ErrMarked) {
		a.tellLeftOut(s, name, found)
	}
	if err != nil {
		return nil, a.mailProblem(name, err)
	}
	jobs := make([]*job, len(found.Messages))
	for i := range found.Messages {
		m := &found.Messages[i]
		jobs[i] = &job{name: m.Path, number: m.Number, file: m}
	}
	return jobs, nil
}

// mailProblem is what package mailfiles finds wrong with an argument.
func (a *app) mailProblem(name string, err error) error {
	shown := "--raw " + printable(name)
	switch {
	case errors.Is(err, mailfiles.ErrEmptyMaildir):
		return fail(exitNoInput, errors.New(a.T("%s: this Maildir holds no message", shown)), "")
	case errors.Is(err, mailfiles.ErrMarked):
		return fail(exitNoInput, errors.New(a.T("%s: no message is left to send", shown)), a.T("To send them all the same, use %s.", "--include-deleted"))
	case errors.Is(err, mailfiles.ErrNoMail):
		return fail(exitNoInput, errors.New(a.T("%s: this folder is no Maildir and holds no .eml file", shown)),
			a.T("A Maildir holds the folders cur and new; other folders are searched for files that end with .eml, and not below."))
	case errors.Is(err, mailfiles.ErrEmpty):
		return fail(exitData, errors.New(a.T("%s: this file is empty", shown)), "")
	}
	if failed := a.ambiguousMbox(shown, err); failed != nil {
		return failed
	}
	return a.file("--raw", name, err)
}

// ambiguousMbox says why an mbox file is not divided into messages; nil for
// other errors.
func (a *app) ambiguousMbox(shown string, err error) error {
	var glued *mbox.GluedError
	var unlike *mbox.UnlikeError
	var bare *mbox.BareError
	switch {
	case errors.As(err, &glued):
		return fail(exitData, errors.New(a.T("%s: line %d looks like the beginning of a message, but the line before it is not empty", shown, glued.Line)),
			a.T("If a message begins there, put an empty line before it; if not, a > before the From."))
	case errors.As(err, &unlike):
		return fail(exitData, errors.New(a.T("%s: line %d may begin a message or be quoted in one: it does not look like line 1", shown, unlike.Line)),
			a.T("If it is text, use %s; if a message begins at every such line, use %s.", "--mbox alike", "--mbox every"))
	case errors.As(err, &bare):
		return fail(exitData, errors.New(a.T("%s: line %d looks like the beginning of a message, but no header field follows", shown, bare.Line)),
			a.T("If it is text, put a > before the From; if not, the header of that message is missing."))
	}
	return nil
}

// checkRaw reads a whole message and finds its envelope: the flags where they
// are given, the headers where not.
func (a *app) checkRaw(s *sendFlags, j *job, given []smtp.Address) error {
	var err error
	if j.file != nil {
		err = j.open()
	} else {
		err = a.openOnce(j)
	}
	if err != nil {
		return a.rawProblem(j, err)
	}
	if j.envelope, err = a.rawEnvelope(s, j, given); err != nil {
		return err
	}
	j.size, j.messageID = j.content.Size(), j.content.MessageID()
	if s.log != "" {
		if j.hash, err = hashOf(j.content); err != nil {
			return a.rawProblem(j, err)
		}
		former, ok, err := j.content.FormerFingerprint()
		if err != nil {
			return a.rawProblem(j, err)
		}
		if ok {
			j.former = former
		}
	}
	return nil
}

// openOnce reads what can't be read again: standard input, or a pipe.
func (a *app) openOnce(j *job) error {
	in := a.Stdin
	if j.name != "-" {
		f, err := wholefile.Open(a.ctx, j.name)
		if err != nil {
			return err
		}
		defer f.Close() // only read from: closing it can't lose anything
		in = f
	}
	c, err := message.ReadRaw(in)
	if err != nil {
		return err
	}
	j.content = c
	return nil
}

// rawProblem is what is wrong with a whole message.
func (a *app) rawProblem(j *job, err error) error {
	var at *os.PathError
	switch {
	case errors.Is(err, context.Canceled):
		return a.interrupted()
	case errors.Is(err, message.ErrMbox):
		return fail(exitData, errors.New(a.T("--raw %s: this is an mbox file; name it as a file, so that its messages can be told apart", printable(j.name))), "")
	case errors.As(err, &at), errors.Is(err, mailfiles.ErrNotRegular), errors.Is(err, mailfiles.ErrChanged):
		return a.file("--raw", j.name, err)
	}
	// The error says once more what it is about.
	detail := strings.TrimPrefix(a.Say(err), "raw message: ")
	return fail(exitData, errors.New(a.T("--raw %s: can't be sent as a message: %s", a.jobName(j), detail)),
		a.T("Want a whole message: header fields like From: and To:, an empty line, then the text."))
}

// rawEnvelope takes from the flags what they give and the rest from the
// headers; what is wrong with a header does not matter where a flag stands.
func (a *app) rawEnvelope(s *sendFlags, j *job, given []smtp.Address) (smtp.Envelope, error) {
	inMessage, err := j.content.Envelope()
	from, to := inMessage.From(), inMessage.To()
	if len(given) > 0 {
		to = given
	}
	switch {
	case s.from != "":
		box, boxErr := message.ParseMailbox(s.from)
		if boxErr != nil {
			return smtp.Envelope{}, a.composing(boxErr)
		}
		from = box.Address
		if len(given) == 0 && err != nil {
			return smtp.Envelope{}, a.lacking(j, err, true, false)
		}
	case err != nil && len(given) > 0:
		// The recipients may be all that the headers lack.
		if from, err = senderOf(j.content); err != nil {
			return smtp.Envelope{}, a.lacking(j, err, false, true)
		}
	case err != nil:
		return smtp.Envelope{}, a.lacking(j, err, false, false)
	}
	envelope, err := smtp.NewEnvelope(from, to...)
	if err != nil {
		return envelope, a.lacking(j, err, true, false)
	}
	return envelope, nil
}

// lacking says what keeps a message from having an envelope. sender and
// recipients say which of them are given by flags.
func (a *app) lacking(j *job, err error, sender, recipients bool) error {
	hint := a.T("Give the recipients with -t and the sender with -f.")
	switch {
	case sender:
		hint = a.T("Give the recipients with -t.")
	case recipients:
		hint = a.T("Give the sender with -f.")
	}
	header, headErr := headerOf(j.content)
	has := func(fields ...string) bool {
		return headErr == nil && slices.ContainsFunc(fields, func(f string) bool { return header.Get(f) != "" })
	}
	sender, recipients = sender || has("From", "Sender"), recipients || has("To", "Cc", "Bcc")
	var problem string
	switch name := a.jobName(j); {
	case sender && recipients:
		problem = a.T("--raw %s: its header does not say from whom and to whom: %v", name, err)
	case sender:
		problem, hint = a.T("--raw %s: the message names no recipient in To, Cc or Bcc", name), a.T("Give the recipients with -t.")
	case recipients:
		problem = a.T("--raw %s: the message names no sender in From", name)
	default:
		problem = a.T("--raw %s: the message names neither sender nor recipients", name)
	}
	return fail(exitData, errors.New(problem), hint)
}

// recipients are all that the flags name, checked before.
func recipients(s *sendFlags) ([]smtp.Address, error) {
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

// senderOf reads Sender or else From out of a message that names no
// recipients, so that it has no envelope.
func senderOf(c content) (smtp.Address, error) {
	header, err := headerOf(c)
	if err != nil {
		return smtp.Address{}, err
	}
	for _, field := range []string{"Sender", "From"} {
		value := header.Get(field)
		if value == "" {
			continue
		}
		boxes, err := message.ParseMailboxList(value)
		if err != nil {
			return smtp.Address{}, sentence.Errorf("header field %s: %w", field, err)
		}
		return boxes[0].Address, nil
	}
	return smtp.Address{}, sentence.New("the message has neither From nor Sender")
}

// headerOf reads the header of a message that is complete.
func headerOf(c content) (mail.Header, error) {
	head := headWriter{}
	if _, err := c.WriteTo(&head); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(head.buf.Bytes()))
	if err != nil {
		return nil, sentence.New("the message has neither From nor Sender")
	}
	return parsed.Header, nil
}

var errEnough = errors.New("enough was read")

// headWriter keeps the start of a message, which holds its header.
type headWriter struct{ buf bytes.Buffer }

func (w *headWriter) Write(p []byte) (int, error) {
	n, _ := w.buf.Write(p) // a Buffer has no errors
	if bytes.Contains(w.buf.Bytes(), []byte("\r\n\r\n")) {
		return n, errEnough
	}
	return n, nil
}
