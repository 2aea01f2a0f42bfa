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
	queueing
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

func (a *runner) sendCommand() *cobra.Command {
	s := &sendFlags{policy: "all"}
	cmd := &cobra.Command{
		Use:   "send",
		Short: a.T("Send a message"),
		Long: a.T("Send a message and say, for each recipient, what became of it.\n\n"+
			"An account, which 'yan login' makes, logs in with its own secret. Without one the password or authorization code is "+
			"read from the file that YAN_PASSWORD_FILE names, or asked for on the terminal; it is never a flag.\n\n"+
			"Piped input is the text. Values are sent as they are, even @name and -; files are named with --body-file, --html-file and --to-file, "+
			"where - means standard input.\n\n"+
			"With --raw each argument is a message, an mbox file, a Maildir, or a folder of .eml files. "+
			"All messages are checked before the first is sent, and go out as fast as the server takes them. "+
			"With --log a run that ended half-way is resumed by the same command: nothing is sent twice.") + "\n\n" +
			a.T("With --queue the message is put into the outbox, on the disk, and sent from there by 'yan queue run' or 'yan serve', again and again "+
				"until the server has taken it or its time is over."),
		Example: "  " + a.SendExample() + " -a report.pdf\n" +
			"  df -h | yan send --server smtps://me%40example.com@smtp.example.com -t ops@example.com -s disks\n" +
			"  yan send --server qq --raw message.eml\n" +
			"  yan send --server qq --raw ~/Maildir archive.mbox --log run.log\n" +
			"  yan send -t friend@163.com -s 早 -b \"Good morning\" --at \"tomorrow 8:00\"",
		Annotations: map[string]string{command.UsageLines: a.T("yan send -t ADDRESS… [-f ADDRESS] [-s TEXT] [-b TEXT] [-a FILE…]\nyan send --raw [FILE|FOLDER…] [--log FILE]")},
		RunE:        func(cmd *cobra.Command, args []string) error { return a.send(cmd, s, args) },
	}
	a.AddLists(cmd, func() []command.List { return []command.List{a.ServerForms(), a.Variables(), a.ExitStatuses()} })
	s.registerAccount(a, cmd)
	s.registerMessage(a, cmd)
	s.registerRaw(a, cmd)
	s.registerQueue(a, cmd)
	s.ServerFlags.Register(a.Servers, cmd)
	command.Add(cmd, a.T("Output:"),
		command.NewOption("dry-run", "n", &s.dryRun, "", a.T("print the exact bytes and the envelope; touch no network")),
		command.NewOption("transcript", "v", &s.transcript, "", a.T("show the conversation with the server, secrets hidden")),
		command.NewOption("quiet", "q", &s.quiet, "", a.T("print nothing but errors")),
		command.NewOption("json", "", &s.json, "", a.T("print one JSON object for each message")),
	)
	return cmd
}

func (s *sendFlags) registerMessage(a *runner, cmd *cobra.Command) {
	file, address, text := a.T("FILE"), a.T("ADDRESS"), a.T("TEXT")
	command.Add(cmd, a.T("Message:"),
		command.NewOption("to", "t", &s.to, address, a.T("a recipient, 'Name <address>', or several with commas; repeatable")),
		command.NewOption("cc", "", &s.cc, address, a.T("a recipient of a copy")),
		command.NewOption("bcc", "", &s.bcc, address, a.T("a recipient whom the others do not see")),
		command.NewOption("to-file", "", &s.toFile, file, a.T("read recipients from a file, an address on each line; also --cc-file, --bcc-file")),
		command.NewOption("cc-file", "", &s.ccFile, file, a.T("read recipients of a copy from a file")),
		command.NewOption("bcc-file", "", &s.bccFile, file, a.T("read recipients whom the others do not see from a file")),
		command.NewOption("from", "f", &s.from, address, a.T("the sender (default: the account's, else EMAIL, else the user of the server URL)")),
		command.NewOption("subject", "s", &s.subject, text, a.T("the subject, in any language")),
		command.NewOption("body", "b", &s.body, text, a.T("the text")),
		command.NewOption("body-file", "", &s.bodyFile, file, a.T("read the text from a file")),
		command.NewOption("html", "", &s.html, "HTML", a.T("HTML, beside the text or instead of it")),
		command.NewOption("html-file", "", &s.htmlFile, file, a.T("read the HTML from a file")),
		command.NewOption("charset", "", &s.charset, a.T("NAME"), a.T("the charset of a text from a file or standard input that is not UTF-8, like gbk")),
		command.NewOption("attach", "a", &s.attach, file, a.T("attach a file; repeatable; FILE;name=NAME;type=TYPE says how it is shown")),
		command.NewOption("inline", "", &s.inline, file, a.T("an image that the HTML shows as cid:FILENAME; repeatable")),
		command.NewOption("invite", "", &s.inviteFile, file, a.T("an invitation: a calendar file (.ics), to be answered in the mail program")),
		command.NewOption("header", "", &s.header, a.T("'NAME: VALUE'"), a.T("a further header field; repeatable")),
		command.NewOption("reply-to", "", &s.replyTo, address, a.T("where answers shall go")),
		command.NewOption("sender", "", &s.sender, address, a.T("who submits the message, if not its author; it leaves in this name")),
		command.NewOption("date", "", &s.date, a.T("TIME"), a.T("the date of the message (default: now)")),
		command.NewOption("message-id", "", &s.messageID, "ID@DOMAIN", a.T("the Message-ID (default: a random one)")),
		command.NewOption("raw", "", &s.raw, "", a.T("send whole messages as they are: files (.eml, mbox), folders, or standard input")),
		command.NewOption("to-policy", "", &s.policy, "all|any", a.T("one recipient refused: all (default) sends to nobody, any to the others; the library's default is any")),
	)
	command.Add(cmd, a.T("Many messages (--raw):"),
		command.NewOption("log", "", &s.log, file, a.T("note here what became of each; what it has as accepted is not sent again")),
		command.NewOption("resend", "", &s.resend, "unknown|refused", a.T("send again, too, what the log has as unknown, or as refused for good")),
		command.NewOption("window", "", &s.window, a.T("NUMBER"), a.T("how many a connection may have on the wire without an answer; if it is lost, they are unknown (default: 32; 1: one at a time)")),
	)
	command.Complete(cmd, "resend", resendWords)
	command.Complete(cmd, "charset", charsets)
	command.Complete(cmd, "to-policy", func() []string { return []string{"all", "any"} })
}

