package imapclient

import (
	"bufio"
	"bytes"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yanmail/yan/sasl"
)

// canned is a connection with all of the server's output in advance.
type canned struct {
	net.Conn
	said *bytes.Reader
}

func (c canned) Read(p []byte) (int, error)       { return c.said.Read(p) }
func (c canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c canned) Close() error                     { return nil }
func (c canned) SetDeadline(time.Time) error      { return nil }
func (c canned) SetReadDeadline(time.Time) error  { return nil }
func (c canned) SetWriteDeadline(time.Time) error { return nil }

// Whatever a server sends, the results are bounded, readable and without
// secrets.
func FuzzResponses(f *testing.F) {
	for _, said := range []string{
		"* OK [CAPABILITY IMAP4rev1 APPENDLIMIT=5 AUTH=PLAIN] hi\r\ny1 OK\r\n",
		"* LIST (\\Sent \\HasNoChildren) \"/\" \"&XfJT0ZAB-\"\r\ny1 OK done\r\n",
		"* LIST () NIL {4}\r\nSent\r\ny1 OK\r\n", "* LIST () \"/\" {4+}\r\na\"\\b (x {3}\r\nabc)\r\ny1 NO [OVERQUOTA] hunter22\r\n",
		"* BYE [UNAVAILABLE] \xc3\xdc\xc2\xeb\r\n", "+ aHVudGVyMjI=\r\n", "* NO [WEBALERT https://example.org] hunter22\r\ny1 BAD \x1b]0;\r\n",
		"y1 OK [CAPABILITY", "* {2}\r\n\r\n\r\n", "* OK {99999999}\r\n",
		"* SEARCH 1 2 3\r\n* 4 EXISTS\r\ny1 OK\r\n", "* ESEARCH (TAG \"y1\") UID ALL 1:4294967295,7\r\ny1 OK\r\n",
		"* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[HEADER.FIELDS (MESSAGE-ID)] {20}\r\nMessage-ID:\r\n <a@b>\r\n)\r\ny1 OK\r\n",
		"* 1 FETCH (BODY[ \"\r\ny1 OK\r\n", "* 1 FETCH (BODY[] NIL UID (\"(\") X\r\ny1 OK\r\n",
	} {
		f.Add([]byte(said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		for _, s := range shown(t, said) {
			if strings.Contains(s, "hunter22") || !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x1b\x00") || len(s) > 4*maxText {
				t.Errorf("%q", s)
			}
		}
	})
}

// shown runs one command and returns every text that users may see.
func shown(t *testing.T, said []byte) []string {
	server := canned{said: bytes.NewReader(said)}
	c := &imapConn{ctx: t.Context(), raw: server, rw: server, r: bufio.NewReaderSize(server, maxLine), patience: time.Second,
		redact: newRedactor(sasl.Credentials{Username: "me", Password: "hunter22"})}
	reply, err := c.runCommand(c.newCommand("NOOP"))
	texts := []string{reply.Status, reply.Code, reply.Text, reply.Alert}
	if err != nil {
		texts = append(texts, err.Error())
	}
	for _, f := range c.folders {
		texts = append(texts, f.name)
	}
	for _, uid := range c.seen.hits { // they are used in a command
		if _, err := strconv.ParseUint(uid, 10, 32); err != nil || len(c.seen.hits) > maxHits+1 {
			t.Errorf("%d hits, and %q", len(c.seen.hits), uid)
		}
	}
	if limit, ok := c.caps.appendLimit(); ok && limit < 0 {
		t.Errorf("a limit of %d", limit)
	}
	return append(texts, c.redact.cleanText([]byte(strings.Join(c.caps.mechanisms(), " "))))
}

func FuzzFolderName(f *testing.F) {
	for _, name := range []string{"&XfJT0ZAB-", "&2D3eAQ-", "&-", "a&-b", "&", "&AGE-", "&2D0-", "Sent"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		name, err := decodeUTF7(wire)
		if err != nil {
			return
		}
		if utf8.ValidString(wire) && !utf8.ValidString(name) {
			t.Errorf("%q is %q", wire, name)
		}
		if !strings.Contains(wire, "&") && name != wire {
			t.Errorf("%q became %q", wire, name)
		}
	})
}

// A string that is sent in quotes is parsed back unchanged.
func FuzzQuoted(f *testing.F) {
	f.Add(`a "b" \c`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, rest, ok := cutString([]byte(` "` + escapeQuoted(s) + `" x`)); !ok || got != s || string(rest) != " x" {
			t.Errorf("%q became %q, %q, %v", s, got, rest, ok)
		}
	})
}
