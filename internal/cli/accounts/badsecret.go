package accounts

import (
	"cmp"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
)

// SecretProblem describes an error of a secret in a few words.
func (a *Accounts) SecretProblem(err error) string {
	var problem *secret.Error
	if !errors.As(err, &problem) {
		return a.TranslateError(err)
	}
	switch problem.Problem {
	case secret.NotFound:
		return a.T("missing")
	case secret.OtherLogin:
		return a.T("from an earlier login, for another server or user")
	case secret.Empty:
		return a.T("empty")
	case secret.SeveralLines:
		return a.T("has several lines; it must contain only the secret")
	case secret.Readable:
		if errors.Is(err, secret.ErrForeign) {
			return a.T("belongs to another user of this machine")
		}
		return a.T("other users of this machine can read it; chmod 600 makes it private")
	case secret.Unreadable:
		return a.T("can't be read")
	case secret.CommandFailed:
		return a.T("the command failed")
	case secret.Stuck:
		return a.T("the command did not end")
	case secret.Locked:
		return a.T("the keyring is locked")
	case secret.Unavailable:
		if errors.Is(err, ErrNoMoreTries) {
			return a.T("the passphrase of the encrypted file is wrong")
		}
		return a.T("no keyring is available, and without a terminal yan can't ask for the passphrase of the encrypted file")
	case secret.Passphrase:
		return a.T("the passphrase of the encrypted file is wrong")
	case secret.Damaged:
		return a.T("damaged")
	case secret.Unwritable:
		if problem.Err != nil {
			return a.T("can't be written (%v)", problem.Err)
		}
		return a.T("can't be written")
	}
	return a.TranslateError(err)
}

// BadSecret explains an error of the account's secret, and what to do.
func (a *Accounts) BadSecret(acc account.Account, err error) error {
	return a.BadSecretOf(acc, err, "yan login "+acc.Name)
}

// BadSecretOf is BadSecret with the command that logs in again.
func (a *Accounts) BadSecretOf(acc account.Account, err error, login string) error {
	return secretErrors{a}.explainError(acc, err, login)
}

// secretErrors explains errors of secrets.
type secretErrors struct{ *Accounts }

func (a secretErrors) explainError(acc account.Account, err error, login string) error {
	loginAgain := a.T("Log in again: %s", login)
	var s *secret.Error
	switch {
	case errors.Is(err, context.Canceled):
		return a.Interrupted()
	case errors.Is(err, oauth.ErrConsent):
		return command.Fail(command.ExitAuth, errors.New(a.T("account %s: the permission to send has expired", acc.Name)), loginAgain)
	case !errors.As(err, &s):
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: %s", acc.Name, err)), "")
	}
	hint := ""
	switch s.Problem {
	case secret.NotFound:
		if s.Source.Kind == secret.Credential {
			return a.noCredential(acc, s)
		}
		if s.Source.Kind == secret.Stored {
			hint = loginAgain
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: no secret in %s", acc.Name, a.placeOf(s))), hint)
	case secret.OtherLogin:
		what := a.T("account %s: the stored secret is from an earlier login and is not used", acc.Name)
		if s.For != "" {
			what = a.T("account %s: the stored secret is for %s and is not used for %s", acc.Name, command.QuoteName(s.For), command.QuoteName(s.Key.For))
		}
		return command.Fail(command.ExitConfig, errors.New(what), loginAgain)
	case secret.Damaged:
		hint = loginAgain
		if s.Source.Kind == secret.Stored && s.Path != "" {
			hint = a.T("Restore it from a copy, or start a new one and set the damaged one aside: %s", login+" --"+NewFileFlag)
		}
	case secret.Passphrase:
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: the passphrase of %s is wrong", acc.Name, a.placeOf(&secret.Error{Path: cmp.Or(s.Path, a.SecretVault().File)}))),
			a.T("If you forgot it, start a new file and set the old one aside: %s", login+" --"+NewFileFlag))
	case secret.Unwritable:
		return command.Fail(command.ExitCantCreate, errors.New(a.T("account %s: %s", acc.Name, a.placeOf(s)+a.T(": %s", a.SecretProblem(err)))),
			a.T("Free disk space, or make %s writable for you.", command.QuoteName(filepath.Dir(s.Path))))
	case secret.Empty, secret.SeveralLines:
		hint = a.T("Put only the authorization code or password there, on a single line.")
	case secret.Readable:
		if !errors.Is(err, secret.ErrForeign) {
			return command.Fail(command.ExitConfig, errors.New(a.T("account %s: other users of this machine can read %s", acc.Name, a.placeOf(s))),
				a.T("Make it private: chmod 600 %s", command.QuoteName(s.Path)))
		}
	case secret.CommandFailed:
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: %s failed (%s)", acc.Name, a.placeOf(s), a.howItEnded(s.Err))),
			a.T("Run the command on its own; the first line of its output must be the secret."))
	case secret.Stuck:
		what := a.T("account %s: %s did not end (%s)", acc.Name, a.placeOf(s), a.TranslateError(s.Err))
		if errors.Is(s.Err, secret.ErrNoTerminal) {
			what = a.T("account %s: %s did not end; is it waiting for a passphrase? It has no terminal to ask on", acc.Name, a.placeOf(s))
		}
		return command.Fail(command.ExitConfig, errors.New(what), a.T("Run the command on its own: it must print the secret without asking. Unlock its password store, or store the secret elsewhere: %s", login+" --secret-file code.txt"))
	case secret.Locked:
		hint = a.T("Unlock it (log in to the desktop, or open its password program), or store the secret elsewhere: %s", login+" --secret-file code.txt")
	case secret.Unavailable:
		if errors.Is(err, ErrNoMoreTries) {
			return a.BadSecretOf(acc, &secret.Error{Problem: secret.Passphrase, Source: s.Source, Key: s.Key, Path: s.Path}, login)
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: no keyring is available, and without a terminal yan can't ask for the passphrase of the encrypted file", acc.Name)),
			a.T("Set YAN_PASSPHRASE_FILE to a file with the passphrase, or store the secret elsewhere: %s", login+" --secret-file code.txt"))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("account %s: %s", acc.Name, a.T("%s: %s", a.placeOf(s), a.SecretProblem(err)))), hint)
}

