package accountcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/settingsimport"
	"github.com/yanmail/yan/message"
)

type importFlags struct {
	from    string
	all     bool
	names   []string
	as      string
	sender  string
	replace bool
	dryRun  bool
	files   bool
	json    bool
}

func programNames() []string {
	var names []string
	for _, p := range settingsimport.Programs() {
		names = append(names, string(p))
	}
	return names
}

// importer imports the accounts of other programs.
type importer struct{ *accountCommands }

func (a *accountCommands) accountImportCommand() *cobra.Command {
	s := &importFlags{}
	cmd := &cobra.Command{
		Use:     "import [" + a.T("FILE") + "]",
		Short:   a.T("Import accounts from msmtp, mutt, git or ssmtp"),
		Long:    a.T("Import accounts from the settings of msmtp, mutt, git send-email or ssmtp. Without a file, searches the usual places. Shows the accounts found and the settings that can't be imported, and asks which accounts to keep.\n\nA cleartext password is stored in the keyring, never in the configuration; a command that prints the password is kept as a command and not run. Settings that weaken the protection of a password are not imported. Existing accounts are not changed without --replace."),
		Example: "  yan account import --dry-run\n  yan account import --from msmtp --all\n  yan account import ~/.gitconfig --name work --as office",
		Args:    a.AtMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return (&importer{a}).importAccounts(cmd.Context(), s, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("from", "", &s.from, strings.Join(programNames(), "|"), a.T("program of the settings (default: from the file name, or all)")),
		command.NewOption("all", "", &s.all, "", a.T("import every account found")),
		command.NewOption("name", "", &s.names, a.T("NAME"), a.T("import the account with this name; repeatable")),
		command.NewOption("as", "", &s.as, a.T("NAME"), a.T("use this name for the imported account; for one account only")),
		command.NewOption("sender", "", &s.sender, a.T("ADDRESS"), a.T("sender for accounts whose settings have none")),
		command.NewOption("replace", "", &s.replace, "", a.T("replace existing accounts with the same name")),
		command.NewOption("secret-files", "", &s.files, "", a.T("store each password in a file next to the configuration that only you can read, instead of the keyring")),
		command.NewOption("dry-run", "n", &s.dryRun, "", a.T("only show the accounts that would be imported")),
		command.NewOption("json", "", &s.json, "", a.T("print JSON")),
	)
	command.Complete(cmd, "from", programNames)
	return cmd
}

// importCandidate is an account found in another program's settings.
type importCandidate struct {
	settingsimport.FoundAccount
	program settingsimport.Program
	name    string // its name here, unique among all found accounts
	chosen  bool
	// replaces is set if an account of this name exists here; skipped if it is left alone.
	replaces, skipped bool
	kept              bool
	// consented is set if the user agreed to replace the account of this name.
	consented bool
	// unkept is why its password could not be stored; nil if it was, or there is none.
	unkept error
}

func (a *importer) importAccounts(ctx context.Context, s *importFlags, args []string) error {
	if err := a.checkImport(s, args); err != nil {
		return err
	}
	f, err := a.Configuration()
	if err != nil {
		return err
	}
	all, err := a.readSettings(ctx, s, args)
	if err != nil {
		return err
	}
	list := a.listCandidates(all, s)
	if !s.json {
		a.printFound(f, all, list, s.names)
	}
	if s.dryRun || len(list) == 0 {
		if s.json {
			a.PrintJSON(importResult(all, list))
		}
		return nil
	}
	if err := a.chooseAccounts(ctx, s, f, list); err != nil {
		return err
	}
	if err := a.storeChosen(ctx, s, f, list); err != nil {
		return err
	}
	if s.json {
		a.PrintJSON(importResult(all, list))
	} else {
		a.printImported(f, list)
	}
	return a.unstoredError(s, args, list)
}

// unstoredError reports the accounts whose password could not be stored; the other accounts are
// imported.
func (a *importer) unstoredError(s *importFlags, args []string, list []*importCandidate) error {
	var names []string
	var why error
	for _, h := range list {
		if h.unkept != nil {
			names, why = append(names, h.name), h.unkept
		}
	}
	if why == nil {
		return nil
	}
	again := "yan account import"
	for _, file := range args {
		again += " " + console.ShellWord(file)
	}
	if s.from != "" {
		again += " --from " + s.from
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("not imported, because their passwords can't be stored: %s (%s)", a.Listed(names), a.SecretProblem(why))),
		a.T("Store them in files that only you can read: %s", again+" --secret-files --name "+strings.Join(names, " --name ")))
}

