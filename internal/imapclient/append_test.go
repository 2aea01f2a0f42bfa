package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/smtpclient"
)

// errLost stands for the system's error for a cut connection, which differs by
// system.
var errLost = errors.New("connection lost")

var date = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 8*3600))

// failure returns the *Error of Append and checks that it contains no secret.
func failure(t testing.TB, err error) *imapclient.Error {
	t.Helper()
	var at *imapclient.Error
	if !errors.As(err, &at) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if shown := fmt.Sprintf("%v %+v %q", err, at, at.Folders); strings.Contains(shown, "hunter22") {
		t.Errorf("the error contains the password: %s", shown)
	}
	return at
}

func TestAppendPutsTheMessageIntoSent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ caps, announce string }{
		"asked":              {"", "{22}"},
		"LITERAL+":           {"LITERAL+", "{22+}"},
		"LITERAL-":           {"LITERAL-", "{22+}"},
		"large enough":       {"APPENDLIMIT=22", "{22}"},
		"limit of a mailbox": {"APPENDLIMIT", "{22}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var message string
			cfg, server := serve(t, func(s *script) {
				s.login(tc.caps)
				s.list(`* LIST () "/" INBOX`, `* LIST (\HasNoChildren \Sent) "/" "Sent"`)
				message = s.upload(`"Sent"`, "OK [APPENDUID 1 2] saved")
				s.bye()
			})
			folder, err := imapclient.Append(t.Context(), cfg, letter{text: hello}, date)
			if err != nil || folder != "Sent" {
				t.Fatalf("%q, %v", folder, err)
			}
			heard := server.end().heard
			if message != hello {
				t.Errorf("the server has %q", message)
			}
			if want := `y3 APPEND "Sent" (\Seen) "04-Mar-2026 05:06:07 +0800" ` + tc.announce; heard[2] != want {
				t.Errorf("the client said %q, want %q", heard[2], want)
			}
			if last := heard[len(heard)-1]; !strings.HasSuffix(last, " LOGOUT") {
				t.Errorf("the client left with %q", last)
			}
		})
	}
}

func TestAppendWithoutADate(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.login("")
		s.list(`* LIST (\Sent) "/" Sent`)
		s.upload(`"Sent"`, "OK")
		s.bye()
	})
	if _, err := imapclient.Append(t.Context(), cfg, letter{text: hello}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := server.end().heard[2]; got != `y3 APPEND "Sent" (\Seen) {22}` {
		t.Errorf("%q", got)
	}
}

// Check stops after finding the folder.
func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.login("")
		s.list(`* LIST (\Sent) "/" Sent`)
		s.bye()
	})
	if folder, err := imapclient.Check(t.Context(), cfg); err != nil || folder != "Sent" {
		t.Fatalf("%q, %v", folder, err)
	}
	if heard := server.end().heard; len(heard) != 3 {
		t.Errorf("the client said %q", heard)
	}
}

