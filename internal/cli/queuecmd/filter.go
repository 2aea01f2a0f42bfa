package queuecmd

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/queue"
)

// queueFilter holds the flags that choose messages.
type queueFilter struct {
	account, to, from, tag, key string
	states                      []string
	since, until                string
	limit                       int
	all                         bool
}

// scheduled is a word of --state: queued and not due yet.
const scheduled = "scheduled"

// registerFilter adds the flags that lists and changes share.
func (f *queueFilter) registerFilter(a chooser, cmd *cobra.Command, all string) {
	command.Add(cmd, a.T("Which messages:"),
		command.NewOption("account", "A", &f.account, a.T("NAME"), a.T("messages sent from this account")),
		command.NewOption("state", "", &f.states, a.T("STATE"), a.T("messages with a recipient in this state, or in one of several, separated by commas")),
		command.NewOption("to", "", &f.to, a.T("TEXT"), a.T("messages with a recipient whose address contains this")),
		command.NewOption("from", "", &f.from, a.T("TEXT"), a.T("messages whose sender contains this")),
		command.NewOption("tag", "", &f.tag, a.T("WORD"), a.T("messages with this tag")),
		command.NewOption("key", "", &f.key, a.T("WORD"), a.T("the message with this key")),
		command.NewOption("since", "", &f.since, a.T("TIME"), a.T("messages enqueued at or after this time: 9:00, yesterday, 2026-01-31, or 2h for two hours ago")),
		command.NewOption("until", "", &f.until, a.T("TIME"), a.T("messages enqueued before this time")),
		command.NewOption("all", "", &f.all, "", all),
	)
	command.Complete(cmd, "state", stateFlagWords)
	command.Complete(cmd, "account", a.AccountNames)
}

// registerList adds the flags of a list.
func (f *queueFilter) registerList(a chooser, cmd *cobra.Command) {
	f.limit = -1
	f.registerFilter(a, cmd, a.T("include finished messages"))
	command.Add(cmd, a.T("Which messages:"), command.NewOption("limit", "", &f.limit, a.T("NUMBER"), a.T("list at most this many, the newest; 0 for all (default: 50, all with --json)")))
	cmd.Flags().Lookup("limit").DefValue = ""
}

func stateFlagWords() []string {
	words := []string{scheduled}
	for _, s := range queue.States() {
		words = append(words, string(s))
	}
	return words
}

// unfinishedStates returns the states that are not final.
func unfinishedStates() []queue.State {
	return slices.DeleteFunc(queue.States(), queue.State.Final)
}

// isEmpty reports whether no flag chooses messages.
func (f *queueFilter) isEmpty() bool {
	return f.account == "" && f.to == "" && f.from == "" && f.tag == "" && f.key == "" && len(f.states) == 0 && f.since == "" && f.until == ""
}

// filterFlags returns the flags that choose messages by a value.
func filterFlags() []string {
	return []string{"account", "state", "to", "from", "tag", "key", "since", "until"}
}

// parseFilter parses the flags. scheduledOnly selects the queued recipients that are not due yet, which
// a store can't tell apart.
func (f *queueFilter) parseFilter(a chooser, args []string) (filter queue.Filter, scheduledOnly bool, err error) {
	filter = queue.Filter{Account: f.account, To: strings.ToLower(f.to), From: strings.ToLower(f.from), Tag: f.tag, Key: f.key}
	if filter.IDs, err = a.parseIDs(args); err != nil {
		return filter, false, err
	}
	for _, value := range f.states {
		for word := range strings.SplitSeq(value, ",") {
			switch word = strings.ReplaceAll(strings.TrimSpace(word), "-", "_"); {
			case word == scheduled:
				scheduledOnly = true
				filter.States = append(filter.States, queue.Queued)
			case slices.Contains(stateFlagWords(), word):
				filter.States = append(filter.States, queue.State(word))
			default:
				return filter, false, a.unknownState(word)
			}
		}
	}
	if scheduledOnly && len(filter.States) > 1 {
		return filter, false, a.Wrongf("%s %s can't be combined with other states", a.Name("state"), scheduled)
	}
	for _, t := range []struct {
		flag, value string
		to          *time.Time
	}{{"since", f.since, &filter.Since}, {"until", f.until, &filter.Until}} {
		if t.value == "" {
			continue
		}
		if *t.to, err = a.PastTime(t.flag, t.value); err != nil {
			return filter, false, err
		}
	}
	return filter, scheduledOnly, nil
}

func (a chooser) unknownState(word string) error {
	if near := command.NearestWord(word, stateFlagWords()); near != "" {
		return command.Fail(command.ExitUsage, errors.New(a.T("unknown state %q", word)), a.T("Did you mean %s?", near))
	}
	return command.Fail(command.ExitUsage, errors.New(a.T("unknown state %q", word)), a.T("Valid states: %s.", a.Listed(stateFlagWords())))
}
