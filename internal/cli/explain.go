package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

func (a *app) explainCommand() *cobra.Command {
	var providerName, stage string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain " + a.T("REPLY"),
		Short: a.T("Say what a server's reply means and what to do about it"),
		Long: a.T("Say what a server's reply means and what to do about it. The reply is what a log shows, " +
			"beginning with its code; the provider and the stage make the answer exact."),
		Example: "  yan explain '535 Login fail. Account is abnormal' --provider qq\n  yan explain '554 DT:SPM 163 smtp10' --provider 163",
		RunE: func(_ *cobra.Command, args []string) error {
			return a.explainReply(strings.Join(args, " "), providerName, stage, asJSON)
		},
	}
	add(cmd, a.T("Flags:"),
		option{"provider", "", &providerName, a.T("PROVIDER"), a.T("the provider whose reply it is")},
		option{"stage", "", &stage, a.T("STAGE"), a.T("where it came: %s", strings.Join(stageWords(), ", "))},
		option{"json", "", &asJSON, "", a.T("print JSON")},
	)
	complete(cmd, "provider", providerIDs)
	complete(cmd, "stage", stageWords)
	return cmd
}

func stageWords() []string {
	var list []string
	for _, s := range smtp.Stages() {
		list = append(list, string(s))
	}
	return list
}

func (a *app) explainReply(text, providerName, stage string, asJSON bool) error {
	if strings.TrimSpace(text) == "" {
		return a.usagef("no reply given; for example: yan explain '535 Login fail' --provider qq")
	}
	fact := diagnosis.Fact{Stage: smtp.Stage(stage)}
	if stage != "" && !contains(stageWords(), stage) {
		return a.wrongf("%s %q: want one of %s", a.name("stage"), stage, strings.Join(stageWords(), ", "))
	}
	if providerName != "" {
		p, ok := provider.Lookup(providerName)
		if !ok {
			return a.unknownProvider(providerName)
		}
		fact.Provider = p.ID
	}
	reply, err := parseReply(text)
	if err != nil {
		return a.wrongf("%q does not begin with a reply code like 535", clipped(text))
	}
	fact.Reply = reply
	if fact.Stage == "" {
		fact.Stage = likelyStage(reply)
	}
	finding := diagnosis.Diagnose(fact)
	if asJSON {
		a.printJSON(newDiagnosis(finding))
		return nil
	}
	a.outf("%s  %s\n", finding.Class, a.permanence(finding))
	a.finding(a.Stdout, a.StdoutWidth, finding)
	return nil
}

// permanence says whether trying again makes sense.
func (a *app) permanence(f diagnosis.Finding) string {
	switch {
	case f.Permanence == diagnosis.AcceptedAlready:
		return a.T("the message was accepted")
	case f.Retry.After > 0:
		return a.T("try again after %s", a.roughly(f.Retry.After))
	case f.Permanence == diagnosis.Temporary:
		return a.T("temporary, try again later")
	case f.Permanence == diagnosis.Permanent:
		return a.T("permanent: something has to change first")
	default:
		return a.T("unknown")
	}
}

// parseReply reads a reply as logs show it: one line or several, each with
// its code.
func parseReply(text string) (smtp.Reply, error) {
	var parser smtp.ReplyParser
	var reply smtp.Reply
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n"), "\n")
	for _, line := range lines {
		r, last, err := parser.Line([]byte(strings.TrimSpace(line)))
		if err != nil {
			return reply, err
		}
		reply = r
		if last {
			return reply, nil
		}
	}
	if reply.IsZero() {
		return reply, errors.New("no reply")
	}
	return reply, nil
}

// likelyStage guesses where a reply came when nobody says: some codes come
// at one stage only (RFC 4954 section 6, RFC 5321 section 4.3.2).
func likelyStage(r smtp.Reply) smtp.Stage {
	switch r.Code {
	case 235, 334, 432, 454, 526, 534, 535, 538:
		return smtp.StageAuth
	}
	return ""
}
