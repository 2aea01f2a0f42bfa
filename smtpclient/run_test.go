package smtpclient_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// letter is a message of a run: its sender and recipients determine its outcome (see ledger).
type letter struct {
	from   string
	to     string // separated by blanks
	all    bool
	lines  int
	broken bool // its content fails after the first half
	want   string
}

// letters returns all ways in which a message can end without harm to the next.
func letters() []letter {
	return []letter{
		{from: "a", to: "x", want: "accepted"},
		{from: "a", to: "x y z", want: "accepted accepted accepted"},
		{from: "no", to: "x", want: "refused"},
		{from: "a", to: "x no1 later1", want: "accepted refused deferred"},
		{from: "a", to: "no1 no2", want: "refused refused"},
		{from: "a", to: "x", want: "accepted"},
		{from: "body", to: "x y", want: "refused refused"},
		{from: "a", to: "y", want: "accepted"},
		{from: "a", to: "x y", all: true, want: "accepted accepted"},
		{from: "a", to: "x no3", all: true, want: "not-tried refused"},
		{from: "later", to: "x", want: "deferred"},
		{from: "a", to: "x", want: "accepted"},
	}
}

func (l letter) transaction(t testing.TB, subject string) smtpclient.Transaction {
	t.Helper()
	var to []string
	for _, name := range strings.Fields(l.to) {
		to = append(to, name+"@example.net")
	}
	data := "Subject: " + subject + "\r\n\r\nHello\r\n.dot\r\n" + strings.Repeat("line\r\n", l.lines)
	m := text{data: data}
	if l.broken {
		m = text{data: data[:len(data)/2], size: int64(len(data)), err: fmt.Errorf("disk on fire")}
	}
	x := smtpclient.Transaction{Envelope: envelope(t, l.from+"@example.org", to...), Content: m}
	if l.all {
		x.Policy = smtpclient.All
	}
	return x
}

// queueOf is a Source whose messages are all available.
type queueOf struct{ left []smtpclient.Transaction }

func (q *queueOf) Next(context.Context, bool) (smtpclient.Transaction, bool) {
	if len(q.left) == 0 {
		return smtpclient.Transaction{}, false
	}
	t := q.left[0]
	q.left = q.left[1:]
	return t, true
}

func source(t testing.TB, list []letter) *queueOf {
	q := &queueOf{}
	for i, l := range list {
		q.left = append(q.left, l.transaction(t, fmt.Sprint(i)))
	}
	return q
}

// runWays are the ways of sending a run.
func runWays() map[string]func(*smtpclient.Config) []string {
	chunking := []string{"PIPELINING", "CHUNKING", "SIZE"}
	return map[string]func(*smtpclient.Config) []string{
		"lock-step":          func(*smtpclient.Config) []string { return nil },
		"lock-step CHUNKING": func(*smtpclient.Config) []string { return []string{"CHUNKING"} },
		"PIPELINING":         func(*smtpclient.Config) []string { return []string{"PIPELINING"} },
		"PIPELINING, messages too": func(c *smtpclient.Config) []string {
			c.PipelineMessages = smtpclient.AllServers
			return []string{"PIPELINING"}
		},
		"PIPELINING, window 1": func(c *smtpclient.Config) []string {
			c.Window.Messages = 1
			return []string{"PIPELINING"}
		},
		"CHUNKING": func(*smtpclient.Config) []string { return chunking },
		"CHUNKING, window 2": func(c *smtpclient.Config) []string {
			c.Window.Messages = 2
			return chunking
		},
		"CHUNKING, 100 octets": func(c *smtpclient.Config) []string {
			c.Window.Bytes = 100
			return chunking
		},
		"CHUNKING, window 1": func(c *smtpclient.Config) []string {
			c.Window.Messages = 1
			return chunking
		},
		"LMTP": func(c *smtpclient.Config) []string {
			c.LMTP = true
			return []string{"PIPELINING"}
		},
		"LMTP, messages too": func(c *smtpclient.Config) []string {
			c.LMTP, c.PipelineMessages = true, smtpclient.AllServers
			return []string{"PIPELINING"}
		},
		"LMTP, CHUNKING": func(c *smtpclient.Config) []string {
			c.LMTP = true
			return chunking
		},
	}
}

// carry sends letters to a ledger over one connection and returns the results.
func carry(t *testing.T, l *ledger, cfg smtpclient.Config, q *queueOf) []smtpclient.Result {
	t.Helper()
	l.lmtp = cfg.LMTP
	cfg, _, done := pipe(cfg, l.serve)
	var results []smtpclient.Result
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err == nil {
		for r := range conn.RunSource(t.Context(), q) {
			results = append(results, r)
		}
		conn.Quit(t.Context())
	}
	<-done
	return results
}

// cutsForAll reports whether a withheld message under the policy All costs the connection,
// because DATA was already accepted.
func cutsForAll(way string) bool {
	return strings.Contains(way, "PIPELINING") || way == "LMTP" || way == "LMTP, messages too"
}

