package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// SaveAccounts writes the configuration.
func (a *Accounts) SaveAccounts(f *account.File) error { return a.SaveError(f, f.Save()) }

// SaveError explains why the configuration could not be written. It returns nil for nil.
func (a *Accounts) SaveError(f *account.File, err error) error {
	if err == nil || errors.Is(err, account.ErrChanged) {
		return a.configError(f.Path(), err)
	}
	return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the configuration"), err), "")
}

// NewAccount returns an account with the inherited settings, except server, user, authentication
// and secret: the defaults may belong to another mailbox.
func NewAccount(f *account.File, name string) account.Account {
	acc := f.New(name)
	acc.Server, acc.User, acc.Auth, acc.IMAP, acc.SentFolder = "", "", "", "", ""
	acc.Secret, acc.OAuth2, acc.AllowCleartextPassword = account.Secret{}, account.OAuth2{}, false
	return acc
}

// checkUsable refuses an account that is invalid, or that has an invalid fallback.
func (a *Accounts) checkUsable(f *account.File, acc account.Account) error {
	for range len(f.Accounts()) {
		if p := f.FaultOf(acc.Name); p != nil {
			return a.BadConfiguration(f.Path(), p)
		}
		next, ok := f.Account(acc.Fallback)
		if !ok {
			break
		}
		acc = next
	}
	return nil
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

// Secrets returns the secrets of this machine.
func (a *Accounts) Secrets() *Secrets {
	s := NewSecrets(a.SecretVault())
	s.Unsaved = func(err error) {
		a.Errf("%s\n", a.T("The new access token could not be saved: %v", err))
	}
	return s
}

// SecretVault returns the store of secrets: the keyring, or the encrypted file. It asks for the
// passphrase on the terminal.
func (a *Accounts) SecretVault() *secret.Vault {
	v := &secret.Vault{Keyring: a.Keyring, Getenv: a.Getenv, Home: homedir.Find(a.Getenv), WorkFactor: a.WorkFactor}
	if path, err := account.Path(a.Getenv); err == nil {
		v.File = filepath.Join(filepath.Dir(path), "secrets.age")
	}
	if a.ReadSecret != nil {
		tries := a.PassphraseTries()
		v.Passphrase = func(ctx context.Context, anew bool) (string, error) {
			if err := tries(anew); err != nil {
				return "", err
			}
			return a.askPassphrase(ctx, anew)
		}
	}
	return v
}

// maxTries limits how often a run asks for the passphrase of the encrypted file.
const maxTries = 3

// ErrNoMoreTries is the error after the passphrase was wrong maxTries times.
var ErrNoMoreTries = errors.New("the passphrase was wrong each time")

// PassphraseTries returns a function that counts the questions for the passphrase. A correct one is
// not asked for again.
func (a *Accounts) PassphraseTries() func(anew bool) error {
	asked := 0
	return func(anew bool) error {
		if anew {
			return nil
		}
		if asked > 0 {
			a.Errf("%s\n", a.T("Wrong passphrase."))
		}
		if asked++; asked > maxTries {
			return ErrNoMoreTries
		}
		return nil
	}
}

// askPassphrase asks for the passphrase of the encrypted file on the terminal.
func (a *Accounts) askPassphrase(ctx context.Context, anew bool) (string, error) {
	return a.PromptPassphrase(anew, func(title string) (string, error) {
		defer a.WithoutEcho()()
		a.Errf("%s", a.T("%s (not shown): ", title))
		defer a.Errf("\n")
		return a.ReadSecret(ctx)
	})
}

// PromptPassphrase asks for the passphrase of the encrypted file; twice for a new one.
func (a *Accounts) PromptPassphrase(anew bool, question func(title string) (string, error)) (string, error) {
	if !anew {
		return question(a.T("Passphrase of the encrypted file"))
	}
	a.Errf("%s\n", a.T("Remember it: if you forget it, you must log in again."))
	for range 3 {
		first, err := question(a.T("New passphrase of the encrypted file"))
		if err != nil {
			return "", err
		}
		second, err := question(a.T("Repeat it"))
		if err != nil || first == second && first != "" {
			return first, err
		}
		a.Errf("%s\n", a.T("The two entries differ or are empty."))
	}
	return "", prompt.ErrCancelled
}

// LoginName returns the user that logs in to the account's server; "" without a login.
func LoginName(acc account.Account, server transport.Server, address smtp.Address) string {
	switch {
	case acc.NoLogin():
		return ""
	case acc.User != "":
		return acc.User
	case server.User != "":
		return server.User
	case acc.Auth != "" || acc.Secret != account.Secret{} || acc.UsesOAuth2():
		return address.String()
	}
	return ""
}

// ServerOf returns the server of an account; zero if it is not known.
func ServerOf(acc account.Account) transport.Server {
	address, err := acc.Address()
	if err != nil {
		return transport.Server{}
	}
	server, _ := transport.ParseServer(acc.Server, address)
	return server
}
