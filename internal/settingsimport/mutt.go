package settingsimport

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/yanmail/yan/account"
)

// muttSettings returns the variables of mutt and NeoMutt about sending. "" marks those that are
// imported; for the others it returns the reason why not. All other variables are about reading
// mail and the screen.
func muttSettings() map[string]Reason {
	return map[string]Reason{
		"from": "", "realname": "", "smtp_url": "", "smtp_user": "", "smtp_pass": "", "smtp_authenticators": "",
		"smtp_oauth_refresh_command": "", "ssl_starttls": "", "ssl_force_tls": "", "signature": "", "record": "",
		"folder": "", "copy": "", "imap_user": "", "spoolfile": "", "hostname": "", "ssl_ca_certificates_file": "",
		"ssl_client_cert": "", "sendmail": "", "sig_dashes": "", "ssl_verify_host": "", "ssl_verify_dates": "",

		"use_from": Always, "use_envelope_from": Always, "user_agent": NoCounterpart,
		"envelope_from_address": NoCounterpart, "sig_on_top": NoCounterpart, "certificate_file": NoCounterpart,
		"ssl_min_dh_prime_bits": NoCounterpart, "ssl_ciphers": NoCounterpart, "ssl_usesystemcerts": NoCounterpart,
		"ssl_use_sslv2": NoCounterpart, "ssl_use_sslv3": NoCounterpart, "ssl_use_tlsv1": NoCounterpart,
		"ssl_use_tlsv1_1": NoCounterpart, "ssl_use_tlsv1_2": NoCounterpart, "ssl_use_tlsv1_3": NoCounterpart,
		"dsn_notify": NoCounterpart, "dsn_return": NoCounterpart, "send_charset": NoCounterpart, "use_8bitmime": NoCounterpart,
		"sendmail_wait": NoCounterpart, "tunnel": NoCounterpart, "fcc_attach": NoCounterpart, "fcc_clear": NoCounterpart,
		"crypt_autosign": NoCounterpart, "crypt_autoencrypt": NoCounterpart, "postpone_encrypt": NoCounterpart,
		"reverse_name": NoCounterpart, "allow_8bit": NoCounterpart, "text_flowed": NoCounterpart, "connect_timeout": NoCounterpart,
	}
}

// muttReading collects the settings of mutt's files.
type muttReading struct {
	*reading
	table   map[string]Reason
	values  map[string]muttValue
	headers []setting
	others  map[string]Note // by file: settings that are not about sending
	order   []string        // of others
}

type muttValue struct {
	muttWord
	setting
}

// readMutt reads a file and the files that it sources.
func (r *reading) readMutt(file string) error {
	text, err := r.readText(file)
	if err != nil {
		return err
	}
	m := &muttReading{reading: r, table: muttSettings(), values: map[string]muttValue{}, others: map[string]Note{}}
	m.readLines(file, text, 1)
	for _, file := range m.order {
		r.addNote(m.others[file])
	}
	m.makeAccount(file)
	return nil
}

func (m *muttReading) readLines(file, text string, depth int) {
	logicalLines(text, func(at int, line string) {
		l := &muttLine{rest: line, lookup: m.lookup}
		for l.nextCommand() {
			verb, _ := l.nextWord(oneWord)
			m.runCommand(l, setting{name: verb.text, file: file, line: at}, depth)
			l.restOfCommand() // arguments that the command ignores
		}
	})
}

// lookup returns a variable of mutt, or else of the environment.
func (m *muttReading) lookup(name string) muttWord {
	if v, ok := m.values[name]; ok {
		return v.muttWord
	}
	if name == "HOME" {
		return muttWord{text: m.Home}
	}
	return muttWord{text: m.getenv(name)}
}

// runCommand evaluates one command as far as it is about sending.
func (m *muttReading) runCommand(l *muttLine, s setting, depth int) {
	switch s.name {
	case "set", "unset", "reset", "toggle":
		m.setVariables(l, s)
	case "source":
		m.sourceFiles(l, s, depth)
	case "my_hdr":
		w, _ := l.nextWord(toEnd)
		if w.command != "" || w.runs {
			m.addNote(s.note(Runs))
			return
		}
		s.value = w.text
		m.headers = append(m.headers, s)
	case "account-hook", "folder-hook", "send-hook", "send2-hook", "reply-hook", "startup-hook", "ifdef", "ifndef":
		if mentionsSending(l.rest) {
			m.addNote(s.note(Conditional))
			return
		}
		m.countOther(s)
	case "alternates", "fcc-hook", "fcc-save-hook", "unmy_hdr", "iconv-hook":
		m.addNote(s.note(NoCounterpart))
	default:
		m.countOther(s)
	}
}

// mentionsSending reports whether a conditional command may be about sending.
func mentionsSending(command string) bool {
	for _, word := range []string{"smtp_", "from", "my_hdr", "realname", "signature", "record", "sendmail", "source"} {
		if strings.Contains(command, word) {
			return true
		}
	}
	return false
}

