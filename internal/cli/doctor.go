package cli

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// doctorFlags are the flags of doctor; of the server's only those that do not
// name another one.
type doctorFlags struct {
	serverFlags
	from       string
	selector   string
	sendTo     string
	dns        string
	transcript bool
	json       bool
}

func (a *app) doctorCommand() *cobra.Command {
	d := &doctorFlags{}
	cmd := &cobra.Command{
		Use:   "doctor [" + a.T("ACCOUNT|HOST") + "]",
		Short: a.T("Find out why sending fails, and what to do about it"),
		Long: a.T("Look at everything that a message passes on its way out, one step after the other, and end with the one " +
			"thing to do next: the server's name, its ports, TLS and certificate, what it offers and what that means for " +
			"speed, the login, the sender; and SPF, DKIM and DMARC of the sender's domain.\n\n" +
			"Without an argument the default account is looked at. HOST is a host, host:port, URL, provider or address; " +
			"its password comes from the file that YAN_PASSWORD_FILE names, and without one there is no login. " +
			"It logs in once, and sends no message unless --send-to says so."),
		Example: "  yan doctor\n  yan doctor work --send-to me@example.com\n  yan doctor smtp.example.com:587 -f me@example.com",
		Args:    a.atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.doctor(cmd, d, strings.Join(args, ""))
		},
	}
	file, address := a.T("FILE"), a.T("ADDRESS")
	add(cmd, a.T("What to look at:"),
		newOption("from", "f", &d.from, address, a.T("the sender (default: that of the account, or the user of the URL)")),
		newOption("dkim-selector", "", &d.selector, a.T("NAME"), a.T("look for this DKIM key in the sender's domain")),
		newOption("send-to", "", &d.sendTo, address, a.T("send a small test message there; without it nothing is sent")),
		newOption("dns", "", &d.dns, a.T("SERVER"), a.T("ask this DNS server, like 192.0.2.53 or 192.0.2.53:5353, instead of the system's")),
		newOption("timeout", "", &d.timeout, a.T("TIME"), a.T("give up on a step after this time, like 5s (default: 15s)")),
	)
	add(cmd, a.T("Server and login:"),
		newOption("auth", "", &d.auth, a.T("MECHANISM"), a.T("use this SASL mechanism only (default: the best)")),
		newOption("tls-ca", "", &d.tlsCA, file, a.T("trust these authorities (PEM) instead of the system's")),
		newOption("tls-pin", "", &d.tlsPin, "sha256:HEX", a.T("trust only the certificate with this fingerprint")),
		newOption("tls-cert", "", &d.tlsCert, file, a.T("show this client certificate (PEM)")),
		newOption("tls-key", "", &d.tlsKey, file, a.T("the key of the client certificate (PEM)")),
		newOption("tls-name", "", &d.tlsName, a.T("NAME"), a.T("the name that the server's certificate has to be for (default: the host)")),
		newOption("tls-rsa-key-exchange", "", &d.tlsRSA, "", a.T("also take TLS without forward secrecy; for old servers that have nothing else")),
		newOption("allow-cleartext-password", "", &d.cleartext, "", a.T("over smtp+notls:// send the password too, for all to read")),
		newOption("proxy", "", &d.proxy, "URL", a.T("go through socks5://host:port or http://host:port")),
		newOption("local-name", "", &d.localName, a.T("NAME"), a.T("the name to say in EHLO (default: this machine's address)")),
	)
	add(cmd, a.T("Output:"),
		newOption("transcript", "v", &d.transcript, "", a.T("show the conversation with the server, secrets hidden")),
		newOption("json", "", &d.json, "", a.T("print JSON")),
	)
	complete(cmd, "auth", sasl.Mechanisms)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return append(a.accountNames(), providerIDs()...), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// accountNames are for the shell, which can't be told of a broken file.
