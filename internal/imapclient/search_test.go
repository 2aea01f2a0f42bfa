package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/yanmail/yan/internal/imapclient"
)

const sought = "<1.a+b@example.org>"

// The client's commands in a search.
const (
	examine  = `EXAMINE "Sent"`
	asked    = `UID SEARCH HEADER Message-ID "<1.a+b@example.org>"`
	askedNot = `UID SEARCH HEADER Message-ID "1.a+b@example.org"`
	fields   = ` (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID X-MICROSOFT-ORIGINAL-MESSAGE-ID)])`
)

// header returns a response to FETCH as servers send it.
func header(n int, id string) []string {
	text := "Message-ID: " + id + "\r\n\r\n"
	return []string{fmt.Sprintf("* %d FETCH (UID %d BODY[HEADER.FIELDS (MESSAGE-ID)] {%d}", n, n+100, len(text)), text + ")"}
}

// exchange is an expected command and the server's response; the last line
// follows the tag.
type exchange struct {
	want string
	say  []string
}

func opened(messages int) exchange {
	return exchange{examine, []string{fmt.Sprintf("* %d EXISTS", messages), `* FLAGS (\Seen)`, "OK [READ-ONLY] done"}}
}

func says(want string, lines ...string) exchange { return exchange{want, lines} }

func (s *script) exchange(all []exchange) {
	s.t.Helper()
	for _, x := range all {
		tag := s.want(x.want)
		last := len(x.say) - 1
		s.say(append(append([]string{}, x.say[:last]...), tag+" "+x.say[last])...)
	}
}

// shows responds to a FETCH of the messages from first on with these IDs.
func shows(fetch string, first int, ids ...string) exchange {
	var lines []string
	for i, id := range ids {
		lines = append(lines, header(first+i, id)...)
	}
	return exchange{fetch + fields, append(lines, "OK done")}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	others := make([]string, 100)
	for i := range others {
		others[i] = fmt.Sprintf("<other-%d@example.org>", i)
	}
	nothing := []exchange{says(asked, "* SEARCH", "OK"), says(askedNot, "* SEARCH", "OK")}
	for name, tc := range map[string]struct {
		play  []exchange
		found bool
	}{
		"an empty folder": {[]exchange{opened(0)}, false},
		"found":           {[]exchange{opened(9), says(asked, "* SEARCH 107", "OK"), shows("UID FETCH 107", 7, sought)}, true},
		"found twice": {[]exchange{opened(9), says(asked, "* SEARCH 107 108", "OK"),
			shows("UID FETCH 107,108", 7, sought, sought)}, true},
		"IMAP4rev2": {[]exchange{opened(9), says(asked, `* ESEARCH (TAG "y4") UID ALL 105,108:107`, "OK"),
			shows("UID FETCH 105,107,108", 7, "<x@y>", sought, "<z@y>")}, true},
		"IMAP4rev2, nothing": {[]exchange{opened(1), says(asked, `* ESEARCH (TAG "y4") UID`, "OK"),
			says(askedNot, `* ESEARCH (TAG "y5") UID`, "OK"), shows("FETCH 1:1", 1, "<x@y>")}, false},
		"only without angle brackets": {[]exchange{opened(9), says(asked, "* SEARCH", "OK"), says(askedNot, "* SEARCH 107", "OK"),
			shows("UID FETCH 107", 7, sought)}, true},
		"a hit that is not it": {[]exchange{opened(1), says(asked, "* SEARCH", "OK"), says(askedNot, "* SEARCH 101", "OK"),
			shows("UID FETCH 101", 1, "<21.a+b@example.org>"), shows("FETCH 1:1", 1, "<21.a+b@example.org>")}, false},
		"a reply to it": {[]exchange{opened(1), says(asked, "* SEARCH 101", "OK"), shows("UID FETCH 101", 1, "<x@y>\r\nIn-Reply-To: "+sought),
			says(askedNot, "* SEARCH", "OK"), shows("FETCH 1:1", 1, "<x@y>")}, false},
		"an index that is late": {append(append([]exchange{opened(250)}, nothing...),
			shows("FETCH 151:250", 151, append(others[:99:99], sought)...)), true},
		"missing": {append(append([]exchange{opened(250)}, nothing...), shows("FETCH 151:250", 151, others...)), false},
		"search refused, and there": {[]exchange{opened(2), says(asked, "NO no index"), says(askedNot, "BAD what"),
			shows("FETCH 1:2", 1, "<x@y>", sought)}, true},
		"search refused, all looked at": {[]exchange{opened(2), says(asked, "NO no index"), says(askedNot, "BAD what"),
			shows("FETCH 1:2", 1, "<x@y>", "<z@y>")}, false},
		"a server that lists everything": {[]exchange{opened(100), says(asked, "* SEARCH "+strings.Repeat("5 ", 51), "OK"),
			says(askedNot, "* ESEARCH (TAG \"y5\") UID ALL 1:4294967295", "OK"),
			shows("FETCH 1:100", 1, others...)}, false},
		"odd responses": {[]exchange{opened(3), says(asked, "* SEARCH x 0 -1 4294967296 107 (MODSEQ 5)", "* 4 EXISTS", "* 1 RECENT", "* 5", "OK"),
			shows("UID FETCH 107", 7, sought)}, true},
		"Outlook": {append(append([]exchange{opened(2)}, nothing...), shows("FETCH 1:2", 1, "<x@y>",
			"<new@outlook.example>\r\nX-Microsoft-Original-Message-ID:\r\n "+sought)), true},
		"folded, in another case, and without brackets": {[]exchange{opened(1), says(asked, "* SEARCH 101", "OK"),
			shows("UID FETCH 101", 1, "\r\n\t1.a+b@example.org ")}, true},
		"quoted, and other items": {[]exchange{opened(1), says(asked, "* SEARCH 101", "OK"), says("UID FETCH 101"+fields,
			`* 1 FETCH (FLAGS (\Seen "a)") MODSEQ (5) body[header.fields ("message-id")] "message-id: `+sought+`" UID 101)`, "OK")}, true},
		"a message without one": {append(append([]exchange{opened(2)}, nothing...), says("FETCH 1:2"+fields,
			"* 1 FETCH (UID 101 BODY[HEADER.FIELDS (MESSAGE-ID)] {2}", "", ")", "* 2 FETCH (UID 102 BODY[HEADER.FIELDS (MESSAGE-ID)] NIL)", "OK")), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, func(s *script) {
				s.enter("")
				s.exchange(tc.play)
				s.bye()
			})
			found, err := imapclient.Search(t.Context(), cfg, sought)
			if err != nil || found != tc.found {
				t.Errorf("%v, %v", found, err)
			}
			if heard := server.end().heard; len(heard) != len(tc.play)+3 {
				t.Errorf("the client said %q", heard)
			}
		})
	}
}

