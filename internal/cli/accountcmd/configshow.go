package accountcmd

import (
	"bytes"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
)

func (a *accountCommands) configShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show", Short: a.T("Print the configuration including inherited settings"),
		Long:    a.T("Print the configuration in TOML, with the settings each account inherits from [defaults]. Unset keys are omitted, and possible secrets are hidden."),
		Example: "  yan config show\n  yan config show --json",
		Args:    a.AtMost(0),
		RunE:    func(*cobra.Command, []string) error { return a.showConfig(asJSON) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

func (a *accountCommands) showConfig(asJSON bool) error {
	f, err := a.Configuration()
	if err != nil {
		return err
	}
	if asJSON {
		j := jsonout.ConfigShown{Path: f.Path(), Exists: f.Exists(), Version: account.Version, Default: f.Default(), Accounts: []any{}}
		for _, acc := range f.Accounts() {
			j.Accounts = append(j.Accounts, viewOf(f, acc).jsonAccount())
		}
		a.PrintJSON(j)
		return nil
	}
	if len(f.Accounts()) == 0 {
		a.noAccounts(f)
		return nil
	}
	text, err := a.effectiveConfig(f)
	if err != nil {
		return err
	}
	a.Outf("# %s\n%s", command.QuoteName(f.Path()), text)
	return nil
}

// hiddenText replaces a value that may be a secret.
const hiddenText = "…"

// effectiveConfig returns the configuration with the defaults filled in: each account has all settings
// that apply to it.
func (a *accountCommands) effectiveConfig(f *account.File) (string, error) {
	whole, err := account.Parse(f.Path(), nil)
	if err != nil {
		return "", command.InternalFailure("making an empty configuration", err)
	}
	for pass := range 2 { // a fallback can be named only once it exists
		for _, acc := range f.Accounts() {
			if pass == 0 {
				acc.Fallback = ""
			}
			if acc.OAuth2.ClientSecret != "" {
				acc.OAuth2.ClientSecret = hiddenText
			}
			if acc.Secret.Command != "" {
				acc.Secret.Command = shownCommand(acc.Secret.Command)
			}
			if err := whole.Put(acc); err != nil {
				return "", command.InternalFailure("writing an account", err)
			}
		}
	}
	if name := f.Default(); name != "" {
		if err := whole.SetDefault(name); err != nil {
			return "", command.InternalFailure("writing the default account", err)
		}
	}
	return a.markInherited(f, whole.Bytes()), nil
}

// markInherited adds a comment to each line of an account that is inherited.
func (a *accountCommands) markInherited(f *account.File, text []byte) string {
	var b strings.Builder
	var inherited []string
	for line := range bytes.Lines(text) {
		s := strings.TrimRight(string(line), "\n")
		if name, ok := strings.CutPrefix(s, "[account."); ok {
			inherited = nil
			if acc, found := f.Account(strings.Trim(name, `]"`)); found {
				inherited = viewOf(f, acc).inheritedKeys()
			}
		}
		key, _, _ := strings.Cut(s, " = ")
		if slices.Contains(inherited, key) {
			s += "  # " + a.T("inherited")
		}
		b.WriteString(s + "\n")
	}
	return b.String()
}
