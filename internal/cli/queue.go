package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/daemon"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/route"
	"github.com/yanmail/yan/internal/scrub"
	"github.com/yanmail/yan/internal/sentence"
)

// queueFlags are what all commands of the outbox have.
type queueFlags struct {
	outbox string
	json   bool
}

func (a *app) queueCommand() *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	cmd := &cobra.Command{
		Use:   "queue",
		Short: a.T("See and change what waits in the outbox, and send it"),
		Long: a.T("The outbox keeps messages on the disk until a server has taken them: 'yan send --queue' puts them in, 'yan queue run' " +
			"sends what is due, once, and 'yan serve' does so as long as it runs. Each recipient has a state of its own.\n\n" +
			"Without a command the messages are listed that are not finished; with numbers, these."),
		Example:           "  yan queue\n  yan queue run\n  yan queue show 12\n  yan queue --state failed,expired",
		Annotations:       map[string]string{usageLines: a.T("yan queue [ID…] [FILTER…]\nyan queue COMMAND …")},
		Args:              cobra.ArbitraryArgs, // RunE says what is wrong with them
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !isID(args[0]) {
				return a.unknownCommand(cmd, args[0])
			}
			return a.queueList(cmd, q, f, args)
		},
	}
	f.registerList(a, cmd)
	q.register(a, cmd)
	a.addLists(cmd, func() []list { return []list{a.stateList(), a.queueStatuses()} })
	cmd.AddCommand(a.queueListCommand(), a.queueShowCommand(), a.queueWatchCommand(), a.queueRunCommand(),
		a.queueVerbCommand(outbox.Hold), a.queueVerbCommand(outbox.Release), a.queueVerbCommand(outbox.Retry), a.queueVerbCommand(outbox.Cancel),
		a.queueResolveCommand(), a.queueResumeCommand(), a.queueExportCommand(), a.queueStatsCommand(), a.queuePruneCommand(), a.queueAdoptCommand())
	return cmd
}

// register adds the flags that all of them have.
func (q *queueFlags) register(a *app, cmd *cobra.Command) {
	q.registerOutbox(a, cmd)
	add(cmd, a.T("Flags:"), newOption("json", "", &q.json, "", a.T("print JSON")))
}

func (q *queueFlags) registerOutbox(a *app, cmd *cobra.Command) {
	add(cmd, a.T("Flags:"), newOption("outbox", "", &q.outbox, a.T("PATH|URL"), outboxText(a)))
}

func outboxText(a *app) string {
	return a.T("where the outbox is: a file, or postgres://… (default: that of the configuration, else the user's own)")
}

// openQueue opens the outbox and makes one where there is none. given is the flag.
func (a *app) openQueue(ctx context.Context, given string) (outbox.Store, error) {
	settings, where, err := a.outboxPlace(ctx, given)
	if err != nil {
		return nil, err
	}
	store, err := a.openOutbox(ctx, where, route.StoreOptions(settings))
	if err != nil {
		return nil, a.outboxProblem(given, err)
	}
	return store, nil
}

// lookIntoQueue opens the outbox for who only wants what is in it: a file that is not
// there is not made, and the store is nil.
func (a *app) lookIntoQueue(ctx context.Context, given string) (outbox.Store, error) {
	name := a.outboxName(ctx, given)
	if a.openStore == nil && name != "" && !outbox.IsPostgres(name) {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, a.notThere(name, given)
		}
	}
	return a.openQueue(ctx, given)
}

// notThere is nil where it is usual that there is no outbox yet: the first message makes it.
// One that is named in a command is expected to be there, and the folder of one that is
// named in a variable.
func (a *app) notThere(name, given string) error {
	_, err := os.Stat(filepath.Dir(name))
	if given == "" || err == nil && a.origin["outbox"] != "" {
		return nil
	}
	return fail(exitNoInput, errors.New(a.T("there is no outbox %s", printable(name))),
		a.T("Check the name. 'yan send --queue' makes the outbox with the first message."))
}

