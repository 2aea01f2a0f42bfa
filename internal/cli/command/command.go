// Package command has the common parts of every command of yan: flags and their
// variables, the exit status, failures and their remedies, the checks of values
// from flags and files, and the help.
package command

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/console"
)

// Context is one run of the program, shared by its commands.
type Context struct {
	*console.Console
	// Origin maps a flag's name to the variable or setting that set it.
	Origin map[string]string
	// Args is the command line.
	Args []string
	// Command is the path of the command that runs, for "see its --help".
	Command string
	// Lists has the lists that a command adds to its page.
	Lists map[*cobra.Command]func() []List
}

// New returns the context of a command line.
func New(c *console.Console, args []string) *Context {
	return &Context{Console: c, Args: args, Command: "yan", Origin: map[string]string{}, Lists: map[*cobra.Command]func() []List{}}
}
