package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// Password is the secret of every default account: 16 letters like the
// authorization codes of QQ and NetEase. It is also the OAuth 2.0 token.
const Password = "yansandboxsecret"

// profile is the behaviour of one provider. Replies are verbatim, lines
// separated by "\n"; {host}, {name} (of EHLO), {id}, {unix}, {date} and {ip}
// are filled in for each session, {size} and {mechanisms} from the provider
// facts.
type profile struct {
	name     string
	provider string // its id among the provider facts; "" for none
	tenant   string // prefix of the provider's domain in the default account's domain
	hosts    []string
	domain   string // of the default account
	// before and after are the lines of the EHLO reply without and with TLS.
	before, after []string
	words         words

	size          int64 // SIZE; 0 if not offered
	maxRecipients int
	sender        SenderRule
	needsAuth     bool // MAIL only after AUTH
	// cleartextAuth accepts AUTH without TLS, as NetEase does. The client's
	// password still counts as a violation.
	cleartextAuth bool
	authAfterEHLO bool // AUTH only after EHLO, not HELO
	// passwordsOff is the reply to a password, right or wrong, if the provider takes
	// only tokens although it still offers LOGIN; "" if it takes passwords.
	passwordsOff string
	// QUIRK: QQ - closes the TCP connection right after a failed AUTH.
	hangsUp bool
	// QUIRK: QQ - sends an internal length-prefixed frame before the last 221.
	frames bool
	// checkMessage inspects the message and returns a refusal or "".
	checkMessage func(header messageHeader, from string, w words) string
}

// words are a provider's replies.
type words struct {
	greeting    string
	startTLS    string
	authOK      string
	authFailed  string
	tokenError  string // the JSON in the 334 to an invalid XOAUTH2 token; "" for no 334
	tokenFailed string // the reply after that 334
	// refusals are the provider's own replies to a login, by reason, if it has
	// any.
	refusals     map[Action]string
	authBad      string // not base64, or malformed
	authUnknown  string // no such mechanism
	authCanceled string
	authTwice    string
	userPrompt   string // of AUTH LOGIN, before base64
	passPrompt   string
	tlsRequired  string
	authRequired string
	mailOK       string
	rcptOK       string
	dataGo       string
	chunkOK      string
	queued       string
	reset        string
	noop         string
	bye          string
	badSender    string // MAIL FROM is not the login
	badAddress   string
	badFrom      string // the From header
	badContent   string // malformed data: bare CR or LF, 8-bit, long lines
	tooLarge     string
	tooMany      string // recipients
	badSequence  string
	badSyntax    string
	badParam     string
	unknown      string // command
	noRecipients string
	busy         string // 421
	// The replies to a client that exceeds a limit: messages of a connection,
	// connections at once, messages of an hour.
	perConnection, tooManyConnections, tooFast string
}

// Profiles lists the values of Config.Profile, [Plain] first.
func Profiles() []string {
	var names []string
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}

// Plain is the profile of a server that offers every extension, accepts every
// sender and imitates no provider.
const Plain = "plain"

func profiles() []profile {
	return []profile{plainProfile(), qqProfile(), netEaseProfile(), gmailProfile(), microsoftProfile(), passwordsOffProfile(), passwordsGoneProfile()}
}

func findProfile(name string) (profile, error) {
	if name == "" {
		name = Plain
	}
	for _, p := range profiles() {
		if p.name != name {
			continue
		}
		if p.provider == "" {
			return p, nil
		}
		facts, ok := provider.ByID(p.provider)
		if !ok || len(facts.Domains) == 0 {
			return profile{}, fmt.Errorf("profile %s: no facts about the provider %q", name, p.provider)
		}
		return p.withFacts(facts), nil
	}
	return profile{}, fmt.Errorf("no profile %q; there are %s", name, strings.Join(Profiles(), ", "))
}

// DefaultLogin returns the account of a profile if the Config names none:
// me@qq.com, me@163.com, me@gmail.com, me@contoso.onmicrosoft.com and, for
// plain, me@example.org. Its secret is [Password].
func DefaultLogin(profile string) (string, error) {
	p, err := findProfile(profile)
	if err != nil {
		return "", err
	}
	return "me@" + p.domain, nil
}