func statuses(r smtpclient.Result) string {
	var words []string
	for _, o := range r.Outcomes {
		words = append(words, strings.ReplaceAll(string(o.Status), " ", "-"))
	}
	return strings.Join(words, " ")
}

// Whatever happens to a message of a run, the outcomes of the others are right, and the server
// has exactly the reported messages.
func TestRunOutcomes(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		for _, holds := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", name, holds), func(t *testing.T) {
				t.Parallel()
				cfg := plainConfig()
				l := newLedger(way(&cfg)...)
				l.holds = holds
				list := slices.Concat(letters(), letters(), letters())
				q := source(t, list)
				var results []smtpclient.Result
				connections := 0
				for ; len(q.left) > 0 && connections < 9; connections++ {
					results = append(results, carry(t, l, cfg, q)...)
				}
				if len(results) != len(list) || connections > 1 && !cutsForAll(name) {
					t.Fatalf("%d results, %d connections", len(results), connections)
				}
				for i, r := range results {
					if got := statuses(r); got != list[i].want || r.Lost {
						t.Errorf("message %d from %s to %s: %s, want %s; lost %v", i, list[i].from, list[i].to, got, list[i].want, r.Lost)
					}
				}
				l.compare(t, results)
			})
		}
	}
}

// compare compares the outcomes with the server's record.
func (l *ledger) compare(t *testing.T, results []smtpclient.Result) (unknown int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, wrong := range l.wrong {
		t.Errorf("the client: %s", wrong)
	}
	for i, r := range results {
		subject := fmt.Sprint(i)
		has := slices.Clone(l.books[subject])
		for _, o := range r.Outcomes {
			at := slices.Index(has, o.Recipient.String())
			switch {
			case o.Status == smtp.Unknown && !l.whole[subject]:
				t.Errorf("message %d: %v, and the server did not get it to its end", i, o)
			case o.Status == smtp.Accepted && at < 0, o.Status != smtp.Accepted && o.Status != smtp.Unknown && at >= 0:
				t.Errorf("message %d: %v, and the server has it for %v", i, o, l.books[subject])
			}
			if o.Status == smtp.Unknown {
				unknown++
			}
			if at >= 0 {
				has = slices.Delete(has, at, at+1)
			}
		}
		if len(has) > 0 {
			t.Errorf("message %d: the server has it for %v, too", i, has)
		}
	}
	for subject, to := range l.books {
		if i, err := strconv.Atoi(subject); len(to) > 0 && (err != nil || i >= len(results)) {
			t.Errorf("message %s: the server has it for %v, but no outcome says so", subject, to)
		}
	}
	return unknown
}

// A run is cut after every octet of either side: the results are those of the messages taken, in
// order, and agree with the server's record.
func TestRunCutBehindEveryOctet(t *testing.T) {
	t.Parallel()
	var cases, unknown, lost atomic.Int64
	letters := func() []letter { l := letters(); return slices.Concat(l[:1], l[2:5], l[6:10]) }
	t.Run("ways", func(t *testing.T) {
		for name, way := range runWays() {
			if strings.HasSuffix(name, "1") || strings.HasSuffix(name, "octets") {
				continue // only lock-step and a window of 2
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for k := 0; ; k += stride {
					ended := true
					for _, c := range []cut{{received: k, sent: -1}, {received: -1, sent: k}} {
						cfg := plainConfig()
						l := newLedger(way(&cfg)...)
						l.cut = c
						q := source(t, letters())
						results := carry(t, l, cfg, q)
						cases.Add(1)
						unknown.Add(int64(l.compare(t, results)))
						for i, r := range results {
							if r.Lost {
								lost.Add(1)
								ended = false
								if !strings.Contains(statuses(r), "not-tried") {
									t.Errorf("%+v: message %d: %s, and lost", c, i, statuses(r))
								}
							}
							if want := letters()[i].want; statuses(r) != want && !strings.Contains(statuses(r), "not-tried") && !strings.Contains(statuses(r), "unknown") {
								t.Errorf("%+v: message %d: %s, want %s", c, i, statuses(r), want)
							}
						}
						ended = ended && (len(q.left) == 0 || cutsForAll(name) && len(results) == 8)
						if t.Failed() {
							t.Fatalf("cut %+v", c)
						}
					}
					if ended {
						break
					}
				}
			})
		}
	})
	if cases.Load() < 9_000/stride || unknown.Load() < 2_000/stride || lost.Load() < 5_000/stride {
		t.Errorf("only %d cases, %d unknown outcomes, %d messages lost", cases.Load(), unknown.Load(), lost.Load())
	}
	t.Logf("%d cases, %d unknown outcomes, %d messages lost", cases.Load(), unknown.Load(), lost.Load())
}

