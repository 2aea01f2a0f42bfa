package doctor

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// connectServer resolves the server's name and probes its ports. It returns the
// pending steps of the ports that are not needed: they may take longer than the
// rest.
func (v *examSession) connectServer() (others []<-chan Step) {
	if !v.lookUpServer() {
		return nil
	}
	if v.Server.Socket != "" {
		v.reportPort(v.probePort(0), nil)
		return nil
	}
	mine := v.serverPort()
	knocks := map[int]<-chan portProbe{}
	for _, p := range v.portsToProbe(mine) {
		knocks[p] = v.probePort(p)
	}
	v.beginStep(NamePort)
	if v.AnyPort {
		mine = v.choosePort(knocks)
	}
	own := knocks[mine]
	delete(knocks, mine)
	v.reportPort(own, knocks)
	for _, p := range sorted(knocks) {
		step := make(chan Step, 1)
		others = append(others, step)
		go func() { step <- v.otherPortStep(p, <-knocks[p]) }()
	}
	return others
}

// lookUpServer resolves the server's addresses. It returns false if there are none
// and no proxy could resolve the name either.
func (v *examSession) lookUpServer() bool {
	host := v.Server.Host
	s := Step{Name: NameAddress, Target: host, Status: OK}
	if v.Server.Socket != "" {
		s.Target, s.Status, s.Detail = v.Server.Socket, Info, say("a local socket; there is no name to look up", "本机的套接字，无需解析域名")
		v.reportStep(s)
		return true
	}
	if ip := net.ParseIP(host); ip != nil {
		v.addresses = []net.IP{ip}
		s.Status, s.Detail = Info, say("%s is an address; there is no name to look up", "%s 本身就是地址，无需解析域名", host)
		s.Facts.Addresses = []string{host}
		v.reportStep(s)
		return true
	}
	v.beginStep(NameAddress)
	began := v.Now()
	found, err := v.dns.lookupServer(v.ctx, host)
	s.Took = v.Now().Sub(began)
	if err != nil {
		return v.noAddress(s, err)
	}
	for _, a := range found {
		v.addresses = append(v.addresses, a.IP)
		s.Facts.Addresses = append(s.Facts.Addresses, a.String())
	}
	// IPv4 first, so that the order does not depend on the resolver.
	slices.SortStableFunc(s.Facts.Addresses, func(a, b string) int { return strings.Count(a, ":") - strings.Count(b, ":") })
	s.Detail = say("%s is %s", "%s 的地址是 %s", host, listText(s.Facts.Addresses))
	v.reportStep(s)
	return true
}

// noAddress reports a failed lookup. It is no failure with a proxy, which
// resolves names itself.
func (v *examSession) noAddress(s Step, err error) bool {
	if v.Options.Proxy == "" {
		if isNotFound(err) {
			s.Detail = say("host %s not found", "找不到主机 %s", s.Target)
		}
		v.failStep(s, &smtp.Error{Stage: smtp.StageConnect, Err: err})
		return false
	}
	s.Status, s.Detail = Info, say("%s can't be resolved here; the proxy resolves it", "本机无法解析 %s，由代理解析", s.Target)
	v.reportStep(s)
	return true
}

// otherPorts limits the probes of ports that are not needed.
const otherPorts = 5 * time.Second

// portsToProbe returns the ports to probe. For a server on an unusual port only that
// port is probed: the usual ports of its host may belong to another service.
func (v *examSession) portsToProbe(mine int) []int {
	usual := []int{465, 587, 25}
	facts := v.Server.Provider.SMTP
	known := slices.Contains(usual, mine) || mine == 2525
	for _, p := range facts.Ports {
		known = known || p.Port == mine
		if !slices.Contains(usual, p.Port) {
			usual = append(usual, p.Port)
		}
	}
	if !known {
		return []int{mine}
	}
	if !slices.Contains(usual, mine) {
		usual = append(usual, mine)
	}
	return usual
}

// portProbe is the result of a TCP connection that was opened and closed again.
type portProbe struct {
	port int
	at   string // the peer's address
	took time.Duration
	err  error
}

// probePort opens a connection in the background.
func (v *examSession) probePort(port int) <-chan portProbe {
	timeout, mine := v.Timeout, v.serverPort()
	if !v.AnyPort && v.Server.Socket == "" && port != mine {
		timeout = min(timeout, otherPorts)
	}
	result := make(chan portProbe, 1)
	go func() {
		ctx, cancel := context.WithTimeout(v.ctx, timeout)
		defer cancel()
		k := portProbe{port: port}
		began := v.Now()
		var conn net.Conn
		conn, k.err = v.dialServer(ctx, v.hostPort(port))
		k.took = v.Now().Sub(began)
		if k.err == nil {
			k.at = conn.RemoteAddr().String()
			_ = conn.Close() // nothing was sent on it
		}
		result <- k
	}()
	return result
}

