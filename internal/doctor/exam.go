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

// Exam says what to look at. Server is required.
type Exam struct {
	Server transport.Server
	// AnyPort says that nobody named a port: of 465, 587 and 25 the first that is
	// open is taken, each with the encryption that belongs to it.
	AnyPort bool
	// Options are those that a message would be sent with, without a secret. Trace
	// sees the conversation.
	Options transport.Options
	// Login gives the options once more, with the secret. It is called once, when
	// the server has proved who it is and offers a login. Its error is [ErrNoSecret]
	// where there is no secret; nil Login means the same.
	Login func(context.Context) (transport.Options, error)
	// From is the sender; zero looks neither at MAIL FROM nor at a domain.
	From smtp.Address
	// DKIMSelector is looked up in the domain of From; "" looks up none.
	DKIMSelector string
	// SendTo gets the message Test; zero sends nothing to anybody.
	SendTo smtp.Address
	Test   yan.Message

	// Resolver answers instead of the system's; nil means the system's.
	Resolver Resolver
	// Dial opens connections; nil means net.Dialer with the Resolver if that is a
	// *net.Resolver.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout bounds each step, 0 means 15 seconds; the whole is bounded by six times
	// as long.
	Timeout time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Began is called when a step begins that may have to be waited for, Told with
	// each step as it ends; one at a time, either may be nil.
	Began func(Name)
	Told  func(Step)
}

// ErrNoSecret: there is nothing to log in with.
var ErrNoSecret = errors.New("no password and no token is known")

const defaultTimeout = 15 * time.Second

// Run carries the exam out. It ends at once when ctx does.
func (e Exam) Run(ctx context.Context) Report {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Timeout <= 0 {
		e.Timeout = defaultTimeout
	}
	if e.Server.LMTP && e.Server.User == "" && e.Options.User == "" {
		e.Login = nil // LMTP is for the local machine; only a named user logs in
	}
	whole, cancel := context.WithTimeout(ctx, 6*e.Timeout)
	defer cancel()
	began := e.Now()
	v := &visit{Exam: e, outer: ctx, ctx: whole, dns: newAsker(e.Resolver, e.Timeout)}
	defer v.leaving.Wait()
	if v.dial = e.Dial; v.dial == nil {
		v.dial = directDialer(e.Resolver)
	}
	domain := v.lookAtDomain()
	v.visitServer()
	v.tellDomain(domain)
	v.report.Interrupted = ctx.Err() != nil
	v.report.Server, v.report.Took = v.Server, e.Now().Sub(began)
	return v.report
}

// visit is an exam in progress.
type visit struct {
	Exam
	outer  context.Context // the caller's
	ctx    context.Context // with the bound of the whole
	dns    *asker
	dial   dialFunc
	report Report
	// failed is the step of the server that failed; "" while all is well.
	failed  Name
	leaving sync.WaitGroup // connections that say goodbye
	// addresses are those of the server, for SPF.
	addresses []net.IP
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// tell keeps a step and shows it. After the end of the caller's context nothing
// is told: what fails then fails because of it.
func (v *visit) tell(s Step) {
	if v.outer.Err() != nil {
		return
	}
	v.report.Steps = append(v.report.Steps, s)
	if v.Told != nil {
		v.Told(s)
	}
}

// begin tells that a step begins.
func (v *visit) begin(name Name) {
	if v.Began != nil {
		v.Began(name)
	}
}

// visitServer looks at the server until something fails; what comes after that
// is told as skipped.
func (v *visit) visitServer() {
	others := v.connect()
	var seen *sight
	if v.failed == "" {
		seen = v.look()
	}
	if v.failed == "" {
		v.judge(seen)
		v.logIn(seen)
	}
	v.skipRest()
	if len(others) > 0 {
		v.begin(NamePort)
	}
	for _, p := range others {
		v.tell(<-p)
	}
}

// skipRest tells of the steps that could not run any more.
func (v *visit) skipRest() {
	if v.failed == "" {
		return
	}
	told := map[Name]bool{}
	for _, s := range v.report.Steps {
		told[s.Name] = true
	}
	for _, name := range v.serverSteps() {
		if !told[name] {
			v.tell(Step{Name: name, Status: Skipped, Detail: skippedBecause(v.failed)})
		}
	}
}

// serverSteps are the steps that this server is to go through.
func (v *visit) serverSteps() []Name {
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

// fail tells of a step of the server that failed, and what that means.
func (v *visit) fail(s Step, err error) {
	f := diagnosis.FromError(err, v.Server.Provider.ID)
	s.Status, s.Finding = Failed, diagnosis.Diagnose(f)
	s.Outcome = smtp.Outcome{Status: smtp.NotTried, Stage: f.Stage, Reply: f.Reply, Err: localPart(err)}
	if isEmpty(s.Detail) {
		s.Detail = row(s.Finding.Cause)
		if !f.Reply.IsZero() {
			s.Detail = say("the server said: %s", "服务器应答：%s", f.Reply)
		}
	}
	v.failed = s.Name
	v.tell(s)
}

// localPart is what happened on this side, without the reply.
func localPart(err error) error {
	var at *smtp.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// skippedBecause says why a step was skipped.
func skippedBecause(failed Name) Text {
	switch failed {
	case NameAddress:
		return say("not tried, because the server's name could not be resolved", "未执行（服务器域名无法解析）")
	case NamePort:
		return say("not tried, because the server could not be reached", "未执行（连不上服务器）")
	case NameTLS, NameCertificate:
		return say("not tried, because no encrypted connection came about", "未执行（加密连接没有建立）")
	case NameGreeting, NameHello:
		return say("not tried, because the conversation did not begin", "未执行（对话没有开始）")
	case NameAuth:
		return say("not tried, because there is no way to log in that can be used", "未执行（没有可用的登录方式）")
	case NameLogin:
		return say("not tried, because the login failed", "未执行（登录失败）")
	default:
		return say("not tried, because the sender was refused", "未执行（发件人被拒绝）")
	}
}

// hostPort is the server as it is dialled.
func (v *visit) hostPort(port int) string {
	if v.Server.Socket != "" {
		return v.Server.Socket
	}
	return net.JoinHostPort(v.Server.Host, strconv.Itoa(port))
}

// port is that of the server, or the usual one.
func (v *visit) port() int {
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

// label is what people call the server's provider; "" when it is not known.
func label(p provider.Provider) Text { return Text{EN: p.Names.EN, ZH: p.Names.ZH} }
