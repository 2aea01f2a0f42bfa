package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// expand reads the values that stand in files or on standard input.
func (a *app) expand(s *sendFlags) error {
	stdin := 0
	value := func(flag string, v *string, dash bool) error {
		text, used, err := a.value(flag, *v, dash)
		if used {
			stdin++
		}
		*v = text
		return err
	}
	for flag, list := range map[string][]string{"to": s.to, "cc": s.cc, "bcc": s.bcc, "reply-to": s.replyTo} {
		for i := range list {
			if err := value(flag, &list[i], true); err != nil {
				return err
			}
			list[i] = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(list[i], "\r\n", "\n"), "\n", ","))
		}
	}
	for _, f := range []struct {
		flag string
		v    *string
	}{{"subject", &s.subject}, {"body", &s.body}, {"html", &s.html}} {
		if err := value(f.flag, f.v, f.flag != "subject"); err != nil {
			return err
		}
	}
	s.subject = strings.TrimRight(s.subject, "\r\n")
	if s.bodyFile == "-" {
		stdin++
	}
	for _, file := range s.attach {
		if file == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return a.usagef("standard input (-) is asked for %d times; it can be read once", stdin)
	}
	return nil
}

// value reads "@FILE" and, where dash is set, "-"; "@@" begins a plain @.
func (a *app) value(flag, v string, dash bool) (text string, stdin bool, err error) {
	switch {
	case dash && v == "-":
		b, err := io.ReadAll(a.Stdin)
		if err != nil {
			return "", true, fail(exitIO, fmt.Errorf("--%s: %w", flag, err), "")
		}
		return string(b), true, nil
	case strings.HasPrefix(v, "@@"):
		return v[1:], false, nil
	case strings.HasPrefix(v, "@"):
		b, err := os.ReadFile(v[1:])
		if err != nil {
			f := a.input(err)
			f.err = fmt.Errorf("--%s: %w", flag, err)
			return "", false, f
		}
		return strings.TrimPrefix(string(b), "\ufeff"), false, nil
	}
	return v, false, nil
}

// compose makes the message that the flags describe.
func (a *app) compose(cmd *cobra.Command, s *sendFlags) (*job, error) {
	m := &message.Message{From: a.sender(s), To: s.to, Cc: s.cc, Bcc: s.bcc, ReplyTo: s.replyTo,
		Subject: s.subject, Text: s.body, HTML: s.html}
	if m.From == "" {
		return nil, a.usagef("no sender: give -f ADDRESS, or set EMAIL")
	}
	if len(s.to)+len(s.cc)+len(s.bcc) == 0 {
		return nil, a.usagef("no recipient: give -t ADDRESS")
	}
	for _, list := range [][]string{{m.From}, s.to, s.cc, s.bcc, s.replyTo} {
		for _, v := range list {
			if _, err := message.ParseMailboxList(v); err != nil {
				return nil, a.usage(err)
			}
		}
	}
	var err error
	if m.Text, err = a.text(cmd, s); err != nil {
		return nil, err
	}
	if err := a.attachments(s, m); err != nil {
		return nil, err
	}
	for _, h := range s.header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, a.usagef("--header %q: want 'Name: value'", h)
		}
		m.Headers = append(m.Headers, message.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	content, err := message.Compose(m)
	if err != nil {
		return nil, a.input(err)
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close() // the error that matters is err
		return nil, a.input(err)
	}
	return &job{content: content, envelope: envelope}, nil
}

// text is the text of the message: the flag, the file, or what was piped in.
func (a *app) text(cmd *cobra.Command, s *sendFlags) (string, error) {
	changed := cmd.Flags().Changed
	if changed("body") {
		return s.body, nil
	}
	if s.bodyFile != "" {
		text, _, err := a.value("body-file", atFile(s.bodyFile), true)
		return text, err
	}
	takesStdin := contains(s.attach, "-") || s.html != ""
	if a.StdinTTY > 0 || takesStdin {
		return "", nil
	}
	b, err := io.ReadAll(a.Stdin)
	if err != nil {
		return "", fail(exitIO, fmt.Errorf("reading the text from standard input: %w", err), "")
	}
	return string(b), nil
}

func atFile(name string) string {
	if name == "-" {
		return name
	}
	return "@" + name
}

func (a *app) attachments(s *sendFlags, m *message.Message) error {
	for _, file := range s.attach {
		if file == "-" {
			m.Attachments = append(m.Attachments, message.Reader("attachment", a.Stdin))
			continue
		}
		if err := a.readable("attach", file); err != nil {
			return err
		}
		m.Attachments = append(m.Attachments, message.File(file))
	}
	if len(s.inline) > 0 && s.html == "" {
		return a.usagef("--inline needs --html, which shows the image as <img src=\"cid:FILENAME\">")
	}
	for _, file := range s.inline {
		if err := a.readable("inline", file); err != nil {
			return err
		}
		att := message.File(file)
		att.Inline = true
		m.Attachments = append(m.Attachments, att)
	}
	return nil
}

// readable names the flag of a file that is not there; message.Compose, which
// looks closer, knows only fields.
func (a *app) readable(flag, file string) error {
	info, err := os.Stat(file)
	if err == nil && info.IsDir() {
		return fail(exitNoInput, fmt.Errorf("--%s %s: %s", flag, file, a.T("it is a folder")), "")
	}
	if err != nil {
		f := a.input(err)
		f.err = fmt.Errorf("--%s: %w", flag, err)
		return f
	}
	return nil
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
		content, err = message.OpenRaw(name)
	}
	if err != nil {
		f := a.input(err)
		if !strings.Contains(err.Error(), name) || name == "-" {
			f.err = fmt.Errorf("--raw %s: %w", name, err)
		}
		return nil, f
	}
	envelope, err := a.rawEnvelope(s, content)
	if err != nil {
		_ = content.Close() // the error that matters is err
		return nil, err
	}
	return &job{name: name, content: content, envelope: envelope}, nil
}

func (a *app) rawEnvelope(s *sendFlags, content *message.Content) (smtp.Envelope, error) {
	inMessage, headerErr := content.Envelope()
	from, to := inMessage.From(), inMessage.To()
	if given := append(append(append([]string(nil), s.to...), s.cc...), s.bcc...); len(given) > 0 {
		to = nil
		for _, v := range given {
			boxes, err := message.ParseMailboxList(v)
			if err != nil {
				return smtp.Envelope{}, a.usage(err)
			}
			for _, b := range boxes {
				to = append(to, b.Address)
			}
		}
		if headerErr != nil && s.from == "" {
			return smtp.Envelope{}, fail(exitData, headerErr, a.T("Give the sender with -f."))
		}
	} else if headerErr != nil {
		return smtp.Envelope{}, fail(exitData, headerErr, a.T("Give the recipients with -t and the sender with -f."))
	}
	if s.from != "" {
		box, err := message.ParseMailbox(s.from)
		if err != nil {
			return smtp.Envelope{}, a.usage(err)
		}
		from = box.Address
	}
	if from.IsZero() && s.from == "" {
		return smtp.Envelope{}, fail(exitData, errors.New(a.T("the message has no From")), a.T("Give the sender with -f."))
	}
	envelope, err := smtp.NewEnvelope(from, to...)
	if err != nil {
		return envelope, fail(exitData, err, a.T("Give the recipients with -t."))
	}
	return envelope, nil
}
