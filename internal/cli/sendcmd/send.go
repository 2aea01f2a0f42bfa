package sendcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// sendFlags holds the flags of send.
type sendFlags struct {
	serverflag.ServerFlags
	outboxFlags
	rawFlags
	to, cc, bcc, replyTo []string
	from                 string
	subject              string
	toFile, ccFile       []string
	bccFile              []string
	body, bodyFile       string
	html, htmlFile       string
	charset              string
	inviteFile           string
	sender, date         string
	messageID            string
	attach, inline       []string
	header               []string
	account              string
	noSignature          bool
	noFallback           bool
	raw                  bool
	log                  string
	resend               []string
	window               int
	policy               string
	dryRun               bool
	transcript           bool
	quiet                bool
	json                 bool

	// id is the account that sends; nil if there is none.
	id *accounts.Identity
}

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
	a.AddLists(cmd, func() []command.List { return []command.List{a.ServerForms(), a.Variables(), a.ExitStatuses()} })
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
	return cmd
}

func (s *sendFlags) registerMessage(a *sendCommand, cmd *cobra.Command) {
	file, address, text := a.T("FILE"), a.T("ADDRESS"), a.T("TEXT")
	command.Add(cmd, a.T("Message:"),
		command.NewOption("to", "t", &s.to, address, a.T("recipient: an address, 'Name <address>', or several separated by commas; repeatable")),
		command.NewOption("cc", "", &s.cc, address, a.T("carbon copy recipient")),
		command.NewOption("bcc", "", &s.bcc, address, a.T("blind copy recipient")),
		command.NewOption("to-file", "", &s.toFile, file, a.T("read recipients from a file, one address per line; also --cc-file, --bcc-file")),
		command.NewOption("cc-file", "", &s.ccFile, file, a.T("read carbon copy recipients from a file")),
		command.NewOption("bcc-file", "", &s.bccFile, file, a.T("read blind copy recipients from a file")),
		command.NewOption("from", "f", &s.from, address, a.T("sender (default: the account's, else EMAIL, else the user in the server URL)")),
		command.NewOption("subject", "s", &s.subject, text, a.T("subject, in any language")),
		command.NewOption("body", "b", &s.body, text, a.T("text")),
		command.NewOption("body-file", "", &s.bodyFile, file, a.T("read the text from a file")),
		command.NewOption("html", "", &s.html, "HTML", a.T("HTML, alone or as an alternative to the text")),
		command.NewOption("html-file", "", &s.htmlFile, file, a.T("read the HTML from a file")),
		command.NewOption("charset", "", &s.charset, a.T("NAME"), a.T("charset of text from a file or standard input that is not UTF-8, such as gbk")),
		command.NewOption("attach", "a", &s.attach, file, a.T("attach a file; repeatable; use FILE;name=NAME;type=TYPE to set its name and type")),
		command.NewOption("inline", "", &s.inline, file, a.T("image for the HTML, referenced as cid:FILENAME; repeatable")),
		command.NewOption("invite", "", &s.inviteFile, file, a.T("invitation: a calendar file (.ics) that recipients can answer in their mail program")),
		command.NewOption("header", "", &s.header, a.T("'NAME: VALUE'"), a.T("additional header field; repeatable")),
		command.NewOption("reply-to", "", &s.replyTo, address, a.T("reply address")),
		command.NewOption("sender", "", &s.sender, address, a.T("address that submits the message, if it is not the author (Sender); also the envelope sender")),
		command.NewOption("date", "", &s.date, a.T("TIME"), a.T("the date of the message (default: now)")),
		command.NewOption("message-id", "", &s.messageID, "ID@DOMAIN", a.T("the Message-ID (default: a random one)")),
		command.NewOption("raw", "", &s.raw, "", a.T("send existing messages unchanged: files (.eml, mbox), folders, or standard input")),
		command.NewOption("to-policy", "", &s.policy, "all|any", a.T("if a recipient is refused: all (default) sends to no one, any to the other recipients; the library's default is any")),
	)
	command.Add(cmd, a.T("Many messages (--raw):"),
		command.NewOption("log", "", &s.log, file, a.T("record outcomes in this file; recipients already accepted are skipped")),
		command.NewOption("resend", "", &s.resend, "unknown|refused", a.T("also resend recipients that the log has as unknown, or as refused permanently")),
		command.NewOption("window", "", &s.window, a.T("NUMBER"), a.T("messages per connection that may await a reply; if the connection is lost, their outcomes are unknown (default: 32; 1: one at a time)")),
	)
	command.Complete(cmd, "resend", resendWords)
	command.Complete(cmd, "charset", charsetNames)
	command.Complete(cmd, "to-policy", func() []string { return []string{"all", "any"} })
}

