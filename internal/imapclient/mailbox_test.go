package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/smtpclient"
)

// clock is set by the test.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{date} }

func (c *clock) tell() time.Time { return c.now }

// patient is a connection that lengthens its next short wait, so that earlier
// output of the server is read even on a busy machine.
type patient struct {
	net.Conn
	once *atomic.Bool
}

func (p patient) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && time.Until(t) < 100*time.Millisecond && p.once.CompareAndSwap(true, false) {
		t = time.Now().Add(5 * time.Second)
	}
	return p.Conn.SetReadDeadline(t)
}

// open calls Open and fails the test on an error.
func open(t *testing.T, cfg imapclient.Config) *imapclient.Mailbox {
	t.Helper()
	b, err := imapclient.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// must appends a message and fails the test on an error.
func must(t *testing.T, b *imapclient.Mailbox, text string) {
	t.Helper()
	if folder, err := b.Append(t.Context(), letter{text: text}, date); err != nil || folder != "Sent" {
		t.Fatalf("%q, %v", folder, err)
	}
}

// verbs returns a client's commands, without tags and arguments.
func verbs(heard []string) string {
	var said []string
	for _, line := range heard {
		if words := strings.Fields(line); len(words) > 1 {
			said = append(said, words[1])
		}
	}
	return strings.Join(said, " ")
}

// enter plays the session up to the folder.
func (s *script) enter(caps string) {
	s.t.Helper()
	s.login(caps)
	s.list(`* LIST (\Sent) "/" Sent`)
}

// saves plays a session in which messages are saved until the client logs out.
func saves(caps string, messages int) func(s *script) {
	return func(s *script) {
		s.enter(caps)
		for range messages {
			s.upload(`"Sent"`, "OK saved")
		}
		s.bye()
	}
}

func TestOneLoginIsForManyMessages(t *testing.T) {
	t.Parallel()
	for _, caps := range []string{"", "LITERAL+"} {
		cfg, server := serve(t, saves(caps, 5))
		b := open(t, cfg)
		want := ""
		for i := range 5 {
			text := fmt.Sprintf("Subject: %d\r\n\r\n", i)
			must(t, b, text)
			want += text
		}
		b.Close()
		b.Close()
		s := server.end()
		if got := verbs(s.heard); got != "LOGIN LIST APPEND APPEND APPEND APPEND APPEND LOGOUT" {
			t.Errorf("the client said %s", got)
		}
		if s.body != want {
			t.Errorf("the server has %q", s.body)
		}
		if _, err := b.Append(t.Context(), letter{text: hello}, date); !errors.Is(err, imapclient.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// A refused message does not affect later ones.
func TestARefusedMessageLeavesTheConnection(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.enter("APPENDLIMIT=1000")
		tag, _, _ := strings.Cut(s.line(), " ")
		s.say(tag + " NO [LIMIT] not this one")
		s.upload(`"Sent"`, "NO not this one either")
		s.upload(`"Sent"`, "OK saved")
		s.bye()
	})
	b := open(t, cfg)
	for _, m := range []letter{{text: hello}, {text: hello}, {text: hello, size: 1001}} {
		folder, err := b.Append(t.Context(), m, date)
		if at := failure(t, err); at.Stage != imapclient.StageAppend || errors.Is(err, imapclient.ErrUnknown) || folder != "" {
			t.Errorf("%q, %v", folder, err)
		}
	}
	must(t, b, hello)
	b.Close()
	if got := verbs(server.end().heard); got != "LOGIN LIST APPEND APPEND APPEND LOGOUT" {
		t.Errorf("the client said %s", got)
	}
}

// A connection that was silent for a while is checked first.
func TestASilentConnectionIsAskedAbout(t *testing.T) {
	t.Parallel()
	for idle, asked := range map[time.Duration]bool{0: false, 5*time.Second - 1: false, 5 * time.Second: true, time.Hour: true, -time.Second: true} {
		for _, used := range []bool{false, true} {
			t.Run(fmt.Sprint(idle, " ", used), func(t *testing.T) {
				t.Parallel()
				want := "LOGIN LIST"
				cfg, server := serve(t, func(s *script) {
					s.enter("")
					if used {
						s.upload(`"Sent"`, "OK saved")
					}
					if asked {
						s.say("* 23 EXISTS", s.want("NOOP")+" OK here")
					}
					s.upload(`"Sent"`, "OK saved")
					s.bye()
				})
				now := newClock()
				cfg.Now = now.tell
				b := open(t, cfg)
				if used {
					must(t, b, hello)
					want += " APPEND"
				}
				now.now = now.now.Add(idle)
				if asked {
					want += " NOOP"
				}
				must(t, b, hello)
				b.Close()
				if got := verbs(server.end().heard); got != want+" APPEND LOGOUT" {
					t.Errorf("the client said %s", got)
				}
			})
		}
	}
}

// A connection that has ended between two messages is replaced, and each
// message is saved once.
func TestALostConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		caps string
		idle time.Duration
		end  func(s *script) // after the first message
		want string          // the commands other than logins
	}{
		"hung up":                    {"", 0, func(*script) {}, ""},
		"hung up, LITERAL+":          {"LITERAL+", 0, func(*script) {}, ""},
		"hung up long ago, LITERAL+": {"LITERAL+", time.Hour, func(*script) {}, ""},
		"hung up with a reason":      {"LITERAL+", 0, func(s *script) { s.say("* BYE Autologout") }, ""},
		"asked, and a BYE": {"LITERAL+", time.Hour, func(s *script) {
			s.line()
			s.say("* BYE Autologout")
		}, " NOOP"},
		"asked, a BYE and an OK": {"LITERAL+", time.Hour, func(s *script) {
			s.say("* BYE Autologout", s.want("NOOP")+" OK all the same")
		}, " NOOP"},
		"asked, and logged out": {"LITERAL+", time.Hour, func(s *script) {
			s.say(s.want("NOOP") + " BAD Who are you?")
		}, " NOOP"},
		"asked, and no answer": {"LITERAL+", time.Hour, func(s *script) { _, _ = io.Copy(io.Discard, s.r) }, ""},
		"hung up on the command": {"", time.Hour, func(s *script) {
			s.say(s.want("NOOP") + " OK")
			s.line()
		}, " NOOP APPEND"},
		"hung up on the command with a reason": {"", time.Hour, func(s *script) {
			s.say(s.want("NOOP") + " OK")
			s.line()
			s.say("* BYE Your token has expired")
		}, " NOOP APPEND"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, func(s *script) {
				s.enter(tc.caps)
				s.upload(`"Sent"`, "OK saved")
				tc.end(s)
			}, saves(tc.caps, 2))
			now := newClock()
			once := &atomic.Bool{}
			cfg.Now = now.tell
			cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				return patient{conn, once}, err
			}
			if strings.Contains(name, "no answer") {
				cfg.Timeout = time.Second
			}
			b := open(t, cfg)
			must(t, b, "1\r\n")
			if strings.HasPrefix(name, "hung up") && tc.want == "" {
				<-server.over
				once.Store(tc.idle == 0)
			}
			now.now = now.now.Add(tc.idle)
			must(t, b, "2\r\n")
			must(t, b, "3\r\n")
			b.Close()
			s := server.end()
			got := verbs(s.heard)
			if tc.want == "" {
				got = strings.ReplaceAll(got, " NOOP", "") // one may have reached the server's system
			}
			if got != "LOGIN LIST APPEND"+tc.want+" LOGIN LIST APPEND APPEND LOGOUT" {
				t.Errorf("the client said %s", got)
			}
			if s.body != "1\r\n2\r\n3\r\n" {
				t.Errorf("the server has %q", s.body)
			}
		})
	}
}