// countOther counts a line that is not about sending.
func (m *muttReading) countOther(s setting) {
	n, seen := m.others[s.file]
	if !seen {
		n = Note{File: s.file, Reason: OtherMatter}
		m.order = append(m.order, s.file)
	}
	n.Count++
	m.others[s.file] = n
}

// setVariables evaluates "set name=value name noname invname", "unset name" and similar commands.
func (m *muttReading) setVariables(l *muttLine, s setting) {
	verb := s.name
	for {
		name, ok := l.nextWord(oneName)
		if !ok {
			return
		}
		s.name = name.text
		w := muttWord{text: "yes"}
		switch {
		case l.skipEquals():
			w, _ = l.nextWord(oneWord)
		case verb == "unset":
			w.text = "no"
		case verb == "reset", strings.HasPrefix(s.name, "&"):
			s.name = strings.TrimPrefix(s.name, "&")
			delete(m.values, s.name)
			continue
		case strings.HasPrefix(s.name, "?"):
			continue // only shows it
		default:
			w.text, s.name = m.impliedValue(verb, s.name)
		}
		m.assignVariable(s, w)
	}
}

// impliedValue returns the value that naming a variable sets: "no" for "noname", the opposite for
// "invname" and "toggle name".
func (m *muttReading) impliedValue(verb, name string) (value, plain string) {
	known := func(s string) bool { _, ok := m.table[s]; return ok }
	switch {
	case known(name) && verb != "toggle":
		return "yes", name
	case verb != "toggle" && known(strings.TrimPrefix(name, "no")):
		return "no", strings.TrimPrefix(name, "no")
	}
	name = strings.TrimPrefix(name, "inv")
	if m.values[name].muttWord.text == "yes" {
		return "no", name
	}
	return "yes", name
}

func (m *muttReading) assignVariable(s setting, w muttWord) {
	reason, known := m.table[s.name]
	s.value = w.text
	switch {
	case w.long:
		m.addNote(s.note(BadValue))
	case strings.HasPrefix(s.name, "my_"):
		m.values[s.name] = muttValue{w, s}
	case reason != "":
		m.addNote(s.note(reason))
	case known:
		m.values[s.name] = muttValue{w, s}
	case strings.HasPrefix(s.name, "smtp_"), strings.HasPrefix(s.name, "ssl_"):
		m.addNote(unknownSetting(s, m.table))
	default:
		m.countOther(s)
	}
}

// sourceFiles reads another file. A name that ends with a bar is a command.
func (m *muttReading) sourceFiles(l *muttLine, s setting, depth int) {
	for _, w := range l.restOfCommand() {
		if strings.HasSuffix(w.text, "|") || w.command != "" || w.runs {
			m.addNote(s.note(Runs))
			return // the rest are its arguments
		}
		file := m.path(w.text, s.file)
		if text, ok := m.readInclude(s.note(""), file, depth+1); ok {
			m.readLines(file, text, depth+1)
		}
	}
}

// plainValue returns the value of a variable that must be plain text.
func (m *muttReading) plainValue(name string) string {
	v := m.values[name]
	if v.command != "" || v.runs {
		m.addNote(v.note(Runs))
		return ""
	}
	return v.text
}

// makeAccount creates the single account that mutt has.
func (m *muttReading) makeAccount(file string) {
	at := m.values["smtp_url"].setting
	if at.line == 0 {
		n := Note{File: file, Reason: NoServer}
		if s := m.values["sendmail"]; s.line != 0 {
			n = s.note(LocalProgram)
		}
		m.addNote(n)
		return
	}
	d := accountDraft{FoundAccount: FoundAccount{Account: account.Account{Name: string(Mutt)}, File: at.file, Line: at.line, Default: true}}
	d.sender, d.realName = m.plainValue("from"), m.plainValue("realname")
	if !m.smtpURL(&d) {
		return
	}
	m.muttLogin(&d)
	for _, s := range m.headers {
		n := s.note("")
		m.setHeader(&d, n, s.value)
	}
	m.muttFiles(&d)
	m.muttSent(&d)
	for _, name := range []string{"ssl_verify_host", "ssl_verify_dates"} {
		if v := m.values[name]; v.text == "no" {
			m.addNote(v.note(ProtectionOff))
		}
	}
	if v := m.values["sig_dashes"]; v.text == "no" {
		m.addNote(v.note(NoCounterpart))
	}
	d.Account.LocalName = m.plainValue("hostname")
	m.finishAccount(d)
}

