package tokencmd

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/files/filelock"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/localerr"
)

func (a *tokenCommands) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "token",
		Short:   a.T("Create, list or remove the tokens with which programs log in to 'yan serve'"),
		Long:    a.T("A token is the user name and the password of one program, such as a web application or a scanner, at the SMTP listener of 'yan serve'. It names the account that sends, and limits the senders and the number of recipients. The file tokens.toml next to the configuration holds hashes of the tokens; a running 'yan serve' notices each change at once."),
		Example: "  yan token new gitea --account work\n  yan token list\n  yan token remove gitea",
		Args:    cobra.ArbitraryArgs, // RunE checks them
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.UnknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.newCommand(), a.listCommand(), a.removeCommand())
	return cmd
}

// tokensPath returns the path of the file of tokens, and of the configuration next to it.
func (a *tokenCommands) tokensPath() (path, config string, err error) {
	config, err = a.ConfigPath()
	return tokens.Path(config), config, err
}

// load returns the tokens.
func (a *tokenCommands) load(ctx context.Context) (*tokens.TokenFile, error) {
	path, _, err := a.tokensPath()
	if err != nil {
		return nil, err
	}
	f, err := tokens.Load(ctx, path)
	return f, a.explainFile(path, err)
}

// explainFile explains why the file of tokens can't be read or written. It returns nil for nil.
func (a *tokenCommands) explainFile(path string, err error) error {
	var (
		untrusted *atomicfile.UntrustedError
		wrong     *tokens.FileError
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return a.Interrupted()
	case errors.As(err, &untrusted):
		return command.Fail(command.ExitConfig, untrusted, a.T("Check its contents, then make it private: %s", "chmod go-w "+command.QuoteName(untrusted.Path)))
	case errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: no permission", command.QuoteName(path))), "")
	case errors.Is(err, filelock.ErrBusy):
		return command.Fail(command.ExitTemporary, localerr.Errorf("%s: %w", a.T("can't write the tokens"), err), "")
	case errors.As(err, &wrong):
		return command.Fail(command.ExitConfig, wrong, a.T("Correct the file, or delete it and create the tokens again."))
	}
	return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the tokens"), err), "")
}

// completeToken completes the name of one token.
func (a *tokenCommands) completeToken(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	f, err := a.load(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, t := range f.List() {
		names = append(names, t.Name+"\t"+t.Account)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