// The outcome of the copy is exact: refused, not saved, or unknown.
func TestAppendThatFails(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 1<<18) // 16 MiB, more than any socket buffers
	for name, tc := range map[string]struct {
		caps    string
		message letter
		play    func(s *script, tag string)
		reply   string
		is      error
	}{
		"refused before": {"", letter{text: hello}, func(s *script, tag string) {
			s.say(tag + " NO [OVERQUOTA] Mailbox is full")
			s.line()
		}, "NO [OVERQUOTA] Mailbox is full", nil},
		"no such literal": {"", letter{text: hello}, func(s *script, tag string) {
			s.say(tag + " BAD no")
			s.line()
		}, "BAD no", nil},
		"refused behind": {"", letter{text: hello}, func(s *script, tag string) {
			s.say("+")
			s.octets(len(hello) + 2)
			s.say(tag + " NO [TRYCREATE] gone")
			s.line()
		}, "NO [TRYCREATE] gone", nil},
		"refused in the middle": {"", letter{text: long}, func(s *script, tag string) {
			s.say("+")
			s.octets(1000)
			s.say("* NO [ALERT] Disk is full", tag+" NO [UNAVAILABLE] try later")
			_, _ = io.Copy(io.Discard, s.r)
		}, "NO [UNAVAILABLE] try later (Disk is full)", nil},
		"hangs up with a reason": {"", letter{text: long}, func(s *script, tag string) {
			s.say("+")
			s.octets(1000)
			s.say("* BYE Shutting down")
		}, "BYE Shutting down", nil},
		"cut in the middle": {"", letter{text: long}, func(s *script, tag string) {
			s.say("+")
			s.octets(1000)
		}, "", errLost},
		"accepts before the end": {"", letter{text: long}, func(s *script, tag string) {
			s.say("+")
			s.octets(1000)
			s.say(tag + " OK saved")
			_, _ = io.Copy(io.Discard, s.r)
		}, "", imapclient.ErrMalformed},
		"accepts a part": {"", letter{text: long, size: int64(len(long)) + 1}, func(s *script, tag string) {
			s.say("+")
			s.octets(len(long) - 50_000)
			s.say(tag + " OK saved")
			_, _ = io.Copy(io.Discard, s.r)
		}, "", smtpclient.ErrContent},
		"cut before the go-ahead": {"", letter{text: hello}, func(*script, string) {}, "", io.ErrUnexpectedEOF},
		"answer lost": {"", letter{text: hello}, func(s *script, tag string) {
			s.say("+")
			s.octets(len(hello) + 2)
		}, "", imapclient.ErrUnknown},
		"answer lost, LITERAL+": {"LITERAL+", letter{text: hello}, func(s *script, tag string) {
			s.octets(len(hello) + 2)
		}, "", imapclient.ErrUnknown},
		"BYE for an answer": {"", letter{text: hello}, func(s *script, tag string) {
			s.say("+")
			s.octets(len(hello) + 2)
			s.say("* BYE Shutting down")
		}, "BYE Shutting down", imapclient.ErrUnknown},
		"garbage for an answer": {"", letter{text: hello}, func(s *script, tag string) {
			s.say("+")
			s.octets(len(hello) + 2)
			s.say("tomorrow")
		}, "", imapclient.ErrUnknown},
		"too large": {"APPENDLIMIT=21", letter{text: hello}, nil, "", smtpclient.ErrTooLarge},
		"source fails": {"", letter{text: hello, err: io.ErrNoProgress}, func(s *script, tag string) {
			s.say("+")
			_, _ = io.Copy(io.Discard, s.r)
		}, "", io.ErrNoProgress},
		"too short": {"LITERAL+", letter{text: hello, size: 30}, func(s *script, tag string) {
			_, _ = io.Copy(io.Discard, s.r)
		}, "", smtpclient.ErrContent},
		"too long": {"", letter{text: hello, size: 10}, func(s *script, tag string) {
			s.say("+")
			_, _ = io.Copy(io.Discard, s.r)
		}, "", smtpclient.ErrContent},
		"too long and deaf": {"", letter{text: hello, size: 10, deaf: true}, func(s *script, tag string) {
			s.say("+")
			_, _ = io.Copy(io.Discard, s.r)
		}, "", smtpclient.ErrContent},
		"a NUL": {"", letter{text: "a\x00\r\n"}, func(s *script, tag string) {
			s.say("+")
			_, _ = io.Copy(io.Discard, s.r)
		}, "", smtpclient.ErrContent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			appends := 0
			cfg, server := serve(t, func(s *script) {
				s.login(tc.caps)
				s.list(`* LIST (\Sent) "/" Sent`)
				if tc.play == nil {
					s.bye()
					return
				}
				tag, rest, _ := strings.Cut(s.line(), " ")
				if strings.HasPrefix(rest, "APPEND ") {
					appends++
				}
				tc.play(s, tag)
			})
			_, err := imapclient.Append(t.Context(), cfg, tc.message, date)
			at := failure(t, err)
			if at.Stage != imapclient.StageAppend || at.Reply.String() != tc.reply {
				t.Errorf("%s: %q", at.Stage, at.Reply)
			}
			if tc.is == errLost && at.Err == nil || tc.is != nil && tc.is != errLost && !errors.Is(err, tc.is) || tc.is == nil && at.Err != nil {
				t.Errorf("%v is not %v", err, tc.is)
			}
			if unknown := tc.is == imapclient.ErrUnknown; errors.Is(err, imapclient.ErrUnknown) != unknown {
				t.Errorf("unknown: %v", err)
			}
			server.end()
			if appends > 1 {
				t.Errorf("appended %d times", appends)
			}
		})
	}
}

// The last octet is sent only after the message has ended without an error.
func TestAPartNeverPassesForTheWhole(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	for name, m := range map[string]letter{
		"source fails behind its last octet": {text: long, err: io.ErrNoProgress},
		"goes on behind its last octet":      {text: long, size: 99_990, deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := 0
			cfg, server := serve(t, func(s *script) {
				s.login("")
				s.list(`* LIST (\Sent) "/" Sent`)
				s.line()
				s.say("+")
				n, _ := io.Copy(io.Discard, s.r)
				got = int(n)
			})
			if _, err := imapclient.Append(t.Context(), cfg, m, date); !errors.Is(err, smtpclient.ErrContent) {
				t.Errorf("%v", err)
			}
			server.end()
			if got >= int(m.Size()) {
				t.Errorf("the server has %d octets of %d", got, m.Size())
			}
		})
	}
}

// watched is a connection that records the last read deadline.
type watched struct {
	net.Conn
	until  atomic.Pointer[time.Time]
	writes atomic.Int32
}

func (w *watched) Write(p []byte) (int, error) {
	w.writes.Add(1)
	return w.Conn.Write(p)
}

func (w *watched) SetReadDeadline(t time.Time) error {
	w.until.Store(&t)
	return w.Conn.SetReadDeadline(t)
}

func (w *watched) SetDeadline(t time.Time) error {
	w.until.Store(&t)
	return w.Conn.SetDeadline(t)
}

