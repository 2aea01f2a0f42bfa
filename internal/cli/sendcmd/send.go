package sendcmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/sending"
)

func (a *sendCommand) cobraCommand() *cobra.Command {
	s := &sendFlags{policy: "all"}
	cmd := &cobra.Command{
		Use:   "send",
		Short: a.T("Send a message"),
		Long: a.T("Send a message and report the outcome for each recipient.\n\nAn account, created with 'yan login', logs in with its own secret. Without an account, the password or authorization code is read from the file set by YAN_PASSWORD_FILE, or asked for on the terminal; it is never a flag.\n\nPiped input is the text. Values are sent literally, even @name and -; use --body-file, --html-file and --to-file for files, where - means standard input.\n\nWith --raw each argument is a message, an mbox file, a Maildir, or a folder of .eml files. All messages are checked before the first is sent, and are sent as fast as the server accepts them. With --log, running the same command again resumes an interrupted run: nothing is sent twice.") + "\n\n" +
			a.T("With --queue the message is stored in the outbox on disk; 'yan queue run' or 'yan serve' sends it from there, retrying until the server accepts it or it expires."),
		Example: "  " + a.SendExample() + " -a report.pdf\n" +
			"  df -h | yan send --server smtps://me%40example.com@smtp.example.com -t ops@example.com -s disks\n" +
			"  yan send --server qq --raw message.eml\n" +
			"  yan send --server qq --raw ~/Maildir archive.mbox --log run.log\n" +
			"  yan send -t friend@163.com -s 早 -b \"Good morning\" --at \"tomorrow 8:00\"",
		Annotations: map[string]string{command.UsageLines: a.T("yan send -t ADDRESS… [-f ADDRESS] [-s TEXT] [-b TEXT] [-a FILE…]\nyan send --raw [FILE|FOLDER…] [--log FILE]")},
		RunE:        func(cmd *cobra.Command, args []string) error { return a.runSend(cmd, s, args) },
	}
	s.registerAccount(a, cmd)
	s.registerMessage(a, cmd)
	s.registerRaw(a, cmd)
	s.registerQueue(a, cmd)
	s.ServerFlags.RegisterFlags(a.Servers, cmd)
	command.Add(cmd, a.T("Output:"),
		command.NewOption("dry-run", "n", &s.dryRun, "", a.T("print the exact bytes and the envelope; do not use the network")),
		command.NewOption("transcript", "v", &s.transcript, "", a.T("show the conversation with the server, without secrets")),
		command.NewOption("quiet", "q", &s.quiet, "", a.T("print errors only")),
		command.NewOption("json", "", &s.json, "", a.T("print one JSON object for each message")),
	)
	a.AddLists(cmd, func() []command.List { return []command.List{a.ServerForms(), a.Variables(), a.ExitStatuses()} })
	s.completeFlags(a, cmd)
	return cmd
}

// runSend runs the command: it checks all input, then connects, then sends each message.
func (a *sendCommand) runSend(cmd *cobra.Command, s *sendFlags, args []string) error {
	if err := a.checkSend(cmd, s, args); err != nil {
		return err
	}
	if !s.raw {
		id, err := a.SelectAccount(s.account, s.Server, a.StatedSender(s.sender, s.from))
		if err == nil {
			err = a.useAccount(cmd, s, id)
		}
		if err != nil {
			return err
		}
	}
	messages, err := a.collectMessages(cmd, s, args)
	if err != nil {
		return err
	}
	defer discardAll(messages)
	if s.raw {
		id, err := a.SelectAccount(s.account, s.Server, messages[0].Envelope.From())
		if err == nil {
			err = a.useAccount(cmd, s, id)
		}
		if err == nil {
			err = a.ofOneAccount(s, id, messages)
		}
		if err != nil {
			return err
		}
	}
	if s.dryRun {
		return s.countBad(a.printDry(s, messages))
	}
	if s.when == account.QueueAlways {
		return s.countBad((&enqueuer{a, s}).enqueueAll(cmd.Context(), messages))
	}
	return s.countBad(a.sendNow(cmd.Context(), s, cmd.Flags().Changed, messages))
}

// useAccount fills flags that were not given from the account. It does nothing without an account.
func (a *sendCommand) useAccount(cmd *cobra.Command, s *sendFlags, id *accounts.Identity) error {
	if id == nil {
		return nil
	}
	// Permission to send a password in cleartext holds for one server: it is set in the account, or
	// by a flag for the requested account. It is never taken from a variable, and a fallback
	// account does not inherit it.
	const flag = "allow-cleartext-password"
	s.Cleartext = s.Cleartext && a.Origin[flag] != command.Variable(flag)
	s.id, id.Given = id, s.ServerFlags
	id.Given.Cleartext = false
	return a.FillFlags(&s.ServerFlags, id, cmd.Flags().Changed)
}

// ofOneAccount returns an error if a message belongs to another account than the first.
func (a *sendCommand) ofOneAccount(s *sendFlags, id *accounts.Identity, messages []*sending.Outgoing) error {
	if id == nil || s.account != "" {
		return nil
	}
	for _, j := range messages[1:] {
		from := j.Envelope.From()
		if from.Equal(messages[0].Envelope.From()) {
			continue
		}
		other, err := id.File.Choose("", from)
		if err != nil || other.Name != id.Name {
			return a.Wrongf("%s is from %s and %s from %s: they need different accounts; send them in separate runs",
				a.nameOf(messages[0]), messages[0].Envelope.From(), a.nameOf(j), from)
		}
	}
	return nil
}

// discardAll closes messages.
func discardAll(messages []*sending.Outgoing) {
	for _, m := range messages {
		m.Discard()
	}
}

// nameOf returns the name of a message as the user knows it: the file, and its number there.
func (a *sendCommand) nameOf(m *sending.Outgoing) string { return a.MessageName(m.File, m.Number) }

// countBad adds the bad messages to the exit status of a run.
func (s *rawFlags) countBad(err error) error {
	if len(s.bad) == 0 {
		return err
	}
	code := command.ExitOK
	for _, b := range s.bad {
		code = command.WorseStatus(code, b.err.Code)
	}
	if err == nil {
		return &command.Failure{Code: code, Err: errors.New("not all messages can be sent"), Told: true}
	}
	var failed *command.Failure
	if errors.As(err, &failed) {
		failed.Code = command.WorseStatus(failed.Code, code)
	}
	return err
}
