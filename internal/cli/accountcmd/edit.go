package accountcmd

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
)

type accountEditFlags struct{ set, unset []string }

// configEditor changes the configuration, by flags or in the user's editor.
type configEditor struct{ *accountCommands }

func (a *accountCommands) accountEditCommand() *cobra.Command {
	s := &accountEditFlags{}
	cmd := &cobra.Command{
		Use:               "edit [" + a.T("NAME") + "]",
		Short:             a.T("Edit the configuration, or change a key of an account"),
		Long:              a.T("Open the configuration in the editor set by VISUAL or EDITOR, at the given account. The file is replaced only after your changes have been checked; errors can be edited again, and nothing is lost.\n\nWith --set and --unset no editor is opened. The keys are those of the configuration: from, server, user, secret.command, fallback, …"),
		Example:           "  yan account edit\n  yan account edit qq --set fallback=work --set save_sent=auto\n  yan account edit qq --unset signature",
		Args:              a.AtMost(1),
		ValidArgsFunction: a.completeOneAccount,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(s.set)+len(s.unset) > 0 {
				return (&configEditor{a}).setKeys(args, s)
			}
			return (&configEditor{a}).editAccounts(cmd.Context(), args)
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("set", "", &s.set, a.T("KEY=VALUE"), a.T("set a key to this value; repeatable")),
		command.NewOption("unset", "", &s.unset, a.T("KEY"), a.T("remove a key, so that the inherited value applies; repeatable")),
	)
	command.Complete(cmd, "set", func() []string {
		var list []string
		for _, key := range account.Keys() {
			list = append(list, key+"=")
		}
		return list
	})
	command.Complete(cmd, "unset", account.Keys)
	return cmd
}

// setKeys changes keys of one account without an editor: all of them or none.
func (a *configEditor) setKeys(args []string, s *accountEditFlags) error {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	acc, err := a.NamedAccount(f, args)
	if err != nil {
		return err
	}
	for _, pair := range s.set {
		if !strings.Contains(pair, "=") {
			return a.Wrongf("%s: want KEY=VALUE, such as fallback=work", a.Name("set"))
		}
	}
	if err := a.setTogether(f, acc.Name, s); err != nil {
		return err
	}
	if err := a.SaveAccounts(f); err != nil {
		return err
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("Account %s changed.", acc.Name))
	a.PrintFaults(f)
	return nil
}

func (a *configEditor) setTogether(f *account.File, name string, s *accountEditFlags) error {
	var flag, pair string
	err := f.Together(name, func(f *account.File) error {
		for _, key := range s.unset {
			flag, pair = a.Name("unset"), key
			if err := f.Unset(name, strings.TrimSpace(key)); err != nil {
				return err
			}
		}
		for _, keyValue := range s.set {
			flag, pair = a.Name("set"), keyValue
			key, value, _ := strings.Cut(keyValue, "=")
			if err := f.Set(name, strings.TrimSpace(key), value); err != nil {
				return err
			}
		}
		flag, pair = "", ""
		return nil
	})
	var p *account.ParseError
	if errors.As(err, &p) && pair == "" { // a fault of all changes together
		isOf := func(key string) bool {
			whole := "account." + name + "." + strings.TrimSpace(key)
			return whole == p.Key || strings.HasPrefix(whole, p.Key+".")
		}
		for _, key := range s.unset {
			if isOf(key) {
				flag, pair = a.Name("unset"), key
			}
		}
		for _, keyValue := range s.set {
			if key, _, _ := strings.Cut(keyValue, "="); isOf(key) {
				flag, pair = a.Name("set"), keyValue
			}
		}
	}
	switch {
	case err == nil:
		return nil
	case pair == "":
		return a.BadConfiguration(f.Path(), err)
	}
	return a.badSetting(f, flag, pair, err)
}

