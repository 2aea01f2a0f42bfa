package faultproxy

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
)

// conversation lists the octets of a client and the replies, in order: "C" is a piece from the
// client, "S" a reply.
var conversation = []string{
	"S220 hi\r\n", "CEHLO me\r\n", "S250-hi\r\n250 PIPELINING\r\n",
	"CMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "S250 ok\r\n", "S250 ok\r\n", "S354 go\r\n",
	"CSubject: x\r\n\r\n..\r\nBDAT 3 LAST\r\n354 x\r\n.\r\nRSET\r\nMAIL FROM:<a@b>\r\n", "S250 ok\r\n", "S250 ok\r\n", "S250 ok\r\n",
	"CRCPT TO:<c@d>\r\nBDAT 5 LAST\r\nQUIT\nMAIL FROM:<a@b>\r\nBDAT 2\r\n\r\nBDAT 0 LAST\r\n", "S550 no\r\n", "S554 no\r\n", "S250 ok\r\n", "S503 no\r\n", "S503 no\r\n",
	"CMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "S550 no\r\n", "S503 no\r\n", "S354 go\r\n", "C.\r\n", "S554 no\r\n",
	"CQUIT\r\n", "S221 bye\r\n",
}

// feedConversation feeds a conversation to a track, the client's side in pieces.
func feedConversation(t *testing.T, size func() int) (seen Seen, lines []string, due int) {
	t.Helper()
	k := &sessionTracker{due: 1}
	for _, step := range conversation {
		side, text := step[0], []byte(step[1:])
		if side == 'S' {
			last := text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]
			k.processReply(last)
			continue
		}
		for len(text) > 0 {
			piece := text[:min(len(text), max(size(), 1))]
			text = text[len(piece):]
			for len(piece) > 0 {
				n := k.processClient(piece, func(int, int64) int64 { return -1 }, func(line string) { lines = append(lines, line) })
				if n < 1 || n > len(piece) {
					t.Fatalf("%d octets taken of %q", n, piece)
				}
				piece = piece[n:]
			}
		}
	}
	return k.seen(), lines, k.due
}

func wantFollowed(t *testing.T, seen Seen, lines []string, due int) {
	t.Helper()
	commands := "EHLO me|MAIL FROM:<a@b>|RCPT TO:<c@d>|DATA|RSET|MAIL FROM:<a@b>|RCPT TO:<c@d>|BDAT 5 LAST|MAIL FROM:<a@b>|BDAT 2|BDAT 0 LAST|MAIL FROM:<a@b>|RCPT TO:<c@d>|DATA|QUIT"
	if got := strings.Join(lines, "|"); got != commands {
		t.Errorf("commands %s", got)
	}
	if seen.Replies != 18 || !slices.Equal(seen.Messages, []int64{41, 5, 2, 3}) {
		t.Errorf("%d replies, messages of %v octets", seen.Replies, seen.Messages)
	}
	if due != 18 {
		t.Errorf("%d replies are due", due)
	}
}

func TestTrackFollowsAConversationInAnyPieces(t *testing.T) {
	t.Parallel()
	for size := 1; size < 80; size++ {
		seen, lines, due := feedConversation(t, func() int { return size })
		wantFollowed(t, seen, lines, due)
	}
}

func FuzzTrack(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7})
	f.Fuzz(func(t *testing.T, sizes []byte) {
		i := -1
		seen, lines, due := feedConversation(t, func() int {
			i++
			if len(sizes) == 0 {
				return 1
			}
			return int(sizes[i%len(sizes)])
		})
		wantFollowed(t, seen, lines, due)
	})
}

// rig is a proxy in front of a server with a ledger.
type rig struct {
	proxy  *Proxy
	server *sandbox.Server
	ledger *Ledger
	conn   *net.TCPConn
}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := &rig{ledger: NewLedger(nil)}
	var err error
	if r.server, err = sandbox.Start(sandbox.Config{NoPorts: true, Committed: r.ledger.Committed}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.server.Close() })
	cfg.Serve = r.server.Serve
	if r.proxy, err = Start(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.proxy.Close() })
	conn, err := net.Dial("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: r.proxy.Port()}).String())
	if err != nil {
		t.Fatal(err)
	}
	r.conn = conn.(*net.TCPConn)
	t.Cleanup(func() { conn.Close() })
	return r
}

