package imapclient

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// listedFolder is one entry of LIST.
type listedFolder struct {
	wire string // its name in the server's encoding, as it is sent back
	name string // the decoded name
	sep  string // separator of hierarchy levels; "" if there is none
	attr []string
}

// hasAttribute reports whether the folder has an attribute.
func (f listedFolder) hasAttribute(attribute string) bool {
	return slices.ContainsFunc(f.attr, func(a string) bool { return strings.EqualFold(a, attribute) })
}

// holdsMessages reports whether it can contain messages.
func (f listedFolder) holdsMessages() bool {
	return !f.hasAttribute(`\Noselect`) && !f.hasAttribute(`\NonExistent`)
}

// hasName reports whether the user's name, decoded or in the server's encoding,
// means this folder. INBOX is the only name that ignores case.
func (f listedFolder) hasName(name string) bool {
	return f.name == name || f.wire == name || strings.EqualFold(name, "INBOX") && strings.EqualFold(f.wire, "INBOX")
}

// findFolder finds the folder of that name or, for "", the one for sent mail. It
// never creates one: a folder that the user's other programs don't show would
// hide the copy, and its name is the user's choice.
func (c *imapConn) findFolder(name string) (listedFolder, error) {
	if err := c.listFolders(name == ""); err != nil {
		return listedFolder{}, err
	}
	if name != "" {
		return c.firstFolder(fmt.Sprintf("called %q", name), func(f listedFolder) bool { return f.hasName(name) })
	}
	marked := func(f listedFolder) bool { return f.hasAttribute(`\Sent`) && f.holdsMessages() }
	if i := slices.IndexFunc(c.folders, marked); i >= 0 {
		return c.folders[i], nil
	}
	if c.caps.has("XLIST") {
		// Gmail's attributes from before RFC 6154, which some servers still
		// use.
		plain := c.folders
		c.folders = nil
		reply, err := c.runCommand(c.newCommand(`XLIST "" "*"`))
		if err != nil || reply.Status == "BYE" {
			return listedFolder{}, &Error{Stage: StageFolder, Reply: reply, Err: err}
		}
		if i := slices.IndexFunc(c.folders, marked); i >= 0 {
			return c.folders[i], nil
		}
		c.folders = plain
	}
	for _, usual := range usualNames() {
		if i := slices.IndexFunc(c.folders, func(f listedFolder) bool { return f.holdsMessages() && f.hasUsualName(usual) }); i >= 0 {
			return c.folders[i], nil
		}
	}
	return c.firstFolder("for sent mail", func(listedFolder) bool { return false })
}

// firstFolder returns the first folder that fits, or an error that lists all folders.
func (c *imapConn) firstFolder(what string, fits func(listedFolder) bool) (listedFolder, error) {
	if i := slices.IndexFunc(c.folders, fits); i >= 0 {
		return c.folders[i], nil
	}
	names := make([]string, 0, len(c.folders))
	for _, f := range c.folders {
		if f.holdsMessages() {
			names = append(names, f.name)
		}
	}
	return listedFolder{}, &Error{Stage: StageFolder, Folders: names, Err: fmt.Errorf("%w: none is %s", ErrNoFolder, what)}
}

// listFolders asks for all folders, with their special uses if requested. Plain LIST
// may return those too (RFC 6154 section 2), and does at NetEase.
func (c *imapConn) listFolders(specialUse bool) error {
	commands := []string{`LIST "" "*"`}
	if specialUse && (c.caps.has("SPECIAL-USE") && c.caps.has("LIST-EXTENDED") || c.caps.has("IMAP4REV2")) {
		commands = []string{`LIST "" "*" RETURN (SPECIAL-USE)`, commands[0]}
	}
	var reply ServerReply
	for _, command := range commands {
		c.folders = nil
		var err error
		reply, err = c.runCommand(c.newCommand(command))
		switch {
		case err != nil:
			return &Error{Stage: StageFolder, Err: err}
		case reply.Status == "OK":
			return nil
		case reply.Status == "BYE":
			return &Error{Stage: StageFolder, Reply: reply}
		}
	}
	return &Error{Stage: StageFolder, Reply: reply}
}

// usualNames lists the usual names of the folder for sent mail, the likeliest
// first.
//
// QUIRK: QQ has "Sent Messages", Microsoft "Sent Items", NetEase 已发送; none of
// the three marks it reliably.
func usualNames() []string {
	return []string{"Sent", "Sent Messages", "Sent Items", "Sent Mail", "已发送", "已发送邮件", "已发邮件", "已傳送郵件", "寄件備份",
		"送信済みメール", "送信済み", "보낸편지함", "보낸 편지함", "보낸메일함", "Gesendet", "Gesendete Objekte", "Gesendete Elemente",
		"Envoyés", "Éléments envoyés", "Enviados", "Elementos enviados", "Itens Enviados", "Inviata", "Posta inviata",
		"Verzonden", "Verzonden items", "Отправленные", "Wysłane"}
}

// hasUsualName reports whether the folder has a name at the top level, below
// INBOX, where some servers keep everything, or below Gmail's own folder.
func (f listedFolder) hasUsualName(name string) bool {
	own := f.name
	for _, above := range []string{"INBOX", "[Gmail]", "[Google Mail]"} {
		if n := len(above); f.sep != "" && len(own) > n && strings.EqualFold(own[:n], above) && strings.HasPrefix(own[n:], f.sep) {
			own = own[n+len(f.sep):]
			break
		}
	}
	return strings.EqualFold(own, name)
}

// parseFolder parses the arguments of LIST: attributes, separator and name (RFC
// 9051 section 7.3.1). Anything after the name is ignored.
func (c *imapConn) parseFolder(b []byte) (f listedFolder, ok bool) {
	inside, rest, ok := bytes.Cut(b, []byte(")"))
	if !ok || len(inside) == 0 || inside[0] != '(' {
		return listedFolder{}, false
	}
	for _, word := range bytes.Fields(inside[1:]) {
		f.attr = append(f.attr, string(word))
	}
	sep, rest, ok := cutString(rest)
	if !ok {
		return listedFolder{}, false
	}
	if !strings.EqualFold(sep, "NIL") {
		f.sep = sep
	}
	f.wire, _, ok = cutString(rest)
	f.name = c.redact.cleanText([]byte(decodeName(f.wire)))
	return f, ok && f.wire != ""
}

// cutString removes an optionally quoted string, and the spaces before it.
func cutString(b []byte) (s string, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " ")
	if len(b) == 0 {
		return "", nil, false
	}
	if b[0] != '"' {
		word, rest, _ := bytes.Cut(b, []byte(" "))
		return string(word), rest, true
	}
	var out []byte
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '"':
			return string(out), b[i+1:], true
		case b[i] == '\\' && i+1 < len(b):
			i++
		}
		out = append(out, b[i])
	}
	return "", nil, false
}
