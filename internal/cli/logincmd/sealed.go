package logincmd

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/secret"
)

// store keeps a secret. An encrypted file that is damaged would stand in the way of
// every login, so it is offered to set it aside.
func (l *setup) store(ctx context.Context, keep func() (secret.Place, error)) (secret.Place, error) {
	if l.s.newFile && l.sealed.Exists() {
		return l.storeAnew(ctx, secret.AsideForgotten, keep)
	}
	place, err := keep()
	var problem *secret.Error
	if !errors.As(err, &problem) || problem.Problem != secret.Damaged || problem.Path != l.sealed.File || !l.person {
		return place, err
	}
	title := l.a.T("The encrypted file %s is damaged. Set it aside and begin a new one?", command.Printable(l.sealed.File))
	yes, askErr := l.ask.Confirm(ctx, ask.Question{Title: title, Help: l.losing()}, true)
	if askErr != nil {
		return "", askErr
	}
	if !yes {
		return "", err
	}
	return l.storeAnew(ctx, secret.AsideDamaged, keep)
}

// storeAnew sets the encrypted file aside first, and puts it back where that was in
// vain.
func (l *setup) storeAnew(ctx context.Context, why string, keep func() (secret.Place, error)) (secret.Place, error) {
	losing := l.losing()
	to, err := l.sealed.SetAside(ctx, why, l.a.Now())
	if err != nil {
		return "", err
	}
	place, err := keep()
	switch {
	case err != nil && !errors.Is(err, errOwnFile):
		return "", errors.Join(err, l.sealed.PutBack(context.WithoutCancel(ctx), to))
	case err == nil:
		l.aside = to
	}
	l.say(l.a.T("The encrypted file that was there is %s now.", command.Printable(to)))
	if losing != "" {
		l.say(losing)
	}
	return place, err
}

// remember is what is kept for the account. An encrypted file that is set aside
// comes back whole, and its passphrase may be forgotten: it is not looked into.
func (l *setup) remember(ctx context.Context, item string) (accounts.KeptBefore, error) {
	v := l.sealed
	if l.s.newFile {
		v = l.a.Vault()
		v.File = ""
	}
	return accounts.RememberKept(ctx, v, l.acc.Name, item)
}

// losing says whose secrets are in the encrypted file; "" where there are none but
// those of this account.
func (l *setup) losing() string {
	others := l.sealed.Accounts()
	if others == nil {
		return l.a.T("Whose secrets are in it is not known; accounts that have theirs there need a new login.")
	}
	others = slices.DeleteFunc(others, func(name string) bool { return name == l.acc.Name })
	if len(others) == 0 {
		return ""
	}
	return l.a.T("These accounts lose the secret that is in it, and need a new login: %s", l.a.Listed(others))
}

// restore undoes store where the account could not be kept after all. before is
// what was kept for it.
func (l *setup) restore(ctx context.Context, before accounts.KeptBefore) error {
	if l.aside == "" {
		return before.PutBack(ctx)
	}
	var err error
	if l.place != secret.InFile {
		err = before.PutBack(ctx)
	}
	return errors.Join(err, l.sealed.PutBack(context.WithoutCancel(ctx), l.aside))
}

// command is what repeats this login.
func (l *setup) command() string {
	words := []string{"yan", "login", l.login.Address.String()}
	if l.old != nil {
		words[2] = l.old.Name
	}
	return strings.Join(words, " ")
}