// A server that does not answer every command never means "not found".
func TestSearchThatDoesNotTell(t *testing.T) {
	t.Parallel()
	others := make([]string, 100)
	for i := range others {
		others[i] = fmt.Sprintf("<other-%d@example.org>", i)
	}
	newest := shows("FETCH 2:101", 2, others...)
	for name, tc := range map[string]struct {
		play  []exchange
		reply string
		is    error
	}{
		"no such folder":     {[]exchange{says(examine, "NO [NONEXISTENT] gone")}, "NO [NONEXISTENT] gone", nil},
		"no count":           {[]exchange{says(examine, "OK")}, "", imapclient.ErrMalformed},
		"search refused":     {[]exchange{opened(101), says(asked, "NO slow"), says(askedNot, "NO too slow"), newest}, "NO too slow", nil},
		"one search refused": {[]exchange{opened(101), says(asked, "NO slow"), says(askedNot, "* SEARCH", "OK"), newest}, "NO slow", nil},
		"everything listed": {[]exchange{opened(101), says(asked, "* SEARCH "+strings.Repeat("5 ", 51), "OK"),
			says(askedNot, "* SEARCH", "OK"), newest}, "", nil},
		"hits that are not shown": {[]exchange{opened(101), says(asked, "* SEARCH 7", "OK"), says("UID FETCH 7"+fields, "* 1 FETCH (UID 7)", "OK"),
			says(askedNot, "* SEARCH", "OK"), newest}, "", nil},
		"a hit of two without an id": {[]exchange{opened(101), says(asked, "* SEARCH 7 8", "OK"),
			says("UID FETCH 7,8"+fields, "* 1 FETCH (UID 7 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <x@y>\")",
				"* 1 FETCH (UID 8 BODY[HEADER.FIELDS (MESSAGE-ID)] \"\")", "OK"), says(askedNot, "* SEARCH", "OK"), newest}, "", nil},
		"the newest refused":     {[]exchange{opened(1), says(asked, "OK"), says(askedNot, "OK"), says("FETCH 1:1"+fields, "NO sorry")}, "NO sorry", nil},
		"not all of them shown":  {[]exchange{opened(2), says(asked, "OK"), says(askedNot, "OK"), shows("FETCH 1:2", 1, "<x@y>")}, "", nil},
		"BYE":                    {[]exchange{opened(2), says(asked, "* BYE enough", "OK")}, "BYE enough", nil},
		"a header without end":   {[]exchange{opened(2), says(asked, "* SEARCH 7", "OK"), says("UID FETCH 7"+fields, "* 1 FETCH (UID 7 BODY[HEADER.FIELDS (MESSAGE-ID)] {20000}", "OK")}, "", imapclient.ErrMalformed},
		"a line without end":     {[]exchange{opened(2), says(asked, "* SEARCH "+strings.Repeat("4294967295 ", 2000), "OK")}, "", imapclient.ErrMalformed},
		"an answer without end":  {[]exchange{opened(2), says(asked, strings.Repeat("* SEARCH "+strings.Repeat("7 ", 5000)+"\r\n", 120), "OK")}, "", imapclient.ErrMalformed},
		"the end of a password":  {[]exchange{says(examine, "NO hunter22")}, "NO ****", nil},
		"a go-ahead for nothing": {[]exchange{says(examine, "+ more", "OK")}, "", imapclient.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, func(s *script) {
				s.enter("")
				s.exchange(tc.play)
				s.line()
			})
			found, err := imapclient.Search(t.Context(), cfg, sought)
			if found || err == nil {
				t.Fatalf("%v, %v", found, err)
			}
			at := failure(t, err)
			if at.Stage != imapclient.StageSearch || at.Reply.String() != tc.reply || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%s: %q: %v", at.Stage, at.Reply, err)
			}
			server.end()
		})
	}
}

