package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Any command of a client is parsed or refused, and a parsed one contains
// nothing that could be another line.
func FuzzCommand(f *testing.F) {
	for _, line := range []string{"EHLO client.example", "MAIL FROM:<me@example.org> SIZE=10 BODY=8BITMIME",
		`RCPT TO:<"a>b"@example.com> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c`, "MAIL FROM:<>", "BDAT 10 LAST", "mail from:<a@b", ""} {
		f.Add([]byte(line))
	}
	offered := plainProfile().ehloOffer(Config{}, true, true).caps
	f.Fuzz(func(t *testing.T, line []byte) {
		cmd, err := parseCommand(line)
		if err != nil {
			return
		}
		if cmd.verb == "" || strings.ContainsAny(cmd.verb+cmd.args, "\r\n\x00") {
			t.Fatalf("%q: %+v", line, cmd)
		}
		if size, _, err := parseChunk(cmd.args); err == nil && size < 0 {
			t.Fatalf("%q: a chunk of %d", line, size)
		}
		for _, keyword := range []string{"FROM", "TO"} {
			p, err := parsePath(cmd.args, keyword)
			if err != nil {
				continue
			}
			if !strings.Contains(cmd.args, "<"+p.address+">") {
				t.Fatalf("%q: address %q", line, p.address)
			}
			if size, err := checkMailParams(p.params, offered); err == nil && size < 0 {
				t.Fatalf("%q: size %d", line, size)
			}
			if checkAddress(p.address, false) == nil && strings.ContainsAny(p.address, " <>\x7f") {
				t.Fatalf("%q: address %q passed", line, p.address)
			}
		}
	})
}

// A parsed fault is written so that it parses to the same fault.
func FuzzParseFault(f *testing.F) {
	for _, fault := range Faults() {
		f.Add(fault.String())
	}
	f.Add("rcpt-450-4.2.1*3+Mailbox_busy~x")
	f.Fuzz(func(t *testing.T, word string) {
		fault, err := ParseFault(word)
		if err != nil {
			return
		}
		again, err := ParseFault(fault.String())
		if err != nil || again != fault {
			t.Fatalf("%q: %+v, then %+v, %v", word, fault, again, err)
		}
	})
}

// The message ends at the first CRLF.CRLF and nowhere else, however the octets
// arrive.
func FuzzDotReader(f *testing.F) {
	for _, data := range []string{"", "a\r\n", "a\n.\nb", "..\r\n", "a\r\r\n", "a\r.\r\n", strings.Repeat("x", 70_000) + "\r\n..y\r\n"} {
		f.Add([]byte(data), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, chunk int) {
		if chunk < 1 || len(data) > 1<<18 {
			return
		}
		stuffed := append([]byte("\r\n"), data...)
		stuffed = bytes.ReplaceAll(stuffed, []byte("\r\n."), []byte("\r\n.."))[2:]
		sent := append(bytes.Clone(stuffed), "\r\n.\r\n"...)
		c := newConn(&pieces{data: append(bytes.Clone(sent), "QUIT\r\n"...), size: chunk}, time.Minute)
		r := dotReader{wire: c}
		var got []byte
		for {
			part, end, err := r.next()
			if err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			if end {
				break
			}
			got = append(got, part...)
		}
		if want := append(bytes.Clone(data), "\r\n"...); !bytes.Equal(got, want) {
			t.Fatalf("sent %q: got %q, want %q", sent, got, want)
		}
		if rest, err := c.readLine(100); err != nil || string(rest.text) != "QUIT" {
			t.Fatalf("%q: the next line is %q, %v", data, rest.text, err)
		}
		checkData(got, nil)
	})
}

// pieces is a connection that returns size octets per read.
type pieces struct {
	net.Conn
	data []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.data)
	p.data = p.data[n:]
	return n, nil
}

func (p *pieces) Write(b []byte) (int, error)      { return 0, errors.New("nothing is said here") }
func (p *pieces) SetReadDeadline(time.Time) error  { return nil }
func (p *pieces) SetWriteDeadline(time.Time) error { return nil }

// The server survives a random conversation and ends it.
func FuzzSession(f *testing.F) {
	f.Add([]byte("EHLO a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nx\r\n.\r\nBDAT 3 LAST\r\nabcQUIT\r\n"))
	f.Add([]byte("EHLO a\r\nMAIL FROM:<body-mixed@b.c>\r\nRCPT TO:<data-cut-2@e.f>\r\nBDAT 9\r\n123456789RSET\r\nAUTH PLAIN =\r\n"))
	s := start(f, Config{AllowCleartextPassword: true, MaxSize: 1000})
	f.Fuzz(func(t *testing.T, sent []byte) {
		if bytes.Contains(bytes.ToLower(sent), []byte("-stall")) || bytes.Contains(bytes.ToLower(sent), []byte("connect-")) {
			return // these faults wait for Close
		}
		c, err := tryDial(t, s, s.SubmissionAddr())
		if err != nil {
			t.Skip(err)
		}
		defer c.conn.Close()
		c.send(string(sent))
		if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Skip(err)
		}
		if err := c.conn.SetReadDeadline(time.Now().Add(patient)); err != nil {
			t.Skip(err)
		}
		_, err = io.Copy(io.Discard, io.LimitReader(c.in, 2*maxEndless))
		if kindOf(orEOF(err)) == stalled {
			t.Fatalf("%q: the server did not end", sent)
		}
		for _, v := range s.Violations() {
			if v.Text == "" || v.Stage == smtp.Stage("") {
				t.Fatalf("violation %+v", v)
			}
		}
	})
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}
