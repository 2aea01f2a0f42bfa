package sandboxcmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/transport"
)

func (a *sandboxCommands) demoCommand() *cobra.Command {
	var relay bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: a.T("Send a first message to a sandbox on this machine; needs no account"),
		Long:  a.T("Send a first test message to a sandbox that imitates QQ Mail on this machine: log in with an authorization code over verified TLS, show the conversation, then show the message as both mailboxes received it. Nothing leaves the machine.\n\nWith --relay the sandbox imitates Microsoft 365, which refuses passwords; a program that knows only passwords sends through Yan all the same."),
		Args:  a.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if relay {
				return a.runRelayDemo(cmd.Context())
			}
			return a.runDemo(cmd.Context())
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("relay", "", &relay, "", a.T("show how a program without OAuth 2.0 sends through Yan")))
	return cmd
}

// demoProfile is the provider in the original tutorial.
const demoProfile = "qq"

func (a *sandboxCommands) runDemo(ctx context.Context) error {
	server, err := sandbox.Start(sandbox.Config{Profile: demoProfile})
	if err != nil {
		return command.Fail(command.ExitUnavailable, localerr.Errorf("%s: %w", a.T("the sandbox can't listen"), err), "")
	}
	defer server.Close()
	ca, remove, err := writeCA(server, "")
	if err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the certificate authority"), err), "")
	}
	defer remove()
	login, err := sandbox.DefaultLogin(demoProfile)
	if err != nil {
		return command.InternalFailure("the sandbox's account", err)
	}
	a.Heading(a.T("A sandbox on this machine imitates QQ Mail; nothing leaves this machine."))
	a.Outf("  smtps://%s · %s %s · %s\n\n", server.TLSAddr(), a.T("account"), login, a.T("TLS verified by the sandbox's own CA"))

	a.Heading(a.T("The conversation (→ yan, ← server with its response time)"))
	client, err := yan.Open("smtps://"+server.TLSAddr(), yan.Options{
		User: login, Password: sandbox.Password, CAFile: ca, Trace: a.TraceSession(a.Stdout, a.StdoutWidth)})
	if err != nil {
		return command.InternalFailure("opening the sandbox", err)
	}
	result, err := client.Send(ctx, a.demoMessage(login))
	if closeErr := client.Close(); err == nil { // Close sends QUIT
		err = closeErr
	}
	if err != nil {
		return command.Fail(verdict.ExitStatus(result, demoProfile), err, "")
	}
	a.Outf("%9s %s\n", "", a.Paint(a.StdoutWidth, console.Dim, "  "+a.T("QQ sends 16 extra bytes before its reply to QUIT; the message had been accepted before that.")))
	a.Heading("\n" + a.T("Outcome"))
	for _, o := range result.Recipients {
		a.Outf("%s\n", a.OutcomeLine("", o, a.StdoutWidth))
	}
	a.Outf("%s\n\n", a.ReceiptLine(result, sending.SentAs{Server: transport.Server{Host: a.T("%s (%s)", "smtp.qq.com", a.T("sandbox"))}}))
	if err := a.showReceived(ctx, server, a.T("Messages received by the %d mailboxes", len(result.Recipients))); err != nil {
		return err
	}
	a.Heading(a.T("Now use your own mailbox: log in once, then send"))
	a.Outf("  yan login me@qq.com\n  yan send -t friend@163.com -s 你好 -b \"Hello World\"\n")
	return nil
}

func (a *sandboxCommands) demoMessage(login string) yan.Message {
	poem := "鸿雁长飞光不度，鱼龙潜跃水成文。\r\n— 张若虚《春江花月夜》\r\n"
	return yan.Message{
		From: "雁 <" + login + ">", To: []string{"好友 <friend@163.com>", "friend@gmail.com"},
		Subject: "第一封测试邮件", Text: "Hello World\r\n",
		Attachments: []yan.Attachment{yan.Bytes("春江花月夜.txt", []byte(poem))},
	}
}

// showReceived prints each recipient's message as it is in the mailbox, below a heading.
func (a *sandboxCommands) showReceived(ctx context.Context, server *sandbox.Server, heading string) error {
	messages, err := server.WaitMessages(ctx, 1)
	if err != nil {
		return command.InternalFailure("reading the mailboxes", err)
	}
	a.Heading(heading)
	for _, m := range messages {
		for _, to := range m.To {
			a.Outf("  ┌ %s\n", to)
			for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID"} {
				a.Outf("  │ %s: %s\n", name, console.Visible(m.Header(name)))
			}
			a.Outf("  │\n")
			parts, err := m.Parts()
			if err != nil {
				return command.InternalFailure("reading the message", err)
			}
			for _, p := range parts {
				if p.FileName != "" {
					a.Outf("  │ 📎 %s (%s, %s)\n", p.FileName, p.ContentType, console.Size(int64(len(p.Body))))
				}
				for _, line := range strings.Split(strings.TrimSpace(string(p.Body)), "\n") {
					a.Outf("  │ %s\n", strings.TrimRight(line, "\r"))
				}
			}
			a.Outf("  └\n")
		}
	}
	a.Outf("\n")
	return nil
}
