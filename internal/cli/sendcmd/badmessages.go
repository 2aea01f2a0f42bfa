package sendcmd

import (
	"errors"
	"slices"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/sending"
)

// badMessage is a message that can't be sent, and the error.
type badMessage struct {
	message *sending.Outgoing
	err     *command.Failure
}

// maxBadListed limits how many bad messages are listed.
const maxBadListed = 50

// withoutBad removes the bad messages from a run. It fails if there are any and --skip-bad is not
// set, or if none is left.
func (r *rawReader) withoutBad(messages []*sending.Outgoing, bad []badMessage) ([]*sending.Outgoing, error) {
	switch {
	case len(bad) == 0:
		return messages, nil
	case len(messages) == 1:
		return nil, bad[0].err
	}
	r.printBad(bad)
	code := command.ExitData
	for _, b := range bad {
		code = command.WorseStatus(code, b.err.Code)
	}
	switch {
	case len(bad) == len(messages):
		return nil, command.Fail(code, errors.New(r.T("none of the %d messages can be sent", len(messages))), "")
	case !r.s.skip:
		return nil, command.Fail(code, errors.New(r.T("nothing was sent: %d of %d messages are invalid", len(bad), len(messages))),
			r.T("Use %s to send the others.", "--skip-bad"))
	}
	r.s.bad = bad
	return slices.DeleteFunc(messages, func(j *sending.Outgoing) bool {
		return slices.ContainsFunc(bad, func(b badMessage) bool { return b.message == j })
	}), nil
}

// printBad lists the bad messages, and prints each hint once.
func (r *rawReader) printBad(bad []badMessage) {
	said := map[string]bool{}
	for i, b := range bad {
		if r.s.json && r.s.skip {
			r.PrintJSON(jsonout.Bad{File: b.message.File, Number: b.message.Number, Status: "bad", Exit: b.err.Code, Error: b.err.Err.Error()})
		}
		if i == maxBadListed {
			r.Errf("     %s\n", r.T("and %d more", len(bad)-i))
		}
		if i >= maxBadListed {
			continue
		}
		f := *b.err
		if said[f.Hint] {
			f.Hint = ""
		}
		said[f.Hint] = true
		r.Explain(&f)
	}
}