// A BYE that came together with the last answer is noticed.
func TestAByeBesideTheAnswerIsHeard(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"OK saved\r\n* BYE Enough", "NO full\r\n* BYE Enough", "* BYE Enough\r\nOK saved", "* BYE Enough\r\nNO full"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, func(s *script) {
				s.enter("LITERAL+")
				tag, _, _ := strings.Cut(s.line(), " ")
				s.octets(5)
				if bye, status, first := strings.Cut(answer, "Enough\r\n"); first {
					s.say(bye, tag+" "+status)
				} else {
					s.say(tag + " " + answer)
				}
				if asked := verbs([]string{s.line()}); asked != "" && strings.HasPrefix(answer, "*") {
					t.Errorf("after a BYE the client sends %s", asked)
				}
				_, _ = io.Copy(io.Discard, s.r)
			}, saves("LITERAL+", 1))
			b := open(t, cfg)
			_, err := b.Append(t.Context(), letter{text: "1\r\n"}, date)
			if (err == nil) != strings.Contains(answer, "OK") || errors.Is(err, imapclient.ErrUnknown) {
				t.Error(err)
			}
			must(t, b, "2\r\n")
			b.Close()
			if s := server.end(); s.body != "1\r\n\r\n2\r\n" || strings.Count(verbs(s.heard), "APPEND") != 2 {
				t.Errorf("%q, %q", s.heard, s.body)
			}
		})
	}
}

