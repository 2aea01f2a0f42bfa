// Package command is what every command of yan is made of: flags and the variables
// that stand for them, the exit status, failures and what to do about them, values
// that are read from flags and files, and the help.
package command

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/console"
)

// Context is one run of the program, as a command sees it.
type Context struct {
	*console.Console
	// Origin is the variable or setting that gave a flag its value, by the flag's name.
	Origin map[string]string
	// Args is the command line.
	Args []string
	// Command is the path of the command that runs, for "see its --help".
	Command string
	// Lists has what a command adds to its page.
	Lists map[*cobra.Command]func() []List
}

// New makes the context of a command line.
func New(c *console.Console, args []string) *Context {
	return &Context{Console: c, Args: args, Command: "yan", Origin: map[string]string{}, Lists: map[*cobra.Command]func() []List{}}
}