// smtpURL parses smtp[s]://[user[:password]@]host[:port]. The user may contain an @ that is not
// encoded as %40.
func (m *muttReading) smtpURL(d *accountDraft) bool {
	v := m.values["smtp_url"]
	if v.command != "" || v.runs {
		m.addNote(v.note(Runs))
		return false
	}
	scheme, rest, found := strings.Cut(v.text, "://")
	rest, _, _ = strings.Cut(rest, "/")
	at := strings.LastIndexByte(rest, '@')
	if at >= 0 {
		user, password, _ := strings.Cut(rest[:at], ":")
		d.user, d.Password = unescapePath(user), Password{unescapePath(password)}
	}
	host := rest[at+1:]
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		var ok bool
		if d.port, ok = parsePort(host[i+1:]); !ok {
			found = false
		}
		host = host[:i]
	}
	d.host = strings.Trim(host, "[]")
	if !found || d.host == "" || scheme != "smtp" && scheme != "smtps" {
		m.addNote(v.note(BadValue))
		return false
	}
	switch {
	case scheme == "smtps":
		d.security = implicitTLS
	case m.values["ssl_starttls"].text == "no" && m.values["ssl_force_tls"].text != "yes":
		d.security = plaintext
	default:
		// mutt continues in clear text if the server has no STARTTLS; Yan requires it.
		d.security = starttls
	}
	if d.port == 0 && d.security == starttls {
		d.port = 25 // mutt's default; Yan's is 587
	}
	return true
}

func unescapePath(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func (m *muttReading) muttLogin(d *accountDraft) {
	if user := m.plainValue("smtp_user"); user != "" {
		d.user = user
	}
	d.login = d.user != ""
	if s := m.values["smtp_authenticators"]; s.text != "" {
		if mechanism, more, several := strings.Cut(s.text, ":"); !several || more == "" {
			d.mechanism, d.mechanismAt = mechanism, s.note(Mechanism)
		} else {
			n := s.note(NoCounterpart) // a list: Yan picks the best mechanism
			n.Detail = s.text
			m.addNote(n)
		}
	}
	pass := m.values["smtp_pass"]
	switch {
	case pass.runs:
		m.addNote(pass.note(Runs))
	case pass.command != "":
		d.setCommand(pass.command)
	case pass.text != "":
		d.Password = Password{pass.text}
	}
	if token := m.values["smtp_oauth_refresh_command"]; token.text != "" && !token.runs {
		d.setCommand(token.text)
		d.Password = Password{}
		if d.mechanism == "" {
			d.mechanism, d.mechanismAt = "OAUTHBEARER", token.note(Mechanism)
		}
	}
	if !d.login && pass.line != 0 {
		m.addNote(pass.note(Unused))
	}
}

// muttFiles imports the files that settings name. If no signature is set, mutt appends
// ~/.signature.
func (m *muttReading) muttFiles(d *accountDraft) {
	file := func(name string) string { return m.path(m.plainValue(name), m.values[name].file) }
	d.Account.TLSCA = file("ssl_ca_certificates_file")
	if cert := file("ssl_client_cert"); cert != "" {
		d.Account.TLSCert, d.Account.TLSKey = cert, cert
	}
	v, given := m.values["signature"]
	switch {
	case strings.HasSuffix(v.text, "|"):
		m.addNote(v.note(Runs))
	case given && v.text != "no":
		d.Account.SignatureFile = file("signature")
	case !given && m.Home != "":
		usual := filepath.Join(m.Home, ".signature")
		if _, err := m.read(usual); err == nil {
			d.Account.SignatureFile = usual
		}
	}
}

// muttSent imports record, the folder for copies; "=Sent" is relative to folder. A folder on this
// machine is not imported.
func (m *muttReading) muttSent(d *accountDraft) {
	v := m.values["record"]
	record := m.plainValue("record")
	if record == "" || record == "no" || m.values["copy"].text == "no" {
		return
	}
	folder := m.plainValue("folder")
	if record[0] == '=' || record[0] == '+' {
		if record = record[1:]; strings.Contains(folder, "://") {
			record = strings.TrimSuffix(folder, "/") + "/" + record
		}
	}
	u, err := url.Parse(record)
	if err != nil || u.Scheme != "imap" && u.Scheme != "imaps" || u.Hostname() == "" {
		m.addNote(v.note(NoCounterpart))
		return
	}
	port := firstNonEmpty(u.Port(), map[string]string{"imap": "143", "imaps": "993"}[u.Scheme])
	if _, err := strconv.Atoi(port); err != nil {
		m.addNote(v.note(BadValue))
		return
	}
	d.Account.IMAP = fmt.Sprintf("%s://%s:%s", u.Scheme, bracketHost(u.Hostname()), port)
	d.Account.SentFolder = strings.Trim(u.Path, "/")
	d.Account.SaveSent = account.SaveAlways
	user := firstNonEmpty(u.User.Username(), m.plainValue("imap_user"))
	if user != "" && user != d.user {
		n := v.note(NoCounterpart) // Yan logs in to IMAP as the user of the SMTP server
		n.Detail = user
		m.addNote(n)
	}
}
