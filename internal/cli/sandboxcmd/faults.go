package sandboxcmd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/sandbox"
)

// The flags --fault, --limit and --quirk configure misbehaviour. Each accepts
// the word help, which lists the others.

// parseFaults parses the values of --fault.
func (a *sandboxCommands) parseFaults(cfg *sandbox.Config, values []string) error {
	for _, word := range values {
		fault, err := sandbox.ParseFault(word)
		if err == nil {
			cfg.Faults = append(cfg.Faults, fault)
			continue
		}
		problem := a.T("%s %q: want STAGE=ACTION, such as rcpt=550 or body=cut", a.Name("fault"), word)
		if strings.ContainsAny(word, "-=") { // the English error names the wrong part
			problem += "; " + strings.TrimPrefix(err.Error(), fmt.Sprintf("fault %q: ", word))
		}
		return command.Fail(command.ExitUsage, errors.New(problem), a.T("'yan sandbox --fault help' lists the possible faults."))
	}
	return nil
}

func faultWords() []string {
	list := []string{"help"}
	for _, f := range sandbox.Faults() {
		list = append(list, strings.Replace(f.String(), "-", "=", 1))
	}
	return list
}

// faultHelp lists the words of --fault by stage; one reply code represents all.
func (a *sandboxCommands) faultHelp() {
	var stages []string
	actions := map[string][]string{}
	for _, f := range sandbox.Faults() {
		stage := string(f.Stage)
		if _, seen := actions[stage]; !seen {
			stages = append(stages, stage)
		}
		action := string(f.Action)
		if f.Action == sandbox.Reply {
			action = a.T("CODE")
		}
		if f.Octets > 0 {
			action += "-" + a.T("OCTETS")
		}
		if !slices.Contains(actions[stage], action) {
			actions[stage] = append(actions[stage], action)
		}
	}
	var list []command.ListEntry
	for _, stage := range stages {
		list = append(list, command.ListEntry{Term: stage, Text: strings.Join(actions[stage], " ")})
	}
	a.helpList(a.T("With --fault STAGE=ACTION the fault applies to every message; with the recipient STAGE-ACTION@example.org, to that message only."), list, []command.ListEntry{
		{Term: "rcpt=450", Text: a.T("CODE is a reply code from 200 to 599")},
		{Term: "rcpt=450-4.2.1+Mailbox_busy", Text: a.T("with an enhanced code and a text; _ is a space, ~ a colon")},
		{Term: "data=cut-1000", Text: a.T("OCTETS: after this much of the message")},
		{Term: "ehlo=502*1", Text: a.T("only the first time")},
		{Term: "auth=apppassword", Text: a.T("refuses the login for this reason, in the provider's own words")},
	})
}

// limitWord is a word of `sandbox --limit` and its setter.
type limitWord struct {
	word, meaning string
	// announced reports that it is a number of LIMITS (RFC 9422), which the
	// server announces. Others take effect only when exceeded, and may have a
	// reply.
	announced bool
	set       func(*sandbox.Config, sandbox.Rate)
}

// limitBounds lists the words of --limit.
func (a *sandboxCommands) limitBounds() []limitWord {
	return []limitWord{
		{"messages", a.T("messages per connection"), false, func(cfg *sandbox.Config, r sandbox.Rate) { cfg.MessagesPerConnection = r.Bound }},
		{"connections", a.T("simultaneous connections"), false, func(cfg *sandbox.Config, r sandbox.Rate) { cfg.ConnectionsAtOnce = r.Bound }},
		{"rate", a.T("messages per time: rate=60/1m"), false, func(cfg *sandbox.Config, r sandbox.Rate) { cfg.MessageRate = r }},
		{"mailmax", a.T("messages per connection, announced by LIMITS (RFC 9422)"), true, func(cfg *sandbox.Config, r sandbox.Rate) { cfg.Limits.Transactions = r.Max }},
		{"rcptmax", a.T("recipients per message, announced by LIMITS"), true, func(cfg *sandbox.Config, r sandbox.Rate) { cfg.Limits.Recipients = r.Max }},
		{"rcptdomainmax", a.T("recipient domains per message, announced by LIMITS"), true, func(cfg *sandbox.Config, r sandbox.Rate) { cfg.Limits.RecipientsDomains = r.Max }},
	}
}

// limitWords lists the completions of --limit.
func (a *sandboxCommands) limitWords() []string {
	list := []string{"help"}
	for _, b := range a.limitBounds() {
		list = append(list, b.word+"=")
	}
	return list
}

// maxBound is the greatest number in LIMITS (RFC 9422 section 4).
const maxBound = 999_999

// parseLimits parses the values of --limit: WORD=NUMBER, optionally followed by the
// refusing reply in the syntax of --fault.
func (a *sandboxCommands) parseLimits(cfg *sandbox.Config, values []string) error {
	for _, v := range values {
		word, rest, _ := strings.Cut(v, "=")
		b, known := a.bound(word)
		if !known {
			return a.wrongLimit(v, a.T("want WORD=NUMBER, such as messages=10"))
		}
		number, refusal, refuses := strings.Cut(rest, ",")
		r, ok := rateOf(number, b.word == "rate")
		switch {
		case !ok && b.word == "rate":
			return a.wrongLimit(v, a.T("want a number of messages and a time, such as rate=60/1m"))
		case !ok:
			return a.wrongLimit(v, a.T("want a number from 1 to %d", maxBound))
		case refuses && b.announced:
			return a.wrongLimit(v, a.T("limits announced by LIMITS have no reply of their own"))
		case refuses:
			if r.Reply, ok = refusalOf(refusal); !ok {
				return a.wrongLimit(v, a.T("want a refusal such as 421-4.7.0+Too_many after the comma"))
			}
		}
		b.set(cfg, r)
	}
	return nil
}

