package doctor

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/yanmail/yan/provider"
)

// domainSteps are the pending steps of the sender's domain.
type domainSteps struct {
	mx, srv, dkim, dmarc <-chan Step
	policy               <-chan policyFound
}

// startDomainSteps starts the queries about the sender's domain; they run while the
// server is checked.
func (v *examSession) startDomainSteps() *domainSteps {
	if v.From.IsZero() || strings.HasPrefix(v.From.ASCIIDomain(), "[") {
		return nil
	}
	d := &domainSteps{mx: v.background(v.checkMX), srv: v.background(v.checkSRV), dkim: v.background(v.checkDKIM)}
	dmarc, policy := make(chan Step, 1), make(chan policyFound, 1)
	d.dmarc, d.policy = dmarc, policy
	go func() {
		step, found := v.checkDMARC()
		dmarc <- step
		policy <- found
	}()
	return d
}

func (v *examSession) background(look func() Step) <-chan Step {
	result := make(chan Step, 1)
	go func() { result <- look() }()
	return result
}

// reportDomain reports the domain's steps. SPF comes last because it may need the
// server's address.
func (v *examSession) reportDomain(d *domainSteps) {
	if d == nil {
		v.skipDomain()
		return
	}
	v.beginStep(NameSPF)
	spf := v.background(v.checkSPF)
	v.reportStep(<-d.mx)
	v.reportStep(<-d.srv)
	s := <-spf
	v.reportStep(s)
	key := <-d.dkim
	v.reportStep(key)
	v.reportStep(<-d.dmarc)
	v.reportStep(v.receiverStep(s, key, <-d.policy))
}

// skipDomain reports the domain's steps as skipped: there is no sender, or its
// domain is an address literal.
func (v *examSession) skipDomain() {
	why := say("not checked, because the sender is unknown", "未检查（不知道发件人地址）")
	if !v.From.IsZero() {
		why = say("not checked, because the sender has an IP address instead of a domain", "未检查（发件人使用的是 IP 地址而不是域名）")
	}
	for _, name := range []Name{NameMX, NameSRV, NameSPF, NameDKIM, NameDMARC, NameReceiver} {
		v.reportStep(Step{Name: name, Status: Skipped, Detail: why})
	}
}

func (v *examSession) domain() string { return v.From.ASCIIDomain() }

// dnsUnanswered reports that the DNS did not answer, which says nothing about the
// domain.
func dnsUnanswered(s Step, err error) Step {
	s.Status, s.Detail = Info, say("unknown: the DNS query failed (%s)", "未知：DNS 查询失败（%s）", dnsReason(err))
	return s
}

// dnsReason returns the reason of a DNS error, without its addresses and names.
func dnsReason(err error) Text {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return say("timed out", "超时")
	}
	reason := err.Error()
	if errors.As(err, &dns) {
		reason = dns.Err
	}
	reason = cleanText(reason[strings.LastIndex(reason, ": ")+1:])
	return Text{EN: strings.TrimSpace(reason), ZH: strings.TrimSpace(reason)}
}

// checkMX checks where replies and bounces go.
func (v *examSession) checkMX() Step {
	s := Step{Name: NameMX, Target: v.domain(), Status: OK}
	began := v.Now()
	found, err := v.dns.LookupMX(v.ctx, v.domain())
	s.Took = v.Now().Sub(began)
	switch {
	case isNotFound(err):
		return v.withoutMX(s)
	case err != nil && len(found) == 0:
		return dnsUnanswered(s, err)
	case len(found) == 1 && found[0].Host == ".":
		s.Status, s.Detail = Warning, say("%s declares that it accepts no mail (null MX)", "%s 声明不接收邮件（null MX）", v.domain())
		s.Advice = say("Set up a mail exchanger for %s, or send from a domain that has one: replies and bounces can't reach you.",
			"请为 %s 设置 MX 记录，或改用能收信的域名发信：否则回复和退信无法送达。", v.domain())
		return s
	}
	for _, mx := range found {
		s.Facts.Hosts = append(s.Facts.Hosts, strings.TrimSuffix(mx.Host, "."))
	}
	list := listText(cleanAll(s.Facts.Hosts))
	s.Detail = list
	if p, ok := provider.ByMX(found[0].Host); ok {
		s.Detail = say("%s (%s)", "%s（%s）", list, providerLabel(p))
	}
	return s
}

// withoutMX reports a domain without MX: its own address then receives the mail
// (RFC 5321 section 5.1).
func (v *examSession) withoutMX(s Step) Step {
	if found, err := v.dns.LookupIPAddr(v.ctx, v.domain()); err == nil && len(found) > 0 {
		s.Status, s.Detail = Info, say("no MX; mail goes directly to the address of %s", "没有 MX，邮件将送往 %s 自身的地址", v.domain())
		return s
	}
	s.Status, s.Detail = Warning, say("%s has neither an MX record nor an address", "%s 既没有 MX 也没有地址记录", v.domain())
	s.Advice = say("Check the sender's domain %s: many receivers refuse mail that can't be replied to.", "请检查发件域名 %s：许多收件方会拒收无法回复的邮件。", v.domain())
	return s
}

// checkSRV checks the domain's SRV records for submission (RFC 6186, RFC 8314
// section 5.1).
func (v *examSession) checkSRV() Step {
	s := Step{Name: NameSRV, Target: v.domain(), Status: Info}
	began := v.Now()
	var shown []string
	none := false
	var failed error
	for _, service := range []string{"submissions", "submission"} {
		found, err := v.dns.lookupSRV(v.ctx, "_"+service+"._tcp."+v.domain())
		if err != nil && len(found) == 0 {
			if !isNotFound(err) {
				failed = err
			}
			continue
		}
		for _, r := range found {
			if r.Target == "." {
				none = true
				continue
			}
			at := net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port)))
			s.Facts.Hosts = append(s.Facts.Hosts, at)
			shown = append(shown, fmt.Sprintf("%s (%s)", cleanText(at), service))
		}
	}
	s.Took = v.Now().Sub(began)
	list := listText(shown)
	switch {
	case len(shown) > 0:
		s.Detail = list
		if v.isListed(s.Facts.Hosts) {
			s.Status = OK
		} else {
			s.Detail = say("%s; this check used a different server", "%s；与本次检查的服务器不同", list)
		}
	case failed != nil:
		return dnsUnanswered(s, failed)
	case none:
		s.Detail = say("the domain declares that it offers no submission", "该域名声明不提供发信服务")
	default:
		s.Detail = say("none: programs must find the server another way", "没有：程序需通过其他方式得知服务器")
	}
	return s
}

func (v *examSession) isListed(hosts []string) bool {
	for _, h := range hosts {
		host, _, err := net.SplitHostPort(h)
		if err == nil && strings.EqualFold(host, v.Server.Host) {
			return true
		}
	}
	return false
}

// ownDomain reports whether the sender's domain is the provider's own, like
// qq.com: the provider manages its DNS.
func (v *examSession) ownDomain() bool {
	p, ok := provider.ByDomain(v.domain())
	return ok && v.Server.Provider.ID != "" && p.Head() == v.Server.Provider.Head()
}