// An invalid Message-ID is not searched: a part of one would match.
func TestSearchForNothing(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.bye()
	})
	b := open(t, cfg)
	for _, id := range []string{"", "<>", "<", "a b@c", "a@b\r\ny9 DELETE x", "a\x00@b", "<" + strings.Repeat("x", 998) + ">"} {
		if _, err := b.Search(t.Context(), id); failure(t, err).Stage != imapclient.StageSearch {
			t.Errorf("%q: %v", id, err)
		}
	}
	b.Close()
	if _, err := b.Search(t.Context(), sought); !errors.Is(err, imapclient.ErrClosed) {
		t.Error(err)
	}
	if got := verbs(server.end().heard); got != "LOGIN LIST LOGOUT" {
		t.Errorf("the client said %s", got)
	}
}

// A Message-ID that is not ASCII, or too long for quotes, is sent as a literal.
func TestSearchForALongOrForeignID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"<雁@例子>":    "UID SEARCH CHARSET UTF-8 HEADER Message-ID {12}",
		`<"a\b"@c>`: `UID SEARCH HEADER Message-ID "<\"a\\b\"@c>"`,
	} {
		cfg, server := serve(t, func(s *script) {
			s.enter("")
			s.exchange([]exchange{opened(1)})
			tag := s.want(want)
			if strings.HasSuffix(want, "}") {
				s.say("+ go ahead")
				if got := s.octets(len(id)); got != id {
					t.Errorf("the client said %q", got)
				}
				s.line()
			}
			s.say("* SEARCH 101", tag+" OK")
			s.exchange([]exchange{shows("UID FETCH 101", 1, id)})
			s.bye()
		})
		if found, err := imapclient.Search(t.Context(), cfg, id); !found || err != nil {
			t.Errorf("%s: %v, %v", id, found, err)
		}
		server.end()
	}
}

// NetEase shows no folder to a client that has not sent ID.
func TestSearchSaysWhoItIsFirst(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.login("ID")
		tag, rest, _ := strings.Cut(s.line(), " ")
		if !strings.HasPrefix(rest, `ID ("name" "yan"`) {
			t.Errorf("the client said %q", rest)
		}
		s.say(`* ID NIL`, tag+" OK")
		s.list(`* LIST () "/" "&XfJT0ZAB-"`)
		s.exchange([]exchange{says(`EXAMINE "&XfJT0ZAB-"`, "* 0 EXISTS", "OK")})
		s.bye()
	})
	if found, err := imapclient.Search(t.Context(), cfg, sought); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	server.end()
}

