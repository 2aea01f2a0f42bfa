package settingsimport

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/account"
)

// msmtpSettings returns the account settings of msmtp. "" marks those that are imported; for the
// others it returns the reason why not.
//
// QUIRK: msmtp encrypts only with "tls on", unlike Yan.
func msmtpSettings() map[string]Reason {
	return map[string]Reason{
		"host": "", "port": "", "protocol": "", "domain": "", "from": "", "from_full_name": "", "socket": "",
		"auth": "", "user": "", "password": "", "passwordeval": "",
		"tls": "", "tls_starttls": "", "tls_trust_file": "", "tls_fingerprint": "", "tls_key_file": "", "tls_cert_file": "",
		"tls_certcheck": "", "tls_nocertcheck": ProtectionOff, "proxy_host": "", "proxy_port": "",

		"set_date_header": Fits, "set_msgid_header": Fits, "set_from_header": "", "add_missing_date_header": Fits,
		"add_missing_from_header": "", "remove_bcc_headers": Always, "keepbcc": NoCounterpart,
		"timeout": Differs, "connect_timeout": NoCounterpart, "auto_from": NoCounterpart, "maildomain": NoCounterpart,
		"allow_from_override": NoCounterpart, "undisclosed_recipients": NoCounterpart, "aliases": NoCounterpart,
		"dsn_notify": NoCounterpart, "dsn_return": NoCounterpart, "logfile": NoCounterpart,
		"logfile_time_format": NoCounterpart, "syslog": NoCounterpart, "source_ip": NoCounterpart, "ntlmdomain": NoCounterpart,
		"tls_crl_file": NoCounterpart, "tls_priorities": NoCounterpart, "tls_force_sslv3": NoCounterpart,
		"tls_min_dh_prime_bits": NoCounterpart, "tls_host_override": "",
	}
}

// setting is a setting with its place in a file.
type setting struct {
	name, value string
	file        string
	line        int
}

func (s setting) note(reason Reason) Note {
	return Note{File: s.file, Line: s.line, Setting: s.name, Reason: reason}
}

// msmtpSection is an account of msmtp while its file is read.
type msmtpSection struct {
	at       setting // of "account NAME"
	settings map[string]setting
	own      int // number of settings that are not inherited
	bases    []string
}

func (b *msmtpSection) copyOf(from map[string]setting) {
	for name, s := range from {
		b.settings[name] = s
	}
}

// readMsmtp reads the system's file and the user's own.
func (r *reading) readMsmtp(files []string) error {
	var all []*msmtpSection
	for i, file := range files {
		text, err := r.readText(file)
		if err != nil && i == 0 && len(files) > 1 && errors.Is(err, fs.ErrPermission) {
			r.addNote(Note{File: file, Reason: Unreadable, Detail: err.Error()}) // the system's file, which only its group may read
			continue
		}
		if err != nil {
			return err
		}
		all = r.msmtpBlocks(all, file, text)
	}
	byName := map[string]*msmtpSection{}
	for _, b := range all { // a later account of the same name replaces an earlier one
		byName[b.at.value] = b
	}
	chosen := ""
	if b := byName["default"]; b != nil && b.own == 0 && len(b.bases) == 1 {
		chosen = b.bases[0]
		delete(byName, "default")
	}
	for _, b := range all {
		if byName[b.at.value] != b {
			continue
		}
		r.msmtpAccount(b, b.at.value == chosen || b.at.value == "default")
	}
	return nil
}

// msmtpBlocks splits a file into its accounts. "defaults" applies to the accounts after it.
func (r *reading) msmtpBlocks(all []*msmtpSection, file, text string) []*msmtpSection {
	var (
		defaults = map[string]setting{}
		current  *msmtpSection // nil: in the defaults, or before the first block
		begun    bool
		line     int
		table    = msmtpSettings()
	)
	for raw := range strings.SplitSeq(text, "\n") {
		line++
		s, ok := msmtpLine(raw)
		if !ok {
			continue
		}
		s.file, s.line = file, line
		switch s.name {
		case "defaults":
			defaults, current, begun = map[string]setting{}, nil, true
			continue
		case "account":
			current, begun = r.msmtpBlock(s, defaults, all), true
			all = append(all, current)
			continue
		case "eval":
			r.addNote(s.note(Runs))
			continue
		}
		reason, known := table[s.name]
		switch {
		case !known:
			r.addNote(unknownSetting(s, table))
		case !begun:
			r.addNote(s.note(Unused))
		case reason != "":
			r.addNote(s.note(reason))
		case current == nil:
			defaults[s.name] = s
		default:
			current.settings[s.name] = s
			current.own++
		}
	}
	return all
}

