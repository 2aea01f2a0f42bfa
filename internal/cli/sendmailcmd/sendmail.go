package sendmailcmd

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
)

func (a *sendmailCommand) cobraCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sendmail " + a.T("[OPTIONS] [RECIPIENT]…"),
		Short: a.T("Send mail from programs, with the interface of sendmail"),
		Long: a.T("Read a message from standard input and keep it in the outbox: of the machine's 'yan serve', or of this user if there is none. The message is on the disk when the exit status is 0; nothing is printed then. The program does the same when it is called sendmail, mailq or newaliases, as through a link.") + "\n\n" +
			a.T("The message needs no Date, Message-ID or MIME fields; they are added. A line with a single dot does not end it, unless standard input is a terminal. A recipient is an address, the name of a user, or a list like: Name <address>, root"),
		Example:            "  printf 'Subject: hi\\n\\nhello\\n' | yan sendmail root\n  yan sendmail -t < message\n  yan sendmail -bp",
		DisableFlagParsing: true, // options have the form of getopt
		SilenceErrors:      true,
		SilenceUsage:       true,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = a.Ctx
		}
		return a.oneLine(a.run(ctx, cmd, args))
	}
	a.AddLists(cmd, a.lists)
	return cmd
}

// run carries out a command line.
func (a *sendmailCommand) run(ctx context.Context, cmd *cobra.Command, args []string) error {
	a.Command = "yan sendmail"
	c, err := parse(a.program, args)
	if err != nil {
		return command.Fail(command.ExitUsage, err, a.T("See '%s --help'.", "yan sendmail"))
	}
	if c.config != "" {
		a.useConfig(c.config)
	}
	switch c.mode {
	case modeHelp:
		return cmd.Help()
	case modeVersion:
		a.Outf("yan %s\n", command.Version().Version)
		return nil
	case modeSession:
		return a.session(ctx, c)
	case modeList:
		return a.list(ctx, c)
	case modeVerify:
		return a.verify(ctx, c)
	case modeWake:
		return a.wake(ctx, c)
	case modeAliases:
		return a.checkAliases()
	}
	return a.send(ctx, c)
}

// oneLine prints a failure on one line, if no terminal shows it: programs put it into a log, or take
// the first line.
func (a *sendmailCommand) oneLine(err error) error {
	failed, ok := errors.AsType[*command.Failure](err)
	if !ok || failed.Told || a.StderrWidth > 0 {
		return err
	}
	said := a.TranslateError(failed.Err)
	if failed.Hint != "" {
		said = a.T("%s. %s", strings.TrimSuffix(said, "."), failed.Hint)
	}
	a.Errf("yan: %s\n", console.Visible(strings.Join(strings.Fields(said), " ")))
	return &command.Failure{Code: failed.Code, Err: failed.Err, Hint: failed.Hint, Told: true}
}

// useConfig makes another file the configuration of this process.
func (a *sendmailCommand) useConfig(path string) {
	a.fileNamed = true
	getenv := a.Getenv
	a.Getenv = func(name string) string {
		if name == "YAN_CONFIG" {
			return path
		}
		return getenv(name)
	}
}

// lists documents the options; pflag does not know them.
func (a *sendmailCommand) lists() []command.List {
	options := command.List{Title: a.T("Options:"), Entries: []command.ListEntry{
		{Term: "-t", Text: a.T("send to the addresses in To, Cc and Bcc of the message, and to those given; if it has Resent fields, to those of the last resender")},
		{Term: "-f, -r " + a.T("ADDRESS"), Text: a.T("envelope sender; '<>' is the null sender (default: From of the message, else the user)")},
		{Term: "-F " + a.T("NAME"), Text: a.T("name of the sender, if From has none")},
		{Term: "-i, -oi", Text: a.T("on a terminal, don't end the message at a line with a single dot")},
		{Term: "-N " + a.T("WORDS"), Text: a.T("ask for reports: never, or success, failure, delay with commas")},
		{Term: "-R " + a.T("WORD"), Text: a.T("what a report contains: full or hdrs")},
		{Term: "-V " + a.T("ID"), Text: a.T("envelope ID for reports")},
		{Term: "-v", Text: a.T("print the message's number in the outbox")},
		{Term: "-C " + a.T("FILE"), Text: a.T("use this configuration and its outbox, not the machine's 'yan serve'")},
		{Term: "-bm", Text: a.T("send a message; the default")},
		{Term: "-bs", Text: a.T("speak SMTP on standard input and output")},
		{Term: "-bp", Text: a.T("list your waiting messages, root those of all users; the same as mailq")},
		{Term: "-bv", Text: a.T("print where a message to each recipient would go; send nothing")},
		{Term: "-bi, -I", Text: a.T("check /etc/aliases; the same as newaliases")},
		{Term: "-q[" + a.T("TIME") + "]", Text: a.T("send waiting messages that are due now; the time is ignored")},
		{Term: "--json", Text: a.T("with -bp, print a line of JSON for each message")},
		{Term: "--", Text: a.T("end of the options: what follows are recipients")},
	}}
	ignored := command.List{Title: a.T("Accepted and ignored:"), Entries: []command.ListEntry{
		{Term: "-A* -B* -L* -O* -X*", Text: a.T("each with a value")},
		{Term: "-d* -e* -h* -o* -p*", Text: a.T("each with a value, such as -odi, -odq and -oem")},
		{Term: "-G -U -m -n -x", Text: a.T("without a value")},
	}}
	status := command.List{Title: a.T("Exit status:"), Entries: []command.ListEntry{
		{Term: " 0", Text: a.T("the message is on the disk, for all recipients")},
		{Term: "64", Text: a.T("an option or an address is wrong, or there is no recipient")},
		{Term: "65", Text: a.T("the message can't be used, or is too large")},
		{Term: "67", Text: a.T("a local name has no address; the line to add to the configuration is printed")},
		{Term: "69", Text: a.T("this user, the sender or a recipient is not allowed; with -bp, -bv or -q, no 'yan serve' runs")},
		{Term: "73, 75", Text: a.T("the message can't be kept now; nothing of it is kept")},
		{Term: "74", Text: a.T("standard input can't be read; nothing is kept")},
		{Term: "78", Text: a.T("the configuration is wrong, or there is neither a 'yan serve' nor an account")},
	}}
	return []command.List{options, ignored, status}
}