// oneMessage is a complete session with one message, in one write.
const oneMessage = "EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<r@example.com>\r\nBDAT 40 LAST\r\nMessage-ID: <m1>\r\n\r\n" +
	"end of m1.........\r\n"

// say sends text and reads that many replies, and data that follows within a while; a negative
// number reads to the end.
func (r *rig) say(t *testing.T, text string, replies int) (heard string, err error) {
	t.Helper()
	if _, err := io.WriteString(r.conn, text); err != nil {
		return "", err
	}
	if err := r.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(r.conn)
	for replies < 0 || countReplies(heard) < replies {
		line, err := in.ReadString('\n')
		heard += line
		if err != nil {
			return heard, err
		}
	}
	if err := r.conn.SetReadDeadline(time.Now().Add(impatience)); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(in)
	return heard + string(rest), err
}

func countReplies(heard string) (n int) {
	for line := range strings.Lines(heard) {
		if len(line) > 3 && line[3] == ' ' {
			n++
		}
	}
	return n
}

func TestProxyActsAtItsPlace(t *testing.T) {
	t.Parallel()
	// 220, EHLO, MAIL, RCPT, BDAT: five replies. The message is in the ledger if the server got all
	// of it before the fault, or gets the rest after a stall.
	for _, test := range []struct {
		fault     Fault
		replies   int
		delivered int
		end       string
	}{
		{Fault{Conn: 2, Action: Cut}, 5, 1, "timeout"},
		{Fault{Conn: 1, Action: Cut}, 0, 0, "EOF"},
		{Fault{Conn: 1, Action: Cut, Reply: 1}, 1, -1, "EOF"},
		{Fault{Conn: 1, Action: Cut, Reply: 5}, 5, 1, "EOF"},
		{Fault{Conn: 1, Action: Cut, Reply: 5, Instead: true}, 4, 1, "EOF"},
		{Fault{Conn: 1, Action: Reset, Reply: 5, Instead: true}, -1, 1, "reset"},
		{Fault{Conn: 1, Action: Stall, Reply: 5, Instead: true}, 4, 1, "timeout"},
		{Fault{Conn: 1, Action: StallReplies, Reply: 2, Instead: true}, 1, 1, "timeout"},
		{Fault{Conn: 1, Action: Cut, Message: 1, Octets: 20}, -1, 0, "EOF"},
		{Fault{Conn: 1, Action: Reset, Message: 1, Octets: 39}, -1, 0, "reset"},
		{Fault{Conn: 1, Action: Stall, Message: 1, Octets: 39}, 0, 1, "timeout"},
		{Fault{Conn: 1, Action: StallReplies, Message: 1, Octets: 40}, 0, 1, "timeout"},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{Faults: []Fault{test.fault}})
			heard, err := r.say(t, oneMessage, test.replies)
			replies := countReplies(heard)
			if test.replies >= 0 && replies != test.replies && test.fault.Octets == 0 { // some may have come before
				t.Errorf("%d replies: %q", replies, heard)
			}
			end := "EOF" // io.ReadAll's
			if err != nil {
				end = err.Error()
			}
			if !strings.Contains(end, test.end) {
				t.Errorf("got error %v, want %s", err, test.end)
			}
			r.conn.Close()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := r.proxy.Finish(ctx); err != nil {
				t.Fatal(err)
			}
			if err := r.server.WaitIdle(ctx); err != nil {
				t.Fatal(err)
			}
			if got := r.ledger.Deliveries(); test.delivered >= 0 && got != test.delivered {
				t.Errorf("%d deliveries\n%s", got, r.proxy.Transcript())
			}
			if want := min(1, 2-test.fault.Conn); r.proxy.Acted() != want {
				t.Errorf("%d faults happened", r.proxy.Acted())
			}
		})
	}
}

