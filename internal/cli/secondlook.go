package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/provider"
)

// What was probably not meant is asked about where a person can answer, before anything
// is connected.

// checkEmpty keeps a message without subject, text and attachments from being sent
// unasked: a pipe that gave nothing, or Enter too early. An empty -b asks for one.
func (a *app) checkEmpty(cmd *cobra.Command, s *sendFlags, m *message.Message) error {
	switch {
	case strings.TrimSpace(m.Text) != "" || m.HTML != "" || len(m.Attachments) > 0 || cmd.Flags().Changed("body"):
		return nil
	case strings.TrimSpace(m.Subject) != "":
		if !s.quiet {
			a.hint(a.T("The message has no text, and is sent all the same; text is given with -b, or piped in."))
		}
		return nil
	case s.dryRun:
		return nil
	}
	hint := a.T("Give a subject with -s or a text with -b; to send an empty message, give an empty text: %s", "-b ''")
	if !a.someoneAnswers() {
		return fail(exitData, errors.New(a.T("the message has neither subject nor text; nothing was sent")), hint)
	}
	yes, err := a.confirm(cmd.Context(), a.T("The message has neither subject nor text. Send it all the same?"), false)
	if err == nil && !yes {
		err = fail(exitData, errors.New(a.T("nothing was sent")), hint)
	}
	return err
}

// someoneAnswers reports whether a person sits at the terminal.
func (a *app) someoneAnswers() bool { return a.StdinTTY > 0 && a.StderrWidth > 0 }

// confirm asks a person for yes or no; Enter alone means yes if that is set.
func (a *app) confirm(ctx context.Context, title string, yes bool) (bool, error) {
	answer, err := a.asker(true).Confirm(ctx, ask.Question{Title: title}, yes)
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(err, ask.ErrCancelled), ctx.Err() != nil:
		return false, a.interrupted()
	case errors.Is(err, ask.ErrNoAnswer):
		return false, fail(exitTemporary, errors.New(a.T("there was no answer; nothing was sent")), "")
	}
	return false, fail(exitIO, sentence.Errorf("%s: %w", a.T("the answer can't be read"), err), "")
}

// maxMisspelt bounds how many addresses a script is told about.
const maxMisspelt = 5

// misspelt asks about recipients whose domain is nearly one that many have, like
// friend@163.con. A script is told, and the message goes where it says.
func (a *app) misspelt(ctx context.Context, s *sendFlags) error {
	told := 0
	for _, list := range [][]string{s.to, s.cc, s.bcc} {
		for i, value := range list {
			boxes, err := message.ParseMailboxList(value)
			if err != nil {
				continue // it was checked before
			}
			changed := false
			for k := range boxes {
				right := meantMailbox(boxes[k])
				if right.Address.IsZero() || s.quiet && !a.someoneAnswers() {
					continue
				}
				if s.dryRun || !a.someoneAnswers() {
					if told++; told <= maxMisspelt {
						a.errf("%s\n", a.T("Is %s meant? No provider that is known has the domain %s.", right.Address.String(), boxes[k].Address.Domain()))
					}
					continue
				}
				yes, err := a.confirm(ctx, a.T("%s: is %s meant?", boxes[k].Address.String(), right.Address.String()), true)
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

// meantMailbox is the mailbox at the domain that was probably meant; zero for none.
func meantMailbox(box message.Mailbox) message.Mailbox {
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
