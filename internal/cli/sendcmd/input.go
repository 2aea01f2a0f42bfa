package sendcmd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// jobs composes or reads everything that is to be sent, before anything is
// connected.
func (a *runner) jobs(cmd *cobra.Command, s *sendFlags, args []string) ([]*sending.Message, error) {
	if err := a.readNamed(s, args); err != nil {
		return nil, err
	}
	if err := a.addresses(s); err != nil {
		return nil, err
	}
	if err := a.misspelt(cmd.Context(), s); err != nil {
		return nil, err
	}
	if s.raw {
		return a.rawMessages(cmd.Context(), s, args)
	}
	j, err := a.compose(cmd, s)
	if err != nil {
		return nil, err
	}
	return []*sending.Message{j}, nil
}

// addresses checks what stands in the flags.
func (a *runner) addresses(s *sendFlags) error {
	for _, l := range []struct {
		flag string
		list []string
	}{{"to", s.to}, {"cc", s.cc}, {"bcc", s.bcc}, {"reply-to", s.replyTo}} {
		for _, v := range l.list {
			if err := a.Address(l.flag, v); err != nil {
				return err
			}
		}
	}
	if s.from == "" {
		return nil
	}
	if err := a.Address("from", s.from); err != nil {
		return err
	}
	if _, err := message.ParseMailbox(s.from); err != nil {
		return a.Wrongf("%s %q: want one address", a.Name("from"), s.from)
	}
	return nil
}

// sender is the address to send from: the flag, EMAIL, or the user of the URL.
func (a *runner) sender(s *sendFlags) (string, error) {
	if s.from != "" {
		return s.from, nil
	}
	email := a.Getenv("EMAIL")
	if s.id != nil {
		// The account knows its sender, but for another one of its own in EMAIL.
		own, err := s.id.Address()
		box, boxErr := message.ParseMailbox(email)
		if err != nil || boxErr != nil || own.Equal(box.Address) || !s.id.Serves(box.Address) {
			return s.id.From, nil
		}
	}
	if email != "" {
		a.Origin["from"] = "EMAIL"
		if _, err := message.ParseMailbox(email); err != nil {
			return "", a.Wrongf("%s %q: want one address", "EMAIL", email)
		}
		return email, nil
	}
	if strings.Contains(s.Server, "://") {
		if server, err := transport.ParseServer(s.Server, smtp.Address{}); err == nil && strings.Contains(server.User, "@") {
			return server.User, nil
		}
	}
	return "", command.Fail(command.ExitUsage, errors.New(a.T("no sender: give -f ADDRESS, or set EMAIL")), a.T("Or log in once, and send from then on: %s", "yan login"))
}

// compose makes the message that the flags describe.
func (a *runner) compose(cmd *cobra.Command, s *sendFlags) (*sending.Message, error) {
	m := &message.Message{To: s.to, Cc: s.cc, Bcc: s.bcc, ReplyTo: s.replyTo, Subject: s.subject, HTML: s.html}
	var err error
	if m.From, err = a.sender(s); err != nil {
		return nil, err
	}
	if len(s.to)+len(s.cc)+len(s.bcc) == 0 {
		return nil, a.Usagef("no recipient: give -t ADDRESS")
	}
	if err := a.OneLine(a.Name("subject"), s.subject); err != nil {
		return nil, err
	}
	if m.Headers, err = a.headers(s); err != nil {
		return nil, err
	}
	if m.Attachments, err = a.attachments(s); err != nil {
		return nil, err
	}
	if m.Text, err = a.body(cmd, s); err != nil {
		return nil, err
	}
	if err := a.Text(a.Name("html"), s.html); err != nil {
		return nil, err
	}
	if err := a.identifyMessage(m, s); err != nil {
		return nil, err
	}
	if err := a.invite(m, s, cmd.Flags().Changed); err != nil {
		return nil, err
	}
	a.textForHTML(m, cmd.Flags().Changed)
	a.noteImages(m, s)
	a.noteEncoded(s)
	a.noteFileNames(s, cmd.Flags().Changed)
	if err := a.checkEmpty(cmd, s, m); err != nil {
		return nil, err
	}
	bare, answers := *m, m.ReplyTo
	if len(answers) == 0 {
		answers = []string{m.From}
		if s.id != nil && s.id.ReplyTo != "" {
			answers = []string{s.id.ReplyTo}
		}
	}
	if s.id != nil {
		if err := a.Introduce(m, s.id.Account, s.noSignature); err != nil {
			return nil, err
		}
	}
	content, err := message.Compose(m)
	if err != nil {
		return nil, a.Composing(err)
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close() // the error that matters is err
		return nil, a.Composing(err)
	}
	return &sending.Message{Content: content, Composed: &bare, ReplyTo: answers, Envelope: envelope, Size: content.Size(), MessageID: content.MessageID()}, nil
}

