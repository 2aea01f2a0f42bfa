package explaincmd

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

func (a *explainCommand) cobraCommand() *cobra.Command {
	var e explanation
	cmd := &cobra.Command{
		Use:   "explain " + a.T("[REPLY]"),
		Short: a.T("Explain a reply or an error, and how to fix it"),
		Long:  a.T("Explain a reply or an error, and how to fix it. Paste or pipe in a reply, a log line or the error of another program. The provider and the stage make the answer more exact; you can omit them if the text contains them."),
		Example: "  yan explain '535 Login fail. Account is abnormal' --provider qq\n  yan explain '554 DT:SPM 163 smtp10' --provider 163\n" +
			"  yan explain 'x509: certificate signed by unknown authority'",
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := a.pastedText(args)
			if err != nil {
				return err
			}
			return a.explainPasted(text, e)
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("provider", "", &e.provider, a.T("PROVIDER"), a.T("provider that sent the reply")),
		command.NewOption("stage", "", &e.stage, a.T("STAGE"), a.T("stage of the reply: %s", a.Listed(stageWords()))),
		command.NewOption("json", "", &e.json, "", a.T("print JSON: a line for each reply")),
	)
	command.Complete(cmd, "provider", serverflag.ProviderIDs)
	command.Complete(cmd, "stage", stageWords)
	return cmd
}

// explanation contains the flags.
type explanation struct {
	provider, stage string
	json            bool
}

func stageWords() []string {
	var list []string
	for _, s := range smtp.Stages() {
		list = append(list, string(s))
	}
	return list
}

// pastedText returns the text to explain: the arguments, or standard input if
// there are none, or "-".
func (a *explainCommand) pastedText(args []string) (string, error) {
	text := strings.Join(args, " ")
	if text == "-" || len(args) == 0 && a.StdinTTY == 0 {
		b, err := io.ReadAll(io.LimitReader(a.Stdin, maxPasted))
		if err != nil {
			return "", command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read standard input"), err), "")
		}
		text = string(b)
	}
	if strings.TrimSpace(text) == "" {
		return "", a.Usagef("no reply given; for example: yan explain '535 Login fail' --provider qq")
	}
	return text, nil
}

// explainPasted explains each failure in a text.
func (a *explainCommand) explainPasted(text string, e explanation) error {
	if e.stage != "" && !slices.Contains(stageWords(), e.stage) {
		return a.Wrongf("%s %q: want one of %s", a.Name("stage"), e.stage, a.Listed(stageWords()))
	}
	given := provider.Provider{}
	if e.provider != "" {
		var ok bool
		if given, ok = provider.Lookup(e.provider); !ok {
			return a.UnknownProvider(e.provider)
		}
	}
	found := readPasted(text)
	if len(found) == 0 {
		return command.Fail(command.ExitUsage, errors.New(a.T("%q contains no reply code such as 535 and no known error", console.ClipText(strings.TrimSpace(text)))),
			a.T("Paste the server's reply (the line that starts with three digits), or the whole error."))
	}
	for i, p := range found {
		if e.stage != "" {
			p.stage = smtp.Stage(e.stage)
		}
		guessed := given.ID == "" && p.provider != ""
		if given.ID != "" {
			p.provider = given.ID
		}
		finding := diagnosis.Diagnose(p.diagnosisFact())
		if e.json {
			a.PrintJSON(newExplained(p, guessed, finding))
			continue
		}
		if i > 0 {
			a.Outf("\n")
		}
		a.sayUnderstood(p, guessed, p.quote != strings.TrimSpace(text))
		if p.reply.Code > 0 && p.reply.Code < 400 && finding.Class == diagnosis.ClassUnclassified {
			a.Outf("%s\n", a.explainPositive(p.reply))
			continue
		}
		a.Outf("%s\n", console.WrapIndented(string(finding.Class)+"  "+a.permanenceText(finding), "    ", a.StdoutWidth))
		a.PrintFinding(a.Stdout, a.StdoutWidth, finding)
	}
	return nil
}

// sayUnderstood quotes the failure if the text is longer, and names a guessed
// provider.
func (a *explainCommand) sayUnderstood(p pasted, guessed, more bool) {
	switch {
	case more && p.stage != "":
		a.Outf("%s\n", a.T("Found, at %s: %s", strings.ToUpper(string(p.stage)), p.quote))
	case more:
		a.Outf("%s\n", a.T("Found: %s", p.quote))
	}
	if known, ok := provider.ByID(p.provider); ok && guessed {
		a.Outf("%s\n", a.T("This looks like %s; use --provider if it isn't.", a.ChooseText(known.Names.EN, known.Names.ZH)))
	}
}

func newExplained(p pasted, guessed bool, f diagnosis.Finding) jsonout.Explained {
	return jsonout.Explained{Reply: p.quote, Stage: string(p.stage), Provider: p.provider, Guessed: guessed, Diagnosis: *verdict.NewDiagnosis(f)}
}

// permanenceText returns whether a retry makes sense, as a sentence.
func (a *explainCommand) permanenceText(f diagnosis.Finding) string {
	switch {
	case f.Permanence == diagnosis.AcceptedAlready:
		return a.T("the message was accepted")
	case f.Retry.After > 0:
		return a.T("try again after %s", a.Roughly(f.Retry.After))
	case f.Permanence == diagnosis.Temporary:
		return a.T("temporary, try again later")
	case f.Permanence == diagnosis.Permanent:
		return a.T("permanent: change something before you try again")
	default:
		return a.T("unclear whether to try again")
	}
}

// parseReply parses a reply in the form of logs: one line or several, each with
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

// likelyStage returns the only stage at which a reply code occurs (RFC 4954
// section 6); "" for all others. See stageByCode for codes that occur at
// several.
func likelyStage(r smtp.Reply) smtp.Stage {
	switch r.Code {
	case 235, 334, 526, 534, 535, 538:
		return smtp.StageAuth
	}
	return ""
}

// stageByCode guesses AUTH for the codes of RFC 4954 that servers also use at
// other stages: 454 for relaying, 432 for a limit. A guess never outweighs
// words that are known without a stage.
func stageByCode(p pasted) smtp.Stage {
	if p.reply.Code == 432 || p.reply.Code == 454 {
		if p.stage == "" && !hasKnownWords(p) {
			return smtp.StageAuth
		}
	}
	return p.stage
}
