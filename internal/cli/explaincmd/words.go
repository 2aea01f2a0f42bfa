package explaincmd

import (
	"net"
	"regexp"
	"strings"
	"sync"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// stagesByWords maps words to the stage of a reply, in lower case: the classes
// of smtplib and JavaMail, the sentences of nodemailer, PHPMailer, msmtp,
// Postfix and Exim. The first match wins.
func stagesByWords() []struct {
	stage smtp.Stage
	words []string
} {
	return []struct {
		stage smtp.Stage
		words []string
	}{
		{smtp.StageAuth, []string{"authenticationerror", "authenticationfailedexception", "invalid login", "password command failed", "username command failed",
			"could not authenticate", "authentication failed", "auth command failed", "command: 'auth", "eauth", "starting authentication", "login failed", "login fail", "xoauth2", "oauthbearer", "(at auth)", "（auth "}},
		{smtp.StageBody, []string{"end of data command", "after end of data", "data end command failed", "data not accepted", "smtpdataerror", "message failed:", "smtpsendfailed",
			"did not accept the mail", "(at body)", "（body "}},
		{smtp.StageRcpt, []string{"rcpt to", "recipientsrefused", "recipientrefused", "smtpaddressfailed", "recipients were rejected", "recipient command failed", "recipient address",
			"recipients failed", "final-recipient", "(at rcpt)", "（rcpt "}},
		{smtp.StageMail, []string{"mail from", "senderrefused", "smtpsenderfailed", "mail command failed", "envelope from address", "(at mail)", "（mail "}},
		{smtp.StageData, []string{"data command"}},
		{smtp.StageStartTLS, []string{"starttls failed", "command starttls", "starttls command failed", "starttls refused", "starttls rejected"}},
		{smtp.StageHello, []string{"ehlo", "helo command", "smtpheloerror"}},
		{smtp.StageGreeting, []string{"smtpconnecterror", "invalid greeting", "greeting"}},
	}
}

// stageOf returns the stage of a reply, by its code if that is used at one
// stage only, else by the text around it. The words of the reply itself do not
// count.
func stageOf(reply smtp.Reply, around string) smtp.Stage {
	around = strings.ToLower(around)
	for _, line := range reply.Lines {
		around = strings.ReplaceAll(around, strings.ToLower(line), "")
	}
	if stage := likelyStage(reply); stage != "" {
		return stage
	}
	for _, s := range stagesByWords() {
		if containsAny(around, s.words) {
			return s.stage
		}
	}
	return ""
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// knownError is an error of other programs without a reply, in lower case.
type knownError struct {
	kind  string
	stage smtp.Stage
	words []string
}

// knownErrors lists the errors of Go, Python, Java, JavaScript, PHP, OpenSSL,
// GnuTLS, .NET and of the systems. The first match wins: a cause comes before
// its consequences.
func knownErrors() []knownError {
	return []knownError{
		{"consent", smtp.StageAuth, []string{"invalid_grant", "consent_required", "interaction_required", "expired or revoked", "aadsts65001", "aadsts70008", "aadsts700082", "aadsts50173"}},
		{"oauth_client", smtp.StageAuth, []string{"invalid_client", "unauthorized_client", "invalid_scope", "aadsts7000215", "aadsts700016"}},
		{"token_refused", smtp.StageAuth, []string{"invalid_token", `"status":"400","schemes"`, `"status":"401","schemes"`}},
		{"proxy_login", smtp.StageConnect, []string{"proxy authentication required", "no acceptable authentication methods", "err_proxy_auth"}},
		{"proxy_unreachable", smtp.StageConnect, []string{"proxyconnect", "proxyerror", "proxy connection failed"}},
		{"dns_failed", smtp.StageConnect, []string{"temporary failure in name resolution", "eai_again", "server misbehaving", "try again (dns", "host not found, try again"}},
		{"no_recipient_domain", smtp.StageRcpt, []string{"name service error for name=", "all relevant mx records point to non-existent hosts", "lowest numbered mx record points to local host"}},
		{"no_such_host", smtp.StageConnect, []string{"no such host", "name or service not known", "nodename nor servname", "getaddrinfo", "enotfound", "unknownhostexception",
			"could not resolve host", "couldn't resolve host", "host not found", "name does not resolve", "no address associated with hostname", "不知道这样的主机"}},
		{"certificate_expired", smtp.StageTLS, []string{"certificate has expired", "cert_has_expired", "certificateexpired", "certificatenotyetvalid", "not yet valid", "certificate expired"}},
		{"no_names", smtp.StageTLS, []string{"relies on legacy common name", "no subject alternative names present", "certificate has no subjectaltname"}},
		{"certificate_name", smtp.StageTLS, []string{"certificate is valid for", "hostname mismatch", "hostname/ip does not match", "err_tls_cert_altname", "no subject alternative",
			"doesn't match either of", "no name matching", "did not match expected", "certificate subject name", "does not match target host", "owner does not match hostname", "peer certificate cn="}},
		{"untrusted", smtp.StageTLS, []string{"unknown authority", "self-signed certificate", "self signed certificate", "self_signed", "local issuer certificate", "pkix path", "unable_to_verify_leaf",
			"unable to verify the first certificate", "certificate verify failed", "certificate_verify_failed", "certificate is not trusted", "issuer is unknown", "remote certificate is invalid", "unknown_ca", "unknown ca", "hasn't got a known issuer", "certificate verification failed"}},
		{"client_certificate", smtp.StageTLS, []string{"certificate required", "bad certificate", "no client certificate"}},
		{"weak_crypto", smtp.StageTLS, []string{"dh key too small", "ee key too small", "ca key too small", "ca md too weak", "key too small", "md too weak", "legacy sigalg disallowed", "insecure algorithm", "insufficient security", "insufficient_security",
			"dh_key_too_small", "unsafe legacy renegotiation", "tls: server selected unsupported curve"}},
		{"tls_version", smtp.StageTLS, []string{"protocol version", "unsupported protocol", "no protocols available", "no appropriate protocol", "unsupported_protocol", "no supported versions", "unsupported versions"}},
		{"tls_refused", smtp.StageTLS, []string{"handshake failure", "handshake_failure", "no shared cipher", "no cipher suites in common", "no supported cipher", "unconfigured cipher suite", "user canceled", "user_cancelled"}},
		{"not_tls", smtp.StageTLS, []string{"first record does not look like a tls handshake", "wrong version number", "wrong_version_number", "unrecognized ssl message", "unknown protocol",
			"packet length too long", "packet_length_too_long", "plaintext connection", "unexpected tls packet", "http request"}},
		{"starttls_missing", smtp.StageStartTLS, []string{"starttls extension not supported", "starttls is required but", "not offer starttls", "does not support starttls", "doesn't support starttls", "starttls not supported", "does not support tls via"}},
		{"cleartext", smtp.StageAuth, []string{"unencrypted connection", "refusing to send a password"}},
		{"auth_not_offered", smtp.StageAuth, []string{"auth extension not supported", "does not support authentication", "doesn't support auth", "not offer authentication", "authentication not supported"}},
		{"no_credentials", smtp.StageAuth, []string{"missing credentials for", "no credentials were supplied", "username and password not provided", "no password supplied"}},
		{"no_mechanism", smtp.StageAuth, []string{"no suitable authentication", "no authentication mechanism", "no authentication mechansims", "no worthy mechs", "unknown auth type", "unsupported authentication", "no compatible authentication mechanism", "no sasl mechanism found", "authentication mechanisms not supported", "no supported authentication"}},
		{"no_greeting", smtp.StageGreeting, []string{", response: -1"}}, // JavaMail, without SSL on a port that requires it
		{"refused", smtp.StageConnect, []string{"connection refused", "econnrefused", "actively refused", "winerror 10061", "积极拒绝", "拒绝连接"}},
		{"unreachable", smtp.StageConnect, []string{"network is unreachable", "no route to host", "enetunreach", "ehostunreach", "winerror 10051", "winerror 10065", "网络不可达", "无法访问目标主机"}},
		{"broken_pipe", smtp.StageBody, []string{"broken pipe", "epipe"}},
		{"timeout", smtp.StageConnect, []string{"timed out", "timeout", "time out", "etimedout", "deadline exceeded", "winerror 10060", "连接超时", "没有正确答复", "信号灯超时", "semaphore timeout"}},
		{"login_refused", smtp.StageAuth, []string{"could not authenticate", "login denied", "authentication failed", "mailkit.security.authenticationexception"}}, // PHPMailer, curl, msmtp and MailKit, without their debug output
		{"closed", "", []string{"connection reset", "econnreset", "connection unexpectedly closed", "connection closed", "unexpected eof", "serverdisconnected", "socket hang up", "forcibly closed",
			"winerror 10054", "强迫关闭", "please run connect() first", "lost connection", "server closed", "ssl_error_syscall"}},
		{"mail_loop", smtp.StageRcpt, []string{"loops back to myself", "mail forwarding loop", "too many hops", "suspected mail loop", "mail loop detected"}},
		{"no_recipient", smtp.StageRcpt, []string{"unrouteable address", "unroutable address", "user unknown", "no such user"}},
		{"smtputf8_on_the_way", smtp.StageRcpt, []string{"smtputf8 is required"}},
		// General words for TLS, and words without information: last.
		{"tls", smtp.StageTLS, []string{"tls:", "sslv3 alert", "tlsv1 alert", "tlsv1.3 alert", "fatal alert", "ssl routines", "sslhandshakeexception", "ssl handshake", "tls handshake", "[ssl:", "ssl_connect", "gnutls", "schannel", "authenticationexception"}},
		{"no_reason", "", []string{"smtp connect() failed", "failed to send mail", "failure sending mail"}},
	}
}

// port25 matches a mention of port 25.
var port25 = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?::25\b|\bport[:= ]+25\b|, 25[;)])`)
})

// portTLS matches a port with TLS from the first byte, as JavaMail writes it.
var portTLS = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\bport: (?:465|994|2465),`)
})

