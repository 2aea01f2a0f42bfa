package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/sandbox"
)

type sandboxFlags struct {
	profile   string
	port      int
	tlsPort   int
	lmtpPort  int
	maildir   string
	ca        string
	faults    []string
	exitAfter int
	json      bool
}

func (a *app) sandboxCommand() *cobra.Command {
	s := &sandboxFlags{}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: a.T("Run a mail provider on this machine that imitates a real one"),
		Long: a.T("Run a mail provider on 127.0.0.1 until Ctrl-C. It speaks like a real one, keeps\n" +
			"what it accepts, delivers nothing, and misbehaves on request: mail to\n" +
			"rcpt-550@example.org is refused, mail to body-cut@example.org is taken and never\n" +
			"acknowledged. A word is STAGE-ACTION; ACTION is a reply code, stall, cut,\n" +
			"garbage, drip and more ('yan sandbox --fault help' lists them)."),
		Example: "  yan sandbox --profile qq --ca ca.pem\n  yan sandbox --maildir ./mail --fault body=cut",
		Args:    a.atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.sandbox(cmd.Context(), s) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&s.profile, "profile", sandbox.Plain, a.T("the `PROVIDER` to imitate: %s", strings.Join(sandbox.Profiles(), ", ")))
	f.IntVar(&s.port, "port", 0, a.T("`PORT` of submission with STARTTLS (default: a free one)"))
	f.IntVar(&s.tlsPort, "tls-port", 0, a.T("`PORT` with TLS from the first byte (default: a free one)"))
	f.IntVar(&s.lmtpPort, "lmtp-port", -1, a.T("`PORT` of LMTP, 0 for a free one (default: no LMTP)"))
	f.StringVar(&s.maildir, "maildir", "", a.T("keep messages in this `FOLDER`, a Maildir for each recipient (default: in memory)"))
	f.StringVar(&s.ca, "ca", "", a.T("write the certificate authority to this `FILE`, for --tls-ca (default: a temporary file)"))
	f.StringArrayVar(&s.faults, "fault", nil, a.T("misbehave: `STAGE=ACTION`, like body=cut or rcpt=550; repeatable"))
	f.IntVar(&s.exitAfter, "exit-after", 0, a.T("end after `N` messages"))
	f.BoolVar(&s.json, "json", false, a.T("print JSON: one line when ready, one for each message"))
	complete(cmd, "profile", sandbox.Profiles)
	return cmd
}

func (a *app) sandbox(ctx context.Context, s *sandboxFlags) error {
	if len(s.faults) == 1 && s.faults[0] == "help" {
		for _, f := range sandbox.Faults() {
			a.outf("%s\n", f)
		}
		return nil
	}
	cfg, err := a.sandboxConfig(s)
	if err != nil {
		return err
	}
	server, err := sandbox.Start(cfg)
	if err != nil {
		return fail(exitUnavailable, err, a.T("Choose another port, or leave the port out."))
	}
	defer server.Close()
	ca, remove, err := writeCA(server, s.ca)
	if err != nil {
		return fail(exitCantCreate, err, "")
	}
	defer remove()
	if err := a.announce(s, server, ca); err != nil {
		return err
	}
	return a.serve(ctx, s, server)
}

// serve shows each message as it comes, until ctx ends or enough came.
func (a *app) serve(ctx context.Context, s *sandboxFlags, server *sandbox.Server) error {
	for n := 1; s.exitAfter == 0 || n <= s.exitAfter; n++ {
		messages, err := server.WaitMessages(ctx, n)
		if err != nil {
			if ctx.Err() != nil { // Ctrl-C is how it ends
				return nil
			}
			return internal("waiting for messages", err)
		}
		m := messages[len(messages)-1]
		if s.json {
			a.printJSON(map[string]any{"event": "message", "id": m.ID, "login": m.Login, "tls": m.TLS,
				"from": m.From, "to": m.To, "size": len(m.Data), "subject": m.Header("Subject")})
			continue
		}
		a.outf("%s\n", a.paint(a.StdoutWidth, green, a.T("✉ %s: %s -> %s, %s, «%s»", m.ID, m.From,
			strings.Join(m.To, ", "), size(int64(len(m.Data))), m.Header("Subject"))))
	}
	return nil
}

