package settingsimport

import (
	"io/fs"
	"strings"

	"github.com/yanmail/yan/account"
)

// gitSettings returns the variables of git's section sendemail. "" marks those that are imported;
// for the others it returns the reason why not.
//
// QUIRK: git encrypts only if smtpEncryption is set, unlike Yan.
func gitSettings() map[string]Reason {
	return map[string]Reason{
		"smtpserver": "", "smtpserverport": "", "smtpencryption": "", "smtpssl": "", "smtpuser": "", "smtppass": "",
		"from": "", "smtpsslcertpath": "", "smtpsslclientcert": "", "smtpsslclientkey": "", "smtpdomain": "", "smtpauth": "",
		"identity": "", "sendmailcmd": LocalProgram,

		"smtpserveroption": NoCounterpart, "smtpbatchsize": NoCounterpart, "smtprelogindelay": NoCounterpart,
		"envelopesender": NoCounterpart, "to": NoCounterpart, "cc": NoCounterpart, "bcc": NoCounterpart,
		"tocmd": NoCounterpart, "cccmd": NoCounterpart, "headercmd": NoCounterpart, "suppresscc": NoCounterpart,
		"suppressfrom": NoCounterpart, "signedoffbycc": NoCounterpart, "signedoffcc": NoCounterpart, "thread": NoCounterpart,
		"chainreplyto": NoCounterpart, "confirm": NoCounterpart, "validate": NoCounterpart, "transferencoding": NoCounterpart,
		"annotate": NoCounterpart, "multiedit": NoCounterpart, "aliasesfile": NoCounterpart, "aliasfiletype": NoCounterpart,
		"xmailer": NoCounterpart, "composeencoding": NoCounterpart, "assume8bitencoding": NoCounterpart,
		"forbidsendmailvariables": NoCounterpart, "mailmap": NoCounterpart, "outlookidfix": NoCounterpart,
		"imapsentfolder": NoCounterpart, "useimaponly": NoCounterpart,
	}
}

// gitReading collects the settings of git's files.
type gitReading struct {
	*reading
	table    map[string]Reason
	base     map[string]setting            // of [sendemail]
	identity map[string]map[string]setting // of [sendemail "NAME"]
	order    []string                      // of the identities
	user     map[string]setting            // of [user]
	begins   map[string]setting            // first setting of each identity, "" for the base
}

// readGit reads files; later ones override earlier ones.
func (r *reading) readGit(files []string) error {
	g := &gitReading{reading: r, table: gitSettings(), base: map[string]setting{}, identity: map[string]map[string]setting{},
		user: map[string]setting{}, begins: map[string]setting{}}
	for _, file := range files {
		text, err := r.readText(file)
		if err != nil {
			return err
		}
		if err := g.readGitFile(file, text, 1); err != nil {
			return err
		}
	}
	if len(g.begins) == 0 && len(r.settings.Notes) == 0 && r.usual {
		return fs.ErrNotExist // most users have settings of git, few have settings of git send-email
	}
	g.makeAccounts()
	return nil
}

func (g *gitReading) readGitFile(file, text string, depth int) error {
	list, bad := gitLines(text)
	if bad != 0 {
		return &ProblemError{File: file, Line: bad, Problem: BadSyntax}
	}
	for _, v := range list {
		s := setting{name: v.shown, value: v.value, file: file, line: v.line}
		switch v.section {
		case "include":
			if v.name == "path" {
				if err := g.readIncluded(s, depth); err != nil {
					return err
				}
			}
		case "includeif":
			g.addNote(s.note(Conditional))
		case "user":
			g.user[v.name] = s
		case "sendemail":
			g.addVariable(v, s)
		}
	}
	return nil
}

// readIncluded reads a file that another file includes. Like git it continues if the file is missing,
// but with a note.
func (g *gitReading) readIncluded(s setting, depth int) error {
	file := g.path(s.value, s.file)
	text, ok := g.readInclude(s.note(""), file, depth+1)
	if !ok {
		return nil
	}
	return g.readGitFile(file, text, depth+1)
}

func (g *gitReading) addVariable(v gitLine, s setting) {
	reason, known := g.table[v.name]
	switch {
	case !known:
		if v.bare {
			s.value = ""
		}
		g.addNote(unknownSetting(s, g.table))
		return
	case reason != "":
		g.addNote(s.note(reason))
		return
	}
	if _, seen := g.begins[v.subsection]; !seen {
		g.begins[v.subsection] = s
		if v.subsection != "" {
			g.order = append(g.order, v.subsection)
			g.identity[v.subsection] = map[string]setting{}
		}
	}
	if v.subsection == "" {
		g.base[v.name] = s
	} else {
		g.identity[v.subsection][v.name] = s
	}
}

