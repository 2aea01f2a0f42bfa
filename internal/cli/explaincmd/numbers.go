package explaincmd

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/yanmail/yan/smtp"
)

// numbered maps error numbers that programs print without words to kinds of
// error. Sources: Windows Sockets error codes (learn.microsoft.com), errno(3)
// of Linux and intro(2) of macOS, curl(1).
type numbered struct {
	where *regexp.Regexp // its group captures the number
	kinds map[int]string
}

var numbers = sync.OnceValue(func() []numbered {
	return []numbered{
		// WSAGetLastError: 10054; error 10061; recv failed: 10054; [WinError 10060].
		{regexp.MustCompile(`(?i)(?:wsa|winsock|winerror|error|errno|failed|socket|recv|send|connect|错误|失败)[^\n0-9]{0,40}\b(1[01]0\d\d)\b`),
			map[int]string{
				10013: "unreachable", // WSAEACCES: a local firewall
				10050: "unreachable", 10051: "unreachable", 10052: "closed", 10053: "closed", 10054: "closed",
				10060: "timeout", 10061: "refused", 10064: "unreachable", 10065: "unreachable",
				11001: "no_such_host", 11002: "dns_failed", 11003: "dns_failed", 11004: "no_such_host",
			}},
		// curl: (67) Login denied; "error code: 28" of libcurl is not matched.
		{regexp.MustCompile(`(?i)\bcurl: \((\d+)\)`),
			map[int]string{
				5: "proxy_unreachable", 6: "no_such_host", 7: "refused", 28: "timeout", 35: "tls", 51: "certificate_name", 52: "closed",
				55: "closed", 56: "closed", 58: "client_certificate", 59: "tls_refused", 60: "untrusted", 64: "starttls_missing",
				67: "login_refused", 77: "untrusted", 91: "untrusted", 97: "proxy_refused",
			}},
		// [Errno 111], errno=110, errno 61; a number with two meanings on Linux
		// and macOS is omitted.
		{regexp.MustCompile(`(?i)\berrno[ =:]{1,3}(\d+)\b`),
			map[int]string{
				32: "broken_pipe", 51: "unreachable", 54: "closed", 60: "timeout", 61: "refused", 65: "unreachable",
				101: "unreachable", 103: "closed", 104: "closed", 110: "timeout", 111: "refused", 112: "unreachable", 113: "unreachable",
			}},
	}
})

// lone matches a text that is only a Winsock number, with an optional word for
// an error; other numbers alone are ambiguous.
var lone = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^\s*(1[01]0\d\d)\s*(?:号|error)?\s*(?:错误|码)?\s*[。.]?\s*$`)
})

// findNumber returns the first failure that only a number names.
func findNumber(text string) (pasted, bool) {
	if m := lone().FindStringSubmatch(text); m != nil {
		p, ok := findNumber("error " + m[1])
		p.quote = shortLine(strings.TrimSpace(text))
		return p, ok
	}
	for _, n := range numbers() {
		for line := range strings.SplitSeq(text, "\n") {
			m := n.where.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			number, _ := strconv.Atoi(m[1])
			if kind := n.kinds[number]; kind != "" {
				return pasted{kind: kind, stage: stageOfKind(kind), quote: shortLine(line)}, true
			}
		}
	}
	return pasted{}, false
}

// stageOfKind returns the stage of a kind in the table of words.
func stageOfKind(kind string) smtp.Stage {
	for _, known := range knownErrors() {
		if known.kind == kind {
			return known.stage
		}
	}
	return ""
}