// badSetting explains an error in a key or KEY=VALUE of a flag. The error has no position, since
// the file is unchanged.
func (a *configEditor) badSetting(f *account.File, flag, pair string, err error) error {
	var p *account.ParseError
	if !errors.As(err, &p) {
		return a.BadConfiguration(f.Path(), err)
	}
	key, _, _ := strings.Cut(pair, "=")
	given := flag + " " + command.QuoteName(key)
	switch p.Fault {
	case account.FaultUnknownKey:
		hint := ""
		if p.Near != "" {
			hint = a.T("Did you mean %s?", p.Near)
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: unknown key %s; nothing was changed", given, p.Key)), hint)
	case account.FaultSecret: // its value is not printed
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: secrets are not allowed in this file; nothing was changed", given)),
			a.T("'yan login' stores it safely; or set its place: %s", "--set secret.command='pass show mail'"))
	}
	if !strings.Contains(key, "client_secret") {
		given = flag + " " + command.QuoteName(pair)
	}
	if !strings.HasSuffix(p.Key, strings.TrimSpace(key)) { // the fault is in another key, because of this one
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: %s can't be used: %v; nothing was changed", given, p.Key, p.Err)), "")
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("%s: %v; nothing was changed", given, p.Err)), "")
}

// editAccounts edits a copy until it is valid.
func (a *configEditor) editAccounts(ctx context.Context, args []string) error {
	if a.StdinTTY == 0 && takesTheTerminal(a.editorCommand()) {
		return command.Fail(command.ExitUsage, errors.New(a.T("the editor %q needs a terminal", a.editorCommand())),
			a.T("Use %s to change single keys, or set VISUAL to an editor with its own window.", "--set KEY=VALUE"))
	}
	path, err := a.ConfigPath()
	if err != nil {
		return err
	}
	f, before, err := a.readEditable(path)
	if err != nil {
		return err
	}
	line := 1
	if len(args) == 1 {
		if f != nil {
			if _, err := a.NamedAccount(f, args); err != nil {
				return err
			}
			line, _ = f.Position(args[0])
		}
	}
	copied, err := copyBeside(path, before)
	if err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the configuration"), err), "")
	}
	for {
		if err := a.runEditor(ctx, copied, line); err != nil {
			_ = os.Remove(copied) // it holds no edits
			return err
		}
		edited, err := atomicfile.Read(a.Ctx, copied, maxConfiguration)
		if err != nil {
			return a.FileFailure("", copied, err)
		}
		if string(edited) == string(before) {
			_ = os.Remove(copied)
			a.Outf("%s\n", a.T("Nothing changed."))
			return nil
		}
		changed, again, err := a.acceptEdit(ctx, path, f, before, edited, copied)
		if err != nil {
			return err
		}
		if !again {
			_ = os.Remove(copied)
			a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("%s changed; accounts: %s", command.QuoteName(path), a.Listed(accounts.AccountNamesOf(changed))))
			return nil
		}
		line = 1
	}
}

// maxConfiguration limits the size of an edited configuration, in octets: more than account.Load
// reads, so that a file that is too long can be shortened.
const maxConfiguration = 16 << 20

// readEditable reads the configuration. f is nil if it is invalid; it can be edited all the same.
func (a *configEditor) readEditable(path string) (f *account.File, before []byte, err error) {
	f, err = a.ReadConfiguration(path, account.Load)
	var wrong *account.ParseError
	switch {
	case errors.As(err, &wrong):
		before, err = atomicfile.Read(a.Ctx, path, maxConfiguration)
		if err != nil {
			return nil, nil, a.FileFailure("", path, err)
		}
		return nil, before, nil
	case err != nil:
		return nil, nil, a.BadConfiguration(path, err)
	case !f.Exists():
		return f, []byte("version = 1\n"), nil
	}
	return f, f.Bytes(), nil
}

