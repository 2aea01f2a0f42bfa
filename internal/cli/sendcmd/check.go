package sendcmd

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/internal/text/charset"
	"github.com/yanmail/yan/queue"
)

// checkSend returns an error if flags contradict each other or are invalid.
func (a *sendCommand) checkSend(cmd *cobra.Command, s *sendFlags, args []string) error {
	changed := cmd.Flags().Changed
	switch {
	case s.policy != "all" && s.policy != "any":
		return a.Wrongf("%s %q: want all or any", a.Name("to-policy"), s.policy)
	case changed("body") && changed("body-file"):
		return a.Wrongf("use either %s or %s: the text can have only one source", a.Name("body"), a.Name("body-file"))
	case changed("html") && changed("html-file"):
		return a.Wrongf("use either %s or %s: the HTML can have only one source", a.Name("html"), a.Name("html-file"))
	case !s.raw && len(args) > 0 && changed("queue") && slices.Contains(account.QueueWords(), args[0]):
		return a.Usagef("unexpected argument %q; write --queue=%s", args[0], args[0])
	case !s.raw && len(args) > 0 && a.DashHint(args[0]) != "":
		return command.Fail(command.ExitUsage, errors.New(a.T("%q is not a flag", args[0])), a.DashHint(args[0]))
	case !s.raw && len(args) > 0:
		return a.Usagef("%q is not a flag; use -t for recipients, -a for attachments, --raw for existing messages", args[0])
	case changed("window") && !s.raw:
		return a.Wrongf("%s is only for --raw: a single message has its connection to itself", a.Name("window"))
	case changed("window") && s.window < 1:
		return a.Wrongf("%s %d: want a number above zero", a.Name("window"), s.window)
	case s.quiet && s.json:
		return a.Wrongf("use either %s or %s: the first prints no results, the second prints them all", a.Name("quiet"), a.Name("json"))
	}
	if s.raw {
		for _, flag := range []string{"subject", "body", "body-file", "html", "html-file", "attach", "inline", "header", "reply-to",
			"charset", "invite", "sender", "date", "message-id"} {
			if changed(flag) {
				return a.Wrongf("%s can't be used with --raw, which sends messages unchanged", a.Name(flag))
			}
		}
	}
	if err := a.checkRawFlags(s, changed); err != nil {
		return err
	}
	if err := a.checkCharset(s); err != nil {
		return err
	}
	if err := a.checkLog(s, changed("log")); err != nil {
		return err
	}
	if err := a.checkQueue(cmd, s); err != nil {
		return err
	}
	return s.CheckFlags(a.Servers, cmd)
}

// rawFlagNames returns the flags that need --raw.
func rawFlagNames() []string {
	return []string{"mbox", "include-deleted", "fit", "set-from", "skip-bad"}
}

// checkRawFlags checks the flags that need --raw.
func (a *sendCommand) checkRawFlags(s *sendFlags, changed func(string) bool) error {
	for _, flag := range rawFlagNames() {
		if changed(flag) && !s.raw && a.Origin[flag] == "" {
			return a.Wrongf("%s is only for --raw: it controls how existing messages are read", a.Name(flag))
		}
	}
	if s.mbox != "" && !slices.Contains(mboxWords(), s.mbox) {
		return a.Wrongf("%s %q: want one of %s", a.Name("mbox"), s.mbox, a.Listed(mboxWords()))
	}
	if s.setFrom != "" && !slices.Contains(setFromWords(), s.setFrom) {
		return a.Wrongf("%s %q: want one of %s", a.Name("set-from"), s.setFrom, a.Listed(setFromWords()))
	}
	return nil
}

// checkCharset rejects an unknown charset before any file is read.
func (a *sendCommand) checkCharset(s *sendFlags) error {
	if s.charset == "" {
		return nil
	}
	if _, err := charset.Find(s.charset); err != nil {
		return a.Wrongf("%s: %v", a.Name("charset"), err)
	}
	return nil
}