// The flights of a run: two per message with PIPELINING, one if messages may be pipelined, and a
// window of them in one with CHUNKING.
func TestRunFlights(t *testing.T) {
	t.Parallel()
	const messages = 100
	for name, want := range map[string][2]int{
		"lock-step":                {4 * messages, 4 * messages},
		"PIPELINING":               {2 * messages, 2 * messages},
		"PIPELINING, messages too": {messages + 1, messages + 1},
		"PIPELINING, window 1":     {2 * messages, 2 * messages},
		"CHUNKING":                 {4, 12},
		"CHUNKING, window 2":       {messages / 2, messages},
		"CHUNKING, 100 octets":     {messages / 3, messages / 3 * 2},
		"CHUNKING, window 1":       {messages, messages},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(runWays()[name](&cfg)...)
			l.holds = true
			cfg, rec, done := pipe(cfg, l.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			rec.flown()
			n := 0
			for r := range conn.RunSource(t.Context(), source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, messages))) {
				if statuses(r) != "accepted" {
					t.Fatalf("message %d: %v", n, r.Outcomes)
				}
				n++
			}
			if got := rec.flown(); n != messages || got < want[0] || got > want[1] {
				t.Errorf("%d messages in %d flights, want %v", n, got, want)
			}
			conn.Quit(t.Context())
			<-done
		})
	}
}

// Replies are matched to commands, however many and however similar they are.
func TestRunReplies(t *testing.T) {
	t.Parallel()
	server := &simple{caps: []string{"PIPELINING"}, reply: map[string]string{"RCPT": "250-of two lines\r\n250 ok"}}
	cfg := plainConfig()
	seen := map[string]int{}
	cfg.Trace = func(e smtpclient.Event) {
		if e.Direction == smtpclient.Received {
			seen[e.Text]++
		}
	}
	cfg, _, done := pipe(cfg, func(conn net.Conn) { server.serve(&numbering{Conn: conn}) })
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range conn.RunSource(t.Context(), source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 50))) {
		n++
		if want := fmt.Sprintf("250 2.0.0 queued as %d", n/2); r.Reply.String() != want || r.Outcomes[0].Reply.String() != want {
			t.Errorf("message %d: reply %v, outcome %v, want %s", n, r.Reply, r.Outcomes[0], want)
		}
	}
	if n != 50 {
		t.Errorf("%d results", n)
	}
	conn.Quit(t.Context())
	<-done
	// MAIL, the last RCPT of each, and QUIT; and two for each number.
	if seen["250 ok"] != 101 || seen["250-of two lines"] != 50 || seen["354 go"] != 50 || seen["250 2.0.0 queued as 7"] != 2 {
		t.Errorf("the trace saw %v", seen)
	}
}

// The last line of a reply is not read as the whole reply.
func TestRunRepliesOfTwoLines(t *testing.T) {
	t.Parallel()
	server := &simple{caps: []string{"CHUNKING"}, reply: map[string]string{"BDAT": "250-taken\r\n250 ok"}}
	cfg, _, done := pipe(plainConfig(), server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for r := range conn.RunSource(t.Context(), source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 3))) {
		if r.Reply.String() != "250 taken ok" {
			t.Errorf("reply %v", r.Reply)
		}
	}
	conn.Quit(t.Context())
	<-done
}

// A large message is written past the block that collects the rest. Its octets are still counted.
func TestLargeMessageCutAtItsEnd(t *testing.T) {
	t.Parallel()
	data := "Subject: 0\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 1500)
	for _, caps := range [][]string{nil, {"PIPELINING"}, {"PIPELINING", "CHUNKING"}} {
		for _, piece := range []int{0, 20_000, 40_000} {
			whole := -1
			for _, missing := range []int{-1, 0, 1, 40_000} {
				l := newLedger(caps...)
				if missing >= 0 {
					l.cut = cut{received: whole - missing, sent: -1}
				}
				cfg, rec, done := pipe(plainConfig(), l.serve)
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: data, piece: piece}}
				o := conn.Send(t.Context(), tx).Outcomes[0]
				whole = max(whole, len(rec.written()))
				conn.Quit(t.Context())
				<-done
				want := map[int]smtp.Status{-1: smtp.Accepted, 0: smtp.Unknown, 1: smtp.NotTried, 40_000: smtp.NotTried}[missing]
				if o.Status != want {
					t.Errorf("%v in pieces of %d, cut %d before the end: %v, want %s", caps, piece, missing, o, want)
				}
			}
		}
	}
}

// numbering numbers two messages in a row alike.
type numbering struct {
	net.Conn
	queued int
}

func (c *numbering) Write(p []byte) (int, error) {
	if string(p) != "250 queued\r\n" {
		return c.Conn.Write(p)
	}
	c.queued++
	_, err := fmt.Fprintf(c.Conn, "250 2.0.0 queued as %d\r\n", c.queued/2)
	return len(p), err
}
