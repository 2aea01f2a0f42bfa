package smtpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
)

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	for rule, l := range map[string]Limits{"max_per_peer": {PerPeer: 2}, "max_connections": {Connections: 2}} {
		o := localOptions()
		o.Limits = l
		s := startServer(t, o)
		var open []*net.TCPConn
		for range 2 {
			conn := s.dial()
			converse(t, conn, bufio.NewReader(conn), "")
			open = append(open, conn)
		}
		conn := s.dial()
		if all, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(all), "421 4.7.0 too many connections at once") || !strings.Contains(string(all), "(rule: "+rule+")") {
			t.Errorf("%s: the third heard %q, %v", rule, all, err)
		}
		if got := converse(t, open[0], bufio.NewReader(open[0]), "QUIT\r\n"); got != "221 2.0.0 bye\r\n" {
			t.Errorf("QUIT: %q", got)
		}
		if _, err := io.ReadAll(open[0]); err != nil {
			t.Error(err)
		}
		for range 1000 { // the end of a session follows the end of its connection
			conn := s.dial()
			if got := converse(t, conn, bufio.NewReader(conn), ""); strings.HasPrefix(got, "220") {
				break
			}
			runtime.Gosched()
		}
	}
}

func TestTooManyErrorsAndCommands(t *testing.T) {
	t.Parallel()
	o := localOptions()
	o.Limits = Limits{Errors: 3, Commands: 5}
	if got := codes(startServer(t, o).talk(strings.Repeat("FOO\r\n", 5))); got != "500 5.5.1, 500 5.5.1, 500 5.5.1, 421 4.7.0" {
		t.Errorf("errors: %s", got)
	}
	if got := codes(startServer(t, o).talk(strings.Repeat("NOOP\r\n", 7))); got != strings.Repeat("250 2.0.0, ", 5)+"421 4.7.0" {
		t.Errorf("commands: %s", got)
	}
	if got := codes(startServer(t, o).talk(envelope + "BDAT 1\r\na" + strings.Repeat("NOOP\r\n", 7))); !strings.HasSuffix(got, ", 421 4.7.0") {
		t.Errorf("commands between chunks: %s", got)
	}
}

func TestTooManyRecipients(t *testing.T) {
	t.Parallel()
	s := startServer(t, localOptions())
	s.desk.grant = admission.Grant{MaxRecipients: 2, MaxSize: 1000}
	said := s.talk("EHLO me\r\nMAIL FROM:<>\r\n" + strings.Repeat("RCPT TO:<b@example.com>\r\n", 3) + "DATA\r\nx\r\n.\r\n")
	if !strings.Contains(said, "250-SIZE 1000\r\n250 LIMITS RCPTMAX=2\r\n") || !strings.HasSuffix(codes(said), "250 2.1.5, 250 2.1.5, 452 4.5.3, 354, 250 2.0.0") {
		t.Errorf("said %s", said)
	}
}

// endlessLine is a line that never ends.
type endlessLine struct{ left int64 }