// send runs the command: it checks all input, then connects, then sends each message.
func (a *runner) send(cmd *cobra.Command, s *sendFlags, args []string) error {
	if err := a.checkSend(cmd, s, args); err != nil {
		return err
	}
	if !s.raw {
		if err := a.takeAccount(cmd, s, a.StatedSender(s.sender, s.from)); err != nil {
			return err
		}
	}
	messages, err := a.messages(cmd, s, args)
	if err != nil {
		return err
	}
	defer discard(messages)
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
		return s.countBad((&enqueuer{a, s}).enqueue(cmd.Context(), messages))
	}
	server, err := a.oneServer(s, messages)
	if err != nil {
		return err
	}
	r := a.newRun(s, cmd.Flags().Changed, messages)
	o, err := r.options(server)
	if err != nil {
		return err
	}
	r.start(o)
	defer r.run.Close() // Send has closed the log
	if err := r.run.Open(cmd.Context()); err != nil {
		r.explainLog(r.run.Close())
		return err
	}
	return s.countBad(r.deliver(cmd.Context()))
}

// takeAccount finds the account and fills flags that were not given from it.
func (a *runner) takeAccount(cmd *cobra.Command, s *sendFlags, from smtp.Address) error {
	id, err := a.Identify(s.account, s.Server, from)
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
	return a.Fill(&s.ServerFlags, id, cmd.Flags().Changed)
}

// oneServer returns the server of all messages. If the sender selects the server or the login,
// messages of different senders can't go in one run.
func (a *runner) oneServer(s *sendFlags, messages []*sending.Message) (transport.Server, error) {
	first, err := s.Target(a.Servers, s.principal(messages[0].Envelope.From()))
	if err != nil || s.id != nil {
		return first, err
	}
	last := messages[0]
	for _, j := range messages[1:] {
		if j.Envelope.From().Equal(last.Envelope.From()) {
			continue
		}
		last = j
		other, err := s.Target(a.Servers, j.Envelope.From())
		if err != nil {
			return first, err
		}
		sameLogin := other.User == first.User &&
			(first.User != "" || !a.HasSecret() || j.Envelope.From().Equal(messages[0].Envelope.From()))
		if other.String() != first.String() || !sameLogin {
			return first, a.Wrongf("%s is from %s and %s from %s: they need different servers or logins, so send them in separate runs",
				a.nameOf(messages[0]), messages[0].Envelope.From(), a.nameOf(j), j.Envelope.From())
		}
	}
	return first, nil
}

// ofOneAccount returns an error if a message belongs to another account than the first.
func (a *runner) ofOneAccount(s *sendFlags, id *accounts.Identity, messages []*sending.Message) error {
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
			return a.Wrongf("%s is from %s and %s from %s: they need different accounts, so send them in separate runs",
				a.nameOf(messages[0]), messages[0].Envelope.From(), a.nameOf(j), from)
		}
	}
	return nil
}

// registerAccount adds the flags that choose an account and change its effects.
func (s *sendFlags) registerAccount(a *runner, cmd *cobra.Command) {
	command.Add(cmd, a.T("Account:"),
		command.NewOption("account", "A", &s.account, a.T("NAME"), a.T("send from this account (default: the one of the sender's address, else the default account)")),
		command.NewOption("no-signature", "", &s.noSignature, "", a.T("leave the account's signature out")),
		command.NewOption("no-fallback", "", &s.noFallback, "", a.T("do not let another account take over")),
	)
	command.Complete(cmd, "account", a.AccountNames)
}

// discard closes messages.
func discard(messages []*sending.Message) {
	for _, m := range messages {
		m.Discard()
	}
}

// nameOf returns the name of a message as the user knows it: the file, and its number there.
func (a *runner) nameOf(m *sending.Message) string { return a.MessageName(m.File, m.Number) }
