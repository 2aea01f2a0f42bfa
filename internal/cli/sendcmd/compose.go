package sendcmd

import (
	"errors"
	"net/mail"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// collectMessages composes or reads all messages before the command connects.
func (a *sendCommand) collectMessages(cmd *cobra.Command, s *sendFlags, args []string) ([]*sending.Outgoing, error) {
	c := &composer{sendCommand: a, s: s, changed: cmd.Flags().Changed}
	if err := c.readNamedFiles(args); err != nil {
		return nil, err
	}
	if err := c.checkHeaderFlags(); err != nil {
		return nil, err
	}
	if err := c.askMisspelt(cmd.Context()); err != nil {
		return nil, err
	}
	if s.raw {
		return (&rawReader{sendCommand: a, s: s}).rawMessages(cmd.Context(), args)
	}
	m, err := c.composeMessage()
	if err != nil {
		return nil, err
	}
	return []*sending.Outgoing{m}, nil
}

// composer composes a message from the flags.
type composer struct {
	*sendCommand
	s       *sendFlags
	changed func(string) bool // reports whether a flag was given
}

// checkHeaderFlags checks the addresses and the subject in the flags.
func (c *composer) checkHeaderFlags() error {
	for _, l := range []struct {
		flag string
		list []string
	}{{"to", c.s.to}, {"cc", c.s.cc}, {"bcc", c.s.bcc}, {"reply-to", c.s.replyTo}} {
		for _, v := range l.list {
			if err := c.Address(l.flag, v); err != nil {
				return err
			}
		}
	}
	if err := c.OneLine(c.Name("subject"), c.s.subject); err != nil || c.s.from == "" {
		return err
	}
	if err := c.Address("from", c.s.from); err != nil {
		return err
	}
	if _, err := message.ParseMailbox(c.s.from); err != nil {
		return c.Wrongf("%s %q: want one address", c.Name("from"), c.s.from)
	}
	return nil
}

// senderAddress returns the address to send from: the flag, EMAIL, or the user of the server URL.
func (a *sendCommand) senderAddress(s *sendFlags) (string, error) {
	if s.from != "" {
		return s.from, nil
	}
	email := a.Getenv("EMAIL")
	if s.id != nil {
		// The account's own sender wins, unless EMAIL is another address that the account serves.
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
	return "", command.Fail(command.ExitUsage, errors.New(a.T("no sender: use -f ADDRESS, or set EMAIL")), a.T("Or log in once, then send at any time: %s", "yan login"))
}

// composeMessage composes the message that the flags describe.
func (c *composer) composeMessage() (*sending.Outgoing, error) {
	m := &message.Message{To: c.s.to, Cc: c.s.cc, Bcc: c.s.bcc, ReplyTo: c.s.replyTo, Subject: c.s.subject, HTML: c.s.html}
	var err error
	if m.From, err = c.senderAddress(c.s); err != nil {
		return nil, err
	}
	if len(c.s.to)+len(c.s.cc)+len(c.s.bcc) == 0 {
		return nil, c.Usagef("no recipient: use -t ADDRESS")
	}
	if m.Headers, err = c.parseHeaders(); err != nil {
		return nil, err
	}
	if m.Attachments, err = c.openAttachments(); err != nil {
		return nil, err
	}
	if m.Text, err = c.readBody(); err != nil {
		return nil, err
	}
	if err := c.Text(c.Name("html"), c.s.html); err != nil {
		return nil, err
	}
	if err := c.identifyMessage(m); err != nil {
		return nil, err
	}
	if err := c.addInvitation(m); err != nil {
		return nil, err
	}
	c.textForHTML(m)
	c.noteImages(m)
	c.noteEncoded()
	c.noteFileNames()
	if err := c.checkEmpty(m); err != nil {
		return nil, err
	}
	bare, answers := *m, m.ReplyTo
	if len(answers) == 0 {
		answers = []string{m.From}
		if c.s.id != nil && c.s.id.ReplyTo != "" {
			answers = []string{c.s.id.ReplyTo}
		}
	}
	if c.s.id != nil {
		if err := c.introduce(m, c.s.id.Account, c.s.noSignature); err != nil {
			return nil, err
		}
	}
	content, err := message.Compose(m)
	if err != nil {
		return nil, c.ComposeFailure(err)
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close() // report err instead
		return nil, c.ComposeFailure(err)
	}
	return &sending.Outgoing{Content: content, Composed: &bare, ReplyTo: answers, Envelope: envelope, Size: content.Size(), MessageID: content.MessageID()}, nil
}

// readBody returns the text of the message: from the flag, the file, or piped input.
func (c *composer) readBody() (string, error) {
	name, text, piped := c.Name("body"), c.s.body, false
	var err error
	switch {
	case c.changed("body"):
		return text, c.Text(name, text)
	case c.changed("body-file"):
		name = c.Name("body-file") + " " + command.QuoteName(c.s.bodyFile)
		piped = c.s.bodyFile == "-"
		text, err = c.readText("body-file", c.s.bodyFile)
	case c.StdinTTY > 0 || c.s.wantsStdin(nil) > 0 || c.s.html != "":
		return "", nil
	default:
		name, piped = c.T("standard input"), true
		text, err = c.ReadStdin(name, command.MaxText)
	}
	if err != nil {
		return "", err
	}
	return c.decodeText(name, text, piped)
}

func (c *composer) parseHeaders() ([]message.Header, error) {
	var list []message.Header
	for _, h := range c.s.header {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.Trim(value, " \t")
		if err := c.OneLine(c.Name("header"), h); err != nil {
			return nil, err
		}
		hidden := func(r rune) bool { return r <= ' ' || r > '~' }
		switch flag := ownFlag(name); {
		case !ok && strings.ContainsRune(h, '：'):
			return nil, c.Wrongf("%s %q: type the half-width : instead of the full-width ：", c.Name("header"), h)
		case !ok || name == "" || strings.ContainsFunc(name, hidden):
			return nil, c.Wrongf("%s %q: want 'Name: value', with an ASCII name without spaces", c.Name("header"), h)
		case flag != "":
			return nil, c.Wrongf("%s %q: use %s for this", c.Name("header"), h, flag)
		}
		list = append(list, message.Header{Name: name, Value: value})
	}
	return list, nil
}

// ownFlag returns the flag that sets a header field, or "" if there is none.
func ownFlag(field string) string {
	switch field := strings.ToLower(field); field {
	case "from", "to", "cc", "bcc", "subject", "reply-to", "sender", "date", "message-id":
		return "--" + field
	}
	return ""
}

// identifyMessage sets the rarely used fields Sender, Date and Message-ID.
func (c *composer) identifyMessage(m *message.Message) error {
	if c.s.sender != "" {
		if err := c.Address("sender", c.s.sender); err != nil {
			return err
		}
		if _, err := message.ParseMailbox(c.s.sender); err != nil {
			return c.Wrongf("%s %q: want one address", c.Name("sender"), c.s.sender)
		}
		m.Sender = c.s.sender
	}
	if c.s.date != "" {
		date, ok := messageDate(c.s.date, time.Now())
		if !ok {
			return c.Wrongf("%s %q: want a time like 2026-12-01 09:30 or Tue, 01 Dec 2026 09:30:00 +0800", c.Name("date"), c.s.date)
		}
		m.Date = date
	}
	if c.s.messageID != "" {
		if err := message.CheckMessageID(c.s.messageID); err != nil {
			return c.Wrongf("%s %q: %v", c.Name("message-id"), c.s.messageID, err)
		}
		m.MessageID = c.s.messageID
	}
	return nil
}

// messageDate parses a time in the forms of --at, or a date as header fields have it.
func messageDate(text string, now time.Time) (time.Time, bool) {
	if t, ok := times.Parse(text, now); ok {
		return t, true
	}
	t, err := mail.ParseDate(text)
	return t, err == nil
}

// addInvitation adds a calendar file to the message: as the part that mail programs answer, and as an
// attachment for the others. The calendar supplies the subject and the text if they were not given.
func (c *composer) addInvitation(m *message.Message) error {
	if c.s.inviteFile == "" {
		return nil
	}
	where := c.Name("invite") + " " + command.QuoteName(c.s.inviteFile)
	calendar, err := c.readText("invite", c.s.inviteFile)
	if err == nil {
		calendar, err = c.decodeText(where, calendar, c.s.inviteFile == "-")
	}
	if err != nil {
		return err
	}
	part, err := message.Invitation(calendar)
	if err != nil {
		hint := ""
		if strings.Contains(strings.ToUpper(calendar), "BEGIN:VCALENDAR") {
			hint = c.T("To send it as a plain file: %s", "-a "+command.QuoteName(c.s.inviteFile))
		}
		return command.Fail(command.ExitData, errors.New(c.T("%s: %v", where, err)), hint)
	}
	name := filepath.Base(c.s.inviteFile)
	if c.s.inviteFile == "-" {
		name = "invite.ics"
	}
	m.Alternatives = append(m.Alternatives, part)
	m.Attachments = append(m.Attachments, message.InvitationFile(name, calendar))
	summary, text := message.InvitationText(calendar)
	if !c.changed("subject") {
		m.Subject = summary
	}
	if m.Text == "" && m.HTML == "" && !c.changed("body") {
		m.Text = text
	}
	return nil
}

// textForHTML adds a plain text to a message that has HTML only, unless the user asked for an empty
// text.
func (c *composer) textForHTML(m *message.Message) {
	if m.HTML != "" && m.Text == "" && !c.changed("body") && !c.changed("body-file") {
		m.Text = message.PlainText(m.HTML)
	}
}
