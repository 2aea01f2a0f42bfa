package doctorcmd

import (
	"cmp"
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// doctorFlags are the flags of doctor, including the server flags that do not
// select another server.
type doctorFlags struct {
	serverflag.ServerFlags
	from       string
	selector   string
	sendTo     string
	dns        string
	transcript bool
	json       bool
}

func (a *doctorCommand) cobraCommand() *cobra.Command {
	d := &doctorFlags{}
	cmd := &cobra.Command{
		Use:     "doctor [" + a.T("ACCOUNT|HOST") + "]",
		Short:   a.T("Find out why sending fails and how to fix it"),
		Long:    a.T("Check each step of sending a message, and end with the one thing to do next: the server's name, ports, TLS, certificate, extensions and speed, the login, the sender, and SPF, DKIM and DMARC of the sender's domain.\n\nWithout an argument, checks the default account. HOST is a host, host:port, URL, provider or address; its password comes from the file set by YAN_PASSWORD_FILE, and without one doctor does not log in. It logs in once and sends no message without --send-to."),
		Example: "  yan doctor\n  yan doctor work --send-to me@example.com\n  yan doctor smtp.example.com:587 -f me@example.com",
		Args:    a.AtMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runDoctor(cmd, d, strings.Join(args, ""))
		},
	}
	file, address := a.T("FILE"), a.T("ADDRESS")
	command.Add(cmd, a.T("Checks:"),
		command.NewOption("from", "f", &d.from, address, a.T("sender (default: the account's, or the user in the URL)")),
		command.NewOption("dkim-selector", "", &d.selector, a.T("NAME"), a.T("check this DKIM selector in the sender's domain")),
		command.NewOption("send-to", "", &d.sendTo, address, a.T("send a small test message to this address; without it nothing is sent")),
		command.NewOption("dns", "", &d.dns, a.T("SERVER"), a.T("use this DNS server, such as 192.0.2.53 or 192.0.2.53:5353, instead of the system's")),
		command.NewOption("timeout", "", &d.Timeout, a.T("TIME"), a.T("give up on a step after this time, such as 5s (default: 15s)")),
	)
	command.Add(cmd, a.T("Server and login:"),
		command.NewOption("auth", "", &d.Auth, a.T("MECHANISM"), a.T("use only this SASL mechanism (default: the best one)")),
		command.NewOption("tls-ca", "", &d.TLSCA, file, a.T("trust these authorities (PEM) instead of the system's")),
		command.NewOption("tls-pin", "", &d.TLSPin, "sha256:HEX", a.T("trust only the certificate with this fingerprint")),
		command.NewOption("tls-cert", "", &d.TLSCert, file, a.T("show this client certificate (PEM)")),
		command.NewOption("tls-key", "", &d.TLSKey, file, a.T("the key of the client certificate (PEM)")),
		command.NewOption("tls-name", "", &d.TLSName, a.T("NAME"), a.T("name expected in the server's certificate (default: the host)")),
		command.NewOption("tls-rsa-key-exchange", "", &d.TLSRSA, "", a.T("also accept TLS without forward secrecy; for old servers that support nothing else")),
		command.NewOption("allow-cleartext-password", "", &d.Cleartext, "", a.T("send the password over smtp+notls:// too, readable by anyone on the way")),
		command.NewOption("proxy", "", &d.Proxy, "URL", a.T("connect through socks5://host:port or http://host:port")),
		command.NewOption("local-name", "", &d.LocalName, a.T("NAME"), a.T("name to send in EHLO (default: this machine's address)")),
	)
	command.Add(cmd, a.T("Output:"),
		command.NewOption("transcript", "v", &d.transcript, "", a.T("show the conversation with the server, without secrets")),
		command.NewOption("json", "", &d.json, "", a.T("print JSON")),
	)
	command.Complete(cmd, "auth", sasl.Mechanisms)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return append(a.AccountNames(), serverflag.ProviderIDs()...), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// runDoctor chooses the server, runs the exam and prints the report.
func (a *doctorCommand) runDoctor(cmd *cobra.Command, d *doctorFlags, arg string) error {
	if err := d.CheckFlags(a.Servers, cmd); err != nil {
		return err
	}
	for _, f := range []struct{ flag, value string }{{"from", d.from}, {"send-to", d.sendTo}} {
		if f.value != "" {
			if err := a.Address(f.flag, f.value); err != nil {
				return err
			}
		}
	}
	p, err := a.resolveTarget(arg, d)
	if err != nil {
		return err
	}
	exam, err := a.buildExam(cmd, d, p)
	if err != nil {
		return err
	}
	c := &doctorReport{a: a, json: d.json, patient: p, server: exam.Server, from: exam.From}
	if !d.json {
		c.printHeader()
		exam.Told = c.printStep
		if a.StdoutWidth > 0 && !a.NoColor && !d.transcript {
			exam.Began = c.showWaiting
		}
	}
	report := exam.Run(cmd.Context())
	if p.configured && report.LoggedIn() && !d.otherWay(cmd) {
		defer a.LoginWorked(cmd.Context(), p.Name, d.json)
	}
	return c.printEnd(report)
}

// buildExam combines the target with the flags, which take precedence.
func (a *doctorCommand) buildExam(cmd *cobra.Command, d *doctorFlags, p doctorTarget) (doctor.Exam, error) {
	if p.configured { // the variables are those of 'yan send', and must not apply to any account
		d.withoutVariables(a)
	}
	acc := d.applyTo(p.Account)
	p.Account = acc
	e := doctor.Exam{AnyPort: p.anyPort, DKIMSelector: acc.DKIMSelector, Timeout: d.Timeout, Now: a.Now, Dial: a.dial}
	if acc.From != "" {
		from, err := message.ParseMailbox(acc.From)
		if err != nil {
			return e, a.Wrongf("%s: not a valid sender address: %v", command.QuoteName(acc.From), err)
		}
		e.From = from.Address
	}
	flags := d.ServerFlags
	flags.Server = acc.Server
	flags.FillFrom(acc.Connection(), func(flag string) bool {
		f := cmd.Flags().Lookup(flag)
		return f != nil && f.Value.String() != ""
	})
	var err error
	if e.Server, err = flags.TargetServer(a.Servers, e.From); err != nil {
		return e, err
	}
	if e.Options, err = flags.ClientOptions(a.Servers, e.From, e.Server); err != nil {
		return e, err
	}
	e.Options.User = acc.User
	if d.transcript {
		e.Options.Trace = a.TraceSession(a.Stderr, a.StderrWidth)
	}
	if d.dns != "" {
		address, err := a.dnsServer(d.dns)
		if err != nil {
			return e, err
		}
		e.Resolver = doctor.ResolverAt(address)
	}
	if d.sendTo != "" {
		to, err := message.ParseMailbox(d.sendTo)
		if err != nil {
			return e, a.Wrongf("%s: not a valid recipient address: %v", a.Name("send-to"), err)
		}
		if e.From.IsZero() {
			return e, a.Wrongf("%s needs a sender: use %s", a.Name("send-to"), "-f")
		}
		e.SendTo, e.Test = to.Address, a.testMessage()
	}
	e.Login, err = a.doctorLogin(p, e.Options)
	if logIn := e.Login; logIn != nil && d.Timeout > 0 { // the secret is a step too, if the user sets a timeout for each
		e.Login = func(ctx context.Context) (yan.Options, error) {
			ctx, cancel := context.WithTimeout(ctx, d.Timeout)
			defer cancel()
			return logIn(ctx)
		}
	}
	return e, err
}

// otherWay reports whether flags override the account's settings.
func (d *doctorFlags) otherWay(cmd *cobra.Command) (other bool) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "json", "transcript", "timeout", "dkim-selector", "send-to", "lang":
		default:
			other = true
		}
	})
	return other
}