// Replies come in clumps, but no reply is held while the client waits for it.
func TestClumpsHoldNothingThatIsWaitedFor(t *testing.T) {
	t.Parallel()
	for clump := range 8 {
		r := newRig(t, Config{Shape: Shape{Clump: clump, Up: []int{1, 7, 3}, Down: []int{2, 5}}})
		heard, _ := r.say(t, oneMessage, 5)
		if strings.Count(heard, "\r\n250 ") != 4 || r.ledger.Deliveries() != 1 {
			t.Errorf("clumps of %d: %q", clump, heard)
		}
		r.conn.Close()
	}
}

func TestMessageIsWhatItSays(t *testing.T) {
	t.Parallel()
	for octets := range int64(400) {
		m := NamedMessage{Name: "m7", Octets: octets}
		var b bytes.Buffer
		n, err := m.WriteTo(&b)
		if err != nil || n != m.Size() || int64(b.Len()) != n || n < octets || !m.Whole(b.Bytes()) {
			t.Fatalf("%d octets: %d written, size %d, %v", octets, n, m.Size(), err)
		}
		if name, ok := NameOf(b.Bytes()); name != "m7" || !ok || !bytes.HasSuffix(b.Bytes(), []byte("\r\nend of m7\r\n")) {
			t.Fatalf("%q", b.String())
		}
		if m.Whole(b.Bytes()[:n-1]) || m.Whole(append(b.Bytes(), '\n')) {
			t.Fatal("a part of a message counts as whole")
		}
		for _, at := range []int64{1, n / 2, n} {
			m.FailAt = at
			if n, err := m.WriteTo(io.Discard); n != at || err != ErrBroken {
				t.Fatalf("failing at %d: %d, %v", at, n, err)
			}
		}
	}
}

// The ledger detects every kind of contradiction.
func TestLedgerContradicts(t *testing.T) {
	t.Parallel()
	a, err := smtp.ParseAddress("a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	whole := []byte("Message-ID: <m1>\r\n")
	for _, test := range []struct {
		name   string
		kept   []sandbox.Message
		status []smtp.Status
		want   string
	}{
		{"accepted", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole}}, []smtp.Status{smtp.Accepted}, ""},
		{"unknown and there", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole}}, []smtp.Status{smtp.Unknown}, ""},
		{"unknown and not there", nil, []smtp.Status{smtp.Unknown}, ""},
		{"not tried", nil, []smtp.Status{smtp.NotTried}, ""},
		{"accepted by nobody", nil, []smtp.Status{smtp.Accepted}, "not in the ledger"},
		{"refused and there", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole}}, []smtp.Status{smtp.Refused}, "it is in the ledger"},
		{"deferred and there", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole}}, []smtp.Status{smtp.Deferred}, "it is in the ledger"},
		{"not tried and there", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole}}, []smtp.Status{smtp.NotTried}, "it is in the ledger"},
		{"twice", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole}, {To: []string{"a@example.com"}, Data: whole}}, []smtp.Status{smtp.Unknown}, "delivered 2 times"},
		{"to a stranger", []sandbox.Message{{To: []string{"b@example.com"}, Data: whole}}, []smtp.Status{smtp.NotTried}, "nobody sent it there"},
		{"damaged", []sandbox.Message{{To: []string{"a@example.com"}, Data: whole[:17]}}, []smtp.Status{smtp.Accepted}, "came damaged"},
		{"two outcomes", nil, []smtp.Status{smtp.NotTried, smtp.NotTried}, "two outcomes"},
		{"no outcome", nil, []smtp.Status{""}, "no outcome"},
	} {
		l := NewLedger(func(_ string, data []byte) bool { return bytes.Equal(data, whole) })
		for _, m := range test.kept {
			l.Committed(m)
		}
		told := ReportedOutcomes{}
		for _, status := range test.status {
			told["m1"] = append(told["m1"], smtp.Outcome{Recipient: a, Status: status})
		}
		got := strings.Join(l.Contradictions(told), "; ")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
