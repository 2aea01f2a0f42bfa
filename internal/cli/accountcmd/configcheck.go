package accountcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/smtpclient"
)

var errProblems = errors.New("the configuration has problems")

func (a *accountCommands) configCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check", Short: a.T("Check the configuration"),
		Long:    a.T("Check the configuration: its syntax, and for each account that its server is known, its fallback exists, its files can be read, and its secret exists and only you can read it. Makes no connection and runs no command; use 'yan account test' to log in. The exit status is 78 if there is an error."),
		Example: "  yan config check\n  yan config check --json",
		Args:    a.AtMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.checkConfig(cmd.Context(), asJSON) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

const (
	severe = "error"
	minor  = "warning"
)

// configChecker collects the problems of a configuration.
type configChecker struct {
	*accountCommands
	file *account.File
	jsonout.Check
}

func (c *configChecker) addProblem(severity, name, key, text string) {
	line, column := c.file.Position(name, key)
	c.Problems = append(c.Problems, jsonout.ConfigProblem{Severity: severity, Line: line, Column: column, Account: name, Key: key, Text: text})
	if severity == severe {
		c.OK = false
	}
}

func (a *accountCommands) checkConfig(ctx context.Context, asJSON bool) error {
	path, err := a.ConfigPath()
	if err != nil {
		return err
	}
	f, err := a.LoadCached(path)
	if err != nil {
		return a.reportInvalid(path, err, asJSON)
	}
	if !f.Exists() {
		return a.NoAccountsError(f, command.ExitNoInput)
	}
	c := &configChecker{accountCommands: a, file: f, Check: jsonout.Check{Path: path, OK: true, Accounts: []string{}, Problems: []jsonout.ConfigProblem{}}}
	for _, p := range f.Faults() {
		c.OK = false
		c.Problems = append(c.Problems, a.problemOf(p))
	}
	if !asJSON { // in the sentences of all other commands
		a.PrintFaults(f)
		c.Problems = c.Problems[:0]
	}
	c.checkFile()
	for _, acc := range f.Accounts() {
		c.Accounts = append(c.Accounts, acc.Name)
		if f.FaultOf(acc.Name) == nil {
			c.checkAccount(ctx, acc)
		}
	}
	if asJSON {
		a.PrintJSON(c.Check)
	} else {
		c.printProblems()
	}
	if !c.OK {
		return &command.Failure{Code: command.ExitConfig, Err: errProblems, Told: true}
	}
	return nil
}

// reportInvalid reports a file that Load refuses.
func (a *accountCommands) reportInvalid(path string, err error, asJSON bool) error {
	explained := a.BadConfiguration(path, err)
	var wrong *account.ParseError
	if !asJSON || !errors.As(err, &wrong) {
		return explained
	}
	a.PrintJSON(jsonout.Check{Path: path, Accounts: []string{}, Problems: []jsonout.ConfigProblem{a.problemOf(wrong)}})
	return &command.Failure{Code: command.ExitConfig, Err: errProblems, Told: true}
}

// problemOf returns an error of Load as JSON.
func (a *accountCommands) problemOf(p *account.ParseError) jsonout.ConfigProblem {
	return jsonout.ConfigProblem{Severity: severe, Line: p.Line, Column: p.Column, Key: p.Key, Fault: string(p.Fault), Text: a.BadConfiguration(p.Path, p).Error()}
}

// checkFile checks the settings that are not about one account.
func (c *configChecker) checkFile() {
	if info, err := os.Stat(c.Path); err == nil && !c.Windows && info.Mode().Perm()&0o022 != 0 {
		c.addProblem(severe, "", "", c.T("other users can change this file and redirect your mail; run chmod 600 %s", command.QuoteName(c.Path)))
	}
	c.checkListener()
	list := c.file.Accounts()
	if c.file.Default() == "" && len(list) > 1 {
		c.addProblem(minor, "", "", c.T("there is no default account, so each message must name an account or its sender"))
	}
	for i, one := range list {
		address, err := one.Address()
		if err != nil {
			continue
		}
		for _, other := range list[:i] {
			if its, err := other.Address(); err == nil && its.Equal(address) {
				c.addProblem(minor, one.Name, "from", c.T("%s has the same sender; use -A to choose", other.Name))
			}
		}
	}
}

// checkListener checks the files of [listen.smtp]: with these mistakes, 'yan serve' does not start.
func (c *configChecker) checkListener() {
	l, ok := c.file.ListenSMTP()
	if !ok || l.Certificate == "" {
		return
	}
	for _, f := range []struct{ key, file string }{{"listen.smtp.certificate", l.Certificate}, {"listen.smtp.key", l.Key}} {
		if err := atomicfile.CheckReadable(f.file); err != nil {
			c.addProblem(severe, "", f.key, c.fileProblem(f.file, err))
			return
		}
	}
	if err := c.PemFiles(func() error { _, err := smtpclient.LoadCertificate(l.Certificate, l.Key); return err }); err != nil {
		c.addProblem(severe, "", "listen.smtp.certificate", c.T("%s and %s are not a valid certificate", command.QuoteName(l.Certificate), command.QuoteName(l.Key)))
	}
}