// acceptEdit replaces the configuration with the edited text. again is set if it is invalid and the
// user wants to correct it.
func (a *configEditor) acceptEdit(ctx context.Context, path string, f *account.File, before, edited []byte, copied string) (changed *account.File, again bool, err error) {
	if f == nil { // the old text is invalid, so only its octets can be compared
		if f, err = account.Parse(path, edited); err == nil {
			return f, false, a.replaceFile(path, before, edited)
		}
	} else if err = f.Replace(edited); err == nil {
		return f, false, a.SaveAccounts(f)
	}
	explained := a.BadConfiguration(path, err)
	kept := a.T("Your text is in %s; the configuration was not changed.", command.QuoteName(copied))
	q := a.Asker(false)
	var failed *command.Failure
	if !q.Person || !errors.As(explained, &failed) {
		if errors.As(explained, &failed) {
			failed.Hint = strings.TrimSpace(failed.Hint + "\n     " + kept)
		}
		return nil, false, explained
	}
	a.Explain(failed)
	yes, err := q.Confirm(ctx, prompt.Question{Title: a.T("Edit it again?")}, true)
	if err != nil || !yes {
		return nil, false, command.Fail(failed.Code, errors.New(kept), "")
	}
	return nil, true, nil
}

// replaceFile replaces an invalid configuration, and keeps the file's permissions.
func (a *configEditor) replaceFile(path string, before, edited []byte) error {
	now, err := atomicfile.Read(a.Ctx, path, maxConfiguration)
	if err != nil || string(now) != string(before) {
		return command.Fail(command.ExitTemporary, errors.New(a.T("%s: another program changed it at the same time; nothing was written", command.QuoteName(path))), a.T("Try again."))
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Stat(path)
	if err == nil {
		err = atomicfile.Write(path, edited, info.Mode().Perm())
	}
	if err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the configuration"), err), "")
	}
	return nil
}

// copyBeside writes the copy to edit: in the same folder, for its owner only, with the extension
// that editors know as TOML.
func copyBeside(path string, text []byte) (name string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	t, err := os.CreateTemp(filepath.Dir(path), "edit-*.toml") // 0600
	if err != nil {
		return "", err
	}
	_, err = t.Write(text)
	if closeErr := t.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(t.Name()) // report the first error instead
		return "", err
	}
	return t.Name(), nil
}

// editorCommand returns the command that edits a file.
func (a *configEditor) editorCommand() string {
	if editor := cmp.Or(a.Getenv("VISUAL"), a.Getenv("EDITOR")); editor != "" {
		return editor
	}
	if a.Windows {
		return "notepad"
	}
	return "vi"
}

// runEditor opens a file in the user's editor, at a line if the editor can.
func (a *configEditor) runEditor(ctx context.Context, file string, line int) error {
	editor := a.editorCommand()
	words := []string{file}
	if takesLine(editor) && line > 1 {
		words = []string{"+" + strconv.Itoa(line), file}
	}
	var cmd *exec.Cmd
	if a.Windows {
		line := strings.Fields(editor)
		cmd = exec.CommandContext(ctx, line[0], append(line[1:], words...)...)
	} else { // like git: the variable may hold flags and quotes
		cmd = exec.CommandContext(ctx, "sh", append([]string{"-c", editor + ` "$@"`, editor}, words...)...)
	}
	cmd.Stdout, cmd.Stderr = a.Stdout, a.Stderr
	if keyboard, ok := a.Keyboard.(*os.File); ok { // exec would read any other reader to its end
		cmd.Stdin = keyboard
	}
	if a.StderrWidth > 0 { // editors need the terminal itself
		cmd.Stdout, cmd.Stderr = a.Screen, a.Screen
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return command.Fail(command.ExitInterrupted, errors.New(a.T("interrupted; nothing was changed")), "")
		}
		return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("the editor %q failed; nothing was changed", editor), err), a.T("Set VISUAL or EDITOR to another editor."))
	}
	return nil
}

// takesLine reports whether an editor opens a file at a line with +N.
func takesLine(editor string) bool {
	return takesTheTerminal(editor) || programName(editor) == "emacsclient"
}

// takesTheTerminal reports whether an editor is known to need a terminal; without one it would wait
// forever.
func takesTheTerminal(editor string) bool {
	switch programName(editor) {
	case "vi", "vim", "nvim", "view", "nano", "emacs", "micro", "joe", "mg", "kak":
		return true
	}
	return false
}

// programName returns the name of a command's program.
func programName(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return strings.TrimSuffix(word[strings.LastIndexAny(word, `/\`)+1:], ".exe")
}
