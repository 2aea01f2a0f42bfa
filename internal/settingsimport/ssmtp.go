package settingsimport

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
)

// ssmtpSettings returns the settings of ssmtp. "" marks those that are imported; for the others it
// returns the reason why not.
//
// QUIRK: ssmtp checks certificates only if a CA is configured.
func ssmtpSettings() map[string]Reason {
	return map[string]Reason{
		"mailhub": "", "remoteport": "", "usetls": "", "usestarttls": "", "usetlscert": "", "tlscert": "", "tlskey": "",
		"tls_ca_file": "", "authuser": "", "authpass": "", "authmethod": "", "rewritedomain": "", "hostname": "",
		"fromlineoverride": "", "addheader": "",

		"root": NoCounterpart, "minuserid": NoCounterpart, "debug": NoCounterpart, "tls_ca_dir": NoCounterpart,
		"useoldauth": NoCounterpart,
	}
}

// readSsmtp reads the machine's account, and the line of this user in revaliases, which may name
// another address or server.
func (r *reading) readSsmtp(file string) error {
	text, err := r.readText(file)
	if err != nil {
		return err
	}
	values, headers := r.ssmtpLines(file, text)
	own, err := r.revaliases(filepath.Join(filepath.Dir(file), "revaliases"))
	if err != nil {
		return err
	}
	hub := values["mailhub"]
	if own.hub.value != "" {
		hub = own.hub
	}
	if hub.value == "" {
		r.addNote(Note{File: file, Reason: NoServer})
		return nil
	}
	d := accountDraft{FoundAccount: FoundAccount{Account: account.Account{Name: string(SSMTP)}, File: file, Line: values["mailhub"].line, Default: true}}
	d.host, d.port = r.splitHub(hub)
	if number := values["remoteport"]; number.value != "" && d.port == 0 {
		_, d.port = r.splitHub(setting{name: number.name, value: ":" + number.value, file: number.file, line: number.line})
	}
	r.ssmtpTLS(&d, values)
	r.ssmtpLogin(&d, values)
	d.sender = firstNonEmpty(own.address, r.ssmtpSender(values))
	d.Account.LocalName = values["hostname"].value
	for _, s := range headers {
		r.setHeader(&d, s.note(""), s.value)
	}
	r.finishAccount(d)
	return nil
}

// ssmtpLines parses lines of "name=value". The first AuthUser and AuthPass count; of the other
// settings the last.
func (r *reading) ssmtpLines(file, text string) (values map[string]setting, headers []setting) {
	values = map[string]setting{}
	table := ssmtpSettings()
	line := 0
	for raw := range strings.SplitSeq(text, "\n") {
		line++
		raw = strings.Trim(raw, " \t\r")
		if raw == "" || raw[0] == '#' {
			continue
		}
		s := setting{name: raw, file: file, line: line}
		if i := strings.IndexAny(raw, "= \t"); i >= 0 {
			s.name, s.value = raw[:i], strings.TrimLeft(raw[i:], "= \t")
		}
		name := strings.ToLower(s.name)
		reason, known := table[name]
		switch {
		case !known:
			r.addNote(unknownSetting(s, table))
		case reason != "":
			r.addNote(s.note(reason))
		case name == "addheader":
			headers = append(headers, s)
		default:
			if name == "authpass" || name == "authuser" {
				if values[name].name != "" {
					r.addNote(s.note(Unused))
					continue
				}
			} else if name != "rewritedomain" && name != "hostname" { // the others are one word
				s.value, _, _ = strings.Cut(s.value, "#")
				s.value = strings.TrimSpace(s.value)
			}
			values[name] = s
		}
	}
	return values, headers
}

// splitHub splits "host:port".
func (r *reading) splitHub(s setting) (host string, n int) {
	host, number, given := strings.Cut(s.value, ":")
	if !given {
		return host, 0
	}
	n, ok := parsePort(number)
	if !ok {
		r.addNote(s.note(BadValue))
	}
	return host, n
}

func (r *reading) ssmtpTLS(d *accountDraft, values map[string]setting) {
	yes := func(name string) bool { return strings.EqualFold(values[name].value, "yes") }
	switch {
	case yes("usestarttls"):
		d.security = starttls
	case yes("usetls"):
		d.security = implicitTLS
	}
	if d.port == 0 {
		d.port = 25 // ssmtp's default with and without encryption
	}
	d.Account.TLSCA = values["tls_ca_file"].value
	cert, key := values["tlscert"], values["tlskey"]
	if cert.value != "" && !yes("usetlscert") {
		r.addNote(cert.note(Unused))
		return
	}
	d.Account.TLSCert = cert.value
	if cert.value != "" {
		d.Account.TLSKey = firstNonEmpty(key.value, cert.value)
	}
}

func (r *reading) ssmtpLogin(d *accountDraft, values map[string]setting) {
	d.user = values["authuser"].value
	d.login = d.user != ""
	d.Password = Password{values["authpass"].value}
	if s := values["authmethod"]; s.value != "" {
		d.mechanism, d.mechanismAt = s.value, s.note(Mechanism)
	}
	if !d.login && !d.Password.IsZero() {
		r.addNote(values["authpass"].note(Unused))
	}
}

// ssmtpSender returns user@domain, as ssmtp writes it. If messages may have a From of their own,
// the login name is more likely to be the sender, if it is an address.
func (r *reading) ssmtpSender(values map[string]setting) string {
	login := values["authuser"].value
	if strings.EqualFold(values["fromlineoverride"].value, "yes") && strings.Contains(login, "@") {
		return login
	}
	domain := values["rewritedomain"].value
	domain = domain[strings.LastIndexByte(domain, '@')+1:]
	switch {
	case domain != "" && r.User != "":
		return r.User + "@" + domain
	case strings.Contains(login, "@"):
		return login
	case r.User != "" && strings.Contains(values["hostname"].value, "."):
		return r.User + "@" + values["hostname"].value
	}
	return ""
}

// alias is a line of revaliases: "user:address[:mailhub[:port]]".
type alias struct {
	address string
	hub     setting
}

// revaliases returns the line of this user. The file is usually missing.
func (r *reading) revaliases(file string) (own alias, err error) {
	text, err := r.readText(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return alias{}, nil
	case errors.Is(err, fs.ErrPermission):
		r.addNote(Note{File: file, Reason: Unreadable, Detail: err.Error()})
		return alias{}, nil
	case err != nil:
		return alias{}, err
	}
	line := 0
	for raw := range strings.SplitSeq(text, "\n") {
		line++
		raw = strings.TrimSpace(raw)
		if raw == "" || raw[0] == '#' {
			continue
		}
		parts := strings.SplitN(raw, ":", 3)
		n := Note{File: file, Line: line, Setting: parts[0]}
		switch {
		case len(parts) < 2:
			n.Reason, n.Setting = Syntax, ""
			r.addNote(n)
		case parts[0] != r.User || r.User == "":
			n.Reason = OtherUser
			r.addNote(n)
		default:
			own.address = strings.TrimSpace(parts[1])
			if len(parts) == 3 {
				own.hub = setting{name: parts[0], value: strings.TrimSpace(parts[2]), file: file, line: line}
			}
		}
	}
	return own, nil
}