// checkLog checks --resend, and rejects flags that can't be combined with --log.
func (a *sendCommand) checkLog(s *sendFlags, given bool) error {
	var words []string
	for _, value := range s.resend {
		for word := range strings.SplitSeq(value, ",") {
			if word = strings.TrimSpace(word); !slices.Contains(resendWords(), word) {
				return a.Wrongf("%s %q: want unknown or refused", a.Name("resend"), word)
			}
			words = append(words, word)
		}
	}
	s.resend = words
	switch {
	case s.log == "" && given: // --log "$UNSET" in a script
		return a.Wrongf("%s is empty: want the name of a file", a.Name("log"))
	case s.log == "" && len(s.resend) > 0:
		return a.Wrongf("%s needs --log FILE, which records the outcomes", a.Name("resend"))
	case s.log == "":
		return nil
	case !s.raw:
		return a.Wrongf("%s is only for --raw: a message composed from flags is new each time, so a log can't recognize it", a.Name("log"))
	case s.dryRun:
		return a.Wrongf("%s can't be used with %s, which sends nothing", a.Name("log"), "--dry-run")
	case s.QuitAfter != "":
		return a.Wrongf("%s can't be used with %s, which sends nothing", a.Name("log"), "--quit-after")
	}
	return nil
}

// checkQueue decides whether the message goes into the outbox, and rejects flags that can't be
// combined with that.
func (a *sendCommand) checkQueue(cmd *cobra.Command, s *sendFlags) error {
	o, changed := &s.outboxFlags, cmd.Flags().Changed
	if !changed("queue") {
		if settings, err := a.OutboxSettings(); err == nil { // the code that uses the setting reports a bad one
			o.when, a.Origin["queue"] = settings.Queue, "[outbox] queue"
		}
	}
	switch o.when { // a variable may hold any boolean
	case "true", "1":
		o.when = account.QueueAlways
	case "false", "0", "":
		o.when = account.QueueNever
	}
	if !slices.Contains(account.QueueWords(), o.when) {
		return a.Wrongf("%s %q: want one of %s", a.Name("queue"), o.when, a.Listed(account.QueueWords()))
	}
	byFlag := changed("queue") && a.Origin["queue"] == ""
	if err := command.NoneEmpty(a.Context, cmd, "at", "expires", "key", "tag"); err != nil {
		return err
	}
	if changed("at") {
		if byFlag && o.when != account.QueueAlways {
			return a.Wrongf("%s can't be used with %s; scheduled messages are in the outbox", a.Name("at"), "--queue="+o.when)
		}
		o.when = account.QueueAlways
	}
	if o.when == account.QueueNever {
		for _, flag := range []string{"expires", "key", "priority", "tag"} {
			if changed(flag) && a.Origin[flag] == "" {
				return a.Wrongf("%s needs --queue: it only applies to the outbox", a.Name(flag))
			}
		}
		return nil
	}
	offline := o.when == account.QueueOffline && (s.log != "" || s.QuitAfter != "" || s.dryRun || s.policy == "all" && changed("to-policy"))
	if !byFlag && !changed("at") && (offline || s.Server != "") {
		o.when = account.QueueNever // a setting for all messages is ignored if it does not fit this one
		return nil
	}
	if changed("to-policy") && s.policy == "all" {
		return command.Fail(command.ExitUsage, errors.New(a.T("%s all can't be used with %s", a.Name("to-policy"), a.queueName(byFlag))),
			a.T("The outbox sends to each recipient separately: a deferred recipient is retried later, when others may already have the message."))
	}
	for _, flag := range []string{"log", "resend", "window", "quit-after", "transcript"} {
		if changed(flag) && (o.when == account.QueueAlways || flag != "transcript" && flag != "window") && a.Origin[flag] == "" {
			return a.Wrongf("%s can't be used with %s, which does not send now", a.Name(flag), a.queueName(byFlag))
		}
	}
	return a.checkItem(o)
}

// queueName returns the name of the setting that puts the message into the outbox.
func (a *sendCommand) queueName(byFlag bool) string {
	if byFlag || a.Origin["queue"] == "" {
		return "--queue"
	}
	return a.Name("queue")
}

// checkItem checks the flags that describe the queued message.
func (a *sendCommand) checkItem(o *outboxFlags) error {
	if _, ok := queue.PriorityOf(o.priority); !ok {
		return a.Wrongf("%s %q: want one of %s", a.Name("priority"), o.priority, a.Listed(queue.PriorityWords()))
	}
	_, err := a.newOrder(o)
	return err
}

// newOrder returns the order that the flags describe: key, tags, priority, and the times.
func (a *sendCommand) newOrder(o *outboxFlags) (m submission.Order, err error) {
	m.Key, m.Tags = o.key, o.tags
	m.Priority, _ = queue.PriorityOf(o.priority)
	from := a.Now()
	if o.at != "" {
		if m.NotBefore, err = a.FutureTime("at", o.at); err != nil {
			return m, err
		}
		from = m.NotBefore
	}
	if o.expires != "" {
		m.Expires, err = a.Expiry("expires", o.expires, from)
	}
	return m, err
}
