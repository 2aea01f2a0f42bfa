package explaincmd

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// maxPasted limits the octets that yan explain reads, and maxFailures the
// failures that it explains.
const (
	maxPasted   = 1 << 20
	maxFailures = 5
	maxOwn      = 4096 // octets of the lines that contain the same reply
)

// pasted is a failure found in a user's text.
type pasted struct {
	reply smtp.Reply
	kind  string     // for an error without a reply, a word of diagnosis.ErrorKinds
	stage smtp.Stage // "" if unknown
	// provider is the provider whose words these are; "" if unknown.
	provider string
	quote    string // the recognized words
	// around is the context: the text without other failures' lines.
	around string
	// token is set if the login used an OAuth 2.0 token.
	token bool
}

// pastedError is an error of another program, known by its text.
type pastedError struct{ kind, text string }

func (e pastedError) Error() string       { return e.text }
func (e pastedError) FailureKind() string { return e.kind }

// diagnosisFact returns the input for diagnosis.
func (p pasted) diagnosisFact() diagnosis.Fact {
	f := diagnosis.Fact{Stage: p.stage, Reply: p.reply, Provider: p.provider}
	switch {
	case p.kind != "":
		f.Err, f.Status = pastedError{p.kind, p.quote}, smtp.NotTried
	case p.token && p.stage == smtp.StageAuth && p.reply.Permanent():
		f.Err = smtpclient.ErrTokenRefused
	}
	return f
}

// readPasted finds failures in a log, an error or a reply: first refusing
// replies; if there are none, enhanced codes alone; then known errors of other
// programs. A text that is a single reply is accepted as it is, even a positive
// one.
func readPasted(text string) []pasted {
	if len(text) > maxPasted {
		text = text[:maxPasted]
	}
	text = repairChinese(unescapeText(text))
	found := findReplies(text)
	if len(found) == 0 {
		found = findEnhanced(text)
	}
	if len(found) == 0 {
		found = findErrors(text)
	}
	if reply, err := parseReply(text); len(found) == 0 && err == nil {
		found = []pasted{{reply: reply, quote: reply.String(), stage: likelyStage(reply)}} // a positive one
	}
	for i, p := range found {
		if p.around == "" {
			p.around = text
		}
		found[i].token = hasToken(p.around)
		found[i].provider = guessProvider(p.quote, p.around)
	}
	return found
}

// unescapeText replaces the escapes of a printed string: Python and JavaScript
// print a reply of several lines in one. The result contains nothing that moves
// a terminal's cursor.
func unescapeText(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = smtp.DecodeText([]byte(strings.TrimSuffix(line, "\r")))
	}
	text = strings.Join(lines, "\n")
	text = patterns().concat.ReplaceAllString(text, "\n")
	text = patterns().phpmailer.ReplaceAllString(text, " $2 $3 $1")
	text = patterns().status.ReplaceAllString(text, " ")
	text = strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", `\r`, "", `\t`, " ", `\"`, `"`, `\'`, "'").Replace(text)
	return patterns().hex.ReplaceAllStringFunc(text, func(s string) string {
		var b []byte
		for code := range strings.SplitSeq(s[2:], `\x`) {
			b = append(b, hexDigit(code[0])<<4|hexDigit(code[1]))
		}
		return smtp.DecodeText(b)
	})
}