// msmtpLine splits a line as msmtp does: a word, and the rest without one pair of quotes around it.
func msmtpLine(raw string) (setting, bool) {
	raw = strings.Trim(raw, " \t\r")
	if raw == "" || raw[0] == '#' {
		return setting{}, false
	}
	name, value := raw, ""
	if i := strings.IndexAny(raw, " \t"); i >= 0 {
		name, value = raw[:i], strings.TrimLeft(raw[i:], " \t")
	}
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return setting{name: name, value: value}, true
}

// msmtpBlock starts an account: "account NAME : BASE, BASE".
func (r *reading) msmtpBlock(s setting, defaults map[string]setting, all []*msmtpSection) *msmtpSection {
	name, bases, inherits := strings.Cut(s.value, ":")
	s.value = strings.TrimSpace(name)
	b := &msmtpSection{at: s, settings: map[string]setting{}}
	if !inherits {
		b.copyOf(defaults)
		return b
	}
	for base := range strings.SplitSeq(bases, ",") {
		base = strings.TrimSpace(base)
		found := false
		for _, other := range all {
			if other.at.value == base {
				b.copyOf(other.settings)
				found = true
			}
		}
		if !found {
			n := s.note(BadValue)
			n.Detail = base
			r.addNote(n)
			continue
		}
		b.bases = append(b.bases, base)
	}
	return b
}

// fromPolicy returns when the account's sender is written to the header. msmtp writes it if it is
// missing ("auto"), which is its default, or always ("on").
func (r *reading) fromPolicy(b *msmtpSection) string {
	s, ok := b.settings["set_from_header"]
	if !ok {
		s, ok = b.settings["add_missing_from_header"]
		if ok && s.value == "on" {
			return account.SetFromMissing
		}
		return ""
	}
	switch s.value {
	case "on", "":
		return account.SetFromAlways
	case "auto":
		return account.SetFromMissing
	case "off":
	default:
		r.addNote(s.note(BadValue))
	}
	return ""
}

// msmtpAccount creates an account from a block.
func (r *reading) msmtpAccount(b *msmtpSection, isDefault bool) {
	d := accountDraft{FoundAccount: FoundAccount{Account: account.Account{Name: b.at.value}, File: b.at.file, Line: b.at.line, Default: isDefault}}
	value := func(name string) string { return b.settings[name].value }
	d.host, d.realName = value("host"), value("from_full_name")
	d.Account.LocalName = value("domain")
	d.Account.SetFrom = r.fromPolicy(b)
	if v := value("port"); v != "" {
		var ok bool
		if d.port, ok = parsePort(v); !ok {
			r.addNote(b.settings["port"].note(BadValue))
		}
	}
	switch v := value("protocol"); v {
	case "", "smtp":
	case "lmtp":
		d.lmtp = true
	default:
		r.addNote(b.settings["protocol"].note(BadValue))
	}
	if v := value("socket"); v != "" {
		if d.lmtp {
			d.socket = r.path(v, b.at.file)
		} else {
			r.addNote(b.settings["socket"].note(NoCounterpart))
		}
	}
	r.msmtpSender(&d, b)
	r.msmtpTLS(&d, b)
	r.msmtpLogin(&d, b)
	if v := value("proxy_host"); v != "" {
		d.Account.Proxy = "socks5://" + bracketHost(v) + ":" + firstNonEmpty(value("proxy_port"), "1080")
	}
	r.finishAccount(d)
}

