package doctorcmd

import (
	"errors"
	"net"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// doctorReport prints the steps of an exam.
type doctorReport struct {
	a       *doctorCommand
	json    bool
	patient doctorTarget
	server  transport.Server
	from    smtp.Address
	// part is the heading of the last step.
	part string
	// skipped are steps skipped for the same reason; they are printed in one
	// line.
	skipped []doctor.Step
	// transient is true while the cursor is on a line that will be erased.
	transient bool
}

// printHeader prints the target of the exam.
func (c *doctorReport) printHeader() {
	a := c.a
	line := c.server.String()
	if c.patient.anyPort {
		line = c.server.Host
	}
	if name := a.ChooseText(c.server.Provider.Names.EN, c.server.Provider.Names.ZH); name != "" {
		line = a.T("%s (%s)", line, name)
	}
	if c.patient.configured {
		line = a.T("account %s: %s", c.patient.Name, line)
	}
	if !c.from.IsZero() {
		line = a.T("%s, sender %s", line, c.from)
	}
	a.Heading(line)
}

// stepName returns the name of a step for users.
func (a *doctorCommand) stepName(s doctor.Step) string {
	switch s.Name {
	case doctor.NameAddress:
		return a.T("Address")
	case doctor.NamePort:
		_, port, err := net.SplitHostPort(s.Target)
		switch {
		case s.Target == "":
			return a.T("Port")
		case err == nil:
			return a.T("Port %s", port)
		}
		return a.T("Socket")
	case doctor.NameGreeting:
		return a.T("Greeting")
	case doctor.NameCertificate:
		return a.T("Certificate")
	case doctor.NameClock:
		return a.T("Clock")
	case doctor.NameSpeed:
		return a.T("Speed")
	case doctor.NameFeatures:
		return a.T("Extensions")
	case doctor.NameSize:
		return a.T("Limits")
	case doctor.NameAuth:
		return a.T("Mechanisms")
	case doctor.NameLogin:
		return a.T("Login")
	case doctor.NameSender:
		return a.T("Sender")
	case doctor.NameMessage:
		return a.T("Test message")
	case doctor.NameReceiver:
		return a.T("Receiver")
	}
	return strings.ToUpper(string(s.Name)) // EHLO, TLS, MX: the same in both languages
}

// widestName is the width of the column of step names; longer names push the
// rest.
const widestName = 12

// partOf returns the heading of a step.
func (c *doctorReport) partOf(s doctor.Step) string {
	switch s.Name {
	case doctor.NameMX, doctor.NameSRV, doctor.NameSPF, doctor.NameDKIM, doctor.NameDMARC, doctor.NameReceiver:
		if c.from.IsZero() {
			return c.a.T("The sender's domain")
		}
		return c.a.T("The sender's domain, %s", c.from.Domain())
	}
	return c.a.T("The server")
}

// showWaiting shows the running step on a terminal until it ends.
func (c *doctorReport) showWaiting(name doctor.Name) {
	c.eraseWaiting()
	c.a.Outf("%s", c.a.Paint(c.a.StdoutWidth, console.Dim, "… "+c.a.stepName(doctor.Step{Name: name})))
	c.transient = true
}

// eraseWaiting removes the line of waiting.
func (c *doctorReport) eraseWaiting() {
	if c.transient {
		c.a.Outf("\r\x1b[K")
		c.transient = false
	}
}

// printStep prints a step as it ends.
func (c *doctorReport) printStep(s doctor.Step) {
	c.eraseWaiting()
	if s.Status == doctor.Skipped {
		if len(c.skipped) > 0 && (c.skipped[0].Detail != s.Detail || c.partOf(c.skipped[0]) != c.partOf(s)) {
			c.flushSkipped()
		}
		c.skipped = append(c.skipped, s)
		return
	}
	c.flushSkipped()
	c.printLine(c.withSecretError(s), c.a.stepName(s))
}

// flushSkipped prints the skipped steps.
func (c *doctorReport) flushSkipped() {
	if len(c.skipped) == 0 {
		return
	}
	first := c.skipped[0]
	if len(c.skipped) == 1 {
		c.printLine(first, c.a.stepName(first))
	} else {
		var names []string
		for _, s := range c.skipped {
			names = append(names, c.a.stepName(s))
		}
		first.Detail = doctor.Text{EN: first.Detail.EN + ": " + strings.Join(names, ", "), ZH: first.Detail.ZH + "：" + strings.Join(names, "、")}
		c.printLine(first, "")
	}
	c.skipped = nil
}

// printLine prints mark, name, time and result; on a terminal the result is wrapped
// below itself.
func (c *doctorReport) printLine(s doctor.Step, name string) {
	a := c.a
	if part := c.partOf(s); part != c.part {
		c.part = part
		a.Heading("\n" + part)
	}
	mark, colour := a.markOf(s.Status)
	lead := console.Pad(name, widestName) + " " + console.Pad("", 7-console.Columns(verdict.FormatWait(s.Took))) + verdict.FormatWait(s.Took) + "  "
	detail := a.ChooseText(s.Detail.EN, s.Detail.ZH)
	lines := []string{detail}
	indent := 2 + console.Columns(lead)
	if room := a.StdoutWidth - indent; room >= 30 {
		lines = console.Wrap(detail, room)
	}
	a.Outf("%s %s%s\n", a.Paint(a.StdoutWidth, colour, mark), lead, strings.Join(lines, "\n"+console.Pad("", indent)))
}

func (a *doctorCommand) markOf(s doctor.StepStatus) (mark, colour string) {
	switch s {
	case doctor.OK:
		return "✓", console.Green
	case doctor.Failed:
		return "✗", console.Red
	case doctor.Warning:
		return "!", console.Yellow
	case doctor.Skipped:
		return "–", console.Dim
	default:
		return "·", console.Dim
	}
}

// printEnd prints the next action and returns the exit status.
func (c *doctorReport) printEnd(r doctor.ExamReport) error {
	c.eraseWaiting()
	c.flushIfTold()
	next, wrong := r.Next()
	code := c.exitStatus(next)
	switch {
	case c.json:
		c.printJSON(r, next, wrong, code)
		if r.Interrupted {
			code = command.ExitTemporary
		}
	case r.Interrupted:
		return command.Fail(command.ExitTemporary, errors.New(c.a.T("interrupted")), "")
	default:
		c.printNext(r, next, wrong)
	}
	if code == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: code, Err: errors.New(string(next.Name)), Told: true}
}

