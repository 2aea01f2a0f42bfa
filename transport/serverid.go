package transport

import (
	"regexp"
	"strings"
	"sync"

	"github.com/yanmail/yan/smtp"
)

// ServerID returns the name that the server gave the message, by which its operator finds it:
// "4BCDEF1234" of Postfix's "queued as 4BCDEF1234". It is "" if the reply contains none of a
// known form.
func ServerID(r smtp.Reply) string {
	if !r.Positive() {
		return ""
	}
	text := strings.TrimSpace(r.Text())
	for _, compiled := range idPatterns() {
		if m := compiled().FindStringSubmatch(text); m != nil {
			return strings.TrimRight(m[1], ",;.")
		}
	}
	return ""
}

// idPatterns is ordered: the first match counts. Each is compiled once and on first use, because
// that costs as much as sending a small message: most programs use one kind of server, or none.
var idPatterns = sync.OnceValue(func() []func() *regexp.Regexp {
	return []func() *regexp.Regexp{
		// Postfix, NetEase ("Mail OK queued as zwqz-smtp-mta-g5-1,<id> <time>"), Mailgun. QUIRK: QQ
		// answers "Ok: queued as " and nothing more.
		compilePattern(`(?i)\bqueued as (\S+)`),
		// Exim: "OK id=1abcde-000000-00".
		compilePattern(`(?i)\bid=(\S+)`),
		// Gmail: "OK  1700000000 a1-20020a… - gsmtp".
		compilePattern(`(?i)^OK\s+\d+ (\S+) - gsmtp`),
		// Exchange: "<message-id> [InternalId=123, Hostname=…] Queued mail for delivery".
		compilePattern(`\[InternalId=(\d+)`),
		// sendmail, OpenSMTPD, Proofpoint: "6AUKPGKc000039 Message accepted for delivery". A word
		// without a digit before it is no ID, unless it has the form of OpenSMTPD's: eight
		// hexadecimal digits, of which 1 in 2,560 has letters only.
		compilePattern(`^([\w.-]*\d[\w.-]*|[0-9a-f]{8}) (?i:Message accepted for delivery)`),
		// Haraka: "Message Queued (6BC8952D-A38A-42A2-A932-E516D34664FD.1)". QUIRK: hMailServer
		// answers "Queued (0.031 seconds)".
		compilePattern(`(?i)^Message Queued \(([0-9A-F]{8}-[^\s()]+)\)`),
		// Courier: "Ok. 000000006B0DDED6.00000034".
		compilePattern(`^Ok\. ([0-9A-F]+(?:\.[0-9A-F]+)+)$`),
		// Stalwart: "Message queued with id 3f481c415800015."
		compilePattern(`(?i)\bqueued with id (\S+)`),
		// qmail, whose log has this form: "ok 1715608800 qp 12345".
		compilePattern(`(?i)^ok \d+ (qp \d+)`),
		// Dovecot's LMTP: "<user@example.com> VIBoDbIgxmeDHAAA5yIOvg Saved".
		compilePattern(`^<[^>]*> (\S+) Saved$`),
		// Cyrus' LMTP: "Ok SESSIONID=<host-1234-1700000000-1-123456>".
		compilePattern(`\bSESSIONID=<([^>]+)>`),
		// Amazon SES, the sandbox of Yan and others: "Ok 0100018b…" alone.
		compilePattern(`(?i)^OK:? ([A-Za-z0-9][\w.-]{7,})$`),
	}
})

// compilePattern returns a function for the compiled expression. A test compiles them all.
func compilePattern(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
