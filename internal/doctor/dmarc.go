package doctor

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"blitiri.com.ar/go/spf"
)

// policyFound is the policy that receivers should apply to unauthenticated
// mail.
type policyFound struct {
	policy string // "none", "quarantine" or "reject"; "" if there is no record
	known  bool   // false if the DNS did not answer, or the record is broken
}

// checkDMARC looks up the policy of the sender's domain, or of its organizational
// domain (RFC 7489 section 6.6.3).
func (v *examSession) checkDMARC() (Step, policyFound) {
	s := Step{Name: NameDMARC, Target: v.domain(), Status: OK}
	began := v.Now()
	records, at, err := v.findDMARC()
	s.Took = v.Now().Sub(began)
	switch {
	case err != nil:
		return dnsUnanswered(s, err), policyFound{}
	case len(records) == 0:
		s.Status, s.Detail = Warning, say("there is no DMARC record: each receiver decides on its own", "没有 DMARC 记录：由收件方自行判断")
		s.Advice = say("Publish a TXT record for _dmarc.%s; start with: v=DMARC1; p=none", "请为 _dmarc.%s 添加 TXT 记录，可先用：v=DMARC1; p=none", v.domain())
		if v.ownDomain() {
			s.Status, s.Advice = Info, Text{}
		}
		return s, policyFound{known: true}
	case len(records) > 1:
		return v.brokenDMARC(s, say("there are several DMARC records, so receivers ignore them all", "有多条 DMARC 记录，收件方将全部忽略")), policyFound{known: true}
	}
	s.Facts.Record = cleanText(records[0])
	record, problem := parseDMARC(records[0])
	if problem != (Text{}) {
		return v.brokenDMARC(s, say("receivers ignore the record: %s", "收件方会忽略该 DMARC 记录：%s", problem)), policyFound{known: true}
	}
	policy := record.policy
	if at != v.domain() && record.subdomains != "" {
		policy = record.subdomains
	}
	s.Facts.Policy = policy
	s.Detail = say("p=%s (record of %s); alignment of SPF %s, of DKIM %s", "p=%s（%s 的记录）；SPF %s对齐，DKIM %s对齐",
		policy, at, strictness(record.strictSPF), strictness(record.strictDKIM))
	if len(record.odd) > 0 {
		odd := cleanText(strings.Join(record.odd, "; "))
		s.Status = Warning
		s.Detail = say("p=%s (record of %s), but receivers disagree about “%.100s”: some ignore it, others the whole record",
			"p=%s（%s 的记录），但各收件方对“%.100s”的处理不同：有的忽略这一项，有的忽略整条记录", policy, at, odd)
		s.Advice = say("Correct this in the TXT record of _dmarc.%s.", "请在 _dmarc.%s 的 TXT 记录中更正。", at)
	}
	return s, policyFound{policy: policy, known: true}
}

func strictness(strict bool) Text {
	if strict {
		return say("strict", "严格")
	}
	return say("relaxed", "宽松")
}

func (v *examSession) brokenDMARC(s Step, detail Text) Step {
	s.Status, s.Detail = Failed, detail
	s.Advice = say("Correct the TXT record of _dmarc.%s: there must be exactly one, like v=DMARC1; p=none", "请修正 _dmarc.%s 的 TXT 记录：只能有一条，例如 v=DMARC1; p=none", v.domain())
	return s
}

// findDMARC returns the records and the domain that has them.
func (v *examSession) findDMARC() (records []string, at string, err error) {
	domains := []string{v.domain()}
	if organization, err := publicsuffix.EffectiveTLDPlusOne(v.domain()); err == nil && organization != v.domain() {
		domains = append(domains, organization)
	}
	for _, domain := range domains {
		texts, err := v.dns.LookupTXT(v.ctx, "_dmarc."+domain)
		if err != nil && !isNotFound(err) {
			return nil, domain, err
		}
		for _, text := range texts {
			if looksLikeDMARC(text) {
				records = append(records, text)
			}
		}
		if len(records) > 0 {
			return records, domain, nil
		}
	}
	return nil, v.domain(), nil
}

// receiverStep summarizes the receiver's conclusion in one sentence. The
// envelope and the From field have the same address, so a pass for the one is
// aligned with the other (RFC 7489 section 3.1).
func (v *examSession) receiverStep(sender, key Step, found policyFound) Step {
	s := Step{Name: NameReceiver, Target: v.domain(), Status: OK}
	if !found.known || sender.Facts.Result == "" {
		s.Status, s.Detail = Info, say("unknown: not enough DNS data", "未知：DNS 信息不足")
		return s
	}
	signed := key.Facts.KeyBits > 0 && key.Status != Failed
	strict := found.policy == "reject" || found.policy == "quarantine"
	switch {
	case sender.Facts.Result == string(spf.Pass) && sender.Facts.Basis == basisServer:
		s.Detail = say("if the mail leaves from %s, SPF passes and is aligned with the sender: receivers consider the message genuine",
			"若邮件从 %s 发出，SPF 通过且与发件人对齐：收件方会认为邮件真实", sender.Facts.Tested)
	case sender.Facts.Result == string(spf.Pass):
		s.Detail = say("SPF passes and is aligned with the sender: receivers consider the message genuine", "SPF 通过且与发件人对齐：收件方会认为邮件真实")
	case signed:
		s.Status = Warning
		s.Detail = say("only a DKIM signature proves that the message is genuine: without one DMARC fails", "只有 DKIM 签名能证明邮件真实：缺少签名则 DMARC 不通过")
	case strict:
		s = v.reportMisaligned(s, sender, found.policy)
		return s
	default:
		s.Status = Warning
		s.Detail = say("nothing shows that the message is from %s, unless the server signs it with DKIM: it may end up as spam",
			"除非服务器用 DKIM 签名，否则无法证明邮件来自 %s，可能被当作垃圾邮件", v.domain())
	}
	if s.Status == Warning {
		s.Advice = sender.Advice
	}
	return s
}

// reportMisaligned reports that the domain's own policy asks receivers to reject such
// a message. Without a selector Yan can't see whether the provider signs for
// the domain.
func (v *examSession) reportMisaligned(s, sender Step, policy string) Step {
	s.Status = Failed
	what := say("refuse the message", "拒收邮件")
	if policy == "quarantine" {
		what = say("put the message into the spam folder", "把邮件放入垃圾箱")
	}
	s.Detail = say("SPF does not pass, and %[1]s then asks receivers to %[2]s (p=%[3]s), unless the server signs it with DKIM",
		"SPF 未通过，而 %[1]s 要求收件方此时%[2]s（p=%[3]s），除非服务器用 DKIM 签名", v.domain(), what, policy)
	s.Advice = sender.Advice
	if sender.Facts.Basis == basisServer {
		s.Status = Warning
	}
	return s
}
