package settingsimport

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/text/spelling"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// security is the encryption that a program uses.
type security int

const (
	plaintext security = iota
	starttls
	implicitTLS
)

// accountDraft is another program's account while it is converted.
type accountDraft struct {
	FoundAccount
	// sender is the From address, realName its display name.
	sender, realName string
	host             string
	port             int // 0 means the other program's default
	socket           string
	lmtp             bool
	security         security
	// login reports whether it authenticates, as user.
	login bool
	user  string
	// mechanism is the SASL mechanism that it requires; mechanismAt is the place of that setting.
	mechanism   string
	mechanismAt Note
}

// noteAccount adds a note to the account.
func (d *accountDraft) noteAccount(reason Reason, detail string) {
	d.Notes = append(d.Notes, Note{File: d.File, Line: d.Line, Reason: reason, Detail: detail})
}

// finishAccount converts a draft to an account and adds it to the settings.
func (r *reading) finishAccount(d accountDraft) {
	d.setSender()
	r.setMechanism(&d)
	if !r.setServer(&d) {
		return
	}
	r.setSecret(&d)
	d.Account.Name = r.accountName(&d)
	if !r.dropInvalidKeys(&d) {
		return
	}
	r.settings.Found = append(r.settings.Found, d.FoundAccount)
}

// dropInvalidKeys removes settings that the configuration does not accept, and notes each.
func (r *reading) dropInvalidKeys(d *accountDraft) bool {
	for range 8 { // more often than there are keys that can be removed
		f, err := account.Parse("", nil)
		if err != nil {
			return false
		}
		a := d.Account
		a.From = firstNonEmpty(a.From, "sender@example.org") // to be added later
		err = f.Put(a)
		var wrong *account.ParseError
		if !errors.As(err, &wrong) {
			return err == nil
		}
		key := wrong.Key[strings.LastIndexByte(wrong.Key, '.')+1:]
		n := Note{File: d.File, Line: d.Line, Setting: key, Reason: BadValue}
		switch key {
		case "proxy":
			d.Account.Proxy = ""
		case "imap":
			d.Account.IMAP, d.Account.SentFolder, d.Account.SaveSent = "", "", ""
		case "tls_cert":
			d.Account.TLSCert, d.Account.TLSKey = "", ""
		case "headers":
			d.Account.Headers = nil
		case "match":
			d.Account.Match = nil
		default:
			n.Reason = NoServer
			r.addNote(n)
			return false
		}
		r.addNote(n)
	}
	return false
}

// setSender sets the sender, or the login name if that is an address.
func (d *accountDraft) setSender() {
	for _, s := range []string{d.sender, d.user} {
		box, err := message.ParseMailbox(s)
		if err != nil {
			continue
		}
		if d.realName != "" {
			box.Name = d.realName
		}
		if text := box.String(); !strings.ContainsFunc(text, unicode.IsControl) {
			d.Account.From = text
			return
		}
	}
	d.noteAccount(NoSender, "")
}

func (r *reading) setMechanism(d *accountDraft) {
	want := strings.ToUpper(d.mechanism)
	if want == "" {
		return
	}
	for _, known := range sasl.Mechanisms() {
		if want == known {
			d.Account.Auth = known
			return
		}
	}
	n := d.mechanismAt
	n.Reason, n.Detail = Mechanism, want
	r.addNote(n)
}

// setServer sets the server as a URL, or leaves it empty if the sender's provider uses the same
// server.
func (r *reading) setServer(d *accountDraft) bool {
	if d.security == starttls && speaksTLS(d.host, d.port) {
		d.security = implicitTLS
		d.noteAccount(ImplicitS, strconv.Itoa(d.port))
	}
	u := url.URL{Host: bracketHost(d.host)}
	if d.port != 0 {
		u.Host = net.JoinHostPort(d.host, strconv.Itoa(d.port))
	}
	switch {
	case d.socket != "":
		u = url.URL{Scheme: "lmtp+unix", Path: d.socket}
	case d.lmtp:
		u.Scheme = "lmtp"
	default:
		u.Scheme = map[security]string{plaintext: "smtp+notls", starttls: "smtp", implicitTLS: "smtps"}[d.security]
	}
	var sender smtp.Address
	if box, err := message.ParseMailbox(d.Account.From); err == nil {
		sender = box.Address
	}
	server, err := transport.ParseServer(u.String(), sender)
	if d.host == "" && d.socket == "" || err != nil || d.socket == "" && strings.ContainsAny(d.host, " /@?#%\\\"") {
		n := Note{File: d.File, Line: d.Line, Reason: NoServer, Setting: d.Account.Name}
		if err != nil && d.host != "" {
			n.Detail = d.host
		}
		r.addNote(n)
		return false
	}
	if u.Scheme == "smtp+notls" || u.Scheme == "lmtp" && !isLoopback(d.host) {
		d.noteAccount(Plaintext, server.String())
	}
	d.Account.Server = u.String()
	if d.login {
		d.Account.User = d.user
	}
	usual, err := transport.ParseServer("", sender)
	if err == nil && usual.User == d.Account.User && sameServer(usual, server) {
		d.Account.Server, d.Account.User = "", ""
	}
	return true
}

