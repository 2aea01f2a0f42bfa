package sendcmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
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

// registerAccount adds the flags that choose an account and change its effects.
func (s *sendFlags) registerAccount(a *sendCommand, cmd *cobra.Command) {
	command.Add(cmd, a.T("Account:"),
		command.NewOption("account", "A", &s.account, a.T("NAME"), a.T("send from this account (default: the account of the sender's address, else the default account)")),
		command.NewOption("no-signature", "", &s.noSignature, "", a.T("omit the account's signature")),
		command.NewOption("no-fallback", "", &s.noFallback, "", a.T("do not use the fallback account")),
	)
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
}

// rawFlags holds the flags of send that say how whole messages are read.
type rawFlags struct {
	mbox   string // a word of mboxWords; "" refuses ambiguous files
	marked bool
	skip   bool
	fit    bool
	// setFrom is a word of setFromWords, or "".
	setFrom string
	// began is when the command began; author is the mailbox that --set-from writes into From.
	began  time.Time
	author *message.Mailbox
	// bad lists the messages that --skip-bad leaves out.
	bad []badMessage
}

func (s *rawFlags) registerRaw(a *sendCommand, cmd *cobra.Command) {
	command.Add(cmd, a.T("Whole messages (--raw):"),
		command.NewOption("mbox", "", &s.mbox, "alike|every", a.T("\"From \" lines in an mbox file that do not look like its first: alike treats them as text, every starts a message at each (default: refuse the file)")),
		command.NewOption("include-deleted", "", &s.marked, "", a.T("also send messages marked as deleted or as drafts")),
		command.NewOption("fit", "", &s.fit, "", a.T("add a missing Date and Message-ID, and encode and fold parts that servers refuse: UTF-8 in the header, long lines, 8-bit text; signed messages are not changed")),
		command.NewOption("set-from", "", &s.setFrom, "missing|always", a.T("write the account's sender (or -f) into From: if it has no address (default), or always")),
		command.NewOption("skip-bad", "", &s.skip, "", a.T("skip and list messages that can't be sent; the exit status is then at least 65")),
	)
	cmd.Flags().Lookup("set-from").NoOptDefVal = "missing"
}

// mboxWords returns the values of --mbox.
func mboxWords() []string { return []string{"alike", "every"} }

// setFromWords returns the values of --set-from.
func setFromWords() []string { return []string{"missing", "always"} }

// outboxFlags holds the flags of send that concern the outbox.
type outboxFlags struct {
	when     string // a word of account.QueueWords
	outbox   string
	at       string
	expires  string
	key      string
	priority string
	tags     []string
}

func (o *outboxFlags) registerQueue(a *sendCommand, cmd *cobra.Command) {
	o.priority = queue.Normal.Word()
	command.Add(cmd, a.T("Later (outbox):"),
		command.NewOption("queue", "", &o.when, "", a.T("put the message into the outbox instead of sending it; --queue=offline only if the server can't be reached")),
		command.NewOption("at", "", &o.at, a.T("TIME"), a.T("send it no earlier than: 15:30, \"tomorrow 9:00\", +2h, or a date and time; puts it into the outbox")),
		command.NewOption("expires", "", &o.expires, a.T("DURATION|TIME"), a.T("how long, or until when, to try (default: 5d)")),
		command.NewOption("key", "", &o.key, a.T("WORD"), a.T("enqueue a message with this key only once, no matter how often you run this")),
		command.NewOption("priority", "", &o.priority, "high|normal|low", a.T("order among due messages")),
		command.NewOption("tag", "", &o.tags, a.T("WORD"), a.T("a tag to find the message by; repeatable")),
		command.NewOption("outbox", "", &o.outbox, a.T("PATH|URL"), outboxes.OutboxText(a.Outboxes)),
	)
	cmd.Flags().Lookup("queue").NoOptDefVal = account.QueueAlways
}

// resendWords returns the values of --resend.
func resendWords() []string { return []string{string(smtp.Unknown), string(smtp.Refused)} }

// charsetNames returns the names that completion offers.
func charsetNames() []string {
	return []string{"gbk", "gb18030", "big5", "latin1", "windows-1252", "windows-1251", "shift_jis", "euc-kr", "utf-8", "utf-16le"}
}

// completeFlags sets the values that the shell completes.
func (s *sendFlags) completeFlags(a *sendCommand, cmd *cobra.Command) {
	command.Complete(cmd, "account", a.AccountNames)
	command.Complete(cmd, "resend", resendWords)
	command.Complete(cmd, "charset", charsetNames)
	command.Complete(cmd, "to-policy", func() []string { return []string{"all", "any"} })
	command.Complete(cmd, "mbox", mboxWords)
	command.Complete(cmd, "set-from", setFromWords)
	command.Complete(cmd, "queue", account.QueueWords)
	command.Complete(cmd, "priority", queue.PriorityWords)
}
