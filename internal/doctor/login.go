package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// megabytes formats a number of octets in MB.
func megabytes(n int64) string {
	if n < 1_000_000 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// logIn reads the secret, reports the mechanism, logs in once and checks
// whether the sender is allowed.
func (v *examSession) logIn(seen *ehloProbe) {
	offered := seen.caps.Auth()
	if v.noLogin() {
		v.reportStep(Step{Name: NameLogin, Status: Info, Detail: say("no login, as configured", "按设置不登录")})
		v.trySending(nil)
		return
	}
	if len(offered) > 0 && seen.tls == nil && !v.Options.AllowCleartextPassword && !slices.ContainsFunc(offered, sasl.KeepsPassword) {
		v.reportUnprotected(offered)
		return
	}
	var creds *sasl.Credentials
	var secretErr error = ErrNoSecret
	if v.Login != nil { // Login may prompt the user, so no progress is shown
		var o transport.Options
		if o, secretErr = v.Login(v.ctx); secretErr == nil {
			creds, secretErr = v.credentials(v.ctx, o)
		}
	}
	if !v.reportAuth(seen, creds) {
		return
	}
	switch {
	case len(offered) == 0 && creds == nil:
		v.reportStep(Step{Name: NameLogin, Status: Info, Detail: say("the server offers no login; it checks this machine's address instead", "服务器不提供登录，只按本机地址判断")})
	case errors.Is(secretErr, ErrNoSecret):
		v.reportStep(Step{Name: NameLogin, Status: Skipped, Detail: say("not tried, because there is no password", "未执行（没有可用的密码）")})
		v.reportStep(Step{Name: NameSender, Status: Skipped, Detail: say("not tried, because it requires a login", "未执行（需要先登录）")})
		v.skipMessage(say("not sent, because it requires a login", "未发送（需要先登录）"))
		return
	case secretErr != nil:
		v.secretFailed(secretErr)
		return
	}
	v.trySending(creds)
}

// secretFailed reports a failure of the secret's source, not of the server.
func (v *examSession) secretFailed(err error) {
	s := Step{Name: NameLogin, Status: Failed, Detail: say("can't read the password: %v", "无法读取密码：%v", err),
		Advice:  say("Check where the account stores its password.", "请检查该账号的密码保存位置。"),
		Outcome: smtp.Outcome{Status: smtp.NotTried, Err: &SecretError{err}}}
	v.failed = NameLogin
	v.reportStep(s)
}

// SecretError is a failure to read the secret.
type SecretError struct{ Err error }

func (e *SecretError) Error() string { return "the secret: " + e.Err.Error() }
func (e *SecretError) Unwrap() error { return e.Err }

// reportAuth reports the offered mechanisms and the one to use. It returns false
// if the server has no mechanism for the credentials.
func (v *examSession) reportAuth(seen *ehloProbe, creds *sasl.Credentials) bool {
	offered := seen.caps.Auth()
	s := Step{Name: NameAuth, Status: OK, Facts: StepFacts{Mechanisms: offered}}
	if named := strings.ToUpper(v.Options.Mechanism); named != "" && creds != nil && seen.tls != nil && !slices.Contains(offered, named) {
		s.Status, s.Facts.Mechanism = Info, named // as sending does
		s.Detail = say("the server does not offer %s; it is tried because you chose it", "服务器没有提供 %s；因您已指定，仍会尝试", named)
		v.reportStep(s)
		return true
	}
	if len(offered) == 0 {
		return v.noAuth(s, creds)
	}
	list := strings.Join(offered, " ")
	assumed := creds
	if assumed == nil { // a password is only known to exist here
		assumed = &sasl.Credentials{Username: "user", Password: "password"}
	}
	session := sasl.Session{TLS: seen.tls, Host: v.Server.Host, Port: v.serverPort(), Offered: offered}
	if seen.tls == nil && !v.Options.AllowCleartextPassword {
		session.Offered = slices.DeleteFunc(slices.Clone(offered), func(m string) bool { return !sasl.KeepsPassword(m) })
	}
	name, ok := strings.ToUpper(v.Options.Mechanism), true
	if name == "" {
		name, ok = sasl.Choose(*assumed, session)
	}
	if !ok || !slices.Contains(offered, name) {
		if creds == nil {
			s.Status, s.Detail = Info, say("%s: none of these accepts a password", "%s：都不接受密码", list)
			v.reportStep(s)
			return true
		}
		s.Detail = say("the server offers %s; none works with the given credentials", "服务器提供 %s，与所给的凭据都不匹配", list)
		v.failStep(s, &smtp.Error{Stage: smtp.StageAuth, Err: fmt.Errorf("%w: it offers %s", smtpclient.ErrNoMechanism, list)})
		return false
	}
	s.Facts.Mechanism = name
	v.reportStep(v.describeMechanism(s, name, list, seen.tls != nil))
	return true
}

// noAuth reports a server without AUTH, which is no failure without
// credentials.
func (v *examSession) noAuth(s Step, creds *sasl.Credentials) bool {
	if creds == nil {
		s.Status, s.Detail = Info, say("none offered", "未提供")
		v.reportStep(s)
		return true
	}
	s.Detail = say("the server offers no login", "服务器没有提供登录")
	v.failStep(s, &smtp.Error{Stage: smtp.StageAuth, Err: smtpclient.ErrAuthNotOffered})
	return false
}

// reportUnprotected reports that every mechanism would send the password in the
// clear; it is not read then.
func (v *examSession) reportUnprotected(offered []string) {
	s := Step{Name: NameAuth, Facts: StepFacts{Mechanisms: offered}}
	s.Detail = say("%s: on this unencrypted connection each of them would give the password away",
		"%s：在这个未加密的连接上都会泄露密码", strings.Join(offered, " "))
	v.failStep(s, &smtp.Error{Stage: smtp.StageAuth, Err: smtpclient.ErrCleartextPassword})
}

// describeMechanism reports how well the mechanism protects the secret.
func (v *examSession) describeMechanism(s Step, name, list string, encrypted bool) Step {
	switch {
	case sasl.KeepsPassword(name) && name != sasl.External:
		s.Detail = say("%s; %s is used: the password itself is not sent", "%s；将使用 %s，密码本身不会发出", list, name)
	case encrypted:
		s.Detail = say("%s; %s is used, protected by TLS", "%s；将使用 %s，由 TLS 保护", list, name)
	default:
		s.Status = Warning
		s.Detail = say("%s; %s is used, readable by anyone on the way", "%s；将使用 %s，密码以明文传输", list, name)
		s.Advice = say("Use smtps:// or smtp:// instead of smtp+notls://, and remove the setting that allows a cleartext password.",
			"请用 smtps:// 或 smtp:// 代替 smtp+notls://，并去掉允许明文密码的选项。")
	}
	return s
}

// trySending opens the second connection: login, sender and, if requested, message.
func (v *examSession) trySending(creds *sasl.Credentials) {
	w := v.watch()
	cfg, err := v.connConfig(w.event)
	if err == nil {
		cfg.Auth = creds
	}
	v.beginStep(NameLogin)
	began := v.Now()
	var conn *smtpclient.Conn
	if err == nil {
		conn, err = smtpclient.Dial(v.ctx, cfg)
	}
	s := Step{Name: NameLogin, Status: OK, Took: v.Now().Sub(began)}
	if creds != nil {
		s.Target = creds.Username
	}
	if err != nil {
		v.failStep(s, err)
		return
	}
	defer v.quitLater(conn)
	if creds != nil {
		s.Took = w.sinceCommand("AUTH")
		s.Facts.Mechanism = conn.Mechanism()
		s.Detail = say("%s, with %s", "%s，使用 %s", creds.Username, conn.Mechanism())
		if creds.Username == "" {
			s.Detail = say("with %s", "使用 %s", conn.Mechanism())
		}
		v.reportStep(v.warnOfPasswordEnd(s, creds))
	}
	switch {
	case !v.SendTo.IsZero():
		v.sendTest(conn)
	case v.From.IsZero():
		v.reportStep(Step{Name: NameSender, Status: Skipped, Detail: say("not tried, because the sender is unknown", "未执行（不知道发件人地址）")})
	default:
		v.askSender(conn)
	}
}

// warnOfPasswordEnd turns a login with a password into a warning if the provider
// has announced that it will refuse passwords.
func (v *examSession) warnOfPasswordEnd(s Step, creds *sasl.Credentials) Step {
	auth := v.Server.Provider.Auth
	if !auth.EndsPasswords() || creds.Password == "" {
		return s
	}
	s.Status = Warning
	s.Detail = say("a password, which the provider is about to refuse: %s", "用的是密码，服务商将不再接受：%s", s.Detail)
	s.Advice = say("%s %s", "%s%s", auth.PasswordEnd.Do, auth.PasswordEnd.When)
	return s
}

// askSender sends MAIL FROM and RSET: no message is sent.
func (v *examSession) askSender(conn *smtpclient.Conn) {
	s := Step{Name: NameSender, Target: v.From.String(), Status: OK}
	envelope, err := smtp.NewEnvelope(v.From, v.From)
	if err != nil {
		v.failStep(s, &smtp.Error{Stage: smtp.StageMail, Err: err})
		return
	}
	v.beginStep(NameSender)
	began := v.Now()
	result := conn.Send(v.ctx, smtpclient.Transaction{Envelope: envelope, StopAfter: smtp.StageMail})
	s.Took = v.Now().Sub(began)
	o := result.Outcomes[0]
	if o.Status != smtp.NotTried || o.Err != nil {
		v.failOutcome(s, o)
		return
	}
	s.Detail = say("MAIL FROM:<%s> was accepted", "服务器接受 MAIL FROM:<%s>", v.From)
	v.reportStep(s)
}

// sendTest sends the test message. Its outcome covers the sender too.
func (v *examSession) sendTest(conn *smtpclient.Conn) {
	m := v.Test
	m.From, m.To = v.From.String(), []string{v.SendTo.String()}
	v.beginStep(NameMessage)
	began := v.Now()
	result, err := yan.NewClient(onConn{conn}).Send(v.ctx, m)
	took := v.Now().Sub(began)
	s := Step{Name: NameMessage, Target: v.SendTo.String(), Status: OK, Took: took}
	if len(result.Recipients) == 0 { // composing failed
		v.failStep(s, &smtp.Error{Stage: smtp.StageMail, Err: err})
		return
	}
	o := result.Recipients[0]
	if o.Status != smtp.Accepted && o.Stage == smtp.StageMail {
		v.failOutcome(Step{Name: NameSender, Target: v.From.String(), Took: took}, o)
		return
	}
	v.reportStep(Step{Name: NameSender, Target: v.From.String(), Status: OK, Detail: say("MAIL FROM:<%s> was accepted", "服务器接受 MAIL FROM:<%s>", v.From)})
	if o.Status != smtp.Accepted {
		v.failOutcome(s, o)
		return
	}
	s.Facts.ServerID = result.ServerID
	s.Detail = say("the server accepted the message to %s", "服务器已接收发给 %s 的邮件", v.SendTo)
	if result.ServerID != "" {
		s.Detail = say("the server accepted the message to %s, queued as %s", "服务器已接收发给 %s 的邮件，队列号 %s", v.SendTo, result.ServerID)
	}
	v.reportStep(s)
}

// failOutcome reports a failed transaction.
func (v *examSession) failOutcome(s Step, o smtp.Outcome) {
	s.Status, s.Outcome = Failed, o
	s.Finding = diagnosis.Diagnose(diagnosis.FromOutcome(o, v.Server.Provider.ID))
	s.Detail = tableCell(s.Finding.Cause)
	if !o.Reply.IsZero() {
		s.Detail = say("the server replied: %s", "服务器应答：%s", o.Reply)
	}
	v.failed = s.Name
	v.reportStep(s)
}

func (v *examSession) skipMessage(why Text) {
	if !v.SendTo.IsZero() {
		v.reportStep(Step{Name: NameMessage, Target: v.SendTo.String(), Status: Skipped, Detail: why})
	}
}

// onConn sends on the connection that has already logged in, so that the test
// message is sent like any message and without a second login.
type onConn struct{ conn *smtpclient.Conn }

func (c onConn) Send(ctx context.Context, t yan.Transaction) smtpclient.Result {
	return c.conn.Send(ctx, t)
}

// Close does nothing: the visit closes the connection.
func (c onConn) Close() error { return nil }
