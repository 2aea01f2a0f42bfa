// Package sendmailcmd implements yan sendmail, and the program when it is called as sendmail, mailq
// or newaliases.
//
// A message goes to the daemon's socket; if the daemon is down, into the drop folder; on a machine
// without either, into the user's own outbox. The files are: argv.go and address.go for the command
// line, letter.go for the text, ways.go for the order of the three ways, one file for each of them,
// and one for each other mode.
package sendmailcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// sendmailCommand runs the command.
type sendmailCommand struct {
	*outboxes.Outboxes
	program string // sendmail, mailq or newaliases
	// fileNamed says that -C named the configuration.
	fileNamed bool
}

// New returns yan sendmail. The program is the name by which it was called; "" means sendmail. Its RunE
// may be called without the command tree, and prints failures itself: on one line without a terminal.
func New(o *outboxes.Outboxes, program string) *cobra.Command {
	if program == "" {
		program = "sendmail"
	}
	return (&sendmailCommand{Outboxes: o, program: program}).cobraCommand()
}