func (e *endlessLine) Read(p []byte) (int, error) {
	n := int(min(int64(len(p)), e.left))
	for i := range p[:n] {
		p[i] = 'x'
	}
	if e.left -= int64(n); n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestLineOfOneGigabyte: as a command, in a message, and in a chunk that is not for a message.
func TestLineOfOneGigabyte(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads 3 GB")
	}
	t.Parallel()
	const size = 1 << 30
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for prefix, want := range map[string]string{
		"":                                    "500 5.5.2",
		envelope + "DATA\r\n":                 "250, 250 2.1.0, 250 2.1.5, 354, 552 5.3.4",
		"EHLO me\r\nBDAT 1073741824 LAST\r\n": "250, 503 5.5.1",
	} {
		server := New(localOptions())
		server.desk = desk{admission.New(admission.Options{Policy: func() admission.Policy { return noRules{} }, Spool: t.TempDir()})}
		var said strings.Builder
		server.ServeConn(context.Background(), Stdio(io.MultiReader(strings.NewReader(prefix), &endlessLine{size}), &said))
		_, replies, _ := strings.Cut(said.String(), "Yan\r\n")
		if got := codes(replies); got != want {
			t.Errorf("%q: replied %s, want %s", prefix, got, want)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

// noRules lets everything through.
type noRules struct{ admission.Policy }

func (noRules) Grant(admission.Peer) (admission.Grant, error) {
	anyone, err := admission.ParsePattern("*")
	return admission.Grant{Account: "work", From: []admission.Pattern{anyone}, MaxSize: 10 << 20}, err
}
func (noRules) IsLocalDomain(string) bool { return false }

// slowConn gives one octet at each read and keeps the deadlines.
type slowConn struct {
	stdioConn
	deadlines []time.Time
}

func (s *slowConn) Read(p []byte) (int, error) { return s.in.Read(p[:1]) }

func (s *slowConn) SetReadDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

// TestSlowLoris: the time for a command does not begin again with each octet, and that of a message
// grows only with its octets.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := begun
	o := localOptions()
	o.Now = func() time.Time { now = now.Add(time.Minute); return now }
	server := New(o)
	server.desk = &fakeDesk{}
	conn := &slowConn{stdioConn: stdioConn{in: strings.NewReader("NOOP\r\n"), out: io.Discard}}
	server.ServeConn(context.Background(), conn)
	for i, d := range conn.deadlines[:6] {
		if d != conn.deadlines[0] || d.Sub(begun) > 8*time.Minute {
			t.Errorf("read %d until %s, the first until %s", i, d, conn.deadlines[0])
		}
	}

	c := &clientSession{server: server, o: &server.o}
	server.o.Now = func() time.Time { return now }
	now = begun
	b := c.newBody()
	for _, step := range []struct {
		after  time.Duration
		octets int64
		want   time.Duration
	}{
		{0, 0, 3 * time.Minute}, {9 * time.Minute, 0, 10 * time.Minute}, {9 * time.Minute, 60 << 10, 11 * time.Minute}, {time.Hour, 1 << 20, 10*time.Minute + 1024*time.Second},
	} {
		now, b.octets = begun.Add(step.after), step.octets
		if got := b.deadline().Sub(begun); got != step.want {
			t.Errorf("after %s and %d octets, until %s, want %s", step.after, step.octets, got, step.want)
		}
	}
}

func TestSilentClients(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{"command": "NO", "message": envelope + "DATA\r\nx", "chunk": envelope + "BDAT 5\r\nx", "login": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := localOptions()
			o.Limits = Limits{Command: 50 * time.Millisecond, Block: 50 * time.Millisecond}
			if name == "login" {
				o = loginOptions()
				o.Limits = Limits{Login: 50 * time.Millisecond}
			}
			conn := startServer(t, o).dial()
			if _, err := io.WriteString(conn, input); err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(conn)
			if err != nil || !strings.Contains(string(all), "421 4.4.2 ") {
				t.Errorf("said %q, %v", all, err)
			}
		})
	}
}

func TestSlowerAfterFailures(t *testing.T) {
	t.Parallel()
	s := startServer(t, loginOptions())
	wrong := "AUTH PLAIN AGEAYg==\r\n"
	s.talk("EHLO me\r\n" + wrong + wrong + wrong + wrong)
	s.talk("EHLO me\r\n" + wrong)
	s.talk("EHLO me\r\nAUTH PLAIN AGdpdGVhAHMzY3JldA==\r\n")
	s.talk("EHLO me\r\n" + wrong)
	s.stop()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	s.done <- nil
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, time.Second}
	if len(*s.waits) != len(want) {
		t.Fatalf("waits %v", *s.waits)
	}
	for i, w := range want {
		if (*s.waits)[i] != w {
			t.Errorf("wait %d is %s, want %s", i, (*s.waits)[i], w)
		}
	}
}

func TestLoginFailuresAreBounded(t *testing.T) {
	t.Parallel()
	var l loginFailures
	now := time.Unix(1_000_000, 0)
	for i := range 2 * maxOffenders {
		l.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), now)
	}
	if len(l.by) > maxOffenders {
		t.Errorf("%d addresses", len(l.by))
	}
	for range 20 {
		l.failed("x", now)
	}
	if d := l.failed("x", now); d != longestWait {
		t.Errorf("the longest wait is %s", d)
	}
	if d := l.failed("x", now.Add(time.Hour)); d != firstWait {
		t.Errorf("after an hour, %s", d)
	}
}

func TestPeerKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::/64", "2001:db8::2": "2001:db8::/64", "::1": "::1"} {
		if got := peerKey(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestUsersHaveTheirOwnConnections(t *testing.T) {
	t.Parallel()
	o := localOptions()
	o.Limits.PerPeer = 1
	names := make(chan string, 3)
	names <- "git"
	names <- "www-data"
	names <- "git"
	o.Anonymous = func(net.Conn) (admission.Peer, error) { return admission.Peer{User: <-names}, nil }
	s := startServer(t, o)
	for _, want := range []string{"220", "220", "421"} {
		conn := s.dial()
		if got := converse(t, conn, bufio.NewReader(conn), ""); !strings.HasPrefix(got, want) {
			t.Errorf("heard %q, want %s", got, want)
		}
	}
}

func TestUnknownUser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{admission.NewRefusal("users", 550, "5.7.1", errors.New("user www-data may not use this port"), errors.New("add it to users in [listen.smtp]")), "550 5.7.1"},
		{ErrNoTCPUser, "451 4.7.0"},
	} {
		o := localOptions()
		o.Anonymous = func(net.Conn) (admission.Peer, error) { return admission.Peer{}, c.err }
		said := startServer(t, o).talk("EHLO me\r\nMAIL FROM:<>\r\n")
		if got := codes(said); got != "250, "+c.want {
			t.Errorf("said %s", said)
		}
		checkReplies(t, said)
	}
}
