package doctor

import (
	"errors"
	"net"
	"net/netip"

	"blitiri.com.ar/go/spf"
)

// The bases of an SPF result: how the tested address relates to the sending
// servers.
const (
	basisInclude = "include"           // an address in the provider's include
	basisOwn     = "own_domain"        // the domain is the provider's own
	basisServer  = "submission_server" // the submission server's own, because no better one is known
)

// includeOf returns the record that a provider tells domain owners to include;
// "" if none is known. Mail leaves from the addresses in it, and seldom from
// the submission server.
func includeOf(providerID string) string {
	return map[string]string{
		"exmail": "spf.mail.qq.com", "netease_qiye": "spf.163.com", "alibaba_qiye": "spf.qiye.aliyun.com",
		"aliyun_dm": "spf1.dm.aliyun.com", "gmail": "_spf.google.com", "office365": "spf.protection.outlook.com",
		"fastmail": "spf.messagingengine.com", "icloud": "icloud.com", "ses": "amazonses.com", "sendgrid": "sendgrid.net",
		"mailgun": "mailgun.org", "postmark": "spf.mtasv.net", "mailjet": "spf.mailjet.com",
	}[providerID]
}

// checkSPF reads the record of the sender's domain as a receiver does, and evaluates
// it for an address that the message will come from.
func (v *examSession) checkSPF() Step {
	s := Step{Name: NameSPF, Target: v.domain(), Status: OK}
	began := v.Now()
	defer func() { s.Took = v.Now().Sub(began) }()
	text, err := findSPF(v.ctx, v.dns, v.domain())
	if err != nil {
		s = v.noSPF(s, err)
		s.Took = v.Now().Sub(began)
		return s
	}
	s.Facts.Record = text
	w := &walk{dns: v.dns}
	terms, err := parseSPF(text)
	if err == nil {
		err = w.evaluateTerms(v.ctx, terms, []string{v.domain()})
	}
	s.Facts.Lookups = w.lookups
	var wrong *recordError
	switch {
	case errors.As(err, &wrong) || terms == nil && err != nil:
		s = v.brokenSPF(s, say("the record is invalid and receivers ignore it: %v", "SPF 记录有误，收件方将忽略它：%v", err),
			say("Correct the SPF record of %s (%v).", "请修正 %s 的 SPF 记录（%v）。", v.domain(), err))
	case err != nil:
		s = dnsUnanswered(s, err)
	case w.lookups > maxLookups:
		s = v.brokenSPF(s, say("the record needs %d lookups; receivers allow at most %d", "该记录需要 %d 次 DNS 查询，超过 %d 次收件方就会放弃", w.lookups, maxLookups),
			say("Remove includes from the SPF record of %s until it needs at most %d lookups.", "请精简 %s 的 SPF 记录，使查询不超过 %d 次。", v.domain(), maxLookups))
	default:
		s = v.evaluateSPF(s, w.sample)
	}
	s.Took = v.Now().Sub(began)
	return s
}

func (v *examSession) noSPF(s Step, err error) Step {
	switch {
	case errors.Is(err, errTwoRecords):
		return v.brokenSPF(s, say("there are several SPF records, so receivers ignore them all", "有多条 SPF 记录，收件方将全部忽略"),
			say("Merge the SPF records of %s into one.", "请把 %s 的多条 SPF 记录合并为一条。", v.domain()))
	case !errors.Is(err, errNoRecord):
		return dnsUnanswered(s, err)
	case v.ownDomain():
		s.Status, s.Detail = Info, say("the provider has no SPF record for its own domain", "服务商没有为自己的域名设置 SPF 记录")
		return s
	}
	s.Status, s.Facts.Result = Warning, string(spf.None)
	s.Detail = say("there is no SPF record: receivers can't tell which servers may send for %s", "没有 SPF 记录：收件方无法判断谁可以用 %s 发信", v.domain())
	s.Advice = say("Publish a TXT record for %s: v=spf1 %s ~all", "请为 %s 添加 TXT 记录：v=spf1 %s ~all", v.domain(), v.spfMechanism())
	return s
}

// spfMechanism returns the mechanism that the record should have for this server.
func (v *examSession) spfMechanism() string {
	if include := includeOf(v.Server.Provider.ID); include != "" {
		return "include:" + include
	}
	return "a:" + v.Server.Host
}

// brokenSPF reports a record that receivers reject (permerror).
func (v *examSession) brokenSPF(s Step, detail, advice Text) Step {
	s.Status, s.Facts.Result, s.Detail, s.Advice = Failed, string(spf.PermError), detail, advice
	return s
}

// evaluateSPF evaluates the record for an address: the provider's if one is known.
func (v *examSession) evaluateSPF(s Step, own netip.Addr) Step {
	include := includeOf(v.Server.Provider.ID)
	switch {
	case v.ownDomain():
		s.Facts.Basis, s.Facts.Result = basisOwn, string(spf.Pass)
		if own.IsValid() {
			s.Facts.Tested = own.String()
		}
		s.Detail = say("%s belongs to %s, which maintains its own SPF record", "%s 属于%s，SPF 由服务商自行维护", v.domain(), providerLabel(v.Server.Provider))
		return s
	case include != "":
		w := &walk{dns: v.dns}
		terms, err := w.fetchRecord(v.ctx, include)
		if err == nil {
			err = w.evaluateTerms(v.ctx, terms, []string{include})
		}
		if err == nil && w.sample.IsValid() {
			return v.testAddress(s, basisInclude, include, net.IP(w.sample.AsSlice()))
		}
	}
	if len(v.addresses) == 0 {
		s.Status, s.Detail = Info, say("there is a record, but this server's sending address is unknown", "有 SPF 记录；但不知道服务器从哪个地址发信")
		return s
	}
	return v.testAddress(s, basisServer, "", v.addresses[0])
}

// testAddress evaluates the record for one address and explains its basis.
func (v *examSession) testAddress(s Step, basis, include string, ip net.IP) Step {
	result, err := spf.CheckHostWithSender(ip, v.domain(), v.From.Wire(), spf.WithResolver(v.dns), spf.WithContext(v.ctx))
	s.Facts.Basis, s.Facts.Tested, s.Facts.Result = basis, ip.String(), string(result)
	what := say("%s, used by %s for sending (its include %s)", "%s（%s 发信所用，出自 %s）", ip, providerLabel(v.Server.Provider), include)
	if basis == basisServer {
		what = say("%s, the address of %s; it may send from another one", "%s（%s 的地址，实际发信地址可能不同）", ip, v.Server.Host)
	}
	switch result {
	case spf.Pass:
		s.Detail = say("authorizes %s", "已授权 %s", what)
	case spf.TempError:
		return dnsUnanswered(s, err)
	case spf.PermError:
		return v.brokenSPF(s, say("the record is invalid and receivers ignore it: %v", "SPF 记录有误，收件方将忽略它：%v", err),
			say("Correct the SPF record of %s (%v).", "请修正 %s 的 SPF 记录（%v）。", v.domain(), err))
	default:
		s.Status = Warning
		s.Detail = say("does not authorize %s: %s", "未授权 %s：%s", what, result)
		s.Advice = say("Add %s to the SPF record of %s.", "请在 %[2]s 的 SPF 记录中加入 %[1]s。", v.spfMechanism(), v.domain())
		if basis == basisServer {
			s.Advice = say("Ask the operator of %s for the include for the SPF record of %s, and add it.",
				"请向 %s 的管理方询问应在 %s 的 SPF 记录中加入哪个 include，并添加。", v.Server.Host, v.domain())
		}
	}
	return s
}
