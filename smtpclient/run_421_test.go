package smtpclient_test

import (
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A server that answers 421 may still read on, and be cut off later: a reply after the 421 proves
// that it did, and a following message is in doubt. The server is cut off after every octet that
// it sends.
func TestRunOnAServerThatReadsOnAfter421(t *testing.T) {
	t.Parallel()
	const bye = "421 4.3.2 closing\r\n"
	var cases atomic.Int64
	t.Cleanup(func() {
		if n := cases.Load(); n < 1500 {
			t.Errorf("only %d cases", n)
		}
	})
	for name, way := range runWays() {
		for _, says := range []letter{{from: "bye", to: "x"}, {from: "a", to: "bye x"}, {from: "last", to: "x"}} {
			t.Run(name+"/"+says.from+" "+says.to, func(t *testing.T) {
				t.Parallel()
				list := slices.Concat([]letter{{from: "a", to: "x"}, says}, slices.Repeat([]letter{{from: "a", to: "x y"}}, 3))
				for k := range 800 {
					cfg := plainConfig()
					l := newLedger(way(&cfg)...)
					l.lmtp, l.stays, l.holds, l.cut = cfg.LMTP, true, true, cut{received: -1, sent: k}
					server := &heard{}
					cfg, _, done := pipe(cfg, func(conn net.Conn) {
						server.Conn = conn
						l.serve(server)
					})
					var results []smtpclient.Result
					if conn, err := smtpclient.Dial(t.Context(), cfg); err == nil {
						results = slices.Collect(conn.RunSource(t.Context(), source(t, list)))
						conn.Quit(t.Context())
					}
					<-done
					// If the 421 is its last reply, it has hung up and not read on.
					if !strings.Contains(server.said, bye) || strings.HasSuffix(server.said, bye) {
						continue
					}
					cases.Add(1)
					l.compare(t, results)
					if t.Failed() {
						t.Fatalf("cut off after %d octets", k)
					}
				}
			})
		}
	}
}

// heard records the server's replies.
type heard struct {
	net.Conn
	said string
}

func (h *heard) Write(p []byte) (int, error) {
	n, err := h.Conn.Write(p)
	h.said += string(p[:n])
	return n, err
}

// A message that was taken before the 421, but not begun, is returned as lost.
func TestRunBeginsNothingAfter421(t *testing.T) {
	t.Parallel()
	cfg := plainConfig()
	l := newLedger("PIPELINING", "CHUNKING")
	l.stays = true
	results := carry(t, l, cfg, source(t, []letter{{from: "last", to: "x y", all: true}, {from: "a", to: "x"}}))
	if len(results) != 2 || statuses(results[0]) != "deferred deferred" {
		t.Fatalf("%v", results)
	}
	if r := results[1]; r.Outcomes[0].Status != smtp.NotTried || r.Outcomes[0].Reply.Code != 421 || !r.Lost || len(l.books["1"]) > 0 {
		t.Errorf("%v, lost %v; the server has %v", r.Outcomes, r.Lost, l.books)
	}
}

// With LMTP the first reply to a message shows that the server has it: the outcome of the other
// recipients is unknown, whatever the first reply was.
func TestLMTPEndsBetweenReplies(t *testing.T) {
	t.Parallel()
	for _, caps := range [][]string{nil, {"PIPELINING"}, {"PIPELINING", "CHUNKING"}} {
		cfg := plainConfig()
		cfg.LMTP = true
		l := newLedger(caps...) // answers 421 once, and hangs up
		results := carry(t, l, cfg, source(t, []letter{{from: "last", to: "x y"}}))
		if len(results) != 1 || statuses(results[0]) != "deferred unknown" || results[0].Lost {
			t.Errorf("%v: %v", caps, results)
		}
	}
}