// noCredential explains why there is no systemd credential of that name.
func (a secretErrors) noCredential(acc account.Account, s *secret.Error) error {
	name := command.QuoteName(s.Source.Value)
	var others secret.OtherCredentials
	switch {
	case errors.Is(s, secret.ErrNoCredentials):
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: systemd passed no credentials to this process, so there is no %s", acc.Name, name)),
			a.T("Run it as a service with %s in its unit.", "LoadCredential="+name+":/etc/…"))
	case errors.As(s, &others) && len(others) > 0:
		var names []string
		for _, other := range others {
			names = append(names, command.QuoteName(other))
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("account %s: systemd did not pass credential %s; it passed: %s", acc.Name, name, a.Listed(names))),
			a.T("Correct the name, or add %s to the unit.", "LoadCredential="+name+":/etc/…"))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("account %s: systemd did not pass credential %s", acc.Name, name)),
		a.T("Correct the name, or add %s to the unit.", "LoadCredential="+name+":/etc/…"))
}

// howItEnded returns the exit status of a command, or why it could not be run.
func (a secretErrors) howItEnded(err error) string {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return a.T("reason unknown")
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		status := a.T("exit status %d", ended.ExitCode())
		if said := strings.TrimPrefix(err.Error(), ended.Error()+": "); said != err.Error() {
			return a.T("%s: %s", status, said)
		}
		return status
	}
	return a.TranslateError(err)
}

// placeOf returns where a secret was looked for. For a command it returns only the program: the
// line may be "echo" and the secret.
func (a secretErrors) placeOf(e *secret.Error) string {
	value := command.QuoteName(e.Source.Value)
	switch e.Source.Kind {
	case secret.File:
		return a.T("the file %s", value)
	case secret.Command:
		return a.T("the command %s", StartOf(e.Source.Value))
	case secret.Env:
		return a.T("the variable %s", value)
	case secret.Credential:
		return a.T("the systemd credential %s", value)
	case secret.Netrc:
		if e.Path != "" {
			value = command.QuoteName(e.Path)
		}
		return a.T("the netrc file %s", value)
	}
	if e.Path != "" {
		return a.T("the encrypted file %s", command.QuoteName(e.Path))
	}
	return a.T("the keyring")
}

// StartOf returns the program of a command. The rest may hold a secret.
func StartOf(line string) string {
	program, more := secret.ProgramOf(line)
	if more {
		program = strings.TrimSpace(console.Visible(program) + " …")
	}
	return console.Visible(program)
}
