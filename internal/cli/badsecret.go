package cli

import (
	"cmp"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
)

// badSecret says what is wrong with the place of an account's secret and what
// to do.
func (a *app) badSecret(acc account.Account, err error) error {
	return a.badSecretOf(acc, err, "yan login "+acc.Name)
}

// badSecretOf is the same; login is the command that logs in again.
func (a *app) badSecretOf(acc account.Account, err error, login string) error {
	loginAgain := a.T("Log in again: %s", login)
	var s *secret.Error
	switch {
	case errors.Is(err, context.Canceled):
		return a.interrupted()
	case errors.Is(err, oauth.ErrConsent):
		return fail(exitAuth, errors.New(a.T("account %s: the consent to send has ended", acc.Name)), loginAgain)
	case !errors.As(err, &s):
		return fail(exitConfig, errors.New(a.T("account %s: %s", acc.Name, err)), "")
	}
	hint := ""
	switch s.Problem {
	case secret.NotFound:
		if s.Source.Kind == secret.Credential {
			return a.noCredential(acc, s)
		}
		if s.Source.Kind == secret.Kept {
			hint = loginAgain
		}
		return fail(exitConfig, errors.New(a.T("account %s: no secret in %s", acc.Name, a.placeOf(s))), hint)
	case secret.OtherLogin:
		what := a.T("account %s: what is kept for it is of an earlier login, and is not used", acc.Name)
		if s.For != "" {
			what = a.T("account %s: what is kept for it is of %s, and is not used for %s", acc.Name, printable(s.For), printable(s.Key.For))
		}
		return fail(exitConfig, errors.New(what), loginAgain)
	case secret.Damaged:
		hint = loginAgain
		if s.Source.Kind == secret.Kept && s.Path != "" {
			hint = a.T("Restore it from a copy, or begin a new one; the damaged one is set aside: %s", login+" --"+newFileFlag)
		}
	case secret.Passphrase:
		return fail(exitConfig, errors.New(a.T("account %s: the passphrase of %s is wrong", acc.Name, a.placeOf(&secret.Error{Path: cmp.Or(s.Path, a.vault().File)}))),
			a.T("If it is forgotten, begin a new file; the old one is set aside: %s", login+" --"+newFileFlag))
	case secret.Unwritable:
		return fail(exitCantCreate, errors.New(a.T("account %s: %s", acc.Name, a.placeOf(s)+a.T(": %s", a.secretProblem(err)))),
			a.T("Make room on the disk, or see to it that you may write into %s.", printable(filepath.Dir(s.Path))))
	case secret.Empty, secret.SeveralLines:
		hint = a.T("Put the authorization code or password there, alone on its line.")
	case secret.Readable:
		if !errors.Is(err, secret.ErrForeign) {
			return fail(exitConfig, errors.New(a.T("account %s: others on this machine can read %s", acc.Name, a.placeOf(s))),
				a.T("Keep it to yourself: chmod 600 %s", printable(s.Path)))
		}
	case secret.CommandFailed:
		return fail(exitConfig, errors.New(a.T("account %s: %s failed (%s)", acc.Name, a.placeOf(s), a.howItEnded(s.Err))),
			a.T("Try the command by itself; its first line has to be the secret."))
	case secret.Stuck:
		what := a.T("account %s: %s did not end (%s)", acc.Name, a.placeOf(s), a.Say(s.Err))
		if errors.Is(s.Err, secret.ErrNoTerminal) {
			what = a.T("account %s: %s did not end; does it wait for a passphrase? It has no terminal to ask on", acc.Name, a.placeOf(s))
		}
		return fail(exitConfig, errors.New(what), a.T("Try the command by itself: it has to print the secret without asking. Unlock what it asks for, or keep the secret elsewhere: %s", login+" --secret-file code.txt"))
	case secret.Locked:
		hint = a.T("Unlock it (log in to the desktop, or open its password program), or keep the secret elsewhere: %s", login+" --secret-file code.txt")
	case secret.Unavailable:
		if errors.Is(err, errNoMoreTries) {
			return a.badSecretOf(acc, &secret.Error{Problem: secret.Passphrase, Source: s.Source, Key: s.Key, Path: s.Path}, login)
		}
		return fail(exitConfig, errors.New(a.T("account %s: there is no keyring that works, and nobody to ask for the passphrase of the encrypted file", acc.Name)),
			a.T("Name a file with the passphrase in YAN_PASSPHRASE_FILE, or keep the secret elsewhere: %s", login+" --secret-file code.txt"))
	}
	return fail(exitConfig, errors.New(a.T("account %s: %s", acc.Name, a.T("%s: %s", a.placeOf(s), a.secretProblem(err)))), hint)
}

// noCredential says why there is no systemd credential of that name.
func (a *app) noCredential(acc account.Account, s *secret.Error) error {
	name := printable(s.Source.Value)
	var others secret.OtherCredentials
	switch {
	case errors.Is(s, secret.ErrNoCredentials):
		return fail(exitConfig, errors.New(a.T("account %s: systemd has passed no credentials to this process, so there is no %s", acc.Name, name)),
			a.T("Start it as a service with %s in its unit.", "LoadCredential="+name+":/etc/…"))
	case errors.As(s, &others) && len(others) > 0:
		var names []string
		for _, other := range others {
			names = append(names, printable(other))
		}
		return fail(exitConfig, errors.New(a.T("account %s: systemd has passed no credential %s; those it has passed: %s", acc.Name, name, a.listed(names))),
			a.T("Correct the name, or add %s to the unit.", "LoadCredential="+name+":/etc/…"))
	}
	return fail(exitConfig, errors.New(a.T("account %s: systemd has passed no credential %s", acc.Name, name)),
		a.T("Correct the name, or add %s to the unit.", "LoadCredential="+name+":/etc/…"))
}

// howItEnded says what became of a command: its exit status, or why it could not
// be run.
func (a *app) howItEnded(err error) string {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return a.T("unknown")
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		status := a.T("exit status %d", ended.ExitCode())
		if said := strings.TrimPrefix(err.Error(), ended.Error()+": "); said != err.Error() {
			return a.T("%s: %s", status, said)
		}
		return status
	}
	return a.Say(err)
}

// placeOf names where a secret was looked for. Of a command only the program:
// somebody may have written "echo" and the secret.
func (a *app) placeOf(e *secret.Error) string {
	value := printable(e.Source.Value)
	switch e.Source.Kind {
	case secret.File:
		return a.T("the file %s", value)
	case secret.Command:
		return a.T("the command %s", startOf(e.Source.Value))
	case secret.Env:
		return a.T("the variable %s", value)
	case secret.Credential:
		return a.T("the systemd credential %s", value)
	case secret.Netrc:
		if e.Path != "" {
			value = printable(e.Path)
		}
		return a.T("the netrc file %s", value)
	}
	if e.Path != "" {
		return a.T("the encrypted file %s", printable(e.Path))
	}
	return a.T("the keyring")
}

// startOf is a command by its program alone, since anything else in it may be a secret.
func startOf(line string) string {
	program, more := secret.ProgramOf(line)
	if more {
		program = strings.TrimSpace(visible(program) + " …")
	}
	return visible(program)
}