// dialServer dials the way that sending does.
func (v *examSession) dialServer(ctx context.Context, address string) (net.Conn, error) {
	if v.Server.Socket != "" {
		return v.dial(ctx, "unix", address)
	}
	dial, err := v.dialer()
	if err != nil {
		return nil, err
	}
	return dial(ctx, "tcp", address)
}

// choosePort returns the first usual port that is open, with its encryption; if
// none is open, 465.
func (v *examSession) choosePort(knocks map[int]<-chan portProbe) int {
	for _, choice := range []struct {
		port     int
		security smtpclient.Security
	}{{465, smtpclient.ImplicitTLS}, {587, smtpclient.STARTTLS}, {25, smtpclient.STARTTLS}} {
		k := <-knocks[choice.port]
		again := make(chan portProbe, 1)
		again <- k
		knocks[choice.port] = again
		if k.err == nil {
			v.Server.Port, v.Server.Security = choice.port, choice.security
			return choice.port
		}
	}
	v.Server.Port, v.Server.Security = 465, smtpclient.ImplicitTLS
	return 465
}

// reportPort reports the port that a message would use.
func (v *examSession) reportPort(own <-chan portProbe, others map[int]<-chan portProbe) {
	k := <-own
	s := Step{Name: NamePort, Target: v.hostPort(k.port), Took: k.took}
	if k.err != nil {
		err := &smtp.Error{Stage: smtp.StageConnect, Err: k.err}
		s.Detail = v.unreachedReason(k)
		s.Advice = v.anotherPort(others)
		v.failStep(s, err)
		return
	}
	s.Status, s.Facts.Open, s.Facts.Addresses = OK, true, []string{k.at}
	s.Detail = say("open", "可以连接")
	if v.Options.Proxy != "" {
		s.Detail = say("open, through the proxy", "可以连接（经由代理）")
	}
	v.reportStep(s)
}

// unreachedReason returns the short reason why no connection was made.
func (v *examSession) unreachedReason(k portProbe) Text {
	if isTimeout(k.err) {
		return say("no reply within %s", "%s 内没有响应", max(k.took.Round(100*time.Millisecond), 100*time.Millisecond))
	}
	f := diagnosis.Diagnose(diagnosis.FromError(&smtp.Error{Stage: smtp.StageConnect, Err: k.err}, v.Server.Provider.ID))
	if f.Class == diagnosis.ClassConnectionRefused {
		return say("refused: nothing listens there", "连接被拒绝：该端口没有服务")
	}
	return tableCell(f.Cause)
}

// isTimeout reports whether a wait timed out.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// anotherPort recommends another port that is open; if none is, the network is
// probably the cause, not the server.
func (v *examSession) anotherPort(others map[int]<-chan portProbe) Text {
	reached, silent := 0, 0
	for _, p := range sorted(others) {
		k := <-others[p]
		again := make(chan portProbe, 1)
		again <- k
		others[p] = again
		switch {
		case k.err == nil && p != 25 && v.encryptedAt(p) != "":
			return say("Use port %d, which is open: %s://%s.", "请改用可以连接的 %d 端口：%s://%s。", p, v.encryptedAt(p), v.hostPort(p))
		case k.err == nil:
			reached++
		case isTimeout(k.err):
			silent++
		}
	}
	if len(others) > 0 && reached == 0 && silent == len(others) {
		return say("No mail port of this host answers: ask your network or cloud provider to open 465 or 587, or try another network.",
			"该主机的发信端口都没有响应：请联系所在网络或云平台的管理员放行 465 或 587 端口，或换一个网络再试。")
	}
	return Text{}
}

// encryptedAt returns the scheme of a URL with this port; "" if the port must
// not carry passwords.
func (v *examSession) encryptedAt(p int) string {
	known, ok := v.Server.Provider.TLSFor(p)
	switch {
	case ok && known.TLS == provider.Implicit, !ok && p == 465:
		return "smtps"
	case ok && known.TLS == provider.StartTLS, !ok && p == 587:
		return "smtp"
	}
	return ""
}

// otherPortStep reports a port that is not needed.
func (v *examSession) otherPortStep(p int, k portProbe) Step {
	s := Step{Name: NamePort, Target: v.hostPort(p), Status: Info, Took: k.took}
	if k.err == nil {
		s.Facts.Open = true
		s.Detail = say("open, not needed", "可以连接，本次未使用")
		return s
	}
	if isTimeout(k.err) {
		s.Detail = say("no reply; not needed", "没有响应，本次未使用")
		return s
	}
	s.Detail = say("closed; not needed", "未开放，本次未使用")
	return s
}

func sorted(knocks map[int]<-chan portProbe) []int {
	var list []int
	for p := range knocks {
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}
