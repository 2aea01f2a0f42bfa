package transport

import (
	"regexp"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// ServerID is the name that the server gave the message, by which its
// operator finds it: "4BCDEF1234" of Postfix's "queued as 4BCDEF1234". It is
// "" when the reply holds none that is recognised.
func ServerID(r smtp.Reply) string {
	if !r.Positive() {
		return ""
	}
	text := strings.TrimSpace(r.Text())
	for _, re := range idPatterns {
		if m := re.FindStringSubmatch(text); m != nil {
			return strings.TrimRight(m[1], ",;.")
		}
	}
	return ""
}

// idPatterns is ordered: the first that fits counts. It is compiled once,
// because that costs as much as sending a small message does.
var idPatterns = []*regexp.Regexp{
	// Postfix, NetEase ("Mail OK queued as zwqz-smtp-mta-g5-1,<id> <time>"), OpenSMTPD, Mailgun.
	// QUIRK: QQ says "Ok: queued as " and then nothing.
	regexp.MustCompile(`(?i)\bqueued as (\S+)`),
	// Exim: "OK id=1abcde-000000-00".
	regexp.MustCompile(`(?i)\bid=(\S+)`),
	// Gmail: "OK  1700000000 a1-20020a… - gsmtp".
	regexp.MustCompile(`(?i)^OK\s+\d+ (\S+) - gsmtp`),
	// Exchange: "<message-id> [InternalId=123, Hostname=…] Queued mail for delivery".
	regexp.MustCompile(`\[InternalId=(\d+)`),
	// Amazon SES, the sandbox of Yan and others: "Ok 0100018b…" alone.
	regexp.MustCompile(`(?i)^OK:? ([A-Za-z0-9][\w.-]{7,})$`),
}
