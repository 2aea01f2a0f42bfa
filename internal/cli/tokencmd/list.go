package tokencmd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
)

func (a *tokenCommands) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   a.T("List the tokens and what they allow"),
		Example: "  yan token list\n  yan token list --json",
		Args:    a.AtMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.listTokens(cmd.Context(), asJSON) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

// listTokens prints a line for each token. Its account may have been removed.
func (a *tokenCommands) listTokens(ctx context.Context, asJSON bool) error {
	f, err := a.load(ctx)
	if err != nil {
		return err
	}
	list := []jsonout.TokenRules{}
	rows := [][]string{{a.T("NAME"), a.T("ACCOUNT"), a.T("SENDERS"), a.T("PER HOUR"), a.T("PER MESSAGE"), a.T("CREATED")}}
	for _, t := range f.List() {
		list = append(list, rulesOf(t))
		rows = append(rows, []string{t.Name, t.Account, strings.Join(t.From, ", "), limitText(t.PerHour), limitText(t.MaxRecipients), t.Created.Local().Format(time.DateOnly)})
	}
	switch {
	case asJSON:
		a.PrintJSON(list)
	case len(list) == 0:
		a.Errf("%s\n", a.T("There are no tokens: 'yan token new NAME' creates one."))
	default:
		a.Table(a.FitColumns(rows))
	}
	return nil
}

// limitText returns a number of recipients; "" is the default.
func limitText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
