package logincmd

import (
	"fmt"

	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/secret"
)

// printSummary prints the result and the next command to type.
func (l *loginSetup) printSummary() {
	a := l.a
	isDefault := l.file.Default() == l.acc.Name
	if l.s.json {
		a.PrintJSON(jsonout.AccountAdded{Event: "account", Name: l.acc.Name, From: l.acc.From, Server: l.server.String(), User: l.user,
			Secret: l.secretPlace(), OAuth2: l.browsed, Checked: !l.s.noCheck, Default: isDefault, Config: l.file.Path()})
		return
	}
	if l.acc.NoLogin() && l.s.noCheck {
		a.Outf("%s\n%s\n", a.T("Account %s saved but not tested; it needs no login.", a.Paint(a.StdoutWidth, console.Bold, l.acc.Name)),
			a.T("Test it: %s", "yan account test "+l.acc.Name))
		return
	}
	if l.s.noCheck {
		a.Outf("%s\n%s\n", a.T("Account %s saved but not tested; its secret is in %s.", a.Paint(a.StdoutWidth, console.Bold, l.acc.Name), l.secretPlaceName()),
			a.T("Test it: %s", "yan account test "+l.acc.Name))
		return
	}
	ready := a.T("Account %s is ready; its secret is in %s.", a.Paint(a.StdoutWidth, console.Bold, l.acc.Name), l.secretPlaceName())
	if l.acc.NoLogin() {
		ready = a.T("Account %s is ready; it needs no login.", a.Paint(a.StdoutWidth, console.Bold, l.acc.Name))
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), ready)
	choice, which := "", ""
	if !isDefault {
		choice, which = " -A "+l.acc.Name, " "+l.acc.Name
	}
	a.Outf("\n%s\n\n  %s\n\n", a.T("Send a first message, to yourself:"),
		a.Paint(a.StdoutWidth, console.Bold, fmt.Sprintf(`yan send%s -t %s -s "%s" -b "%s"`, choice, l.from.Address, a.T("Hello"), a.T("It works"))))
	a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Dim, a.T("If something breaks later, run %s.", "yan doctor"+which)))
}

// secretPlace returns the place of the secret as a stable word.
func (l *loginSetup) secretPlace() string {
	s := l.acc.Secret
	for _, p := range []struct{ word, value string }{{"file", s.File}, {"command", s.Command}, {"env", s.Env}, {"netrc", s.Netrc}, {"credential", s.Credential}} {
		if p.value != "" {
			return p.word
		}
	}
	if l.acc.NoLogin() {
		return "none"
	}
	if l.place == "" {
		return "certificate"
	}
	return string(l.place)
}

// secretPlaceName returns the place of the secret for display.
func (l *loginSetup) secretPlaceName() string {
	s := l.acc.Secret
	switch {
	case s.File != "":
		return l.a.T("the file %s", command.QuoteName(s.File))
	case s.Command != "":
		return l.a.T("the output of %q", accounts.StartOf(s.Command))
	case s.Env != "":
		return l.a.T("the variable %s", s.Env)
	case s.Netrc != "":
		return l.a.T("the netrc file")
	case s.Credential != "":
		return l.a.T("the systemd credential %s", s.Credential)
	case l.place == secret.InFile:
		return l.a.T("an encrypted file")
	case l.place == secret.InKeyring:
		return l.a.T("the system keyring")
	}
	return l.a.T("the client certificate")
}
