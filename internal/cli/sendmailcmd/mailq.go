package sendmailcmd

import (
	"context"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/enquiry"
	"github.com/yanmail/yan/internal/localerr"
)

// list prints the user's waiting messages (root: of all users), in the form of Postfix, which
// programs parse.
func (a *sendmailCommand) list(ctx context.Context, c call) error {
	p := &mailqPrinter{a: a, json: c.json}
	places := a.places(c)
	if socket := places.publicSocket(); socket != "" && exists(socket) {
		asked := enquiry.Dial(socket)
		defer asked.Close()
		err := asked.Messages(ctx, p.print)
		if err == nil {
			return p.end()
		}
		if !isDown(err) {
			return a.enquiryFailure(err)
		}
	}
	err := a.listOwn(ctx, p)
	if err != nil {
		return err
	}
	if places.drop != "" && dropfolder.Exists(places.drop) { // "is empty" could be wrong
		if p.messages > 0 {
			_ = p.end() // it always succeeds
		}
		return a.daemonDown(a.T("'yan serve' does not run on this machine, so its messages can't be listed"))
	}
	return p.end()
}

// listOwn lists the user's own outbox.
func (a *sendmailCommand) listOwn(ctx context.Context, p *mailqPrinter) error {
	given := a.givenOutbox()
	store, err := a.OpenReadOnly(ctx, given)
	if err != nil || store == nil {
		return err
	}
	defer store.Close() // only read
	f := enquiry.Unfinished()
	for {
		page, err := store.List(ctx, f)
		if err != nil {
			return a.OutboxProblem(given, err)
		}
		for _, e := range page.Entries {
			p.print(enquiry.Describe(e))
			f.Before = e.ID
		}
		if !page.More || len(page.Entries) == 0 {
			return nil
		}
	}
}

func (a *sendmailCommand) enquiryFailure(err error) error {
	return command.Fail(command.ExitTemporary, localerr.Errorf("%s: %w", a.T("'yan serve' can't answer now"), err), "")
}

// mailqPrinter prints messages as they come.
type mailqPrinter struct {
	a        *sendmailCommand
	json     bool
	messages int
	octets   int64
}

func (p *mailqPrinter) print(m enquiry.Waiting) {
	p.messages++
	p.octets += m.Size
	if p.json {
		p.a.PrintJSON(waitingJSON(m))
		return
	}
	if p.messages == 1 {
		p.a.Outf("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n")
	}
	mark := " "
	if m.Active {
		mark = "*"
	} else if m.Held {
		mark = "!"
	}
	from := m.From
	if from == "" {
		from = "MAILER-DAEMON"
	}
	p.a.Outf("%-11s %7d %-20s %s\n", m.ID.String()+mark, m.Size, m.Created.Local().Format(time.ANSIC)[:19], console.Visible(from))
	reason := ""
	for _, r := range m.Recipients {
		if r.Reason != reason && r.Reason != "" {
			line := "(" + console.Visible(r.Reason) + ")"
			p.a.Outf("%s%s\n", strings.Repeat(" ", max(0, 78-len(line))), line)
		}
		reason = r.Reason
		p.a.Outf("%41s%s\n", "", console.Visible(r.Address))
	}
	if more := m.Left - len(m.Recipients); more > 0 {
		p.a.Outf("%41s%s\n", "", p.a.T("and %d more", more))
	}
	p.a.Outf("\n")
}

// end prints the last line.
func (p *mailqPrinter) end() error {
	switch {
	case p.json:
	case p.messages == 0:
		p.a.Outf("Mail queue is empty\n")
	default:
		plural := "s"
		if p.messages == 1 {
			plural = ""
		}
		p.a.Outf("-- %d Kbytes in %d Request%s.\n", p.octets/1024, p.messages, plural)
	}
	return nil
}

// waitingJSON returns a message for --json.
func waitingJSON(m enquiry.Waiting) jsonout.MailqEntry {
	j := jsonout.MailqEntry{ID: int64(m.ID), Created: m.Created.UTC(), Size: m.Size, From: m.From, Left: m.Left, Recipients: []jsonout.MailqRecipient{}}
	for _, r := range m.Recipients {
		one := jsonout.MailqRecipient{Address: r.Address, State: string(r.State), Reason: r.Reason}
		if !r.Due.IsZero() {
			due := r.Due.UTC()
			one.Due = &due
		}
		j.Recipients = append(j.Recipients, one)
	}
	return j
}