func (a *importer) checkImport(s *importFlags, args []string) error {
	switch {
	case s.from != "" && !slices.Contains(programNames(), s.from):
		return a.Wrongf("%s %q: want one of %s", a.Name("from"), s.from, a.Listed(programNames()))
	case s.all && len(s.names) > 0:
		return a.Wrongf("use either %s or %s: the first imports every account, the second only one", a.Name("all"), a.Name("name"))
	case s.as != "" && !accounts.IsAccountName(s.as):
		return a.Wrongf("%s %q: want letters, digits, - and _", a.Name("as"), s.as)
	case s.as != "" && len(s.names) > 1:
		return a.Wrongf("%s is for one account, but %d are given", a.Name("as"), len(s.names))
	}
	if s.sender != "" {
		if err := a.Address("sender", s.sender); err != nil {
			return err
		}
		if _, err := message.ParseMailbox(s.sender); err != nil {
			return a.Wrongf("%s %q: want one address", a.Name("sender"), s.sender)
		}
	}
	if len(args) == 1 {
		if _, err := os.Stat(args[0]); err != nil {
			return a.FileFailure("", args[0], err)
		}
	}
	if len(args) == 1 && s.from == "" {
		p, ok := settingsimport.Guess(args[0])
		if !ok {
			return command.Fail(command.ExitUsage, errors.New(a.T("%s: can't tell the program of these settings from the file name", command.QuoteName(args[0]))),
				a.T("Use %s.", "--from "+strings.Join(programNames(), "|")))
		}
		s.from = string(p)
	}
	return nil
}

// readSettings reads the named file, or the usual files of the programs.
func (a *importer) readSettings(ctx context.Context, s *importFlags, args []string) ([]settingsimport.Settings, error) {
	m := settingsimport.Machine{Home: homedir.Find(a.Getenv), Etc: a.Etc, Getenv: a.Getenv}
	if me, err := user.Current(); err == nil {
		m.User = me.Username[strings.LastIndexByte(me.Username, '\\')+1:] // Windows puts the domain before it
	}
	if len(args) == 1 {
		settings, err := m.Load(ctx, settingsimport.Program(s.from), args[0])
		if err != nil {
			return nil, a.unreadableSettings(args[0], err)
		}
		return []settingsimport.Settings{settings}, nil
	}
	var all []settingsimport.Settings
	var places []string
	for _, p := range settingsimport.Programs() {
		if s.from != "" && s.from != string(p) {
			continue
		}
		places = append(places, m.UsualPlaces(p)...)
		settings, err := m.Load(ctx, p, "")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			explained := a.unreadableSettings("", err)
			if s.from != "" {
				return nil, explained
			}
			if failed := (*command.Failure)(nil); errors.As(explained, &failed) { // the others may be valid
				a.Explain(failed)
			}
			continue
		}
		all = append(all, settings)
	}
	if len(all) == 0 {
		return nil, command.Fail(command.ExitNoInput, errors.New(a.T("found no settings of other programs")), a.T("Searched: %s", a.Listed(places)))
	}
	return all, nil
}

