package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/provider"
)

// The functions below ask, before anything is connected, about input that is probably a mistake.

// checkEmpty asks before a message without subject, text and attachments is sent: an empty pipe, or
// Enter too early. An explicit empty -b is accepted.
func (c *composer) checkEmpty(m *message.Message) error {
	switch {
	case strings.TrimSpace(m.Text) != "" || m.HTML != "" || len(m.Attachments) > 0 || c.changed("body"):
		return nil
	case strings.TrimSpace(m.Subject) != "":
		if !c.s.quiet {
			c.Hint(c.T("The message has no text and is sent without it; to add text, use -b or a pipe."))
		}
		return nil
	case c.s.dryRun:
		return nil
	}
	hint := c.T("Set a subject with -s or a text with -b; to send an empty message, set an empty text: %s", "-b ''")
	if !c.hasUser() {
		return command.Fail(command.ExitData, errors.New(c.T("the message has neither subject nor text; nothing was sent")), hint)
	}
	yes, err := c.Confirm(c.Ctx, c.T("The message has neither subject nor text. Send it anyway?"), false)
	if err == nil && !yes {
		err = command.Fail(command.ExitData, errors.New(c.T("nothing was sent")), hint)
	}
	return err
}

// hasUser reports whether a person can answer at the terminal.
func (a *sendCommand) hasUser() bool { return a.StdinTTY > 0 && a.StderrWidth > 0 }

// maxMisspelt limits how many addresses are reported to a script.
const maxMisspelt = 5

// askMisspelt asks about recipients whose domain is almost that of a large provider, like
// friend@163.con. Without a terminal it prints a hint and keeps the address.
func (c *composer) askMisspelt(ctx context.Context) error {
	told := 0
	for _, list := range [][]string{c.s.to, c.s.cc, c.s.bcc} {
		for i, value := range list {
			boxes, err := message.ParseMailboxList(value)
			if err != nil {
				continue // addresses reported the error
			}
			changed := false
			for k := range boxes {
				right := suggestMailbox(boxes[k])
				if right.Address.IsZero() || c.s.quiet && !c.hasUser() {
					continue
				}
				if c.s.dryRun || !c.hasUser() {
					if told++; told <= maxMisspelt {
						c.Errf("%s\n", c.T("Did you mean %s? No known provider has the domain %s.", right.Address.String(), boxes[k].Address.Domain()))
					}
					continue
				}
				yes, err := c.Confirm(ctx, c.T("%s: did you mean %s?", boxes[k].Address.String(), right.Address.String()), true)
				if err != nil {
					return err
				}
				if yes {
					boxes[k], changed = right, true
				}
			}
			if changed {
				list[i] = listOf(boxes)
			}
		}
	}
	return nil
}

// suggestMailbox returns the mailbox at the domain that was probably meant; zero if there is none.
func suggestMailbox(box message.Mailbox) message.Mailbox {
	domain := provider.Misspelt(box.Address.ASCIIDomain())
	if domain == "" {
		return message.Mailbox{}
	}
	right, err := message.ParseMailbox(fmt.Sprintf("%s@%s", box.Address.Local(), domain))
	if err != nil {
		return message.Mailbox{}
	}
	right.Name = box.Name
	return right
}

func listOf(boxes []message.Mailbox) string {
	list := make([]string, len(boxes))
	for i, box := range boxes {
		list[i] = box.String()
	}
	return strings.Join(list, ", ")
}

// noteFileNames prints a hint if a text looks like a file name, since other programs, and early
// versions of this one, read the file.
func (c *composer) noteFileNames() {
	for _, f := range []struct{ flag, value, other string }{{"body", c.s.body, "--body-file"}, {"html", c.s.html, "--html-file"}} {
		file, looks := looksLikeFile(f.value)
		if !c.changed(f.flag) || !looks || c.s.quiet {
			continue
		}
		c.Errf("%s\n", c.T("%s: the text is %q; to send the contents of a file, write %s.", c.Name(f.flag), f.value, f.other+" "+command.QuoteName(file)))
	}
}

// looksLikeFile reports whether value looks like a file name: @notes.txt, @/tmp/notes and -, but not
// @everybody.
func looksLikeFile(value string) (file string, looks bool) {
	if value == "-" {
		return "-", true
	}
	file, looks = strings.CutPrefix(value, "@")
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r > '~' }
	return file, looks && strings.ContainsAny(file, `./\`) && !strings.ContainsFunc(file, odd)
}

// noteImages prints which images the HTML lacks, and which it does not show.
func (c *composer) noteImages(m *message.Message) {
	if m.HTML == "" || c.s.quiet {
		return
	}
	missing, unused := message.CheckImages(m)
	for _, name := range missing {
		c.Hint(c.T("The HTML refers to cid:%s, but no --inline provides it: recipients will see a gap.", console.ClipText(name)))
	}
	for _, name := range unused {
		c.Hint(c.T("The HTML does not show %s; add <img src=\"cid:%s\">.", command.QuoteName(name), name))
	}
}

// noteEncoded prints a hint if the subject looks encoded already: it is sent as it was typed.
func (c *composer) noteEncoded() {
	if strings.HasPrefix(c.s.subject, "=?") && strings.HasSuffix(c.s.subject, "?=") && !c.s.quiet {
		c.Hint(c.T("The subject looks already encoded and recipients will see it encoded; give it as plain text."))
	}
}