// makeAccounts creates an account from the section and one from each identity, which overrides it.
func (g *gitReading) makeAccounts() {
	chosen := g.base["identity"].value
	if _, names := g.base["smtpserver"]; names {
		g.makeAccount(string(Git), g.begins[""], g.base, chosen == "")
	} else if len(g.order) == 0 {
		n := Note{Reason: NoServer}
		if s, ok := g.begins[""]; ok {
			n = s.note(NoServer)
			n.Setting = ""
		} else {
			n.File = g.settings.Files[len(g.settings.Files)-1]
		}
		g.addNote(n)
	}
	for _, name := range g.order {
		all := map[string]setting{}
		for k, s := range g.base {
			all[k] = s
		}
		for k, s := range g.identity[name] {
			all[k] = s
		}
		g.makeAccount(name, g.begins[name], all, chosen == name)
	}
	if chosen != "" && g.identity[chosen] == nil {
		n := g.base["identity"].note(BadValue)
		n.Detail = chosen
		g.addNote(n)
	}
}

func (g *gitReading) makeAccount(name string, at setting, all map[string]setting, isDefault bool) {
	d := accountDraft{FoundAccount: FoundAccount{Account: account.Account{Name: name}, File: at.file, Line: at.line, Default: isDefault}}
	value := func(name string) string { return all[name].value }
	if server := all["smtpserver"]; strings.HasPrefix(server.value, "/") {
		g.addNote(server.note(LocalProgram)) // a path names a program like sendmail
		return
	}
	d.host = value("smtpserver")
	if s := all["smtpserverport"]; s.value != "" {
		var ok bool
		if d.port, ok = parsePort(s.value); !ok {
			g.addNote(s.note(BadValue))
		}
	}
	g.setEncryption(&d, all)
	d.sender = value("from")
	if d.sender == "" && g.user["email"].value != "" {
		d.sender, d.realName = g.user["email"].value, g.user["name"].value
	}
	d.Account.LocalName = value("smtpdomain")
	if s, given := all["smtpsslcertpath"]; given && s.value == "" {
		g.addNote(s.note(ProtectionOff)) // an empty path switches the check off
	} else if given {
		g.setAuthorities(&d, s)
	}
	d.Account.TLSCert = g.path(value("smtpsslclientcert"), all["smtpsslclientcert"].file)
	d.Account.TLSKey = g.path(value("smtpsslclientkey"), all["smtpsslclientkey"].file)
	if d.Account.TLSCert != "" && d.Account.TLSKey == "" {
		d.Account.TLSKey = d.Account.TLSCert
	}
	g.setLogin(&d, all)
	g.finishAccount(d)
}

// setAuthorities imports a CA file. A directory can't be imported: OpenSSL looks up certificates there
// by hash.
func (g *gitReading) setAuthorities(d *accountDraft, s setting) {
	file := g.path(s.value, s.file)
	if _, err := g.read(file); err != nil {
		n := s.note(NoCounterpart)
		n.Detail = file
		g.addNote(n)
		return
	}
	d.Account.TLSCA = file
}

func (g *gitReading) setEncryption(d *accountDraft, all map[string]setting) {
	s, given := all["smtpencryption"]
	if old, is := all["smtpssl"]; is && !given { // its old name
		if parseBool(old.value) {
			d.security = implicitTLS
		}
		return
	}
	switch strings.ToLower(s.value) {
	case "ssl":
		d.security = implicitTLS
	case "tls":
		d.security = starttls
		if d.port == 0 {
			d.port = 25 // default of Net::SMTP; Yan's is 587
		}
	case "", "none":
	default:
		g.addNote(s.note(BadValue))
	}
}

// parseBool parses a boolean as git does.
func parseBool(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

func (g *gitReading) setLogin(d *accountDraft, all map[string]setting) {
	d.user = all["smtpuser"].value
	d.login = d.user != ""
	d.Password = Password{all["smtppass"].value}
	auth := all["smtpauth"]
	switch list := strings.Fields(auth.value); {
	case strings.EqualFold(auth.value, "none"):
		d.login = false
	case len(list) == 1:
		d.mechanism, d.mechanismAt = list[0], auth.note(Mechanism)
	case len(list) > 1:
		n := auth.note(NoCounterpart) // a list: Yan picks the best mechanism
		n.Detail = auth.value
		g.addNote(n)
	}
	if !d.login && !d.Password.IsZero() {
		g.addNote(all["smtppass"].note(Unused))
	}
}