// One login serves many searches, and appending works after them.
func TestOneLoginIsForManySearches(t *testing.T) {
	t.Parallel()
	hit := []exchange{opened(9), says(asked, "* SEARCH 107", "OK"), shows("UID FETCH 107", 7, sought)}
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.exchange(hit)
		s.exchange([]exchange{says(examine, "NO not now")}) // later commands are unaffected
		s.upload(`"Sent"`, "OK saved")
		s.exchange(hit)
		s.bye()
	})
	b := open(t, cfg)
	if found, err := b.Search(t.Context(), strings.Trim(sought, "<>")); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	if found, err := b.Search(t.Context(), sought); found || failure(t, err).Reply.String() != "NO not now" {
		t.Errorf("%v, %v", found, err)
	}
	must(t, b, hello)
	if found, err := b.Search(t.Context(), sought); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	b.Close()
	if got := verbs(server.end().heard); got != "LOGIN LIST EXAMINE UID UID EXAMINE APPEND EXAMINE UID UID LOGOUT" {
		t.Errorf("the client said %s", got)
	}
}

// A connection that was cut since its last use is replaced, once.
func TestASearchReplacesAConnectionThatWasCut(t *testing.T) {
	t.Parallel()
	hit := []exchange{opened(9), says(asked, "* SEARCH 107", "OK"), shows("UID FETCH 107", 7, sought)}
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.exchange(hit)
		s.line() // and closes the connection
	}, func(s *script) {
		s.enter("")
		s.exchange(hit)
		s.bye()
	})
	b := open(t, cfg)
	for range 2 {
		if found, err := b.Search(t.Context(), sought); !found || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	}
	b.Close()
	if got := strings.Count(verbs(server.end().heard), "LOGIN"); got != 2 {
		t.Errorf("%d logins", got)
	}
}

// A search ends with a silent server and with its context.
func TestASearchIsBounded(t *testing.T) {
	t.Parallel()
	silent := func(waiting chan<- struct{}) func(s *script) {
		return func(s *script) {
			s.enter("")
			s.exchange([]exchange{opened(9)})
			s.line()
			close(waiting)
			_, _ = io.Copy(io.Discard, s.r)
		}
	}
	cfg, _ := serve(t, silent(make(chan struct{})))
	cfg.Timeout = time.Second
	if _, err := imapclient.Search(t.Context(), cfg, sought); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	waiting := make(chan struct{})
	cfg, _ = serve(t, silent(waiting))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-waiting
		cancel()
	}()
	if _, err := imapclient.Search(ctx, cfg, sought); !errors.Is(err, context.Canceled) || failure(t, err).Stage != imapclient.StageSearch {
		t.Error(err)
	}
}

func TestSearchAgainstAnotherServer(t *testing.T) {
	t.Parallel()
	for name, caps := range map[string]imap.CapSet{
		"rev1":     {imap.CapIMAP4rev1: {}},
		"LITERAL+": {imap.CapIMAP4rev1: {}, imap.CapLiteralPlus: {}, imap.CapSpecialUse: {}},
		"rev2":     {imap.CapIMAP4rev2: {}},
	} {
		for _, folder := range []string{"Sent", "已发送"} {
			t.Run(name+" "+folder, func(t *testing.T) {
				t.Parallel()
				cfg, user := peer(t, caps, false, map[string]imap.MailboxAttr{"INBOX": "", folder: imap.MailboxAttrSent})
				searchPeer(t, cfg, user, folder)
			})
		}
	}
}

func searchPeer(t *testing.T, cfg imapclient.Config, user *imapmemserver.User, folder string) {
	b := open(t, cfg)
	look := func(id string, want bool) {
		t.Helper()
		if found, err := b.Search(t.Context(), id); err != nil || found != want {
			t.Errorf("%s: %v, %v", id, found, err)
		}
	}
	look(sought, false)
	for i := range 120 { // more than are read without an index
		text := fmt.Sprintf("Subject: %s\r\nMessage-ID: <%d.a+b@example.org>\r\n\r\n%[2]d\r\n", sought, i+2)
		if _, err := b.Append(t.Context(), letter{text: text}, date); err != nil {
			t.Fatal(err)
		}
	}
	look(sought, false) // 11.a+b and 21.a+b contain it
	look("<2.a+b@example.org>", true)
	text := "message-id:\r\n " + sought + "\r\n\r\nhi\r\n"
	if _, err := b.Append(t.Context(), letter{text: text}, date); err != nil {
		t.Fatal(err)
	}
	look(sought, true)
	status, err := user.Status(folder, &imap.StatusOptions{NumMessages: true, NumUnseen: true, NumDeleted: true})
	if err != nil || *status.NumMessages != 121 || *status.NumUnseen != 0 || *status.NumDeleted != 0 {
		t.Errorf("%+v, %v", status, err)
	}
}
