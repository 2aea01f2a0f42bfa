package sendmailcmd

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// session speaks SMTP on standard input and output, in the same order of ways as send.
func (a *sendmailCommand) session(ctx context.Context, c call) error {
	p := a.places(c)
	if p.socket != "" {
		dialer := net.Dialer{Timeout: greetingPatience}
		if conn, err := dialer.DialContext(ctx, "unix", p.socket); err == nil {
			return a.relaySession(ctx, conn)
		}
	}
	if p.drop != "" && dropfolder.Exists(p.drop) {
		o := admission.Options{Policy: func() admission.Policy { return folderPolicy{} }, Store: folderStore{p.drop}, Repeat: true, Now: a.Now}
		return a.serveSession(ctx, admission.New(o))
	}
	desk, store, err := a.ownAdmission(ctx, p)
	if err != nil {
		a.greetRefusing(err)
		return err
	}
	defer store.Close() // what was answered is committed
	return a.serveSession(ctx, desk)
}

// greetRefusing tells the client why there is no session, as the greeting (RFC 5321 section 3.1). Programs
// that speak SMTP to a process show the greeting to their users, and not its standard error.
func (a *sendmailCommand) greetRefusing(err error) {
	code := "554 5.3.0"
	if f, ok := errors.AsType[*command.Failure](err); ok && f.Code == command.ExitTemporary {
		code = "421 4.3.0"
	}
	text := err.Error()
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) { // SMTP is ASCII
		text = "no mail is taken here; standard error has the reason"
	}
	_, _ = io.WriteString(a.Stdout, code+" "+text+"\r\n") // the exit status tells it, too
}

func (a *sendmailCommand) serveSession(ctx context.Context, desk *admission.Admission) error {
	server := smtpserver.New(smtpserver.Options{Admission: desk, Anonymous: func(net.Conn) (admission.Peer, error) { return peer(), nil }})
	server.ServeConn(ctx, smtpserver.Stdio(newCRLFReader(a.Stdin), a.Stdout))
	return nil
}

// relaySession copies the octets of both sides until the daemon closes the connection.
func (a *sendmailCommand) relaySession(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	go func() {
		// A client that ends without QUIT is told nothing more, but the daemon must notice.
		_, _ = io.Copy(conn, newCRLFReader(a.Stdin))
		if half, ok := conn.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
	}()
	if _, err := io.Copy(a.Stdout, conn); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return command.Fail(command.ExitTemporary, localerr.Errorf("%s: %w", a.T("the connection to 'yan serve' was lost"), err), "")
	}
	return nil
}

// folderPolicy allows everything, and leaves local names to the daemon, which checks the message when
// it takes it from the folder.
type folderPolicy struct{}

// Grant implements admission.Policy.
func (folderPolicy) Grant(p admission.Peer) (admission.Grant, error) {
	all, err := admission.ParsePattern("*")
	if err != nil {
		return admission.Grant{}, err
	}
	g := admission.Grant{From: []admission.Pattern{all}, MaxSize: maxText, MaxRecipients: smtp.MaxRecipients, SMTPUTF8: true}
	if r, err := newRecipient(p.User); err == nil {
		g.Mailbox = message.Mailbox{Address: r.address}
	}
	return g, nil
}

// Local implements admission.Policy.
func (folderPolicy) Local(name string) ([]smtp.Address, error) {
	r, err := newRecipient(name)
	if err != nil {
		return nil, admission.NewRefusal("recipient", 553, "5.1.3", err, nil)
	}
	return []smtp.Address{r.address}, nil
}

// IsLocalDomain implements admission.Policy.
func (folderPolicy) IsLocalDomain(domain string) bool { return domain == "" || domain == localDomain }

var errNoTransaction = errors.New("the drop folder has no transactions")