// body is the text of the message: the flag, the file, or what was piped in.
func (a *runner) body(cmd *cobra.Command, s *sendFlags) (string, error) {
	changed := cmd.Flags().Changed
	name, text, piped := a.Name("body"), s.body, false
	var err error
	switch {
	case changed("body"):
		return text, a.Text(name, text)
	case changed("body-file"):
		name = a.Name("body-file") + " " + command.Printable(s.bodyFile)
		piped = s.bodyFile == "-"
		text, err = a.textOf("body-file", s.bodyFile)
	case a.StdinTTY > 0 || s.wantsStdin(nil) > 0 || s.html != "":
		return "", nil
	default:
		name, piped = a.T("standard input"), true
		text, err = a.ReadStdin(name, command.MaxText)
	}
	if err != nil {
		return "", err
	}
	return a.readable(s, name, text, piped)
}

func (a *runner) headers(s *sendFlags) ([]message.Header, error) {
	var list []message.Header
	for _, h := range s.header {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.Trim(value, " \t")
		if err := a.OneLine(a.Name("header"), h); err != nil {
			return nil, err
		}
		hidden := func(r rune) bool { return r <= ' ' || r > '~' }
		switch flag := ownFlag(name); {
		case !ok && strings.ContainsRune(h, '：'):
			return nil, a.Wrongf("%s %q: type the half-width : instead of the full-width ：", a.Name("header"), h)
		case !ok || name == "" || strings.ContainsFunc(name, hidden):
			return nil, a.Wrongf("%s %q: want 'Name: value', the name in ASCII without blanks", a.Name("header"), h)
		case flag != "":
			return nil, a.Wrongf("%s %q: use %s for this", a.Name("header"), h, flag)
		}
		list = append(list, message.Header{Name: name, Value: value})
	}
	return list, nil
}

// ownFlag is the flag of a header field that has one; "" for all others.
func ownFlag(field string) string {
	switch field := strings.ToLower(field); field {
	case "from", "to", "cc", "bcc", "subject", "reply-to", "sender", "date", "message-id":
		return "--" + field
	}
	return ""
}

func (a *runner) attachments(s *sendFlags) ([]message.Attachment, error) {
	if len(s.inline) > 0 && s.html == "" {
		return nil, a.Wrongf("%s needs --html, which shows the image as <img src=\"cid:FILENAME\">", a.Name("inline"))
	}
	var list []message.Attachment
	for _, l := range []struct {
		flag  string
		files []string
	}{{"attach", s.attach}, {"inline", s.inline}} {
		for _, value := range l.files {
			spec := parseAttachSpec(value)
			att, err := a.attachment(l.flag, spec.file)
			if err != nil {
				return nil, err
			}
			att = spec.described(att)
			att.Inline = l.flag == "inline"
			list = append(list, att)
		}
	}
	return list, nil
}

// attachment is a file to attach. What is no regular file is read here: that may wait,
// and package message knows no context.
func (a *runner) attachment(flag, file string) (message.Attachment, error) {
	if file == "-" {
		return message.Reader("attachment", a.Stdin), nil
	}
	if err := a.attachable(flag, file); err != nil {
		return message.Attachment{}, err
	}
	if info, err := os.Stat(file); err != nil || info.Mode().IsRegular() {
		return message.File(file), nil
	}
	opened, err := wholefile.Open(a.Ctx, file)
	if err != nil {
		return message.Attachment{}, a.File(a.Name(flag), file, err)
	}
	return message.Reader(filepath.Base(file), opened), nil
}

// attachable names the flag of a file that can't be attached; message.Compose,
// which looks again, knows only fields.
func (a *runner) attachable(flag, file string) error {
	if err := wholefile.Check(file); err != nil {
		return a.File(a.Name(flag), file, err)
	}
	base := filepath.Base(file)
	if !utf8.ValidString(base) || strings.ContainsFunc(base, unicode.IsControl) {
		return command.Fail(command.ExitData, errors.New(a.T("%s %q: a file of this name can't be attached", a.Name(flag), file)),
			a.T("Rename it: the name holds a line break, or is not UTF-8."))
	}
	return nil
}
