package providerscmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/provider"
)

func (a *providersCommand) cobraCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "providers [" + a.T("NAME") + "]",
		Short:   a.T("List the known mailbox providers, or show one"),
		Long:    a.T("List the mailbox providers and relays that Yan knows, or show one: by its ID, its English or Chinese name, a mail domain, or an SMTP host."),
		Example: "  yan providers\n  yan providers qq\n  yan providers 腾讯企业邮箱 --json",
		Args:    a.AtMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listProviders(asJSON)
			}
			return a.showProvider(args[0], asJSON)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return serverflag.ProviderIDs(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

func (a *providersCommand) listProviders(asJSON bool) error {
	all := provider.All()
	if asJSON {
		a.PrintJSON(all)
		return nil
	}
	rows := [][]string{{a.T("ID"), a.T("NAME"), a.T("SERVER"), a.T("DOMAINS")}}
	for _, p := range all {
		server := p.SMTP.Host
		if where, ok := p.Submission(""); ok {
			server = fmt.Sprintf("%s:%d", where.Host, where.Port)
		}
		rows = append(rows, []string{p.ID, a.ChooseText(p.Names.EN, p.Names.ZH), a.FilledIn(server), a.SomeOf(p.Domains, 3)})
	}
	a.Table(rows)
	return nil
}

func (a *providersCommand) showProvider(name string, asJSON bool) error {
	p, ok := provider.Lookup(name)
	if !ok {
		return a.UnknownProvider(name)
	}
	if asJSON {
		a.PrintJSON(p)
		return nil
	}
	a.Outf("%s  %s\n", p.ID, a.ChooseText(p.Names.EN, p.Names.ZH))
	for _, row := range a.providerFacts(p) {
		if row[1] != "" {
			for line := range strings.SplitSeq("  "+console.Pad(row[0], 14)+" "+row[1], "\n") {
				a.Outf("%s\n", console.WrapIndented(line, strings.Repeat(" ", 2+14+1), a.StdoutWidth))
			}
		}
	}
	return nil
}
