package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// rawJobs reads all messages before the first of them is sent.
func (a *app) rawJobs(s *sendFlags, args []string) ([]*job, error) {
	if len(args) == 0 {
		args = []string{"-"}
	}
	var jobs []*job
	for _, name := range args {
		j, err := a.readRaw(s, name)
		if err != nil {
			closeAll(jobs)
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// readRaw reads a whole message and finds its envelope: the flags where they
// are given, the headers where not.
func (a *app) readRaw(s *sendFlags, name string) (*job, error) {
	var content *message.Content
	var err error
	if name == "-" {
		if a.StdinTTY > 0 {
			return nil, a.usagef("--raw: name a file, or pipe the message in")
		}
		content, err = message.ReadRaw(a.Stdin)
	} else {
		if err := statFile(name); err != nil {
			return nil, a.file("--raw", name, err)
		}
		content, err = message.OpenRaw(name)
	}
	if err != nil {
		return nil, a.rawProblem(name, err)
	}
	envelope, err := a.rawEnvelope(s, name, content)
	if err != nil {
		_ = content.Close() // the error that matters is err
		return nil, err
	}
	return &job{name: name, content: content, envelope: envelope}, nil
}

// rawProblem is what package message finds wrong with a whole message.
func (a *app) rawProblem(name string, err error) error {
	if errors.Is(err, context.Canceled) {
		return a.interrupted()
	}
	// The error names the file once more.
	detail := strings.TrimPrefix(strings.TrimPrefix(err.Error(), fmt.Sprintf("raw message %q: ", name)), "raw message: ")
	return fail(exitData, fmt.Errorf("--raw %s: %s", printable(name), detail),
		a.T("Want a whole message: header fields like From: and To:, an empty line, then the text."))
}

// rawEnvelope takes from the flags what they give and the rest from the
// headers; what is wrong with a header does not matter where a flag stands.
func (a *app) rawEnvelope(s *sendFlags, name string, content *message.Content) (smtp.Envelope, error) {
	given, err := recipients(s)
	if err != nil {
		return smtp.Envelope{}, a.composing(err)
	}
	wrong := func(err error, hint string) error {
		return fail(exitData, fmt.Errorf("--raw %s: %w", printable(name), err), hint)
	}
	inMessage, err := content.Envelope()
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
			return smtp.Envelope{}, wrong(err, a.T("Give the recipients with -t."))
		}
	case err != nil && len(given) > 0:
		// The recipients may be all that the headers lack.
		if from, err = senderOf(content); err != nil {
			return smtp.Envelope{}, wrong(err, a.T("Give the sender with -f."))
		}
	case err != nil:
		return smtp.Envelope{}, wrong(err, a.T("Give the recipients with -t and the sender with -f."))
	}
	envelope, err := smtp.NewEnvelope(from, to...)
	if err != nil {
		return envelope, wrong(err, a.T("Give the recipients with -t."))
	}
	return envelope, nil
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
func senderOf(content *message.Content) (smtp.Address, error) {
	head := headWriter{}
	if _, err := content.WriteTo(&head); err != nil && !errors.Is(err, errEnough) {
		return smtp.Address{}, err
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(head.buf.Bytes()))
	if err != nil {
		return smtp.Address{}, errors.New("the message has neither From nor Sender")
	}
	for _, field := range []string{"Sender", "From"} {
		value := parsed.Header.Get(field)
		if value == "" {
			continue
		}
		boxes, err := message.ParseMailboxList(value)
		if err != nil {
			return smtp.Address{}, fmt.Errorf("header field %s: %w", field, err)
		}
		return boxes[0].Address, nil
	}
	return smtp.Address{}, errors.New("the message has neither From nor Sender")
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
