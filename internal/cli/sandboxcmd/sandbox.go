package sandboxcmd

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/provider"
)

type sandboxFlags struct {
	profile   string
	port      int
	tlsPort   int
	lmtpPort  int
	maildir   string
	ca        string
	faults    []string
	limits    []string
	quirks    []string
	lockAfter int
	exitAfter int
	quiet     bool
	json      bool
}

// noPort is the default of a listener that is optional.
const noPort = -1

func (a *sandboxCommands) sandboxCommand() *cobra.Command {
	s := &sandboxFlags{profile: sandbox.Plain, lmtpPort: noPort}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: a.T("Run a mail server on this machine that imitates a provider"),
		Long:  a.T("Run a mail server on 127.0.0.1 until Ctrl-C. It replies like a real provider, stores accepted messages, delivers nothing, and fails on request: it refuses mail to rcpt-550@example.org, and accepts mail to body-cut@example.org without replying. Such a word is STAGE-ACTION; 'yan sandbox --fault help' lists them. Messages are listed on standard output, conversations on standard error."),
		Example: "  yan sandbox --profile qq --ca ca.pem\n  yan sandbox --maildir mail --fault body=cut\n" +
			"  yan sandbox --limit messages=10 --limit rcptmax=5",
		Args: a.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runSandbox(cmd.Context(), s) },
	}
	port := a.T("PORT")
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("profile", "", &s.profile, a.T("PROVIDER"), a.T("provider to imitate: %s", a.Listed(sandbox.Profiles()))),
		command.NewOption("port", "", &s.port, port, a.T("port for submission with STARTTLS (default: a free port)")),
		command.NewOption("tls-port", "", &s.tlsPort, port, a.T("port for TLS from the first byte (default: a free port)")),
		command.NewOption("lmtp-port", "", &s.lmtpPort, port, a.T("port for LMTP, 0 for a free port (default: no LMTP)")),
		command.NewOption("maildir", "", &s.maildir, a.T("FOLDER"), a.T("store messages here, in a Maildir for each recipient (default: in memory)")),
		command.NewOption("ca", "", &s.ca, a.T("FILE"), a.T("write the certificate authority to this file, for --tls-ca (default: a temporary file)")),
		command.NewOption("fault", "", &s.faults, a.T("STAGE=ACTION"), a.T("fail on request, such as body=cut or rcpt=550; 'help' lists all; repeatable")),
		command.NewOption("limit", "", &s.limits, a.T("WORD=NUMBER"), a.T("set a limit, such as messages=10, connections=2, rate=60/1m or rcptmax=5; 'help' lists all; repeatable")),
		command.NewOption("quirk", "", &s.quirks, a.T("WORD"), a.T("imitate a quirk of real servers, such as loses-group; 'help' lists all; repeatable")),
		command.NewOption("lock-after", "", &s.lockAfter, "N", a.T("lock an account for an hour after N failed logins in a row")),
		command.NewOption("exit-after", "", &s.exitAfter, "N", a.T("exit after N messages")),
		command.NewOption("quiet", "q", &s.quiet, "", a.T("do not show the conversations")),
		command.NewOption("json", "", &s.json, "", a.T("print JSON: a line when ready, a line for each message")),
	)
	command.Complete(cmd, "profile", sandbox.Profiles)
	command.Complete(cmd, "fault", faultWords)
	command.Complete(cmd, "limit", a.limitWords)
	command.Complete(cmd, "quirk", quirkWords)
	return cmd
}

func (a *sandboxCommands) runSandbox(ctx context.Context, s *sandboxFlags) error {
	switch {
	case slices.Contains(s.faults, "help"):
		a.faultHelp()
		return nil
	case slices.Contains(s.limits, "help"):
		a.limitHelp()
		return nil
	case slices.Contains(s.quirks, "help"):
		a.quirkHelp()
		return nil
	}
	cfg, err := a.sandboxConfig(s)
	if err != nil {
		return err
	}
	server, err := sandbox.Start(cfg)
	if err != nil {
		return command.Fail(command.ExitUnavailable, localerr.Errorf("%s: %w", a.T("the sandbox can't listen"), err), a.T("Choose another port, or leave the port out."))
	}
	defer server.Close()
	ca, remove, err := writeCA(server, s.ca)
	if err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the certificate authority"), err), "")
	}
	defer remove()
	login, err := sandbox.DefaultLogin(s.profile)
	if err != nil {
		return command.InternalFailure("the sandbox's account", err)
	}
	a.announceReady(s, server, clientInfo{ca: ca, login: login})
	return a.serveMessages(ctx, s, server)
}

// clientInfo has the CA file and the login for a client.
type clientInfo struct{ ca, login string }

// serveMessages shows each message as it arrives, until ctx ends or enough have
// arrived.
func (a *sandboxCommands) serveMessages(ctx context.Context, s *sandboxFlags, server *sandbox.Server) error {
	shown, last := 0, ""
	for s.exitAfter == 0 || shown < s.exitAfter {
		messages, err := server.WaitMessages(ctx, shown+1)
		if err != nil {
			if ctx.Err() != nil { // Ctrl-C is the normal end
				return nil
			}
			return command.InternalFailure("waiting for messages", err)
		}
		fresh := messagesSince(messages, last)
		for _, m := range fresh {
			a.showMessage(s, m)
			last = m.ID
		}
		shown += max(len(fresh), 1)
	}
	// The last client still waits for its reply, and sends QUIT.
	goodbye, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = server.WaitIdle(goodbye) // a client that stays is disconnected
	return nil
}

// messagesSince returns the messages after the one with an id; the server drops the
// oldest if there are many.
func messagesSince(messages []sandbox.Message, id string) []sandbox.Message {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].ID == id {
			return messages[i+1:]
		}
	}
	return messages
}