// msmtpSender sets the sender. "from" may also be a pattern for the senders that may use the
// account, and may contain placeholders for the user and the machine.
func (r *reading) msmtpSender(d *accountDraft, b *msmtpSection) {
	from := strings.ReplaceAll(b.settings["from"].value, "%U", r.User)
	switch {
	case strings.ContainsAny(from, "*?["):
		if strings.HasPrefix(from, "*@") && !strings.ContainsAny(from[2:], "*?[") {
			d.Account.Match = []string{from}
			return
		}
		r.addNote(b.settings["from"].note(BadValue))
	case strings.ContainsRune(from, '%'):
		r.addNote(b.settings["from"].note(BadValue))
	default:
		d.sender = from
	}
}

func (r *reading) msmtpTLS(d *accountDraft, b *msmtpSection) {
	on := func(name string, otherwise bool) bool {
		s, given := b.settings[name]
		if !given {
			return otherwise
		}
		switch s.value {
		case "", "on", "yes":
			return true
		case "off", "no":
			return false
		}
		r.addNote(s.note(BadValue))
		return otherwise
	}
	switch {
	case !on("tls", false):
		d.security = plaintext
	case on("tls_starttls", true):
		d.security = starttls
	default:
		d.security = implicitTLS
	}
	if d.port == 0 && !d.lmtp && d.security == starttls {
		d.port = 25 // msmtp(1), "port"; Yan's default is 587
	}
	if !on("tls_certcheck", true) {
		r.addNote(b.settings["tls_certcheck"].note(ProtectionOff))
	}
	file := func(name string) string { return r.path(b.settings[name].value, b.at.file) }
	if v := b.settings["tls_trust_file"].value; v != "system" && v != "" {
		d.Account.TLSCA = file("tls_trust_file")
	}
	d.Account.TLSCert, d.Account.TLSKey = file("tls_cert_file"), file("tls_key_file")
	d.Account.TLSName = b.settings["tls_host_override"].value
	if s := b.settings["tls_fingerprint"]; s.value != "" {
		raw, err := hex.DecodeString(strings.ReplaceAll(s.value, ":", ""))
		switch {
		case err == nil && len(raw) == 32:
			d.Account.TLSPin = "sha256:" + hex.EncodeToString(raw)
		case err == nil && (len(raw) == 20 || len(raw) == 16): // SHA-1, MD5
			r.addNote(s.note(NoCounterpart))
		default:
			r.addNote(s.note(BadValue))
		}
	}
}

func (r *reading) msmtpLogin(d *accountDraft, b *msmtpSection) {
	auth := b.settings["auth"]
	d.user = b.settings["user"].value
	password, command := b.settings["password"], b.settings["passwordeval"]
	switch auth.value {
	case "off", "no":
	case "on", "yes":
		d.login = true
	case "":
		d.login = auth.name != "" // "auth" alone is "auth on"
	default:
		d.login = true
		d.mechanism, d.mechanismAt = auth.value, auth.note(Mechanism)
	}
	if !d.login {
		for _, s := range []setting{b.settings["user"], password, command} {
			if s.value != "" {
				r.addNote(s.note(Unused))
			}
		}
		return
	}
	switch {
	case command.value != "" && password.value != "" && command.later(password):
		r.addNote(password.note(Unused))
		d.setCommand(command.value)
	case command.value != "" && password.value != "":
		r.addNote(command.note(Unused))
		d.Password = Password{password.value}
	case command.value != "":
		d.setCommand(command.value)
	default:
		d.Password = Password{password.value}
	}
}

// later reports whether s comes after another setting: an account's own line overrides an inherited
// one.
func (s setting) later(other setting) bool {
	return s.file != other.file || s.line > other.line
}

// unknownSetting notes an unknown setting and the nearest known name. It does not repeat a line
// without a value: that may be the rest of a password.
func unknownSetting(s setting, table map[string]Reason) Note {
	n := s.note(Unknown)
	n.Detail = nearestName(s.name, table)
	if n.Setting = withoutControls(excerpt.Runes(s.name, maxName)); s.value == "" && n.Detail == "" {
		n.Setting = ""
	}
	return n
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
