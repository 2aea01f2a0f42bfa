package accountcmd

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/sasl"
)

// secretPlace returns the place of an account's secret, as stable words.
func (v accountView) secretPlace() (kind, place string) {
	s := v.Secret
	switch {
	case v.UsesOAuth2():
		return "oauth2", ""
	case s.Command != "":
		return "command", shownCommand(s.Command)
	case s.File != "":
		return "file", v.File(s.File)
	case s.Env != "":
		return "env", s.Env
	case s.Netrc != "":
		return "netrc", s.Netrc
	case s.Credential != "":
		return "credential", s.Credential
	case v.loginName() == "" || strings.EqualFold(v.Auth, sasl.External):
		return "none", ""
	}
	return "kept", ""
}

// shownCommand returns a secret command without the parts that may be a secret: arguments of a word
// like echo, and variables set for it.
func shownCommand(line string) string {
	program, more := secret.ProgramOf(line)
	words := strings.Fields(line)
	if more && words[0] != program {
		return accounts.StartOf(line)
	}
	apart := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("'\"(){};&|$`", r) }
	for _, word := range strings.FieldsFunc(line, apart) {
		switch word[strings.LastIndexAny(word, `/\`)+1:] {
		case "echo", "printf", "print", "Write-Output", "Write-Host":
			return accounts.StartOf(line)
		}
	}
	return line
}

// secretWord returns the place of a secret, for a column.
func (a *accountCommands) secretWord(acc account.Account) string {
	address, _ := acc.Address()
	kind, _ := accountView{Account: acc, address: address, server: accounts.ServerOf(acc)}.secretPlace()
	switch kind {
	case "oauth2":
		return "OAuth 2.0"
	case "command":
		return a.T("command")
	case "file":
		return a.T("file")
	case "env":
		return a.T("variable")
	case "netrc":
		return "netrc"
	case "credential":
		return a.T("systemd credential")
	case "none":
		return a.T("none needed")
	}
	if accounts.NewSecrets(a.SecretVault()).InFile(acc) {
		return a.T("encrypted file")
	}
	return a.T("keyring")
}

// secretPresence says whether a secret exists, as a stable word.
type secretPresence string

const (
	secretThere   secretPresence = "there"
	secretMissing secretPresence = "missing"
	secretSealed  secretPresence = "sealed"     // in the encrypted file, whose passphrase is asked for when needed
	secretUnseen  secretPresence = "not_looked" // a command, which was not run
	secretBad     secretPresence = "unusable"
	secretNone    secretPresence = "none" // the login needs none
)

// secretState is the result of looking for a secret; text describes it, with the place.
type secretState struct {
	word secretPresence
	text string
	err  error // for secretMissing and secretBad
}

// secretState looks for the secret of an account. It asks no questions and runs no command.
func (a *accountCommands) secretState(ctx context.Context, v accountView) secretState {
	kind, place := v.secretPlace()
	switch kind {
	case "none":
		return secretState{word: secretNone, text: ""}
	case "command":
		return secretState{word: secretUnseen, text: a.T("output of %q; not run", place)}
	}
	err := a.lookForSecret(ctx, v, true)
	state := secretState{word: secretThere, err: err}
	var problem *secret.Error
	switch {
	case err == nil:
	case errors.As(err, &problem) && problem.Problem == secret.NotFound:
		state.word = secretMissing
	case errors.As(err, &problem) && problem.Problem == secret.Unavailable && problem.Path != "" && problem.Source.Kind == secret.Stored:
		state.word, state.err = secretSealed, nil
	default:
		state.word = secretBad
	}
	state.text = a.secretText(ctx, v, state)
	return state
}

// lookForSecret reads a secret and drops it. sealed includes the encrypted file.
func (a *accountCommands) lookForSecret(ctx context.Context, v accountView, sealed bool) error {
	vault := a.SecretVault()
	vault.Passphrase = nil
	if !sealed {
		vault.File = ""
	}
	secrets := accounts.NewSecrets(vault)
	if v.UsesOAuth2() {
		_, err := secrets.Tokens(ctx, v.Account)
		return err
	}
	_, err := secrets.Password(ctx, v.Account)
	return err
}

// secretText describes the place of the secret and its state.
func (a *accountCommands) secretText(ctx context.Context, v accountView, state secretState) string {
	kind, place := v.secretPlace()
	where := ""
	switch kind {
	case "file":
		where = a.T("the file %s", command.QuoteName(place))
	case "env":
		where = a.T("the variable %s", place)
	case "netrc":
		where = a.T("the netrc file")
	case "credential":
		where = a.T("the systemd credential %s", place)
	default:
		switch {
		case state.word == secretSealed:
			return a.T("in the encrypted file; yan asks for its passphrase when needed")
		case state.word == secretMissing:
			return a.T("missing; run 'yan login %s' to set it", v.Name)
		case state.word == secretBad:
			return a.T("%s: %s", a.T("the keyring"), a.SecretProblem(state.err))
		case a.lookForSecret(ctx, v, false) != nil:
			return a.T("in the encrypted file")
		}
		return a.T("in the system keyring")
	}
	if state.word == secretThere {
		return where + a.T(": present")
	}
	return a.T("%s: %s", where, a.SecretProblem(state.err))
}
