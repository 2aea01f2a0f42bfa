package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/provider"
)

func (a *app) providersCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "providers [" + a.T("NAME") + "]",
		Short: a.T("List the known mailbox providers, or show one"),
		Long: a.T("List the mailbox providers and relays that Yan knows, or show what is known of one: " +
			"by its id, its name in English or Chinese, a mail domain, or an SMTP host."),
		Example: "  yan providers\n  yan providers qq\n  yan providers 腾讯企业邮箱 --json",
		Args:    a.atMost(1),
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
			return providerIDs(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	add(cmd, a.T("Flags:"), newOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

func (a *app) listProviders(asJSON bool) error {
	all := provider.All()
	if asJSON {
		a.printJSON(all)
		return nil
	}
	rows := [][]string{{a.T("ID"), a.T("NAME"), a.T("SERVER"), a.T("DOMAINS")}}
	for _, p := range all {
		server := p.SMTP.Host
		if where, ok := p.Submission(""); ok {
			server = fmt.Sprintf("%s:%d", where.Host, where.Port)
		}
		rows = append(rows, []string{p.ID, a.Pick(p.Names.EN, p.Names.ZH), a.filledIn(server), a.someOf(p.Domains, 3)})
	}
	a.table(rows)
	return nil
}

func (a *app) someOf(domains []string, n int) string {
	list := make([]string, len(domains))
	for i, d := range domains {
		list[i] = a.filledIn(d)
	}
	if len(list) > n {
		return a.listed(list[:n]) + fmt.Sprintf(" +%d", len(list)-n)
	}
	return a.listed(list)
}

func (a *app) unknownProvider(name string) error {
	hint := a.T("'yan providers' lists those that are known.")
	if near := provider.Nearest(name); len(near) > 0 {
		hint = a.T("Did you mean %s?", a.listed(near))
	}
	return fail(exitUsage, errors.New(a.T("provider %q is not known", name)), hint)
}

func (a *app) showProvider(name string, asJSON bool) error {
	p, ok := provider.Lookup(name)
	if !ok {
		return a.unknownProvider(name)
	}
	if asJSON {
		a.printJSON(p)
		return nil
	}
	a.outf("%s  %s\n", p.ID, a.Pick(p.Names.EN, p.Names.ZH))
	for _, row := range a.providerFacts(p) {
		if row[1] != "" {
			for line := range strings.SplitSeq("  "+pad(row[0], 14)+" "+row[1], "\n") {
				a.outf("%s\n", hang(line, strings.Repeat(" ", 2+14+1), a.StdoutWidth))
			}
		}
	}
	return nil
}