// findErrors returns the first of the known errors, or a lone EOF.
func findErrors(text string) []pasted {
	for _, known := range knownErrors() {
		for line := range strings.SplitSeq(text, "\n") {
			if !containsAny(strings.ToLower(line), known.words) {
				continue
			}
			p := pasted{kind: known.kind, stage: known.stage, quote: shortLine(line)}
			return []pasted{p.refineError(text)}
		}
	}
	if p, ok := findNumber(text); ok {
		return []pasted{p.refineError(text)}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "EOF" || strings.HasSuffix(line, ": EOF") {
			return []pasted{{kind: "closed", stage: stageOf(smtp.Reply{}, text), quote: shortLine(line)}}
		}
	}
	return nil
}

// shortLine shortens a line.
func shortLine(line string) string {
	line = strings.TrimSpace(line)
	if r := []rune(line); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return line
}

// refineError replaces an error by a more specific one that the rest of the text
// proves.
func (p pasted) refineError(text string) pasted {
	switch {
	case p.kind == "timeout" && strings.Contains(text, "lookup "): // Go's error for a name server
		p.kind = "dns_failed"
	case p.kind == "timeout" && port25().MatchString(text):
		p.kind = "timeout_port_25"
	case p.kind == "no_greeting" && portTLS().MatchString(text):
		p.kind = "tls_not_used"
	case p.kind == "certificate_name" && namesProvider(strings.ToLower(text)):
		p.kind = "provider_certificate"
	}
	if stage := stageOf(smtp.Reply{}, text); p.stage == "" || p.kind == "timeout" && stage != "" {
		p.stage = stage
	}
	return p
}

