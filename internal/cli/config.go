package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: a.T("Show or check the configuration"),
		Long: a.T("The configuration of the accounts is a file in TOML. 'yan login' and 'yan account' write it, and you may: " +
			"comments and order stay what they are."),
		Example: "  yan config show\n  yan config check\n  yan config path",
		Args:    cobra.ArbitraryArgs, // RunE says what is wrong with them
		RunE:    a.group,
	}
	cmd.AddCommand(a.configShowCommand(), a.configCheckCommand(), a.configPathCommand())
	return cmd
}

func (a *app) configPathCommand() *cobra.Command {
	return &cobra.Command{
		Use: "path", Short: a.T("Print where the configuration is"),
		Long:    a.T("Print where the configuration is, or would be: the file that YAN_CONFIG names, else config.toml in the folder yan of the user's settings."),
		Example: "  yan config path",
		Args:    a.atMost(0),
		RunE: func(*cobra.Command, []string) error {
			path, err := a.configPath()
			if err != nil {
				return err
			}
			a.outf("%s\n", path)
			return nil
		},
	}
}

func (a *app) configShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show", Short: a.T("Print the configuration with inherited settings filled in"),
		Long: a.T("Print the configuration in TOML, each account with what it inherits from [defaults]. Settings that nothing sets are not shown. " +
			"What might be a secret is not shown."),
		Example: "  yan config show\n  yan config show --json",
		Args:    a.atMost(0),
		RunE:    func(*cobra.Command, []string) error { return a.showConfig(asJSON) },
	}
	add(cmd, a.T("Flags:"), newOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

// configJSON is what config show prints as JSON.
type configJSON struct {
	Path     string `json:"path"`
	Exists   bool   `json:"exists"`
	Version  int    `json:"version"`
	Default  string `json:"default,omitempty"`
	Accounts []any  `json:"accounts"` // each a settingsJSON
}

func (a *app) showConfig(asJSON bool) error {
	f, err := a.configuration()
	if err != nil {
		return err
	}
	if asJSON {
		j := configJSON{Path: f.Path(), Exists: f.Exists(), Version: account.Version, Default: f.Default(), Accounts: []any{}}
		for _, acc := range f.Accounts() {
			j.Accounts = append(j.Accounts, viewOf(f, acc).json())
		}
		a.printJSON(j)
		return nil
	}
	if len(f.Accounts()) == 0 {
		a.noAccounts(f)
		return nil
	}
	text, err := a.effective(f)
	if err != nil {
		return err
	}
	a.outf("# %s\n%s", printable(f.Path()), text)
	return nil
}

// hiddenText stands where something might be a secret.
const hiddenText = "…"

// effective is the configuration without defaults to inherit from: each account
// has all that holds for it.
func (a *app) effective(f *account.File) (string, error) {
	whole, err := account.Parse(f.Path(), nil)
	if err != nil {
		return "", internal("making an empty configuration", err)
	}
	for pass := range 2 { // a fallback can be named only when it is there
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
				return "", internal("writing an account", err)
			}
		}
	}
	if name := f.Default(); name != "" {
		if err := whole.SetDefault(name); err != nil {
			return "", internal("writing the default account", err)
		}
	}
	return a.markInherited(f, whole.Bytes()), nil
}

// markInherited adds to each line of an account that is not its own where it is from.
func (a *app) markInherited(f *account.File, text []byte) string {
	var b strings.Builder
	var inherited []string
	for line := range bytes.Lines(text) {
		s := strings.TrimRight(string(line), "\n")
		if name, ok := strings.CutPrefix(s, "[account."); ok {
			inherited = nil
			if acc, found := f.Account(strings.Trim(name, `]"`)); found {
				inherited = viewOf(f, acc).inherited
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

var errProblems = errors.New("the configuration has problems")

// configPath is where the configuration is, or would be.
func (a *app) configPath() (string, error) {
	path, err := account.Path(a.Getenv)
	if err != nil {
		return "", fail(exitConfig, errors.New(a.T("the configuration can't be found: none of YAN_CONFIG, XDG_CONFIG_HOME and HOME is set")), "")
	}
	return path, nil
}
