package sendcmd

import (
	"errors"
	"net/mail"
	"path/filepath"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/message"
)

// identifyMessage sets the fields that few people set: Sender, Date and Message-ID.
func (a *runner) identifyMessage(m *message.Message, s *sendFlags) error {
	if s.sender != "" {
		if err := a.Address("sender", s.sender); err != nil {
			return err
		}
		if _, err := message.ParseMailbox(s.sender); err != nil {
			return a.Wrongf("%s %q: want one address", a.Name("sender"), s.sender)
		}
		m.Sender = s.sender
	}
	if s.date != "" {
		date, ok := messageDate(s.date, time.Now())
		if !ok {
			return a.Wrongf("%s %q: want a time like 2026-12-01 09:30 or Tue, 01 Dec 2026 09:30:00 +0800", a.Name("date"), s.date)
		}
		m.Date = date
	}
	if s.messageID != "" {
		if err := message.CheckMessageID(s.messageID); err != nil {
			return a.Wrongf("%s %q: %v", a.Name("message-id"), s.messageID, err)
		}
		m.MessageID = s.messageID
	}
	return nil
}

// messageDate reads a time as --at does, or as header fields have it.
func messageDate(text string, now time.Time) (time.Time, bool) {
	if t, ok := times.Parse(text, now); ok {
		return t, true
	}
	t, err := mail.ParseDate(text)
	return t, err == nil
}

// invite puts a calendar file into the message: as the part that mail programs
// answer, and as a file for others. The subject and the text that were not given
// are the calendar's.
func (a *runner) invite(m *message.Message, s *sendFlags, changed func(string) bool) error {
	if s.inviteFile == "" {
		return nil
	}
	where := a.Name("invite") + " " + command.Printable(s.inviteFile)
	calendar, err := a.textOf("invite", s.inviteFile)
	if err == nil {
		calendar, err = a.readable(s, where, calendar, s.inviteFile == "-")
	}
	if err != nil {
		return err
	}
	part, err := message.Invitation(calendar)
	if err != nil {
		hint := ""
		if strings.Contains(strings.ToUpper(calendar), "BEGIN:VCALENDAR") {
			hint = a.T("To send it as a mere file: %s", "-a "+command.Printable(s.inviteFile))
		}
		return command.Fail(command.ExitData, errors.New(a.T("%s: %v", where, err)), hint)
	}
	name := filepath.Base(s.inviteFile)
	if s.inviteFile == "-" {
		name = "invite.ics"
	}
	m.Alternatives = append(m.Alternatives, part)
	m.Attachments = append(m.Attachments, message.InvitationFile(name, calendar))
	summary, text := message.InvitationText(calendar)
	if !changed("subject") {
		m.Subject = summary
	}
	if m.Text == "" && m.HTML == "" && !changed("body") {
		m.Text = text
	}
	return nil
}

// textForHTML gives HTML that has no text beside it one, unless an empty text was
// asked for.
func (a *runner) textForHTML(m *message.Message, changed func(string) bool) {
	if m.HTML != "" && m.Text == "" && !changed("body") && !changed("body-file") {
		m.Text = message.PlainText(m.HTML)
	}
}

// noteImages says which pictures the recipient will miss, or see twice.
func (a *runner) noteImages(m *message.Message, s *sendFlags) {
	if m.HTML == "" || s.quiet {
		return
	}
	missing, unused := message.CheckImages(m)
	for _, name := range missing {
		a.Hint(a.T("The HTML shows cid:%s, which no --inline gives: there will be a gap.", console.Clipped(name)))
	}
	for _, name := range unused {
		a.Hint(a.T("The HTML does not show %s; write <img src=\"cid:%s\"> where it belongs.", command.Printable(name), name))
	}
}

// noteEncoded says that a subject is sent as it was typed.
func (a *runner) noteEncoded(s *sendFlags) {
	if strings.HasPrefix(s.subject, "=?") && strings.HasSuffix(s.subject, "?=") && !s.quiet {
		a.Hint(a.T("The subject looks encoded already and will be read just like that; give it as plain text."))
	}
}
