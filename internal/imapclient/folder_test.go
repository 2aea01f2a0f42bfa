package imapclient_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
)

func TestFolderForSentMail(t *testing.T) {
	t.Parallel()
	const (
		extended = `LIST "" "*" RETURN (SPECIAL-USE)`
		plain    = `LIST "" "*"`
		xlist    = `XLIST "" "*"`
	)
	type answer struct {
		to     string
		lines  []string
		tagged string
	}
	for name, tc := range map[string]struct {
		caps    string
		ask     string
		answers []answer
		want    string // decoded name
		wire    string // name in the APPEND command
	}{
		"Dovecot": {"SPECIAL-USE LIST-EXTENDED", "", []answer{{extended, []string{
			`* LIST (\HasNoChildren \Drafts) "." Drafts`, `* LIST (\HasNoChildren \sent) "." "Sent Mail"`, `* LIST (\HasNoChildren) "." INBOX`}, "OK"}},
			"Sent Mail", `"Sent Mail"`},
		"IMAP4rev2": {"IMAP4rev2", "", []answer{{extended, []string{`* LIST (\Sent) "/" "已发送"`}, "OK"}}, "已发送", "已发送"},
		"extended LIST refused": {"SPECIAL-USE LIST-EXTENDED", "", []answer{{extended, nil, "BAD what"},
			{plain, []string{`* LIST (\Sent) "/" a`}, "OK"}}, "a", `"a"`},
		"NetEase": {"XLIST SPECIAL-USE", "", []answer{{plain, []string{
			`* LIST () "/" "INBOX"`, `* LIST (\Sent) "/" "&XfJT0ZAB-"`}, "OK LIST Completed"}}, "已发送", `"&XfJT0ZAB-"`},
		"NetEase without attributes": {"", "", []answer{{plain, []string{
			`* LIST () "/" "INBOX"`, `* LIST () "/" "&XfJT0ZAB-"`}, "OK"}}, "已发送", `"&XfJT0ZAB-"`},
		"Zoho": {"XLIST", "", []answer{{plain, []string{`* LIST (\HasNoChildren) "/" "Gesendet"`}, "OK"},
			{xlist, []string{`* XLIST (\Noinferiors \Drafts) "/" "Drafts"`, `* XLIST (\Noinferiors \Sent) "/" "Out"`}, "OK Success"}}, "Out", `"Out"`},
		"XLIST that knows nothing": {"XLIST", "", []answer{{plain, []string{`* LIST () "/" "Gesendet"`}, "OK"}, {xlist, nil, "BAD what"}},
			"Gesendet", `"Gesendet"`},
		"QQ": {"", "", []answer{{plain, []string{`* LIST (\NoSelect \HasChildren) "/" "&UXZO1mWHTvZZOQ-"`, `* LIST (\HasNoChildren) "/" "INBOX"`,
			`* LIST (\HasNoChildren) "/" "Sent Messages"`}, "OK"}}, "Sent Messages", `"Sent Messages"`},
		"Microsoft": {"", "", []answer{{plain, []string{`* LIST () "/" "Sent Items"`}, "OK"}}, "Sent Items", `"Sent Items"`},
		"Gmail":     {"", "", []answer{{plain, []string{`* LIST () "/" "[Gmail]/Sent Mail"`}, "OK"}}, "[Gmail]/Sent Mail", `"[Gmail]/Sent Mail"`},
		"Courier":   {"", "", []answer{{plain, []string{`* LIST () "." INBOX`, `* LIST () "." INBOX.Sent`}, "OK"}}, "INBOX.Sent", `"INBOX.Sent"`},
		"the likeliest": {"", "", []answer{{plain, []string{`* LIST () "/" "Sent Items"`, `* LIST () "/" "Shared/Sent"`,
			`* LIST () "/" INBOX.Sent`, `* LIST () NIL INBOXNILSent`, `* LIST () NIL sent`}, "OK"}},
			"sent", `"sent"`},
		"a literal": {"", "", []answer{{plain, []string{"* LIST (\\Sent) \"/\" {8}", `a "b\c/d`, `* LIST () "/" x`}, "OK"}}, `a "b\c/d`, `"a \"b\\c/d"`},
		"marked, and not to be opened": {"", "", []answer{{plain, []string{`* LIST (\Sent \Noselect) "/" a`, `* LIST (\Sent \NonExistent) "/" b`,
			`* LIST (\Sent) "/" c`}, "OK"}}, "c", `"c"`},
		"usual, and not to be opened": {"", "", []answer{{plain, []string{`* LIST (\Noselect) "/" Sent`, `* LIST () "/" Sent/2026`,
			`* LIST () "/" "Sent Items"`}, "OK"}}, "Sent Items", `"Sent Items"`},
		"GBK":                  {"", "已发送", []answer{{plain, []string{"* LIST () \"/\" \"\xd2\xd1\xb7\xa2\xcb\xcd\""}, "OK"}}, "已发送", "\xd2\xd1\xb7\xa2\xcb\xcd"},
		"named":                {"SPECIAL-USE LIST-EXTENDED", "已发送", []answer{{plain, []string{`* LIST (\Sent) "/" Sent`, `* LIST () "/" "&XfJT0ZAB-"`}, "OK"}}, "已发送", `"&XfJT0ZAB-"`},
		"named as it is spelt": {"", "&XfJT0ZAB-", []answer{{plain, []string{`* LIST () "/" "&XfJT0ZAB-"`}, "OK"}}, "已发送", `"&XfJT0ZAB-"`},
		"named inbox":          {"", "inbox", []answer{{plain, []string{`* LIST () "/" "INBOX"`}, "OK"}}, "INBOX", `"INBOX"`},
		"an ampersand":         {"", "R&D", []answer{{plain, []string{`* LIST () "/" "R&-D"`}, "OK"}}, "R&D", `"R&-D"`},
		"no modified UTF-7":    {"", "R&D", []answer{{plain, []string{`* LIST () "/" "R&D"`}, "OK"}}, "R&D", `"R&D"`},
		"odd responses": {"", "", []answer{{plain, []string{`* LIST`, `* LIST (`, `* LIST () `, `* LIST () "/"`, `* LIST () "/" ""`, `* LIST () "/" "x`,
			`* 3 EXISTS`, `*`, `* FLAGS (\Seen)`, `* OK {5}`, `* LIST (\Sent) "/" y ("OLDNAME" ("z"))`}, "OK"}}, "y", `"y"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, func(s *script) {
				s.login(tc.caps)
				for _, a := range tc.answers {
					tag := s.want(a.to)
					s.say(append(slices.Clone(a.lines), tag+" "+a.tagged)...)
				}
				line := s.line()
				if head, size := cutSize(line); size > 0 && strings.HasSuffix(head, "APPEND ") {
					if !strings.HasSuffix(line, "+}") {
						s.say("+ go ahead")
					}
					line = head + s.octets(size) + s.line()
				}
				tag, rest, _ := strings.Cut(line, " ")
				if !strings.HasPrefix(rest, "APPEND "+tc.wire+` (\Seen) `) {
					t.Errorf("the client said %q, want the folder %s", rest, tc.wire)
				}
				s.say(tag + " NO enough")
			})
			cfg.Folder = tc.ask
			m := large(1 << 20) // too large to be sent without a continuation request
			if _, err := imapclient.Append(t.Context(), cfg, m, date); failure(t, err).Reply.String() != "NO enough" {
				t.Error(err)
			}
			server.end()
		})
	}
}

func TestFolderNamesForPeople(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]string{
		`"&XfJT0ZAB-"`:                 "已发送",
		`"&XfJT0ZAB"`:                  "&XfJT0ZAB",  // not terminated
		`"&XfJT0ZA-"`:                  "&XfJT0ZA-",  // half a character
		`"&2D3eAQ-"`:                   "\U0001f601", // a surrogate pair
		`"&2D0-"`:                      "&2D0-",      // half of a surrogate pair
		"\"\xd2\xd1\xb7\xa2\xcb\xcd\"": "已发送",        // GBK
		"\"a\x1b[31mb\u202e\"":         "a\uFFFD[31mb\uFFFD",
		`"hunter22"`:                   "****",
	} {
		cfg, server := serve(t, func(s *script) {
			s.login("")
			s.list(`* LIST (\Sent) "/" ` + wire)
			s.bye()
		})
		if got, err := imapclient.Check(t.Context(), cfg); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", wire, got, err, want)
		}
		server.end()
	}
}

// No folder is created. The error lists the existing ones.
func TestFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	lines := []string{`* LIST (\Noselect) "/" "[Gmail]"`, `* LIST () "/" INBOX`, `* LIST () "/" "&g0l6P3ux-"`}
	for name, tc := range map[string]struct {
		ask    string
		play   func(s *script)
		reply  string
		is     error
		folder []string
	}{
		"none for sent mail": {"", func(s *script) { s.list(lines...) }, "", imapclient.ErrNoFolder, []string{"INBOX", "草稿箱"}},
		"none of that name":  {"Sent", func(s *script) { s.list(lines...) }, "", imapclient.ErrNoFolder, []string{"INBOX", "草稿箱"}},
		"none at all":        {"", func(s *script) { s.list() }, "", imapclient.ErrNoFolder, []string{}},
		"refused": {"", func(s *script) {
			s.say(s.want(`LIST "" "*"`) + " NO [SERVERBUG] sorry")
		}, "NO [SERVERBUG] sorry", nil, nil},
		"Unsafe Login": {"", func(s *script) {
			s.line()
			s.say("* BYE Unsafe Login. Please contact kefu@188.com for help") // and does not close the connection
		}, "BYE Unsafe Login. Please contact kefu@188.com for help", nil, nil},
		"a line without end": {"", func(s *script) {
			s.line()
			s.say(`* LIST () "/" "` + strings.Repeat("x", 20_000) + `"`)
		}, "", imapclient.ErrMalformed, nil},
		"a literal without end": {"", func(s *script) {
			s.line()
			s.say(`* LIST () "/" {2000000000}`)
		}, "", imapclient.ErrMalformed, nil},
		"a literal that is cut": {"", func(s *script) {
			s.line()
			s.say(`* LIST () "/" {200}`, "abc")
			s.conn.Close()
		}, "", io.ErrUnexpectedEOF, nil},
		"responses without end": {"", func(s *script) {
			s.line()
			for range 40_000 {
				if _, err := io.WriteString(s.conn, `* LIST () "/" "`+strings.Repeat("x", 100)+"\"\r\n"); err != nil {
					return
				}
			}
		}, "", imapclient.ErrMalformed, nil},
		"a go-ahead for nothing": {"", func(s *script) {
			s.line()
			s.say("+ what else?")
		}, "", imapclient.ErrMalformed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, func(s *script) {
				s.login("")
				tc.play(s)
				if line := s.line(); tc.is == imapclient.ErrNoFolder && line != "" {
					t.Errorf("the client goes on with %q", line)
				}
			})
			cfg.Folder = tc.ask
			start := time.Now()
			_, err := imapclient.Append(t.Context(), cfg, letter{text: hello}, date)
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			at := failure(t, err)
			if at.Stage != imapclient.StageFolder || at.Reply.String() != tc.reply || tc.is != nil && !errors.Is(err, tc.is) ||
				!slices.Equal(at.Folders, tc.folder) {
				t.Errorf("%s: %q, %q: %v", at.Stage, at.Reply, at.Folders, err)
			}
			server.end()
		})
	}
}