// readQueue is lookIntoQueue for who changes nothing: it is content with a disk that can't
// be written.
func (a *app) readQueue(ctx context.Context, given string) (outbox.Store, error) {
	store, err := a.lookIntoQueue(ctx, given)
	name := a.outboxName(ctx, given)
	var failed *failure
	if errors.As(err, &failed) && failed.code == exitNoInput || err == nil || a.openStore != nil || name == "" || outbox.IsPostgres(name) {
		return store, err
	}
	if store, readErr := stores.OpenToRead(ctx, name, outbox.Options{}); readErr == nil {
		return store, nil
	}
	return nil, err
}

// outboxSettings are what the configuration says about the outbox.
func (a *app) outboxSettings() (account.Outbox, error) {
	path, err := account.Path(a.Getenv)
	if err != nil { // as of a service without a home: the defaults
		f, err := account.Parse("", nil)
		if err != nil {
			return account.Outbox{}, internal("making an empty configuration", err)
		}
		return f.Outbox(), nil
	}
	f, err := a.load(path, account.LoadFaulty)
	if err != nil {
		return account.Outbox{}, a.badConfiguration(path, err)
	}
	if p := f.OutboxFault(); p != nil {
		return account.Outbox{}, a.badConfiguration(path, p)
	}
	return f.Outbox(), nil
}

// outboxPlace is where the outbox is: as the flag or its variable says, else the
// configuration; "" is the user's own. It may hold a password.
func (a *app) outboxPlace(ctx context.Context, given string) (account.Outbox, string, error) {
	if err := a.noPasswordInFlag(given); err != nil {
		return account.Outbox{}, "", err
	}
	settings, err := a.outboxSettings()
	if err != nil && given != "" {
		// Where the outbox is has been said: what is wrong with an account is no reason not
		// to look.
		defaults, emptyErr := account.Parse("", nil)
		if emptyErr != nil {
			return settings, given, internal("making an empty configuration", emptyErr)
		}
		return defaults.Outbox(), given, nil
	}
	if err != nil || given != "" {
		return settings, given, err
	}
	where, err := settings.Where(ctx, a.secrets(), a.Getenv)
	if err != nil {
		return settings, "", fail(exitConfig, sentence.Errorf("%s: %w", a.T("the password of the outbox can't be had"), err), "")
	}
	return settings, where, nil
}

// outboxName is the outbox as an absolute path, or as a URL that may lack its password;
// "" where there is no place for it.
func (a *app) outboxName(ctx context.Context, given string) string {
	where := given
	if where == "" {
		settings, err := a.outboxSettings()
		if err != nil {
			return ""
		}
		if where = settings.URL; !outbox.IsPostgres(where) { // then nobody asks for a password
			if where, err = settings.Where(ctx, a.secrets(), a.Getenv); err != nil {
				return ""
			}
		}
	}
	if outbox.IsPostgres(where) {
		return where
	}
	path, err := stores.Path(where, a.Getenv)
	if err != nil {
		return ""
	}
	return path
}

// isServed reports whether somebody sends from the outbox. 'yan serve' is told that
// there is something to do.
func (a *app) isServed(ctx context.Context, store outbox.Store, given string) bool {
	if name := a.outboxName(ctx, given); name != "" && a.wake(ctx, daemon.SocketPath(name, a.Getenv)) {
		return true
	}
	stats, err := store.Stats(ctx)
	return err == nil && somebodyWorks(stats)
}

// wake tells a 'yan serve' that there is something to do. One that was stopped and does not
// answer is not waited for: the message is kept, and the store tells it later.
func (a *app) wake(ctx context.Context, socket string) bool {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := daemon.Dial(ctx, socket)
	if err != nil {
		return false
	}
	defer c.Close()
	return c.Wake(ctx) == nil
}

// somebodyWorks reports whether a worker lives.
func somebodyWorks(stats outbox.Stats) bool {
	return slices.ContainsFunc(stats.Workers, func(w outbox.WorkerStats) bool { return w.For > 0 })
}