// testMessage returns the message of --send-to.
func (a *doctorCommand) testMessage() yan.Message {
	return yan.Message{Subject: a.T("Test message from yan doctor"),
		Text: a.T("'yan doctor --send-to' sent this message to test delivery to you. You need not do anything.") + "\r\n"}
}

// sendingAs makes an account send for another address. It still logs in at the
// same server: the settings that come from the account's own address (server,
// login name, and with the server the place that issues tokens) are resolved
// before the address is replaced.
func sendingAs(acc account.Account, sender string) account.Account {
	own, err := acc.Address()
	if err != nil || acc.From == sender {
		return acc
	}
	server, err := transport.ParseServer(acc.Server, own)
	if err != nil { // already reported when the configuration was read
		return acc
	}
	if acc.User == "" {
		acc.User = accounts.LoginName(acc, server, own)
	}
	if !strings.Contains(acc.Server, "://") {
		acc.Server = server.String()
	}
	acc.From = sender
	return acc
}

// withoutVariables drops the values from variables, if no flag set them: the
// sender, and the permission to send the password in the clear.
func (d *doctorFlags) withoutVariables(a *doctorCommand) {
	if a.Origin["from"] == command.Variable("from") {
		d.from = ""
	}
	if flag := "allow-cleartext-password"; a.Origin[flag] == command.Variable(flag) {
		d.Cleartext = false
	}
}

// applyTo applies the flags that affect the login to the account.
func (d *doctorFlags) applyTo(acc account.Account) account.Account {
	if d.from != "" {
		acc = sendingAs(acc, d.from)
	}
	acc.DKIMSelector = cmp.Or(d.selector, acc.DKIMSelector)
	acc.Auth, acc.Proxy = cmp.Or(d.Auth, acc.Auth), cmp.Or(d.Proxy, acc.Proxy)
	return acc
}

// dnsServer returns host:port; the default port is 53.
func (a *doctorCommand) dnsServer(server string) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = strings.Trim(server, "[]"), "53"
	}
	n, err := strconv.Atoi(port)
	if net.ParseIP(host) == nil || err != nil || n < 1 || n > 65535 {
		return "", a.Wrongf("%s %q: want the address of a DNS server, like 192.0.2.53 or 192.0.2.53:5353", a.Name("dns"), server)
	}
	return net.JoinHostPort(host, port), nil
}

// doctorLogin returns the source of the secret: the account's own, or for a
// host the environment, as in send. It is nil if there is none.
func (a *doctorCommand) doctorLogin(p doctorTarget, o yan.Options) (func(context.Context) (yan.Options, error), error) {
	if p.configured {
		return func(ctx context.Context) (yan.Options, error) {
			kept, err := p.Options(ctx, a.Secrets())
			o.Password, o.Token, o.FreshToken = kept.Password, kept.Token, kept.FreshToken
			return o, err
		}, nil
	}
	var err error
	if o.Password, err = a.EnvironmentSecret("YAN_PASSWORD"); err != nil {
		return nil, err
	}
	if o.Token, err = a.EnvironmentSecret("YAN_TOKEN"); err != nil {
		return nil, err
	}
	if o.Password == "" && o.Token == "" && o.Mechanism != sasl.External {
		return nil, nil
	}
	return func(context.Context) (yan.Options, error) { return o, nil }, nil
}
