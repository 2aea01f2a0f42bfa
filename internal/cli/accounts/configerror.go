package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/localerr"
)

// BadConfiguration explains a fault of the file: where it is, and the probable intention.
func (a *Accounts) BadConfiguration(path string, err error) error {
	var p *account.ParseError
	var unknown *account.UnknownAccountError
	switch {
	case errors.As(err, &unknown) && !errors.As(err, &p):
		return a.unknownAccountError(unknown)
	case errors.Is(err, account.ErrChanged):
		return command.Fail(command.ExitTemporary, errors.New(a.T("%s: another program changed it at the same time; nothing was written", command.QuoteName(path))), a.T("Try again."))
	case errors.Is(err, context.Canceled):
		return a.Interrupted()
	case errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: no permission", command.QuoteName(path))), "")
	case !errors.As(err, &p):
		return a.Configf("%s: can't be used: %v", command.QuoteName(path), err)
	}
	where := command.QuoteName(path)
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", where, p.Line, p.Column)
	}
	hint := ""
	if p.Near != "" {
		hint = a.T("Did you mean %s?", p.Near)
	}
	switch p.Fault {
	case account.FaultUnknownKey:
		if hint == "" {
			hint = a.repairHint(p)
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: unknown key %s", where, p.Key)), hint)
	case account.FaultVersion:
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: this file was written by a newer yan; it was not changed", where)), a.T("Update yan, or set YAN_CONFIG to another file."))
	case account.FaultSecret:
		if strings.HasPrefix(p.Key, "outbox.") {
			return command.Fail(command.ExitConfig, errors.New(a.T("%s: %s: secrets are not allowed in this file", where, p.Key)),
				a.T("Remove it and set its place: %s; or use PGPASSWORD or ~/.pgpass", `password_command = "pass show db"`))
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: %s: secrets are not allowed in this file", where, p.Key)),
			a.T("Remove the line and run 'yan login', which stores the secret safely; or set its place: %s", `secret = { command = "pass show mail" }`))
	case account.FaultSyntax:
		if long, ok := errors.AsType[*atomicfile.TooLongError](p.Err); ok {
			return command.Fail(command.ExitConfig, errors.New(a.T("%s: larger than %s, the limit for this file", where, console.Size(long.Most))), "")
		}
		if said := a.TranslateError(p.Err); a.Language() != i18n.English && said == p.Err.Error() { // a rare fault that has no translation
			return command.Fail(command.ExitConfig, errors.New(a.T("%s: line %d is not TOML (%s)", where, p.Line, said)), a.repairHint(p))
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: not TOML: %v", where, p.Err)), a.repairHint(p))
	case account.FaultWritable:
		if untrusted, ok := errors.AsType[*atomicfile.UntrustedError](p.Err); ok && (untrusted.Folder || untrusted.Reason == atomicfile.OthersOwn) {
			hint := a.T("Check its contents, then take ownership: %s", "chown \"$(id -un)\" "+command.QuoteName(untrusted.Path))
			if untrusted.Reason == atomicfile.OthersWrite {
				hint = a.T("Check its contents, then make it private: %s", "chmod go-w "+command.QuoteName(untrusted.Path))
			}
			return command.Fail(command.ExitConfig, errors.New(a.T("%v: the commands in %s are not run, and it is not used to send", untrusted, command.QuoteName(path))), hint)
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("%s: other users can write to this file: its commands are not run, and it is not used to send", where)),
			a.T("Check its contents, then make it private: chmod 600 %s", command.QuoteName(path)))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("%s: %s can't be used: %v", where, p.Key, p.Err)), a.repairHint(p))
}

// repairHint returns how to correct a fault of the configuration.
func (a *Accounts) repairHint(p *account.ParseError) string {
	path := strings.SplitN(p.Key, ".", 3)
	switch {
	case len(path) == 3 && path[0] == "account" && IsAccountName(path[1]) && (p.Fault == account.FaultValue || p.Fault == account.FaultReference):
		return a.T("Fix it: %s; or remove the account: %s", fmt.Sprintf("yan account edit %s --set %s=…", path[1], path[2]), "yan account remove "+path[1])
	case p.Key == "default":
		return a.T("Fix it: %s", "yan account default "+a.T("NAME"))
	}
	return a.T("Fix it: %s", "yan account edit")
}

// unknownAccountError returns an error with similar account names.
func (a *Accounts) unknownAccountError(e *account.UnknownAccountError) error {
	hint := a.T("'yan account list' lists the accounts.")
	if len(e.Near) > 0 {
		hint = a.T("Did you mean %s?", a.Listed(e.Near))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("unknown account %q", e.Name)), hint)
}

// ambiguousError returns the error for a choice between several accounts, which the user must make.
func (a *Accounts) ambiguousError(e *account.AmbiguousError) error {
	names := a.Listed(e.Names)
	if e.From.IsZero() {
		return command.Fail(command.ExitConfig, errors.New(a.T("there are several accounts and no default: %s", names)),
			a.T("Choose one with -A, or set a default: yan account default %s", e.Names[0]))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("several accounts can send as %s: %s", e.From, names)), a.T("Choose one with -A, for example -A %s", e.Names[0]))
}

// PrintFaults prints the faults of the other accounts.
func (a *Accounts) PrintFaults(f *account.File) {
	for _, p := range f.Faults() {
		var told *command.Failure
		if errors.As(a.BadConfiguration(f.Path(), p), &told) {
			a.Explain(told)
		}
	}
}

// SaveError explains why the configuration could not be written. It returns nil for nil.
func (a *Accounts) SaveError(f *account.File, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, account.ErrChanged):
		return a.BadConfiguration(f.Path(), err)
	}
	return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the configuration"), err), "")
}

// NoAccountsError returns the error for a configuration without accounts.
func (a *Accounts) NoAccountsError(f *account.File, code int) error {
	return command.Fail(code, errors.New(a.T("There are no accounts in %s yet.", command.QuoteName(f.Path()))),
		a.T("Run 'yan login' to create one, or 'yan account import' to import accounts of other programs."))
}
