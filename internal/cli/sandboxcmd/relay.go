package sandboxcmd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/transport"
)

// The names in the demo of the relay.
const (
	relayProfile = "microsoft365-off"
	relayAccount = "work"
	relayProgram = "scanner"
	relayFriend  = "friend@163.com"
)

// relayDemo is the state of the demo: the sandbox, and a relay with its own
// configuration, tokens and outbox in a temporary folder.
type relayDemo struct {
	*sandboxCommands
	provider *sandbox.Server
	login    string
	ca       string // file
	folder   string
	store    outbox.Store
	secret   string // of the program's token
	view     *dialogueView
}

// runRelayDemo shows how a program that knows only passwords sends through a
// provider that no longer accepts them.
func (a *sandboxCommands) runRelayDemo(ctx context.Context) (err error) {
	d := &relayDemo{sandboxCommands: a, view: &dialogueView{console: a.Console, words: a}}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.open(ctx); err != nil {
		return err
	}
	if err := d.showRefusal(ctx); err != nil {
		return err
	}
	if err := d.handOver(ctx); err != nil {
		return err
	}
	if err := d.deliver(ctx); err != nil {
		return err
	}
	if err := a.showReceived(ctx, d.provider, a.T("4. The message as it arrived, with what the program left out")); err != nil {
		return err
	}
	a.Heading(a.T("Now with your own mailbox; docs/relay.md has the settings of many programs"))
	a.Outf("  yan login you@corp.example --server office365 --oauth2 device --client-id ID\n")
	a.Outf("  yan token new %s --account corp\n  yan serve --smtp 2525\n", relayProgram)
	return nil
}

// open starts the sandbox and opens the outbox.
func (d *relayDemo) open(ctx context.Context) error {
	var err error
	if d.provider, err = sandbox.Start(sandbox.Config{Profile: relayProfile}); err != nil {
		return command.Fail(command.ExitUnavailable, localerr.Errorf("%s: %w", d.T("the sandbox can't listen"), err), "")
	}
	if d.login, err = sandbox.DefaultLogin(relayProfile); err != nil {
		return command.InternalFailure("the sandbox's account", err)
	}
	if d.folder, err = os.MkdirTemp("", "yan-demo-"); err == nil {
		d.ca = filepath.Join(d.folder, "ca.pem")
		err = d.provider.WriteCA(d.ca)
	}
	if err == nil {
		d.store, err = sqlite.Open(ctx, filepath.Join(d.folder, "outbox.db"), outbox.Options{})
	}
	if err != nil {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", d.T("can't write to the temporary folder"), err), "")
	}
	d.Heading(d.T("A sandbox here imitates Microsoft 365 from 2027 on; nothing leaves this machine."))
	d.Outf("  smtps://%s · %s %s\n", d.provider.TLSAddr(), d.T("account"), d.login)
	return nil
}

func (d *relayDemo) close() error {
	var err error
	if d.store != nil {
		err = d.store.Close()
	}
	if d.provider != nil {
		_ = d.provider.Close() // every session has ended
	}
	if d.folder != "" {
		err = errors.Join(err, os.RemoveAll(d.folder))
	}
	if err != nil {
		return command.InternalFailure("closing the demo", err)
	}
	return nil
}

// showRefusal lets the program log in with the right password, at the provider.
func (d *relayDemo) showRefusal(ctx context.Context) error {
	d.Heading("\n" + d.T("1. A program that knows only passwords (→ program, ← server)"))
	trusted := x509.NewCertPool()
	if ca, err := os.ReadFile(d.ca); err != nil || !trusted.AppendCertsFromPEM(ca) {
		return command.InternalFailure("the sandbox's certificate authority", err)
	}
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: trusted, ServerName: "127.0.0.1"}}
	conn, err := dialer.DialContext(ctx, "tcp", d.provider.TLSAddr())
	if err != nil {
		return command.InternalFailure("connecting to the sandbox", err)
	}
	reply, err := d.view.sendPlainly(conn, plainLogin{d.login, sandbox.Password}, d.login, relayFriend, plainMail())
	if err != nil || reply.Code != 535 {
		return command.InternalFailure("the refused login", fmt.Errorf("%v, %w", reply, err))
	}
	d.Outf("%s %s\n", d.Paint(d.StdoutWidth, console.Red, "✗"), d.T("The password is right, but passwords are switched off."))
	return nil
}