func (a *sandboxCommands) bound(word string) (limitWord, bool) {
	for _, b := range a.limitBounds() {
		if b.word == strings.ToLower(word) {
			return b, true
		}
	}
	return limitWord{}, false
}

func (a *sandboxCommands) wrongLimit(value, why string) error {
	return command.Fail(command.ExitUsage, errors.New(a.T("%s %q: %s", a.Name("limit"), value, why)), a.T("'yan sandbox --limit help' lists the possible limits."))
}

// rateOf parses a number, and after a slash the time span of a rate.
func rateOf(s string, isRate bool) (r sandbox.Rate, ok bool) {
	number, span, hasSpan := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxBound || hasSpan != isRate {
		return r, false
	}
	if r.Max = n; !isRate {
		return r, true
	}
	r.Window, err = time.ParseDuration(span)
	return r, err == nil && r.Window > 0
}

// refusalOf returns the reply line for a word like "421-4.7.0+Too_many".
func refusalOf(word string) (line string, ok bool) {
	f, err := sandbox.ParseFault("mail-" + word)
	if err != nil || f.Action != sandbox.Reply || f.Code < 400 || f.Times > 0 {
		return "", false
	}
	line = strconv.Itoa(f.Code)
	if !f.Enhanced.IsZero() {
		line += " " + f.Enhanced.String()
	}
	if f.Text == "" {
		return line + " Too many", true
	}
	return line + " " + f.Text, true
}

// limitHelp lists the words of --limit.
func (a *sandboxCommands) limitHelp() {
	var list []command.ListEntry
	for _, b := range a.limitBounds() {
		list = append(list, command.ListEntry{Term: b.word, Text: b.meaning})
	}
	a.helpList(a.T("Set with --limit WORD=NUMBER; clients beyond the limit are refused as the provider does."), list, []command.ListEntry{
		{Term: "messages=10", Text: a.T("the eleventh is refused and must use another connection")},
		{Term: "connections=2,421-4.7.0+Too_many", Text: a.T("with the reply to send beyond the limit, written as for --fault")},
	})
}

// parseQuirks parses the values of --quirk.
func (a *sandboxCommands) parseQuirks(cfg *sandbox.Config, values []string) error {
	for _, v := range values {
		if !slices.Contains(quirkWords(), v) || v == "help" {
			return command.Fail(command.ExitUsage, errors.New(a.T("%s %q: want one of %s", a.Name("quirk"), v, a.Listed(quirkWords()[1:]))),
				a.T("'yan sandbox --quirk help' explains them."))
		}
		cfg.Quirks = append(cfg.Quirks, sandbox.Quirk(v))
	}
	return nil
}

func quirkWords() []string {
	list := []string{"help"}
	for _, q := range sandbox.Quirks() {
		list = append(list, string(q))
	}
	return list
}

// quirkHelp explains each quirk.
func (a *sandboxCommands) quirkHelp() {
	meanings := map[sandbox.Quirk]string{
		sandbox.KeepsTransaction: a.T("after a refused BDAT LAST the transaction stays open until RSET"),
		sandbox.LosesGroup:       a.T("offers PIPELINING, but loses commands that arrive together with another"),
		sandbox.LosesMail:        a.T("offers PIPELINING, but loses a MAIL that arrives together with earlier commands"),

		sandbox.RefusesAfterDot:   a.T("refuses commands sent before its reply to the end of DATA, as Haraka does"),
		sandbox.LosesAfterDot:     a.T("loses commands sent before its reply to the end of DATA, as Courier and chasquid do"),
		sandbox.KeepsAfterDot:     a.T("adds commands sent before its reply to the end of DATA to the message"),
		sandbox.ReadsRefusedChunk: a.T("reads the octets of a refused BDAT as commands, as go-smtp did up to 0.25.0"),
		sandbox.CountsResets:      a.T("hangs up at the eleventh RSET without an accepted message in between, as Exim does"),
		sandbox.ReadsOnAfter421:   a.T("replies 421 and keeps reading, as Exim does"),
		sandbox.DSNAfterLogin:     a.T("lists DSN only after the login, as Dovecot does"),
		sandbox.RepliesApart:      a.T("sends each reply separately and waits until the last is confirmed, as Haraka and Courier do"),
		sandbox.HangsUpOnGroup:    a.T("offers no PIPELINING and hangs up on two commands at once, as OpenSMTPD does"),
	}
	var list []command.ListEntry
	for _, q := range sandbox.Quirks() {
		list = append(list, command.ListEntry{Term: string(q), Text: meanings[q]})
	}
	a.helpList(a.T("Set with --quirk WORD: behaviour of real servers that differs from the RFCs."), list, nil)
}

// helpList prints the answer to the word help: a sentence, the words, and
// examples.
func (a *sandboxCommands) helpList(sentence string, words, examples []command.ListEntry) {
	a.Outf("%s\n\n", strings.Join(console.Wrap(sentence, a.HelpWidth()), "\n"))
	a.Entries(words, a.HelpWidth())
	if len(examples) > 0 {
		a.Outf("\n")
		a.Entries(examples, a.HelpWidth())
	}
}