// speaksTLS reports whether a port uses implicit TLS, whatever the settings say.
func speaksTLS(host string, port int) bool {
	p, _ := provider.ByHost(host)
	known, ok := p.TLSFor(port)
	return port == 465 || ok && known.TLS == provider.Implicit
}

func sameServer(a, b transport.Server) bool {
	usual := func(s transport.Server) transport.Server {
		s.User, s.Provider = "", provider.Provider{}
		if s.Port == 0 {
			s.Port = map[string]int{"smtps": 465, "smtp": 587}[strings.SplitN(s.String(), ":", 2)[0]]
		}
		return s
	}
	x, y := usual(a), usual(b)
	return strings.EqualFold(x.Host, y.Host) && x.Port == y.Port && x.Security == y.Security && !x.LMTP && !y.LMTP
}

func bracketHost(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// setSecret finds the source of the password, or notes that there is none.
func (r *reading) setSecret(d *accountDraft) {
	switch {
	case !d.login || d.Account.Auth == sasl.External:
		d.Password, d.Account.Secret = Password{}, account.Secret{}
	case d.Account.Secret != (account.Secret{}):
	case !d.Password.IsZero():
	case r.inNetrc(d.host, d.user):
		d.Account.Secret.Netrc = "default"
	default:
		d.noteAccount(NoSecret, "")
	}
}

// setCommand sets the command that prints the password. A command that only repeats a word is
// replaced by that word as the password. A command that may contain the password in another form is
// not imported, since it would be in the configuration.
func (d *accountDraft) setCommand(command string) {
	d.Password = Password{}
	d.Account.Secret = account.Secret{}
	switch word, how := passwordInCommand(command); how {
	case clearly:
		d.Password = Password{word}
	case somehow:
		d.noteAccount(Spelled, "")
	default:
		d.Account.Secret.Command = command
	}
}

// maxName leaves room for a number within the 64 characters of a name.
const maxName = 56

// accountName derives a valid, unique account name of letters, digits, - and _.
func (r *reading) accountName(d *accountDraft) string {
	wanted := d.Account.Name
	plain := strings.Trim(strings.Map(func(c rune) rune {
		if c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_') {
			return c
		}
		return '-'
	}, wanted), "-")
	if plain = plain[:min(len(plain), maxName)]; plain == "" {
		plain = string(r.settings.Program)
	}
	name := plain
	for i := 2; r.names[name]; i++ {
		name = plain + "-" + strconv.Itoa(i)
	}
	r.names[name] = true
	if name != wanted {
		d.noteAccount(Renamed, wanted)
	}
	return name
}

// nearestName returns the known name most similar to word; of several the first in alphabetical order.
func nearestName(word string, table map[string]Reason) string {
	if len(word) > maxName {
		return ""
	}
	best, least := "", len(word)/3+1
	for name := range table {
		n := spelling.Distance([]rune(strings.ToLower(word)), []rune(name))
		if n < least || n == least && best != "" && name < best {
			best, least = name, n
		}
	}
	return best
}

// setHeader imports a header field for composed messages, except fields that the composer writes.
func (r *reading) setHeader(d *accountDraft, n Note, field string) {
	name, value, found := strings.Cut(field, ":")
	h := message.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
	_, notMailboxes := message.ParseMailboxList(h.Value)
	switch {
	case !found || h.Name == "" || h.Value == "":
		n.Reason = BadValue
	case strings.EqualFold(h.Name, "From"):
		d.sender = h.Value
		return
	case strings.EqualFold(h.Name, "Reply-To") && notMailboxes == nil && !strings.ContainsFunc(h.Value, unicode.IsControl):
		d.Account.ReplyTo = h.Value
		return
	case h.Check() != nil:
		n.Reason, n.Detail = NoCounterpart, withoutControls(h.Name)
	default:
		d.Account.Headers = slices.DeleteFunc(d.Account.Headers, func(o account.Header) bool { return strings.EqualFold(o.Name, h.Name) })
		d.Account.Headers = append(d.Account.Headers, account.Header(h))
		return
	}
	r.addNote(n)
}

// withoutControls replaces control characters in a text.
func withoutControls(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}

// parsePort parses a port number.
func parsePort(s string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	return n, err == nil && n > 0 && n < 65536
}