func (a *sandboxCommands) showMessage(s *sandboxFlags, m sandbox.Message) {
	if s.json {
		a.PrintJSON(jsonout.Received{Event: "message", ID: m.ID, Login: m.Login, TLS: m.TLS,
			From: m.From, To: m.To, Size: len(m.Data), Subject: m.Header("Subject")})
		return
	}
	a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Green, a.T("✉ %s: %s -> %s, %s, “%s”", m.ID, m.From,
		a.Listed(m.To), console.Size(int64(len(m.Data))), console.Visible(m.Header("Subject")))))
}

func (a *sandboxCommands) sandboxConfig(s *sandboxFlags) (sandbox.Config, error) {
	cfg := sandbox.Config{Profile: s.profile, Maildir: s.maildir}
	if !slices.Contains(sandbox.Profiles(), s.profile) {
		return cfg, a.Wrongf("%s %q: want one of %s", a.Name("profile"), s.profile, a.Listed(sandbox.Profiles()))
	}
	cfg.LockAfter = s.lockAfter
	for _, f := range []struct {
		flag   string
		number int
	}{{"exit-after", s.exitAfter}, {"lock-after", s.lockAfter}} {
		if f.number < 0 {
			return cfg, a.Wrongf("%s %d: want a number above zero", a.Name(f.flag), f.number)
		}
	}
	for _, p := range []struct {
		flag string
		port int
		to   *string
	}{{"port", s.port, &cfg.SubmissionAddr}, {"tls-port", s.tlsPort, &cfg.TLSAddr}, {"lmtp-port", s.lmtpPort, &cfg.LMTPAddr}} {
		if p.port > 65535 || p.port < 0 && !(p.flag == "lmtp-port" && p.port == noPort) {
			return cfg, a.Wrongf("%s %d: want a port from 1 to 65535", a.Name(p.flag), p.port)
		}
		if p.port > 0 || p.port == 0 && p.flag == "lmtp-port" {
			*p.to = fmt.Sprintf("127.0.0.1:%d", p.port)
		}
	}
	if err := a.parseFaults(&cfg, s.faults); err != nil {
		return cfg, err
	}
	if err := a.parseLimits(&cfg, s.limits); err != nil {
		return cfg, err
	}
	if err := a.parseQuirks(&cfg, s.quirks); err != nil {
		return cfg, err
	}
	if s.maildir != "" {
		if err := os.MkdirAll(s.maildir, 0o700); err != nil {
			return cfg, command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("%s %s can't be written", a.Name("maildir"), command.QuoteName(s.maildir)), err), "")
		}
	}
	if !s.json && !s.quiet {
		cfg.Log = func(e sandbox.LogEvent) {
			a.Errf("%s\n", a.Paint(a.StderrWidth, console.Dim, fmt.Sprintf("%d %s %s", e.Conn, e.Side, e.Text)))
		}
	}
	return cfg, nil
}

// announceReady prints the sandbox's addresses and how to send to it.
func (a *sandboxCommands) announceReady(s *sandboxFlags, server *sandbox.Server, at clientInfo) {
	target := (&url.URL{Scheme: "smtps", User: url.User(at.login), Host: server.TLSAddr()}).String()
	if s.json {
		a.PrintJSON(jsonout.Ready{Event: "ready", Profile: s.profile, Submission: server.SubmissionAddr(), TLS: server.TLSAddr(),
			LMTP: server.LMTPAddr(), CA: at.ca, Login: at.login, Password: sandbox.Password, URL: target})
		return
	}
	title, secret := a.T("A mail server that offers every extension."), a.T("password")
	if s.profile != sandbox.Plain {
		name := s.profile
		if p, ok := provider.Lookup(name); ok {
			name, secret = a.ChooseText(p.Names.EN, p.Names.ZH), a.secretName(p)
		}
		title = a.T("A sandbox that imitates %s.", name)
	}
	a.Heading(title + a.T(" Nothing leaves this machine; press Ctrl-C to stop."))
	rows := []command.ListEntry{{Term: "STARTTLS", Text: server.SubmissionAddr()}, {Term: "TLS", Text: server.TLSAddr()}}
	if lmtp := server.LMTPAddr(); lmtp != "" {
		rows = append(rows, command.ListEntry{Term: "LMTP", Text: lmtp})
	}
	rows = append(rows, command.ListEntry{Term: a.T("login"), Text: at.login}, command.ListEntry{Term: secret, Text: sandbox.Password}, command.ListEntry{Term: "CA", Text: at.ca})
	for _, row := range rows {
		a.Outf("  %s %s\n", console.Pad(row.Term, 9), row.Text)
	}
	a.Outf("\n  %s\n", a.WithVariable("YAN_PASSWORD", sandbox.Password,
		fmt.Sprintf("yan send --server %s --tls-ca %s -t friend@example.org -s hello -b hello", target, console.ShellWord(at.ca))))
	a.Outf("  yan login %s --server %s --tls-ca %s\n\n", at.login, target, console.ShellWord(at.ca))
}

// secretName returns the name that a provider has for its secret.
func (a *sandboxCommands) secretName(p provider.Provider) string {
	if p.Auth.Kind == provider.AuthorizationCode {
		return a.T("code")
	}
	return a.T("password")
}

// writeCA writes the certificate authority to file, or to a temporary one that
// remove deletes.
func writeCA(server *sandbox.Server, file string) (path string, remove func(), err error) {
	if file != "" {
		return file, func() {}, server.WriteCA(file)
	}
	dir, err := os.MkdirTemp("", "yan-sandbox-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // the system cleans its temporary directory anyway
	path = filepath.Join(dir, "ca.pem")
	if err := server.WriteCA(path); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}