// handOver starts the relay, and lets the same program send through it.
func (d *relayDemo) handOver(ctx context.Context) error {
	server, err := d.relay(ctx)
	if err != nil {
		return command.InternalFailure("setting up the relay", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return command.Fail(command.ExitUnavailable, localerr.Errorf("%s: %w", d.T("the relay can't listen"), err), "")
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(serving, listener) }()
	defer func() { stop(); <-ended }()

	d.Heading("\n" + d.T("2. The same program with other settings: Yan's listener, and a token as the password"))
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return command.InternalFailure("the relay's address", err)
	}
	d.Outf("  %s\n", d.T("server %s · port %s · user name %s · password %s", host, port, relayProgram, d.secret[:len("yan_")+4]+"…"))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		return command.InternalFailure("connecting to the relay", err)
	}
	reply, err := d.view.sendPlainly(conn, plainLogin{relayProgram, d.secret}, relayProgram+"@localhost", relayFriend, plainMail())
	if err != nil || reply.Code != 250 {
		return command.InternalFailure("the message to the relay", fmt.Errorf("%v, %w", reply, err))
	}
	d.Outf("%s %s\n", d.Paint(d.StdoutWidth, console.Green, "✓"), d.T("The message was on the disk before this reply. The program is done."))
	return nil
}

// relay makes the parts of 'yan serve --smtp' for one account and one token.
func (d *relayDemo) relay(ctx context.Context) (*smtpserver.Server, error) {
	config := filepath.Join(d.folder, "config.toml")
	source := fmt.Sprintf("version = 1\n\n[account.%s]\nfrom = %q\nserver = %q\n", relayAccount, d.login, "smtps://"+d.provider.TLSAddr())
	file, err := account.Parse(config, []byte(source))
	if err != nil {
		return nil, err
	}
	path := tokens.Path(config)
	if d.secret, err = tokens.New(ctx, path, config, tokens.ProgramToken{Name: relayProgram, Account: relayAccount}, rand.Reader); err != nil {
		return nil, err
	}
	known, err := tokens.Load(ctx, path)
	if err != nil {
		return nil, err
	}
	policy := accountroute.NewSubmitPolicy(file, accountroute.PolicySources{Tokens: func() *tokens.TokenFile { return known }})
	core := admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: d.store, Spool: d.folder})
	return smtpserver.New(smtpserver.Options{Admission: core, Hostname: "localhost",
		Authenticate: func(user, password string) (admission.Peer, error) {
			if _, ok := known.Check(user, password); !ok {
				return admission.Peer{}, smtpserver.ErrWrongLogin
			}
			return admission.Peer{Token: user}, nil
		}}), nil
}

// deliver sends what the outbox has, with the account's OAuth 2.0 token.
func (d *relayDemo) deliver(ctx context.Context) error {
	d.Heading("\n" + d.T("3. Yan sends it from its outbox, with OAuth 2.0 (→ yan, ← server)"))
	worker := delivery.New(delivery.Options{Store: d.store, Route: func(context.Context, string) (delivery.Route, error) {
		return delivery.Route{Open: d.openSender, Provider: "office365", NoReport: true}, nil
	}})
	done, err := worker.Drain(ctx)
	if err != nil || done.Count[queue.HandedOver] != 1 || done.Left != 0 {
		return command.InternalFailure("delivering the message", fmt.Errorf("%+v, %w", done, err))
	}
	d.Outf("%s %s  %s\n\n", d.Paint(d.StdoutWidth, console.Green, "✓"), relayFriend, d.T("handed over"))
	return nil
}

func (d *relayDemo) openSender(context.Context, int) (delivery.TransactionSender, error) {
	return transport.Open("smtps://"+d.provider.TLSAddr(), yan.Options{User: d.login, Token: sandbox.Password, CAFile: d.ca,
		MaxConnections: 1, Trace: d.view.traceEvent})
}