// outboxProblem is why the outbox can't be used.
func (a *app) outboxProblem(given string, err error) error {
	shown := outbox.Describe(a.outboxName(context.Background(), given))
	var newer *outbox.NewerError
	var mishap *delivering.PanicError
	code, hint := exitIO, ""
	switch {
	case errors.Is(err, context.Canceled):
		return fail(exitTemporary, errors.New(a.T("interrupted")), "")
	case errors.As(err, &mishap):
		a.errf("%s\n", visibleLines(scrub.Text(string(mishap.Stack))))
		return fail(exitInternal, err, a.T("Please report this, with the lines above."))
	case errors.Is(err, outbox.ErrUncertain):
		code, hint = exitUnknown, a.T("Look before you do it again: %s", "yan queue")
	case errors.Is(err, outbox.ErrCopied):
		code, hint = exitConfig, a.copiedHint()
	case errors.Is(err, outbox.ErrFull):
		code, hint = exitTemporary, a.T("Make room on the disk, or forget what is finished: %s", "yan queue prune")
	case errors.As(err, &newer):
		code, hint = exitConfig, a.T("Update this program, or name another outbox with --outbox.")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		code = exitCantCreate
	case errors.Is(err, outbox.ErrClosed): // by this program
		code = exitUnavailable
	case outbox.IsPostgres(shown):
		code = exitTemporary
	}
	return fail(code, ofOutbox(shown, err, a.T("the outbox %s", printable(shown))), hint)
}

// ofOutbox says of which outbox an error is, where it does not say that itself.
func ofOutbox(shown string, err error, as string) error {
	if shown == "" || strings.Contains(err.Error(), shown) {
		return err
	}
	return sentence.Errorf("%s: %w", as, err)
}

// isID reports whether a word is the number of a message.
func isID(word string) bool { _, err := parseID(word); return err == nil }

func parseID(word string) (outbox.ID, error) {
	n, err := strconv.ParseInt(word, 10, 64)
	if err == nil && n < 1 {
		err = strconv.ErrRange
	}
	return outbox.ID(n), err
}

// ids reads the numbers of messages, each once.
func (a *app) ids(args []string) ([]outbox.ID, error) {
	var list []outbox.ID
	seen := map[outbox.ID]bool{}
	for _, arg := range args {
		id, err := parseID(arg)
		if err != nil {
			return nil, fail(exitUsage, errors.New(a.T("%q is not the number of a message", arg)), a.T("'yan queue' lists them with their numbers."))
		}
		if !seen[id] {
			list = append(list, id)
		}
		seen[id] = true
	}
	return list, nil
}

// oneID wants exactly one.
func (a *app) oneID(args []string) (outbox.ID, error) {
	if len(args) == 0 {
		return 0, a.usagef("name the message by its number; 'yan queue' lists them")
	}
	if len(args) > 1 {
		return 0, a.usagef("%q is one argument too many", args[1])
	}
	ids, err := a.ids(args)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// noMessage: the outbox does not have it (any more).
func (a *app) noMessage(id outbox.ID) error {
	return fail(exitData, errors.New(a.T("there is no message %d in the outbox", id)), a.T("'yan queue --all' lists what is there; what is finished is forgotten after a while."))
}

// completeIDs offers the messages that are not finished.
func (a *app) completeIDs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	states := unfinished()
	if cmd.Name() == "resolve" { // nothing else can be
		states = []outbox.State{outbox.InDoubt}
	}
	given, _ := cmd.Flags().GetString("outbox")
	if given == "" {
		given = a.Getenv(variable("outbox"))
	}
	store, err := a.lookIntoQueue(cmd.Context(), given)
	if err != nil || store == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close() // only read from
	page, err := store.List(cmd.Context(), outbox.Filter{States: states})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, e := range page.Entries {
		if id := e.ID.String(); !slices.Contains(args, id) {
			words = append(words, id+"\t"+a.states(e)+" "+oneLineOf(recipientsOf(e)))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