// watching is a message that checks the deadline while it is written.
type watching struct {
	letter
	conn *watched
	t    *testing.T
}

func (w watching) WriteTo(out io.Writer) (int64, error) {
	if until := w.conn.until.Load(); until == nil || !until.IsZero() {
		w.t.Errorf("a read deadline of %v is set during the upload", until)
	}
	before := w.conn.writes.Load()
	n, err := w.letter.WriteTo(out)
	if more := w.conn.writes.Load() - before; more > 0 {
		w.t.Errorf("a message of %d octets is written in at least %d pieces", n, more)
	}
	return n, err
}

// A slow line is no failure: the time for the answer begins after the upload.
func TestTheAnswerHasItsTimeBehindTheMessage(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.login("")
		s.list(`* LIST (\Sent) "/" Sent`)
		s.upload(`"Sent"`, "OK saved")
		s.bye()
	})
	conn := &watched{}
	cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		conn.Conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return conn, err
	}
	if _, err := imapclient.Append(t.Context(), cfg, watching{letter{text: hello}, conn, t}, date); err != nil {
		t.Error(err)
	}
	server.end()
}

// large is a message that is generated while it is written.
type large int64

func (n large) Size() int64 { return int64(n) }

func (n large) WriteTo(w io.Writer) (int64, error) {
	line := []byte(strings.Repeat("x", 76) + "\r\n")
	var written int64
	for written < int64(n) {
		k, err := w.Write(line[:min(int64(len(line)), int64(n)-written)])
		written += int64(k)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

func TestMemoryDoesNotGrowWithTheMessage(t *testing.T) {
	const size = 64 << 20
	var got int64
	cfg, server := serve(t, func(s *script) {
		s.login("LITERAL+")
		s.list(`* LIST (\Sent) "/" Sent`)
		tag, _, _ := strings.Cut(s.line(), " ")
		s.say("+ go")
		got, _ = io.CopyN(io.Discard, s.r, size+2)
		s.say(tag + " OK")
		s.bye()
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := imapclient.Append(t.Context(), cfg, large(size), date)
	runtime.ReadMemStats(&after)
	server.end()
	if err != nil || got != size+2 {
		t.Fatalf("%d octets, %v", got, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > size/4 { // TLS allocates this much for its records
		t.Errorf("%d MiB were allocated for both sides", grown>>20)
	}
	if !strings.HasSuffix(server.heard[2], fmt.Sprintf("{%d}", size)) {
		t.Errorf("%q does not wait for a continuation request", server.heard[2])
	}
}

func TestWaitsAreBounded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		stage imapclient.Stage
		play  func(s *script)
	}{
		"greeting": {imapclient.StageConnect, func(*script) {}},
		"login":    {imapclient.StageLogin, func(s *script) { s.say("* OK [CAPABILITY IMAP4rev1] hi"); s.line() }},
		"list":     {imapclient.StageFolder, func(s *script) { s.login(""); s.line() }},
		"go-ahead": {imapclient.StageAppend, func(s *script) { s.login(""); s.list(`* LIST (\Sent) "/" Sent`); s.line() }},
		"answer": {imapclient.StageAppend, func(s *script) {
			s.login("LITERAL+")
			s.list(`* LIST (\Sent) "/" Sent`)
			s.line()
			s.octets(len(hello) + 2)
		}},
	} {
		for _, want := range []error{os.ErrDeadlineExceeded, context.Canceled} {
			t.Run(fmt.Sprint(name, ", ", want), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				cfg, server := serve(t, func(s *script) {
					tc.play(s)
					if want == context.Canceled {
						cancel()
					}
					_, _ = io.Copy(io.Discard, s.r)
				})
				if want == os.ErrDeadlineExceeded {
					cfg.Timeout = time.Second
				}
				start := time.Now()
				_, err := imapclient.Append(ctx, cfg, letter{text: hello}, date)
				if took := time.Since(start); took > 8*time.Second {
					t.Errorf("it took %v", took)
				}
				at := failure(t, err)
				if at.Stage == imapclient.StageTLS && name == "greeting" {
					at.Stage = imapclient.StageConnect // the server finishes its handshake first
				}
				if at.Stage != tc.stage || !errors.Is(err, want) {
					t.Error(err)
				}
				if unknown := errors.Is(err, imapclient.ErrUnknown); unknown != (name == "answer") {
					t.Errorf("unknown %v: %v", unknown, err)
				}
				server.end()
			})
		}
	}
}

// A server that stops reading is not waited for any longer.
func TestAStalledUploadEnds(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	cfg, _ := serve(t, func(s *script) {
		s.login("")
		s.list(`* LIST (\Sent) "/" Sent`)
		s.line()
		s.say("+")
		<-stop
	})
	cfg.Timeout = time.Second
	_, err := imapclient.Append(t.Context(), cfg, large(256<<20), date)
	close(stop)
	if at := failure(t, err); at.Stage != imapclient.StageAppend || !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, imapclient.ErrUnknown) {
		t.Errorf("%v", err)
	}
}