func (a *app) accountNames() []string {
	f, err := a.faultyConfiguration()
	if err != nil {
		return nil
	}
	var names []string
	for _, acc := range f.Accounts() {
		names = append(names, acc.Name)
	}
	return names
}

// doctor is the command: find out what to look at, look, tell.
func (a *app) doctor(cmd *cobra.Command, d *doctorFlags, arg string) error {
	if err := d.check(a, cmd); err != nil {
		return err
	}
	for _, f := range []struct{ flag, value string }{{"from", d.from}, {"send-to", d.sendTo}} {
		if f.value != "" {
			if err := a.address(f.flag, f.value); err != nil {
				return err
			}
		}
	}
	p, err := a.patient(arg, d)
	if err != nil {
		return err
	}
	exam, err := a.exam(cmd, d, p)
	if err != nil {
		return err
	}
	c := &consultation{a: a, json: d.json, patient: p, server: exam.Server, from: exam.From}
	if !d.json {
		c.begin()
		exam.Told = c.told
		if a.StdoutWidth > 0 && !a.NoColor && !d.transcript {
			exam.Began = c.waiting
		}
	}
	report := exam.Run(cmd.Context())
	if p.configured && report.LoggedIn() && !d.otherWay(cmd) {
		defer a.loginWorked(cmd.Context(), p.Name, d.json)
	}
	return c.end(report)
}

// exam joins what is to be looked at with the flags, which come first.
func (a *app) exam(cmd *cobra.Command, d *doctorFlags, p patient) (doctor.Exam, error) {
	if p.configured { // the variables are those of 'yan send', and not for just any account
		d.withoutVariables(a)
	}
	acc := d.over(p.Account)
	p.Account = acc
	e := doctor.Exam{AnyPort: p.anyPort, DKIMSelector: acc.DKIMSelector, Timeout: d.timeout, Now: a.Now, Dial: a.dial}
	if acc.From != "" {
		from, err := message.ParseMailbox(acc.From)
		if err != nil {
			return e, a.wrongf("%s: not an address that mail can be sent from: %v", printable(acc.From), err)
		}
		e.From = from.Address
	}
	flags := d.serverFlags
	flags.server, flags.proxy, flags.localName, flags.tlsPin = acc.Server, acc.Proxy, acc.LocalName, acc.TLSPin
	flags.cleartext, flags.tlsName, flags.tlsRSA = acc.AllowCleartextPassword, acc.TLSName, acc.TLSRSAKeyExchange
	var err error
	if e.Server, err = flags.target(a, e.From); err != nil {
		return e, err
	}
	if e.Options, err = flags.options(a, e.From, e.Server); err != nil {
		return e, err
	}
	e.Options = ofAccount(e.Options, acc)
	if d.transcript {
		e.Options.Trace = a.transcript(a.Stderr, a.StderrWidth)
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
			return e, a.wrongf("%s: not an address that mail can be sent to: %v", a.name("send-to"), err)
		}
		if e.From.IsZero() {
			return e, a.wrongf("%s needs a sender: give %s", a.name("send-to"), "-f")
		}
		e.SendTo, e.Test = to.Address, a.testMessage()
	}
	e.Login, err = a.doctorLogin(p, e.Options)
	if logIn := e.Login; logIn != nil && d.timeout > 0 { // the secret is a step too, when somebody says how long one takes
		e.Login = func(ctx context.Context) (yan.Options, error) {
			ctx, cancel := context.WithTimeout(ctx, d.timeout)
			defer cancel()
			return logIn(ctx)
		}
	}
	return e, err
}

// otherWay reports flags by which something else was tried than what the account says.
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

// testMessage is what --send-to sends.
func (a *app) testMessage() yan.Message {
	return yan.Message{Subject: a.T("Test message from yan doctor"),
		Text: a.T("This message was sent by 'yan doctor --send-to' to try the way to you. There is nothing to do.") + "\r\n"}
}

