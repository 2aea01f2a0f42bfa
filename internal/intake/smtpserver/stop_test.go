package smtpserver

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
)

// converse sends octets and reads one reply.
func converse(t *testing.T, conn io.ReadWriter, r *bufio.Reader, octets string) string {
	t.Helper()
	if octets != "" {
		if _, err := io.WriteString(conn, octets); err != nil {
			t.Fatal(err)
		}
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", octets, err)
		}
		if len(line) > 3 && line[3] == ' ' {
			return line
		}
	}
}

// TestStop: 421 before the last octet of a message, its answer after it.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, before := range map[string][]string{
		"greeting":  {""},
		"envelope":  {"", "EHLO me\r\n", "MAIL FROM:<>\r\n"},
		"half line": {"", "EHLO me\r\nMAI"},
		"text":      {"", "EHLO me\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n"},
		"chunk":     {"", "EHLO me\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<b@example.com>\r\n", "BDAT 2\r\nab"},
		"message":   {"", "EHLO me\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<b@example.com>\r\n", "BDAT 2 LAST\r\nab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, localOptions())
			conn := s.dial()
			r := bufio.NewReader(conn)
			for _, octets := range before {
				converse(t, conn, r, octets)
			}
			s.stop()
			if got := converse(t, conn, r, ""); !strings.HasPrefix(got, "421 4.3.2 ") {
				t.Errorf("said %q", got)
			}
			if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
				t.Errorf("after 421, %q, %v", rest, err)
			}
		})
	}
}

func TestStopAfterTheDot(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"DATA": "DATA\r\nx\r\n.\r\n", "BDAT": "BDAT 3 LAST\r\nx\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, localOptions())
			s.desk.hold, s.desk.reached = make(chan struct{}), make(chan struct{})
			conn := s.dial()
			r := bufio.NewReader(conn)
			converse(t, conn, r, "")
			converse(t, conn, r, "EHLO me\r\n")
			converse(t, conn, r, "MAIL FROM:<>\r\n")
			converse(t, conn, r, "RCPT TO:<b@example.com>\r\n")
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			<-s.desk.reached
			s.stop()
			close(s.desk.hold)
			rest, err := io.ReadAll(r)
			said := string(rest)
			if err != nil || codes(strings.TrimPrefix(said, "354 end the message with a line that is a single dot\r\n")) != "250 2.0.0, 421 4.3.2" {
				t.Errorf("said %q, %v", said, err)
			}
		})
	}
}

// TestClientGoneAfterTheDot: the message is kept all the same.
func TestClientGoneAfterTheDot(t *testing.T) {
	t.Parallel()
	s := startServer(t, localOptions())
	s.desk.hold, s.desk.reached = make(chan struct{}), make(chan struct{})
	conn := s.dial()
	if _, err := io.WriteString(conn, envelope+"DATA\r\nx\r\n.\r\n"); err != nil {
		t.Fatal(err)
	}
	<-s.desk.reached
	_ = conn.SetLinger(0)
	_ = conn.Close()
	close(s.desk.hold)
	s.stop()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	s.done <- nil
	if n := len(s.desk.messages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestPanicEndsOneSession(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"begin", "accept"} {
		s := startServer(t, localOptions())
		s.desk.panics = step
		other := s.dial()
		r := bufio.NewReader(other)
		converse(t, other, r, "")
		said := s.talk(envelope + "DATA\r\nx\r\n.\r\nNOOP\r\n")
		if !strings.Contains(said, "421 4.3.0 ") || strings.Contains(said, "secret") {
			t.Errorf("%s: said %s", step, said)
		}
		if got := converse(t, other, r, "NOOP\r\n"); got != "250 2.0.0 ok\r\n" {
			t.Errorf("%s: the other session said %q", step, got)
		}
		log := s.log.String()
		if !strings.Contains(log, "panicked") || !strings.Contains(log, "fakeTransaction") && !strings.Contains(log, "fakeDesk") {
			t.Errorf("%s: no stack in the log: %s", step, log)
		}
		if strings.Contains(log, "secret content") {
			t.Errorf("%s: the value of the panic is in the log", step)
		}
	}
}

func TestStdio(t *testing.T) {
	t.Parallel()
	server := New(localOptions())
	d := &fakeDesk{}
	server.desk = d
	var said strings.Builder
	server.ServeConn(context.Background(), Stdio(strings.NewReader(envelope+"DATA\r\nx\r\n.\r\n"), &said))
	if n := len(d.messages()); n != 1 || !strings.HasSuffix(said.String(), "kept as 4711\r\n") {
		t.Errorf("%d messages, said %s", n, &said)
	}
}

// TestRepliesBeforeTheCommit: what is answered already does not wait for the disk.
func TestRepliesBeforeTheCommit(t *testing.T) {
	t.Parallel()
	s := startServer(t, localOptions())
	s.desk.hold, s.desk.reached = make(chan struct{}), make(chan struct{})
	conn := s.dial()
	r := bufio.NewReader(conn)
	converse(t, conn, r, "")
	converse(t, conn, r, "EHLO me\r\n")
	if _, err := io.WriteString(conn, "MAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nBDAT 1 LAST\r\nx"); err != nil {
		t.Fatal(err)
	}
	<-s.desk.reached
	for _, want := range []string{"250 2.1.0", "250 2.1.5"} {
		if got := converse(t, conn, r, ""); !strings.HasPrefix(got, want) {
			t.Errorf("heard %q, want %s", got, want)
		}
	}
	close(s.desk.hold)
	if got := converse(t, conn, r, ""); !strings.HasPrefix(got, "250 2.0.0 kept as") {
		t.Errorf("heard %q", got)
	}
}