// unreadableSettings explains why a file can't be read.
func (a *importer) unreadableSettings(file string, err error) error {
	var problem *settingsimport.ProblemError
	var path *fs.PathError
	switch {
	case errors.As(err, &problem):
		where := command.QuoteName(problem.File)
		if problem.Line > 0 {
			where = fmt.Sprintf("%s:%d", where, problem.Line)
		}
		switch problem.Problem {
		case settingsimport.TooLarge:
			return command.Fail(command.ExitData, errors.New(a.T("%s: too large to be a settings file", where)), "")
		case settingsimport.NotText:
			return command.Fail(command.ExitData, errors.New(a.T("%s: the text is not UTF-8", where)), "")
		case settingsimport.NotRegular:
			if info, err := os.Stat(problem.File); err == nil && !info.IsDir() {
				return command.Fail(command.ExitNoInput, errors.New(a.T("%s: this is a pipe or a device, not a file", where)),
					a.T("Save the settings to a file and import that file."))
			}
			return command.Fail(command.ExitNoInput, errors.New(a.T("%s: this is a folder, not a file", where)), "")
		case settingsimport.Untrusted:
			return command.Fail(command.ExitConfig, errors.New(a.T("%s: other users can change this file or its folder, and it may contain commands and servers: it is not used", where)),
				a.T("Check its contents, and import a copy of your own."))
		}
		return command.Fail(command.ExitData, errors.New(a.T("%s: can't read this line; the program itself would refuse the file too", where)), "")
	case errors.As(err, &path):
		return a.FileFailure("", path.Path, err)
	}
	return a.FileFailure("", file, err)
}

// listCandidates returns the accounts of all programs, each with a unique name.
func (a *importer) listCandidates(all []settingsimport.Settings, s *importFlags) []*importCandidate {
	var list []*importCandidate
	taken := map[string]bool{}
	for _, settings := range all {
		for _, found := range settings.Found {
			h := &importCandidate{FoundAccount: found, program: settings.Program, name: found.Account.Name}
			if taken[h.name] {
				h.name += "-" + string(settings.Program)
			}
			for i := 2; taken[h.name]; i++ {
				h.name = fmt.Sprintf("%s-%d", found.Account.Name, i)
			}
			taken[h.name] = true
			if h.Account.From == "" {
				h.Account.From = s.sender
			}
			list = append(list, h)
		}
	}
	return list
}

// chooseAccounts marks the accounts to import: by the flags, or by asking the user.
func (a *importer) chooseAccounts(ctx context.Context, s *importFlags, f *account.File, list []*importCandidate) error {
	var names []string
	for _, h := range list {
		names = append(names, h.name)
	}
	for _, name := range s.names {
		i := slices.Index(names, name)
		if i < 0 {
			hint := a.T("Available: %s.", a.Listed(names))
			if near := command.NearestWord(name, names); near != "" {
				hint = a.T("Did you mean %s?", near)
			}
			return command.Fail(command.ExitUsage, errors.New(a.T("found no account %q", name)), hint)
		}
		list[i].chosen = true
	}
	switch {
	case len(s.names) > 0:
	case s.all:
		for _, h := range list {
			_, h.skipped = f.Account(h.name)
			h.skipped = h.skipped && !s.replace && s.as == ""
			h.chosen = !h.skipped
		}
	default:
		if err := a.askWhich(ctx, s, f, list); err != nil {
			return err
		}
	}
	n := 0
	for _, h := range list {
		if h.chosen {
			n++
		}
	}
	if s.as != "" && n != 1 {
		return a.Wrongf("%s is for one account, but %d are given", a.Name("as"), n)
	}
	for _, h := range list {
		if h.chosen && s.as != "" {
			h.name = s.as
		}
	}
	return nil
}

func (a *importer) askWhich(ctx context.Context, s *importFlags, f *account.File, list []*importCandidate) error {
	q := a.Asker(false)
	if !q.Person {
		return command.Fail(command.ExitUsage, errors.New(a.T("can't ask which accounts to import")),
			a.T("Use %s or %s to choose; %s only shows them.", "--all", "--name "+list[0].name, "--dry-run"))
	}
	for _, h := range list {
		title := a.T("Import %s (%s)?", h.name, h.Account.From)
		old, exists := f.Account(h.name)
		if exists = exists && !s.replace && s.as == ""; exists {
			title = a.T("Replace the account %s (%s)?", old.Name, old.From)
		}
		yes, err := q.Confirm(ctx, prompt.Question{Title: title}, !exists)
		if err != nil {
			return a.answerError(err, title, "--all")
		}
		h.chosen, h.consented = yes, yes && exists
	}
	return nil
}