func hexDigit(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// pastePatterns are the patterns of this file.
type pastePatterns struct {
	hex, concat, phpmailer, status, single, double, colon, code, enhanced, challenge, carried *regexp.Regexp
}

var patterns = sync.OnceValue(func() pastePatterns {
	return pastePatterns{
		hex: regexp.MustCompile(`(?:\\x[0-9a-fA-F]{2})+`),
		// 'first line\n' + 'second line', as nodemailer prints errors.
		concat:    regexp.MustCompile(`\\n['"]\s*\+\s*['"]`),
		phpmailer: regexp.MustCompile(`Detail: ([^\n]*?) SMTP code: ([45]\d\d)(?: Additional SMTP info: ([45]\.\d+\.\d+))?`),
		// msmtp's log repeats the code before the message.
		status: regexp.MustCompile(`\bsmtpstatus=\d{3} `),
		// (535, b'5.7.8 Error'), as smtplib prints errors.
		single: regexp.MustCompile(`\(\s*([45]\d\d)\s*,\s*b?'((?s:.*?))'\s*[,)]`),
		double: regexp.MustCompile(`\(\s*([45]\d\d)\s*,\s*b?"((?s:.*?))"\s*[,)]`),
		// MailKit and others write "535: 5.7.8" for a reply.
		colon: regexp.MustCompile(`\b([45]\d\d): ([45]\.\d{1,3}\.\d{1,3}\b)`),
		code:  regexp.MustCompile(`[45]\d\d(?:[ -]|$)`),
		// An enhanced code after a word that announces it.
		enhanced:  regexp.MustCompile(`(?i)(?:\bdsn=|\bstatus:\s*|response was:\s*|#)([45]\.\d{1,3}\.\d{1,3})\b([^\n]*)`),
		challenge: regexp.MustCompile(`334[ -]([A-Za-z0-9+/]{16,}={0,2})`),
		carried:   regexp.MustCompile(`(?i)\bdsn=([45]\.\d{1,3}\.\d{1,3})\b`),
	}
})

// findReplies returns the distinct refusals in a text. The lines of one refusal
// are not context for another.
func findReplies(text string) []pasted {
	text = patterns().colon.ReplaceAllString(text, "$1 $2")
	lines := strings.Split(text, "\n")
	bare := slices.Clone(lines) // without the lines of replies
	own := map[string]string{}  // the lines of each reply
	all := findTuples(lines, bare)
	all = append(all, findLines(bare)...)
	for _, c := range all {
		if len(own[c.quote]) < maxOwn {
			own[c.quote] += strings.Join(lines[c.from:c.to], "\n") + "\n"
		}
		if c.firm {
			clear(bare[c.from:c.to])
		}
	}
	rest := strings.Join(bare, "\n")
	var found []pasted
	for _, c := range all {
		same := func(q pasted) bool { return q.quote == c.quote }
		if len(found) == maxFailures || slices.ContainsFunc(found, same) {
			continue
		}
		c.around = own[c.quote] + rest
		c.stage = stageOf(c.reply, bare[max(0, c.from-1)]+"\n"+own[c.quote])
		if c.stage == "" {
			c.stage = stageOf(c.reply, rest)
		}
		c.stage = stageByCode(c.pasted)
		if c.firm || hasKnownWords(c.pasted) {
			found = append(found, c.pasted)
		}
	}
	return found
}

// findTuples returns the replies that smtplib prints, and removes them from the
// lines for the next search.
func findTuples(lines, next []string) []candidate {
	var found []candidate
	for _, tuple := range []*regexp.Regexp{patterns().single, patterns().double} {
		text := strings.Join(lines, "\n")
		line, seen := 0, 0 // counts lines that end before this octet
		for _, at := range tuple.FindAllStringSubmatchIndex(text, -1) {
			line, seen = line+strings.Count(text[seen:at[0]], "\n"), at[0]
			from, to := line, line+strings.Count(text[at[0]:at[1]], "\n")+1
			if reply, ok := replyOf(text[at[2]:at[3]], strings.Split(text[at[4]:at[5]], "\n")); ok {
				found = append(found, candidate{pasted: pasted{reply: reply, quote: reply.String()}, firm: true, from: from, to: to})
				clear(next[from:to])
			}
		}
	}
	return found
}

// findLines returns the replies that are in a line, or begin in one.
func findLines(lines []string) []candidate {
	var found []candidate
	for i := 0; i < len(lines); {
		c, used := replyAt(lines[i:])
		c.from, c.to = i, i+used
		if !c.reply.IsZero() {
			found = append(found, c)
		}
		i += used
	}
	return found
}

// hasKnownWords reports whether the words of a reply are known: then it is one,
// even without other signs.
func hasKnownWords(p pasted) bool {
	p.provider = guessProvider(p.quote, p.around)
	basis := diagnosis.Diagnose(p.diagnosisFact()).Basis
	return basis == diagnosis.BasisProvider || basis == diagnosis.BasisText
}

// replyOf builds a reply from lines without their code.
func replyOf(code string, lines []string) (smtp.Reply, bool) {
	var parser smtp.ReplyParser
	for i, line := range lines {
		mark := "-"
		if i == len(lines)-1 {
			mark = " "
		}
		reply, last, err := parser.Line([]byte(code + mark + strings.TrimSpace(line)))
		if err != nil {
			return smtp.Reply{}, false
		}
		if last {
			return reply, true
		}
	}
	return smtp.Reply{}, false
}

// findEnhanced returns the first enhanced code without a reply code, with a
// reply code of the same meaning.
func findEnhanced(text string) []pasted {
	m := patterns().enhanced.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	reply, ok := replyOf(m[1][:1]+"50", []string{m[1] + " " + strings.Trim(m[2], " ,;)\"'")})
	if !ok {
		return nil
	}
	p := pasted{reply: reply, quote: m[1] + " " + strings.TrimLeft(strings.TrimSpace(m[2]), ", ;"), stage: stageOf(smtp.Reply{}, text)}
	p.provider = guessProvider(p.quote, text)
	switch diagnosis.Diagnose(p.diagnosisFact()).Basis {
	case diagnosis.BasisCode, diagnosis.BasisNothing: // the reply code is not the server's
		return nil
	}
	return []pasted{p}
}

// hasToken reports whether the text mentions a login by OAuth 2.0, even only in
// the base64 of its refusal.
func hasToken(text string) bool {
	upper := strings.ToUpper(text)
	if strings.Contains(upper, "XOAUTH2") || strings.Contains(upper, "OAUTHBEARER") {
		return true
	}
	for _, m := range patterns().challenge.FindAllStringSubmatch(text, maxFailures) {
		b, err := base64.StdEncoding.DecodeString(m[1])
		if err == nil && strings.Contains(string(b), `"status"`) {
			return true
		}
	}
	return false
}