func (a *app) sandboxConfig(s *sandboxFlags) (sandbox.Config, error) {
	cfg := sandbox.Config{Profile: s.profile, Maildir: s.maildir}
	if !contains(sandbox.Profiles(), s.profile) {
		return cfg, a.usagef("--profile %q: want one of %s", s.profile, strings.Join(sandbox.Profiles(), ", "))
	}
	if s.exitAfter < 0 {
		return cfg, a.usagef("--exit-after %d: want a number above zero", s.exitAfter)
	}
	for _, p := range []struct {
		flag string
		port int
		to   *string
	}{{"port", s.port, &cfg.SubmissionAddr}, {"tls-port", s.tlsPort, &cfg.TLSAddr}, {"lmtp-port", s.lmtpPort, &cfg.LMTPAddr}} {
		if p.port > 65535 || p.port < -1 {
			return cfg, a.usagef("--%s %d: want a port from 1 to 65535", p.flag, p.port)
		}
		if p.port > 0 || p.port == 0 && p.flag == "lmtp-port" {
			*p.to = fmt.Sprintf("127.0.0.1:%d", p.port)
		}
	}
	for _, word := range s.faults {
		fault, err := sandbox.ParseFault(strings.Replace(word, "=", "-", 1))
		if err != nil {
			return cfg, a.usage(fmt.Errorf("--fault %s: %w", word, err))
		}
		cfg.Faults = append(cfg.Faults, fault)
	}
	if !s.json {
		cfg.Log = func(e sandbox.Event) {
			a.errf("%s\n", a.paint(a.StderrWidth, dim, fmt.Sprintf("%d %s %s", e.Conn, e.Side, e.Text)))
		}
	}
	return cfg, nil
}

// announce says where the sandbox listens and how to send to it.
func (a *app) announce(s *sandboxFlags, server *sandbox.Server, ca string) error {
	login, err := sandbox.DefaultLogin(s.profile)
	if err != nil {
		return internal("the sandbox's account", err)
	}
	if s.json {
		a.printJSON(map[string]any{"event": "ready", "profile": s.profile, "submission": server.SubmissionAddr(),
			"tls": server.TLSAddr(), "lmtp": server.LMTPAddr(), "ca": ca, "login": login, "password": sandbox.Password})
		return nil
	}
	a.outf("%s\n", a.T("A sandbox that imitates %s. Nothing leaves this machine; Ctrl-C ends it.", s.profile))
	a.outf("  STARTTLS  %s\n  TLS       %s\n", server.SubmissionAddr(), server.TLSAddr())
	if lmtp := server.LMTPAddr(); lmtp != "" {
		a.outf("  LMTP      %s\n", lmtp)
	}
	a.outf("  %-9s %s\n  %-9s %s\n", a.T("login"), login, a.T("password"), sandbox.Password)
	a.outf("  CA        %s\n\n", ca)
	a.outf("  YAN_PASSWORD=%s yan send --server %s --tls-ca %s -t friend@example.org -s hello -b hello\n\n",
		sandbox.Password, sandboxURL(server, login), ca)
	return nil
}

// sandboxURL is the server URL for TLS from the first byte.
func sandboxURL(server *sandbox.Server, login string) string {
	return (&url.URL{Scheme: "smtps", User: url.User(login), Host: server.TLSAddr()}).String()
}

// writeCA writes the certificate authority to file, or to a temporary one
// that remove takes away.
func writeCA(server *sandbox.Server, file string) (path string, remove func(), err error) {
	if file != "" {
		return file, func() {}, server.WriteCA(file)
	}
	dir, err := os.MkdirTemp("", "yan-sandbox-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // the system empties its temporary folder anyway
	path = filepath.Join(dir, "ca.pem")
	if err := server.WriteCA(path); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}