// namesProvider reports whether a certificate's names are those of a known
// provider's host, although another host was dialled.
func namesProvider(text string) bool {
	_, names, ok := strings.Cut(text, "valid for ")
	names, _, isNot := strings.Cut(names, ", not ")
	if !ok || !isNot {
		return false
	}
	for _, p := range provider.All() {
		_, domain, _ := strings.Cut(p.SMTP.Host, ".")
		if strings.Count(domain, ".") > 0 && (hasName(names, p.SMTP.Host) || strings.Contains(names+",", "*."+domain+",")) {
			return true
		}
	}
	return false
}

// providerMarks maps words to the only provider whose servers use them.
func providerMarks() map[string]string {
	return map[string]string{
		"gsmtp": "gmail", "support.google.com/": "gmail", "gmail-smtp-in": "gmail", "aspmx.l.google": "gmail",
		"mail.qq.com/": "qq", "service.mail.qq.com": "qq", "newxmesmtp": "qq", "newesmtp": "qq", "xmail esmtp": "qq",
		"mail.163.com/help": "netease163", "err.login.": "netease_qiye", "err.loginrule.": "netease_qiye",
		"prod.outlook.com": "office365", "aka.ms/smtp_auth": "office365", "storedrv.": "office365", "protection.outlook.com": "office365",
		"(#auth005)": "yahoo", "mail.zoho.com/": "zoho", "help.mail.ru": "mailru", "smtpdm": "aliyun_dm",
	}
}

