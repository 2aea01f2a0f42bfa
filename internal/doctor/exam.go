package doctor

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// Exam describes the checks to run. Server is required.
type Exam struct {
	Server transport.Server
	// AnyPort is set if the user named no port: the first open port of 465, 587
	// and 25 is used, each with its encryption.
	AnyPort bool
	// Options are the options for sending, without a secret. Trace gets the
	// conversation.
	Options transport.Options
	// Login returns the options with the secret. It is called once, after the
	// server has proved its identity and offered a login. It returns
	// [ErrNoSecret] if there is no secret; a nil Login means the same.
	Login func(context.Context) (transport.Options, error)
	// From is the sender; if zero, neither MAIL FROM nor a domain is checked.
	From smtp.Address
	// DKIMSelector is looked up in the domain of From; "" skips the lookup.
	DKIMSelector string
	// SendTo is the recipient of the message Test; if zero, no message is sent.
	SendTo smtp.Address
	Test   yan.Message

	// Resolver answers DNS queries; nil means the system's.
	Resolver Resolver
	// Dial opens connections; nil means net.Dialer with the Resolver if that is a
	// *net.Resolver.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout limits each step, 0 means 15 seconds; the whole exam is limited
	// to six times as long.
	Timeout time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Began is called when a step begins that may take time, Told with each
	// step as it ends. Calls don't overlap; either may be nil.
	Began func(Name)
	Told  func(Step)
}

// ErrNoSecret reports that there is no password and no token.
var ErrNoSecret = errors.New("no password and no token is known")

const defaultTimeout = 15 * time.Second

// Run runs the exam. It ends at once when ctx does.
func (e Exam) Run(ctx context.Context) ExamReport {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Timeout <= 0 {
		e.Timeout = defaultTimeout
	}
	if e.Server.LMTP && e.Server.User == "" && e.Options.User == "" {
		e.Login = nil // LMTP is for the local machine; a login is tried only for a named user
	}
	whole, cancel := context.WithTimeout(ctx, 6*e.Timeout)
	defer cancel()
	began := e.Now()
	v := &examSession{Exam: e, outer: ctx, ctx: whole, dns: newAsker(e.Resolver, e.Timeout)}
	defer v.leaving.Wait()
	if v.dial = e.Dial; v.dial == nil {
		v.dial = directDialer(e.Resolver)
	}
	domain := v.startDomainSteps()
	v.checkServer()
	v.reportDomain(domain)
	v.report.Interrupted = ctx.Err() != nil
	v.report.Server, v.report.Took = v.Server, e.Now().Sub(began)
	return v.report
}

// examSession is a running exam.
type examSession struct {
	Exam
	outer  context.Context // the caller's
	ctx    context.Context // limited by the timeout of the whole exam
	dns    *asker
	dial   dialContext
	report ExamReport
	// failed is the server's step that failed; "" if none has.
	failed  Name
	leaving sync.WaitGroup // connections that are sending QUIT
	// addresses are the server's addresses, for SPF.
	addresses []net.IP
}

type dialContext func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext makes a dialContext a proxy.ContextDialer.
func (f dialContext) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// reportStep stores and reports a step. After the caller's context has ended nothing
// is reported, because later failures are caused by it.
func (v *examSession) reportStep(s Step) {
	if v.outer.Err() != nil {
		return
	}
	v.report.Steps = append(v.report.Steps, s)
	if v.Told != nil {
		v.Told(s)
	}
}

// beginStep reports that a step begins.
func (v *examSession) beginStep(name Name) {
	if v.Began != nil {
		v.Began(name)
	}
}

// checkServer checks the server until a step fails; the remaining steps are
// skipped.
func (v *examSession) checkServer() {
	others := v.connectServer()
	var seen *ehloProbe
	if v.failed == "" {
		seen = v.probeServer()
	}
	if v.failed == "" {
		v.judgeOffer(seen)
		v.logIn(seen)
	}
	v.skipRest()
	if len(others) > 0 {
		v.beginStep(NamePort)
	}
	for _, p := range others {
		v.reportStep(<-p)
	}
}

// skipRest reports the steps that could not run.
func (v *examSession) skipRest() {
	if v.failed == "" {
		return
	}
	told := map[Name]bool{}
	for _, s := range v.report.Steps {
		told[s.Name] = true
	}
	for _, name := range v.serverSteps() {
		if !told[name] {
			v.reportStep(Step{Name: name, Status: Skipped, Detail: skippedBecause(v.failed)})
		}
	}
}

// serverSteps returns the steps for this server.
func (v *examSession) serverSteps() []Name {
	steps := []Name{NameAddress, NamePort}
	tls := []Name{NameTLS, NameCertificate}
	switch v.Server.Security {
	case smtpclient.ImplicitTLS:
		steps = append(append(steps, tls...), NameGreeting, NameHello)
	case smtpclient.STARTTLS:
		steps = append(append(steps, NameGreeting, NameHello), tls...)
	default:
		steps = append(steps, NameGreeting, NameHello, NameTLS)
	}
	steps = append(steps, NameClock, NameSpeed, NameFeatures, NameSize, NameAuth, NameLogin, NameSender)
	if !v.SendTo.IsZero() {
		steps = append(steps, NameMessage)
	}
	return steps
}

// failStep reports a failed step of the server and its meaning.
func (v *examSession) failStep(s Step, err error) {
	f := diagnosis.FromError(err, v.Server.Provider.ID)
	s.Status, s.Finding = Failed, diagnosis.Diagnose(f)
	s.Outcome = smtp.Outcome{Status: smtp.NotTried, Stage: f.Stage, Reply: f.Reply, Err: localPart(err)}
	if isEmpty(s.Detail) {
		s.Detail = tableCell(s.Finding.Cause)
		if !f.Reply.IsZero() {
			s.Detail = say("the server replied: %s", "服务器应答：%s", f.Reply)
		}
	}
	v.failed = s.Name
	v.reportStep(s)
}

// localPart returns the local error without the reply.
func localPart(err error) error {
	var at *smtp.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// skippedBecause returns the reason why a step was skipped.
func skippedBecause(failed Name) Text {
	switch failed {
	case NameAddress:
		return say("not tried, because the server's name could not be resolved", "未执行（服务器域名无法解析）")
	case NamePort:
		return say("not tried, because the server could not be reached", "未执行（连不上服务器）")
	case NameTLS, NameCertificate:
		return say("not tried, because the encrypted connection failed", "未执行（加密连接没有建立）")
	case NameGreeting, NameHello:
		return say("not tried, because the session did not start", "未执行（会话没有开始）")
	case NameAuth:
		return say("not tried, because there is no usable login method", "未执行（没有可用的登录方式）")
	case NameLogin:
		return say("not tried, because the login failed", "未执行（登录失败）")
	default:
		return say("not tried, because the sender was refused", "未执行（发件人被拒绝）")
	}
}

// hostPort returns the server's address for dialling.
func (v *examSession) hostPort(port int) string {
	if v.Server.Socket != "" {
		return v.Server.Socket
	}
	return net.JoinHostPort(v.Server.Host, strconv.Itoa(port))
}

// serverPort returns the server's port, or the usual one.
func (v *examSession) serverPort() int {
	switch s := v.Server; {
	case s.Port != 0:
		return s.Port
	case s.Security == smtpclient.ImplicitTLS:
		return 465
	case s.Security == smtpclient.STARTTLS:
		return 587
	}
	return 25
}

// providerLabel returns the name of the server's provider; "" if it is unknown.
func providerLabel(p provider.Provider) Text { return Text{EN: p.Names.EN, ZH: p.Names.ZH} }
