package sendmailcmd

import (
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
)

// checkAliases checks the file of aliases. There is no database to build: each message looks into the
// file.
func (a *sendmailCommand) checkAliases() error {
	names, notices, err := accountroute.SystemNames()
	if err != nil {
		return command.Fail(command.ExitNoInput, err, "")
	}
	if names.Aliases == nil {
		a.Outf("%s\n", a.T("/etc/aliases does not exist; local names are those of [local] in the configuration"))
		return nil
	}
	for _, n := range notices {
		a.Errf("%s\n", a.T("/etc/aliases, line %d: %v; this line is not used", n.Line, console.Visible(a.TranslateError(n.Err))))
	}
	a.Outf("%s\n", a.T("/etc/aliases is used as it is; no database is needed"))
	if len(notices) > 0 {
		return &command.Failure{Code: command.ExitData, Err: notices[0].Err, Told: true}
	}
	return nil
}