// TakesPasswords reports whether a profile accepts passwords, so that [Password] works
// with every mechanism; otherwise it works as an OAuth 2.0 token only.
func TakesPasswords(profile string) bool {
	p, err := findProfile(profile)
	return err == nil && p.passwordsOff == ""
}

// offer is the reply to EHLO in one state of a connection.
type offer struct {
	lines []string
	caps  smtp.Capabilities
}

// ehloOffer returns the profile's EHLO lines without those that the Config
// withholds.
func (p profile) ehloOffer(cfg Config, secure, clientCertificate bool) offer {
	listed := p.before
	if secure {
		listed = p.after
	}
	o := offer{}
	for i, line := range listed {
		keyword, rest, _ := strings.Cut(line, " ")
		if i > 0 && withheld(cfg.Without, keyword) {
			continue
		}
		if i > 0 && keyword == "AUTH" && (len(cfg.Mechanisms) > 0 || strings.Contains(rest, "EXTERNAL")) {
			line = authLine(strings.Fields(rest), cfg.Mechanisms, clientCertificate)
		}
		if i > 0 && strings.HasPrefix(keyword, "AUTH=") && len(cfg.Mechanisms) > 0 {
			continue
		}
		if keyword == "SIZE" && cfg.MaxSize > 0 {
			line = fmt.Sprintf("SIZE %d", cfg.MaxSize)
		}
		if line != "" {
			o.lines = append(o.lines, line)
		}
	}
	if cfg.AllowCleartextPassword && !secure && !withheld(cfg.Without, "AUTH") && !hasKeyword(o.lines, "AUTH") {
		for _, line := range p.after {
			if rest, ok := strings.CutPrefix(line, "AUTH "); ok {
				o.lines = append(o.lines, authLine(withoutPlus(strings.Fields(rest)), cfg.Mechanisms, clientCertificate))
			}
		}
	}
	if line := limitsLine(cfg.Limits); line != "" && !withheld(cfg.Without, "LIMITS") {
		o.lines = append(o.lines, line)
	}
	o.caps = smtp.ParseCapabilities(smtp.Reply{Code: 250, Lines: o.lines})
	return o
}

// without returns the offer without one keyword.
func (o offer) without(keyword string) offer {
	var lines []string
	for i, line := range o.lines {
		if word, _, _ := strings.Cut(line, " "); i == 0 || word != keyword {
			lines = append(lines, line)
		}
	}
	return offer{lines: lines, caps: smtp.ParseCapabilities(smtp.Reply{Code: 250, Lines: lines})}
}

// ehloReply returns the offer as a reply to EHLO.
func (o offer) ehloReply() string {
	var b strings.Builder
	for i, line := range o.lines {
		if i < len(o.lines)-1 {
			b.WriteString("250-" + line + "\n")
		} else {
			b.WriteString("250 " + line)
		}
	}
	return b.String()
}

// authLine lists the mechanisms; EXTERNAL only for a client that showed a
// certificate. It returns "" if none is left.
func authLine(listed, only []string, clientCertificate bool) string {
	if len(only) > 0 {
		listed = only
	}
	listed = slices.DeleteFunc(slices.Clone(listed), func(m string) bool {
		return m == "EXTERNAL" && !clientCertificate
	})
	if len(listed) == 0 {
		return ""
	}
	return "AUTH " + strings.Join(listed, " ")
}

func withoutPlus(mechanisms []string) []string {
	return slices.DeleteFunc(mechanisms, func(m string) bool { return strings.HasSuffix(m, "-PLUS") })
}

func hasKeyword(lines []string, keyword string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return strings.EqualFold(word, keyword)
	})
}

// withheld reports whether the Config withholds a keyword; AUTH includes the
// old-style AUTH= line.
func withheld(without []string, keyword string) bool {
	keyword, _, _ = strings.Cut(keyword, "=")
	if strings.EqualFold(keyword, "BINARYMIME") && withheld(without, "CHUNKING") {
		return true // BINARYMIME requires CHUNKING (RFC 3030 section 3)
	}
	return slices.ContainsFunc(without, func(w string) bool { return strings.EqualFold(w, keyword) })
}