func (c *doctorReport) flushIfTold() {
	if !c.json {
		c.flushSkipped()
	}
}

// printNext prints the one action to take.
func (c *doctorReport) printNext(r doctor.ExamReport, next doctor.Step, wrong bool) {
	a := c.a
	if !wrong {
		a.Outf("\n%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), c.allIsWell(r))
		return
	}
	name := a.stepName(next)
	mark, colour := a.markOf(next.Status)
	if next.Name == doctor.NameReceiver {
		name = "DMARC" // the receiver follows the DMARC policy
	}
	sentence := a.T("Mail can be sent, but fix this: %s", name)
	switch {
	case next.Status == doctor.Failed && c.partOf(next) == a.T("The server"):
		sentence = a.T("Sending fails here: %s", name)
	case next.Status == doctor.Failed:
		sentence = a.T("Mail can be sent, but receivers may refuse it: %s", name)
	}
	a.Outf("\n%s %s\n", a.Paint(a.StdoutWidth, colour, mark), a.Paint(a.StdoutWidth, console.Bold, sentence))
	why, do := c.stepAdvice(next)
	f := next.Finding
	f.Cause, f.Advice = why, do
	a.PrintFinding(a.Stdout, a.StdoutWidth, f)
}

// stepAdvice returns the reason and the action. A step is more specific than the
// failure's class: it knows, for example, which other port is open.
func (c *doctorReport) stepAdvice(s doctor.Step) (why, do doctor.Text) {
	if en, zh := c.badSecret(s, i18n.English), c.badSecret(s, i18n.Chinese); en != nil && zh != nil {
		if en.Hint != "" {
			s.Advice = doctor.Text{EN: en.Hint, ZH: zh.Hint}
			if last, _ := utf8.DecodeLastRuneInString(zh.Hint); unicode.Is(unicode.Han, last) { // not after a command
				s.Advice.ZH += "。"
			}
		}
		return wholeSentence(doctor.Text{EN: en.Error(), ZH: zh.Error()}), s.Advice
	}
	why, do = wholeSentence(s.Detail), s.Advice
	if s.Finding.Class != "" {
		why = s.Finding.Cause
		if do.EN == "" {
			do = s.Finding.Advice
		}
	}
	return why, do
}

// wholeSentence ends a line as a sentence.
func wholeSentence(t doctor.Text) doctor.Text {
	first, size := utf8.DecodeRuneInString(t.EN)
	t.EN = string(unicode.ToUpper(first)) + t.EN[size:]
	if !strings.HasSuffix(t.EN, ".") {
		t.EN += "."
	}
	if !strings.HasSuffix(t.ZH, "。") {
		t.ZH += "。"
	}
	return t
}

// badSecret returns the command line's message about the secret's source, if
// that failed.
func (c *doctorReport) badSecret(s doctor.Step, lang i18n.Language) *command.Failure {
	var secret *doctor.SecretError
	var failed *command.Failure
	a := c.a.InLanguage(lang)
	if errors.As(s.Outcome.Err, &secret) && errors.As(a.BadSecret(c.patient.Account, secret.Err), &failed) {
		return failed
	}
	return nil
}

// withSecretError replaces a step's error by the command line's message about the
// secret's source.
func (c *doctorReport) withSecretError(s doctor.Step) doctor.Step {
	var secret *doctor.SecretError
	if !errors.As(s.Outcome.Err, &secret) {
		return s
	}
	in := func(lang i18n.Language) string {
		a := c.a.InLanguage(lang)
		return a.T("can't read the password: %s", a.SecretProblem(secret.Err))
	}
	s.Detail = doctor.Text{EN: in(i18n.English), ZH: in(i18n.Chinese)}
	return s
}

// allIsWell returns the closing sentence, which depends on the steps that ran.
func (c *doctorReport) allIsWell(r doctor.ExamReport) string {
	for _, s := range r.Steps {
		if s.Name == doctor.NameLogin && s.Status == doctor.Skipped {
			return c.a.T("No problems found without a login; set YAN_PASSWORD_FILE to the password's file to check the login too.")
		}
	}
	if r.Count(doctor.Skipped) > 0 {
		return c.a.T("No problems found in the steps that were checked.")
	}
	return c.a.T("No problems found; there is nothing to do.")
}

// exitStatus returns the exit status for the first failed step; warnings don't count.
func (c *doctorReport) exitStatus(s doctor.Step) int {
	if s.Status != doctor.Failed {
		return command.ExitOK
	}
	if failed := c.badSecret(s, i18n.English); failed != nil {
		return failed.Code
	}
	switch {
	case s.Outcome.Status == smtp.Unknown:
		return command.ExitUnknown
	case s.Finding.Class != "":
		return verdict.ExitForOutcome(s.Outcome, s.Finding)
	}
	return command.ExitUnavailable
}