// netease matches the tag of NetEase's replies and captures the service that
// follows.
var netease = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(?:hl|mi|rp|dt|wm):[a-z]{3} (163|126|yeah)\b|\b(?:hl|mi|rp|dt|wm):[a-z]{3}\b`)
})

// guessProvider returns the provider of the server, if a host name or a word
// that only it uses reveals it: in the reply, else in the whole text. If there
// are two it returns "".
func guessProvider(quote, text string) string {
	if id := providerIn(quote); id != "" {
		return id
	}
	return providerIn(text)
}

func providerIn(text string) string {
	text = strings.ToLower(text)
	found := map[string]bool{}
	for mark, id := range providerMarks() {
		if strings.Contains(text, mark) {
			found[id] = true
		}
	}
	for _, m := range netease().FindAllStringSubmatch(text, maxFailures) {
		id := map[string]string{"126": "netease126", "yeah": "yeah"}[m[1]]
		if id == "" {
			id = "netease163"
		}
		found[id] = true
	}
	for _, p := range provider.All() {
		for _, host := range append([]string{p.SMTP.Host}, p.SMTP.AltHosts...) {
			if strings.Contains(host, ".") && !strings.Contains(host, "{") && net.ParseIP(host) == nil && hasName(text, host) {
				found[p.ID] = true
			}
		}
	}
	return onlyFamily(found)
}

// onlyFamily returns the one provider of whose family all others are; "" if there is
// none.
func onlyFamily(found map[string]bool) string {
	for id := range found {
		p, ok := provider.ByID(id)
		if !ok {
			return ""
		}
		others := 0
		for other := range found {
			if other != id && other != p.Head() {
				others++
			}
		}
		if others == 0 {
			return id
		}
	}
	return ""
}

// hasName reports whether a host name occurs as a separate word.
func hasName(text, name string) bool {
	for rest := text; ; {
		at := strings.Index(rest, name)
		if at < 0 {
			return false
		}
		before, after := rest[:at], rest[at+len(name):]
		if !endsInName(before) && !beginsWithName(after) {
			return true
		}
		rest = after
	}
}

func endsInName(s string) bool {
	return s != "" && nameByte(s[len(s)-1])
}

func beginsWithName(s string) bool {
	return s != "" && (nameByte(s[0]) && s[0] != '.' || len(s) > 1 && s[0] == '.' && nameByte(s[1]))
}

func nameByte(c byte) bool {
	return c == '.' || c == '-' || c == '@' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}
