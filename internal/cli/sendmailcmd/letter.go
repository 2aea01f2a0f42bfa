package sendmailcmd

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/internal/intake/spool"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// letter is a message with its envelope, as it is handed over.
type letter struct {
	from    smtp.Address // a local name has localDomain; zero is the null sender
	to      []recipient
	dsn     smtp.DSN
	content content
	key     string // "" if the message has one of its own
	spooled *spool.File
}

// Close frees the text.
func (l *letter) Close() { _ = l.spooled.Close() } // read only

// content is a message with the field that makes one message of it, by whichever ways it is handed
// over.
type content struct {
	*repair.Message
	keyField []byte
}

// Size implements smtpclient.Content.
func (c content) Size() int64 { return int64(len(c.keyField)) + c.Message.Size() }

// WriteTo implements smtpclient.Content.
func (c content) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.keyField)
	if err != nil {
		return int64(n), err
	}
	rest, err := c.Message.WriteTo(w)
	return int64(n) + rest, err
}

// keyName is the field with the key of a message.
const keyName = "Yan-Key"

// maxText limits standard input, in octets, so that an endless one does not fill the disk. What an
// account may send is less, and the outbox checks it.
const maxText = 2 << 30

// readLetter reads the message and makes its envelope.
func (a *sendmailCommand) readLetter(c call) (*letter, error) {
	l := &letter{}
	var err error
	if l.to, err = a.operands(c); err != nil {
		return nil, err
	}
	if len(l.to) == 0 && !c.fromHeader {
		return nil, command.Fail(command.ExitUsage, errors.New(a.T("no recipient given")),
			a.T("Name the recipients as arguments, or use -t with To, Cc or Bcc in the message."))
	}
	user := peeruser.Of(os.Geteuid())
	if l.from, err = a.sender(c); err != nil {
		return nil, err
	}
	var in io.Reader = a.Stdin
	if a.StdinTTY > 0 && !c.ignoreDots {
		in = &untilDot{r: bufio.NewReader(a.Stdin)}
	}
	l.spooled, err = spool.Read(in, "", maxText)
	if err != nil {
		return nil, a.textFailure(err)
	}
	if err := a.finish(l, c, user); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// finish repairs the form of the text, and completes the envelope from its header.
func (a *sendmailCommand) finish(l *letter, c call, user peeruser.User) error {
	local, _ := newRecipient(user.Name) // zero if the name is odd
	m, err := repair.Read(l.spooled, l.spooled.Size(), repair.Options{Now: a.Now(), Undated: true, FullName: c.fullName, From: func(from *message.Mailbox) *message.Mailbox {
		if from == nil && c.fullName != "" && !local.address.IsZero() {
			return &message.Mailbox{Name: c.fullName, Address: local.address}
		}
		return nil // the way in decides
	}})
	if err != nil {
		return a.textFailure(err)
	}
	l.content = content{Message: m}
	header := m.Header()
	if strings.TrimSpace(header.Text(keyName)) == "" {
		l.key = rand.Text()
		l.content.keyField = []byte(keyName + ": " + l.key + "\r\n")
	}
	if c.sender == nil {
		l.from = local.address
		if author, ok := header.Author(); ok {
			l.from = author.Address
		}
	}
	if c.fromHeader {
		if err := a.addNamed(l, m); err != nil {
			return err
		}
	}
	l.dsn = smtp.DSN{Return: c.ret, EnvelopeID: c.envelopeID}
	if c.notify != "" {
		l.dsn.Notify = strings.Split(c.notify, ",")
	}
	return nil
}

// addNamed adds the recipients of the header, before those of the command line.
func (a *sendmailCommand) addNamed(l *letter, m *repair.Message) error {
	var list recipientList
	for _, named := range m.Recipients() {
		r := recipient{address: named.Address}
		if named.Name != "" {
			var err error
			if r, err = newRecipient(named.Name); err != nil {
				return command.Fail(command.ExitData, localerr.Errorf("%s: %w", a.T("the recipients in the message can't be used"), err), "")
			}
		}
		list.add(r)
	}
	list.add(l.to...)
	l.to = list.all
	if len(l.to) == 0 {
		return command.Fail(command.ExitUsage, errors.New(a.T("the message names no recipient, and no argument does")),
			a.T("Add To, Cc or Bcc to the message, or name the recipients as arguments."))
	}
	return nil
}

// operands returns the recipients of the command line.
func (a *sendmailCommand) operands(c call) ([]recipient, error) {
	var list recipientList
	for _, operand := range c.recipients {
		found, err := parseOperand(operand)
		if err != nil {
			return nil, command.Fail(command.ExitUsage, err, "")
		}
		list.add(found...)
	}
	return list.all, nil
}

// sender returns the address of -f.
func (a *sendmailCommand) sender(c call) (smtp.Address, error) {
	if c.sender == nil || *c.sender == "" {
		return smtp.Address{}, nil
	}
	list, err := parseOperand(*c.sender)
	if err == nil && len(list) != 1 {
		err = localerr.Errorf("%d addresses; want one", len(list))
	}
	if err != nil {
		return smtp.Address{}, command.Fail(command.ExitUsage, localerr.Errorf("%s: %w", a.T("the sender of -f can't be used"), err), "")
	}
	return list[0].address, nil
}

// textFailure explains an error of standard input, of its spool, or of the message.
func (a *sendmailCommand) textFailure(err error) error {
	disk, onDisk := errors.AsType[*spool.DiskError](err)
	_, defect := errors.AsType[*repair.Error](err)
	switch {
	case a.Ctx.Err() != nil:
		return command.Fail(command.ExitTemporary, errors.New(a.T("interrupted; nothing was kept")), "")
	case errors.Is(err, spool.ErrTooLarge):
		return command.Fail(command.ExitData, localerr.Errorf("%s: %w", a.T("the message can't be kept"), err), "")
	case defect:
		return command.Fail(command.ExitData, localerr.Errorf("%s: %w", a.T("the message can't be used"), err), "")
	case onDisk:
		return command.Fail(command.ExitTemporary, localerr.Errorf("%s: %w", a.T("the message can't be kept now"), disk.Err), "")
	}
	return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read standard input"), err), "")
}

// untilDot reads a message that a person types: a line with a single dot ends it.
type untilDot struct {
	r    *bufio.Reader
	line []byte
	done bool
}

// Read implements io.Reader.
func (u *untilDot) Read(p []byte) (int, error) {
	for len(u.line) == 0 {
		if u.done {
			return 0, io.EOF
		}
		line, err := u.r.ReadBytes('\n')
		if trimmed := bytes.TrimRight(line, "\r\n"); string(trimmed) == "." {
			u.done = true
			continue
		}
		u.line, u.done = line, err != nil
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	n := copy(p, u.line)
	u.line = u.line[n:]
	return n, nil
}

// patience limits the waits for the daemon.
const (
	greetingPatience = 10 * time.Second
	replyPatience    = 2 * time.Minute
)