// A connection is replaced once per call; the end of the new one is an error.
func TestAConnectionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	falls := func(s *script) {
		s.enter("")
		s.line()
		s.say("* BYE Out of order")
	}
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.upload(`"Sent"`, "OK saved")
		s.line()
	}, falls, saves("", 1))
	b := open(t, cfg)
	must(t, b, "1\r\n")
	_, err := b.Append(t.Context(), letter{text: "2\r\n"}, date)
	if at := failure(t, err); at.Stage != imapclient.StageAppend || at.Reply.String() != "BYE Out of order" || errors.Is(err, imapclient.ErrUnknown) {
		t.Error(err)
	}
	must(t, b, "3\r\n") // the Mailbox is still usable
	b.Close()
	if s := server.end(); verbs(s.heard) != "LOGIN LIST APPEND APPEND LOGIN LIST APPEND LOGIN LIST APPEND LOGOUT" || s.body != "1\r\n3\r\n" {
		t.Errorf("%q, %q", s.heard, s.body)
	}
}

// If the first command on a new connection fails, it is not repeated on another
// one.
func TestANewConnectionIsNotReplaced(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.line()
	}, saves("", 1))
	b := open(t, cfg)
	if _, err := b.Append(t.Context(), letter{text: "1\r\n"}, date); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	must(t, b, "2\r\n")
	b.Close()
	if s := server.end(); verbs(s.heard) != "LOGIN LIST APPEND LOGIN LIST APPEND LOGOUT" || s.body != "2\r\n" {
		t.Errorf("%q, %q", s.heard, s.body)
	}
}

// After the first octet of a message no second copy is tried.
func TestAMessageIsNeverAppendedTwice(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		caps    string
		message letter
		end     func(s *script)
		is      error
	}{
		"answer lost": {"", letter{text: "2\r\n"}, func(s *script) {
			s.line()
			s.say("+")
			s.octets(5)
		}, imapclient.ErrUnknown},
		"answer lost, LITERAL+": {"LITERAL+", letter{text: "2\r\n"}, func(s *script) {
			s.line()
			s.octets(5)
		}, imapclient.ErrUnknown},
		"BYE for an answer": {"", letter{text: "2\r\n"}, func(s *script) {
			s.line()
			s.say("+")
			s.octets(5)
			s.say("* BYE")
		}, imapclient.ErrUnknown},
		"cut in the middle": {"", letter{text: strings.Repeat("2\r\n", 8<<20)}, func(s *script) {
			s.line()
			s.say("+")
			s.octets(1000)
			s.body = s.body[:3]
		}, nil},
		"an answer that is none": {"", letter{text: "2\r\n"}, func(s *script) {
			s.line()
			s.say("tomorrow")
		}, imapclient.ErrMalformed},
		"its source fails": {"", letter{text: "2\r\n", err: io.ErrNoProgress}, func(s *script) {
			s.line()
			s.say("+")
			_, _ = io.Copy(io.Discard, s.r)
		}, smtpclient.ErrContent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := func(s *script) {
				s.enter(tc.caps)
				s.upload(`"Sent"`, "OK saved")
				tc.end(s)
			}
			plays := []func(s *script){first}
			ends := tc.is == imapclient.ErrUnknown
			if !ends {
				plays = append(plays, saves(tc.caps, 1))
			}
			cfg, server := serve(t, plays...)
			b := open(t, cfg)
			must(t, b, "1\r\n")
			_, err := b.Append(t.Context(), tc.message, date)
			if at := failure(t, err); at.Stage != imapclient.StageAppend || tc.is != nil && !errors.Is(err, tc.is) || errors.Is(err, imapclient.ErrUnknown) != ends {
				t.Error(err)
			}
			if ends {
				_, err := b.Append(t.Context(), letter{text: "3\r\n"}, date)
				if failure(t, err); !errors.Is(err, imapclient.ErrClosed) || errors.Is(err, imapclient.ErrUnknown) {
					t.Error(err)
				}
			} else {
				must(t, b, "3\r\n")
			}
			b.Close()
			s := server.end()
			if want := map[bool]int{true: 2, false: 3}[ends]; strings.Count(verbs(s.heard), "APPEND") != want {
				t.Errorf("the client said %q", s.heard)
			}
		})
	}
}

// A refused login is not repeated for each message.
func TestAConnectionThatCannotBeReplaced(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.upload(`"Sent"`, "OK saved")
	}, func(s *script) {
		s.say("* OK [CAPABILITY IMAP4rev1] ready")
		tag, _, _ := strings.Cut(s.line(), " ")
		s.say(tag + " NO [AUTHENTICATIONFAILED] hunter22 is not the password any more")
	})
	b := open(t, cfg)
	must(t, b, hello)
	<-server.over
	_, err := b.Append(t.Context(), letter{text: hello}, date)
	if at := failure(t, err); at.Stage != imapclient.StageLogin || at.Reply.Code != "AUTHENTICATIONFAILED" {
		t.Error(err)
	}
	for range 3 {
		if _, err := b.Append(t.Context(), letter{text: hello}, date); !errors.Is(err, imapclient.ErrClosed) {
			t.Error(err)
		}
	}
	b.Close()
	if got := strings.Count(verbs(server.end().heard), "LOGIN"); got != 2 {
		t.Errorf("%d logins", got)
	}
}