// runSend runs the command: it checks all input, then connects, then sends each message.
func (a *sendCommand) runSend(cmd *cobra.Command, s *sendFlags, args []string) error {
	if err := a.checkSend(cmd, s, args); err != nil {
		return err
	}
	if !s.raw {
		if err := a.takeAccount(cmd, s, a.StatedSender(s.sender, s.from)); err != nil {
			return err
		}
	}
	messages, err := a.collectMessages(cmd, s, args)
	if err != nil {
		return err
	}
	defer discardAll(messages)
	if s.raw {
		if err := a.takeAccount(cmd, s, messages[0].Envelope.From()); err != nil {
			return err
		}
		if err := a.ofOneAccount(s, s.id, messages); err != nil {
			return err
		}
	}
	if s.dryRun {
		return s.countBad(a.printDry(s, messages))
	}
	if s.when == account.QueueAlways {
		return s.countBad((&enqueuer{a, s}).enqueueAll(cmd.Context(), messages))
	}
	server, err := a.oneServer(s, messages)
	if err != nil {
		return err
	}
	r := a.newRun(s, cmd.Flags().Changed, messages)
	o, err := r.runOptions(server)
	if err != nil {
		return err
	}
	r.startRun(o)
	defer r.run.Close() // Send has closed the log
	if err := r.run.Open(cmd.Context()); err != nil {
		r.explainLog(r.run.Close())
		return err
	}
	return s.countBad(r.sendPending(cmd.Context()))
}

// takeAccount finds the account and fills flags that were not given from it.
func (a *sendCommand) takeAccount(cmd *cobra.Command, s *sendFlags, from smtp.Address) error {
	id, err := a.SelectAccount(s.account, s.Server, from)
	if err != nil || id == nil {
		return err
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

// oneServer returns the server of all messages. If the sender selects the server or the login,
// messages of different senders can't go in one run.
func (a *sendCommand) oneServer(s *sendFlags, messages []*sending.Outgoing) (transport.Server, error) {
	first, err := s.TargetServer(a.Servers, s.loginAddress(messages[0].Envelope.From()))
	if err != nil || s.id != nil {
		return first, err
	}
	last := messages[0]
	for _, j := range messages[1:] {
		if j.Envelope.From().Equal(last.Envelope.From()) {
			continue
		}
		last = j
		other, err := s.TargetServer(a.Servers, j.Envelope.From())
		if err != nil {
			return first, err
		}
		sameLogin := other.User == first.User &&
			(first.User != "" || !a.HasSecret() || j.Envelope.From().Equal(messages[0].Envelope.From()))
		if other.String() != first.String() || !sameLogin {
			return first, a.Wrongf("%s is from %s and %s from %s: they need different servers or logins; send them in separate runs",
				a.nameOf(messages[0]), messages[0].Envelope.From(), a.nameOf(j), j.Envelope.From())
		}
	}
	return first, nil
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

// registerAccount adds the flags that choose an account and change its effects.
func (s *sendFlags) registerAccount(a *sendCommand, cmd *cobra.Command) {
	command.Add(cmd, a.T("Account:"),
		command.NewOption("account", "A", &s.account, a.T("NAME"), a.T("send from this account (default: the account of the sender's address, else the default account)")),
		command.NewOption("no-signature", "", &s.noSignature, "", a.T("omit the account's signature")),
		command.NewOption("no-fallback", "", &s.noFallback, "", a.T("do not use the fallback account")),
	)
	command.Complete(cmd, "account", a.AccountNames)
}

// discardAll closes messages.
func discardAll(messages []*sending.Outgoing) {
	for _, m := range messages {
		m.Discard()
	}
}

// nameOf returns the name of a message as the user knows it: the file, and its number there.
func (a *sendCommand) nameOf(m *sending.Outgoing) string { return a.MessageName(m.File, m.Number) }