// sendingAs makes an account send for another address. It logs in as before, and
// nowhere else: what the account leaves to its own address (server, login name, and
// with the server the place that gives tokens) is settled before the address goes.
func sendingAs(acc account.Account, sender string) account.Account {
	own, err := acc.Address()
	if err != nil || acc.From == sender {
		return acc
	}
	server, err := transport.ParseServer(acc.Server, own)
	if err != nil { // found when the configuration was read
		return acc
	}
	if acc.User == "" {
		acc.User = loginName(acc, server, own)
	}
	if !strings.Contains(acc.Server, "://") {
		acc.Server = server.String()
	}
	acc.From = sender
	return acc
}

// withoutVariables forgets what no flag said but a variable: who sends, and that
// the password may go in clear.
func (d *doctorFlags) withoutVariables(a *app) {
	if a.origin["from"] == variable("from") {
		d.from = ""
	}
	if flag := "allow-cleartext-password"; a.origin[flag] == variable(flag) {
		d.cleartext = false
	}
}

// over puts the flags over what the account says.
func (d *doctorFlags) over(acc account.Account) account.Account {
	if d.from != "" {
		acc = sendingAs(acc, d.from)
	}
	for _, f := range []struct {
		flag string
		to   *string
	}{{d.selector, &acc.DKIMSelector}, {d.auth, &acc.Auth}, {d.tlsPin, &acc.TLSPin}, {d.tlsName, &acc.TLSName},
		{d.proxy, &acc.Proxy}, {d.localName, &acc.LocalName}} {
		if f.flag != "" {
			*f.to = f.flag
		}
	}
	acc.AllowCleartextPassword = acc.AllowCleartextPassword || d.cleartext
	acc.TLSRSAKeyExchange = acc.TLSRSAKeyExchange || d.tlsRSA
	return acc
}

// dnsServer is host:port; the port of DNS is 53.
func (a *app) dnsServer(server string) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = strings.Trim(server, "[]"), "53"
	}
	n, err := strconv.Atoi(port)
	if net.ParseIP(host) == nil || err != nil || n < 1 || n > 65535 {
		return "", a.wrongf("%s %q: want the address of a DNS server, like 192.0.2.53 or 192.0.2.53:5353", a.name("dns"), server)
	}
	return net.JoinHostPort(host, port), nil
}

// ofAccount adds to the options of the flags what the account says. Files of the
// account are beside its configuration, those of flags where the user is.
func ofAccount(o yan.Options, acc account.Account) yan.Options {
	o.User, o.Mechanism, o.Pin = acc.User, strings.ToUpper(acc.Auth), acc.TLSPin
	o.AllowCleartextPassword = acc.AllowCleartextPassword
	if o.CAFile == "" {
		o.CAFile = acc.File(acc.TLSCA)
	}
	if o.CertFile == "" {
		o.CertFile, o.KeyFile = acc.File(acc.TLSCert), acc.File(acc.TLSKey)
	}
	o.NoPipelining, o.NoChunking = acc.NoPipelining, acc.NoPipelining
	o.PipelineMessages = acc.PipelineMessages.Client()
	return o
}

// doctorLogin says where the secret comes from: an account has its own, for a
// host it is that of the environment, as in send. It is nil where there is none.
func (a *app) doctorLogin(p patient, o yan.Options) (func(context.Context) (yan.Options, error), error) {
	if p.configured {
		return func(ctx context.Context) (yan.Options, error) {
			kept, err := p.Options(ctx, a.secrets())
			o.Password, o.Token, o.TokenSource = kept.Password, kept.Token, kept.TokenSource
			return o, err
		}, nil
	}
	var err error
	if o.Password, err = a.secret("YAN_PASSWORD"); err != nil {
		return nil, err
	}
	if o.Token, err = a.secret("YAN_TOKEN"); err != nil {
		return nil, err
	}
	if o.Password == "" && o.Token == "" && o.Mechanism != sasl.External {
		return nil, nil
	}
	return func(context.Context) (yan.Options, error) { return o, nil }, nil
}