// checkAccount checks the facts about an account that Load can't check: files, programs and secrets.
func (c *configChecker) checkAccount(ctx context.Context, acc account.Account) {
	v := viewOf(c.file, acc)
	c.checkSignature(acc)
	c.checkCertificates(acc)
	if v.SaveSent == account.SaveAlways && !hasMailbox(v) {
		c.addProblem(severe, acc.Name, "save_sent", c.T("unknown IMAP server; set imap"))
	}
	if v.server.Security == smtpclient.Plaintext && v.server.Socket == "" && v.loginName() != "" {
		c.addProblem(minor, acc.Name, "server", c.T("the connection to %s is not encrypted", v.server.String()))
	}
	state := c.secretState(ctx, v)
	kind, _ := v.secretPlace()
	switch {
	case kind == "command":
		c.checkCommand(acc)
	case state.err == nil:
	case state.word == secretMissing && (kind == "kept" || kind == "oauth2"):
		c.addProblem(severe, acc.Name, "secret", state.text)
	default:
		c.addProblem(severe, acc.Name, "secret", state.text)
	}
}

func hasMailbox(v accountView) bool {
	mailbox, err := v.Mailbox()
	return err == nil && mailbox.Host != ""
}

// checkCommand checks that the program of a secret command exists, without running it.
func (c *configChecker) checkCommand(acc account.Account) {
	word, _, _ := strings.Cut(strings.TrimSpace(acc.Secret.Command), " ")
	if strings.ContainsAny(word, "\"'$`|&;<>(){}=\\%~") { // leave it to the shell
		return
	}
	if _, err := exec.LookPath(word); err != nil && !isBuiltin(word) {
		c.addProblem(severe, acc.Name, "secret", c.T("program %s not found", command.QuoteName(word)))
	}
}

func isBuiltin(word string) bool {
	switch word {
	case "echo", "printf", "cat", "type", "read", "eval", "exec", "test", ".", "[", "command", "if", "for", "while", "case", "!":
		return true
	}
	return false
}

func (c *configChecker) checkSignature(acc account.Account) {
	if acc.SignatureFile == "" {
		return
	}
	file := acc.File(acc.SignatureFile)
	text, err := c.ReadText(file, command.MaxText)
	switch {
	case err != nil:
		c.addProblem(severe, acc.Name, "signature_file", c.fileProblem(file, err))
	case !utf8.ValidString(text):
		c.addProblem(severe, acc.Name, "signature_file", c.T("%s: the text is not UTF-8", command.QuoteName(file)))
	}
}

func (c *configChecker) checkCertificates(acc account.Account) {
	readable := true
	for _, f := range []struct{ key, file string }{{"tls_ca", acc.TLSCA}, {"tls_cert", acc.TLSCert}, {"tls_key", acc.TLSKey}} {
		if f.file == "" {
			continue
		}
		if err := atomicfile.CheckReadable(acc.File(f.file)); err != nil {
			c.addProblem(severe, acc.Name, f.key, c.fileProblem(acc.File(f.file), err))
			readable = false
		}
	}
	if !readable {
		return
	}
	if acc.TLSCA != "" {
		if err := c.PemFiles(func() error { _, err := smtpclient.LoadRoots(acc.File(acc.TLSCA)); return err }); err != nil {
			c.addProblem(severe, acc.Name, "tls_ca", c.T("%s: contains no certificate in PEM format", command.QuoteName(acc.File(acc.TLSCA))))
		}
	}
	if acc.TLSCert != "" {
		if err := c.PemFiles(func() error {
			_, err := smtpclient.LoadCertificate(acc.File(acc.TLSCert), acc.File(acc.TLSKey))
			return err
		}); err != nil {
			c.addProblem(severe, acc.Name, "tls_cert", c.T("%s and %s are not a valid client certificate", command.QuoteName(acc.TLSCert), command.QuoteName(acc.TLSKey)))
		}
	}
}

func (c *configChecker) fileProblem(file string, err error) string {
	var long *atomicfile.TooLongError
	switch {
	case errors.As(err, &long):
		return c.T("%s: larger than %s, the limit for this file", command.QuoteName(file), console.Size(long.Most))
	case errors.Is(err, atomicfile.ErrFolder):
		return c.T("%s: this is a folder, not a file", command.QuoteName(file))
	case errors.Is(err, fs.ErrNotExist):
		return c.T("%s: there is no such file", command.QuoteName(file))
	case errors.Is(err, fs.ErrPermission):
		return c.T("%s: no permission to read this file", command.QuoteName(file))
	}
	return c.T("%s: can't be read: %v", command.QuoteName(file), err)
}

// printProblems prints the problems in the form of compilers, or else the list of checks.
func (c *configChecker) printProblems() {
	for _, p := range c.Problems {
		place := c.Path
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", c.Path, p.Line, p.Column)
		}
		key := ""
		if p.Account == "" && p.Key != "" {
			key = " " + p.Key + ":"
		}
		if p.Account != "" {
			key = " account." + p.Account + "." + p.Key + ":"
		}
		mark := c.Paint(c.StdoutWidth, console.Red, "✗")
		if p.Severity == minor {
			mark = c.Paint(c.StdoutWidth, console.Yellow, "!")
		}
		c.Outf("%s %s:%s %s\n", mark, place, key, p.Text)
	}
	if !c.OK {
		return
	}
	c.Outf("%s %s\n", c.Paint(c.StdoutWidth, console.Green, "✓"), c.T("%s has no errors.", command.QuoteName(c.Path)))
	if len(c.Accounts) == 0 {
		c.Outf("  %s\n", c.T("there are no accounts yet"))
		c.Outf("  %s\n", c.T("Run 'yan login' to create one, or 'yan account import' to import accounts of other programs."))
		return
	}
	c.Outf("  %s\n", c.T("accounts: %s", c.Listed(c.Accounts)))
	c.Outf("  %s\n", c.T("checked: keys and values, servers, fallbacks, files, certificates, and the place and permissions of each secret"))
}
