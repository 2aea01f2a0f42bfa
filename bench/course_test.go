package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestSinkTakesWholeMessagesOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, dialogue string
		want           []string // the messages kept
		fails          bool
	}{
		{"pipelined", "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nA: b\r\n\r\n..hi\r\n.\r\nQUIT\r\n", []string{"A: b\r\n\r\n.hi\r\n"}, false},
		{"chunks", "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\nde", []string{"abcde"}, false},
		{"two messages", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n1\r\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n2\r\n.\r\n", []string{"1\r\n", "2\r\n"}, false},
		{"cut in the data", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nA: b\r\n", nil, true},
		{"cut in a chunk", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 5 LAST\r\nabc", nil, true},
		{"chunks not LAST", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\nabc", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := startSink(true)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			connection, err := net.Dial("tcp", s.address())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if _, err := io.WriteString(connection, test.dialogue); err != nil {
				t.Fatal(err)
			}
			if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, connection); err != nil {
				t.Fatal(err)
			}
			s.close() // waits for the conversation
			kept, err := s.take()
			if (err != nil) != test.fails {
				t.Errorf("failure: %v, want one: %t", err, test.fails)
			}
			if len(kept) != len(test.want) {
				t.Fatalf("%d messages kept, want %d", len(kept), len(test.want))
			}
			for i, want := range test.want {
				if string(kept[i].data) != want || kept[i].recipients != 1 {
					t.Errorf("message %d: %q for %d, want %q for 1", i, kept[i].data, kept[i].recipients, want)
				}
			}
		})
	}
}

// An echo through the link takes one round trip, and a hundred that are under
// way together take no longer than one.
func TestLinkDelaysWithoutSerialising(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			connection, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { defer connection.Close(); _, _ = io.Copy(connection, connection) }()
		}
	}()
	const roundTrip = 200 * time.Millisecond
	l, err := startLink(echo.Addr().String(), roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	connection, err := net.Dial("tcp", l.address())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	const many = 100
	start := time.Now()
	for i := range many {
		if _, err := fmt.Fprintf(connection, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewReader(connection)
	for i := range many {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("line %d\n", i) {
			t.Fatalf("line %d came back as %q, %v", i, line, err)
		}
	}
	if took := time.Since(start); took < roundTrip || took > 3*roundTrip {
		t.Errorf("a hundred lines took %v over a link of %v", took, roundTrip)
	}
}

func TestEveryContenderArrivesWhole(t *testing.T) {
	t.Parallel()
	for _, extension := range extensions() {
		for _, who := range contenders() {
			t.Run(who.name()+" "+extension, func(t *testing.T) {
				t.Parallel()
				attachment := t.TempDir() + "/attachment.bin"
				if err := writeAttachment(attachment, 100_000); err != nil {
					t.Fatal(err)
				}
				c, err := newCourse(attachment, func(chunking bool) (server, error) { return startSink(chunking) })
				if err != nil {
					t.Fatal(err)
				}
				defer c.close()
				mails := append(c.mails(3, 1), c.mails(2, 7)...)
				mails[3].attachment = attachment
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				s := c.sinks[extension]
				if _, err := timed(ctx, who, s, s.address(), false, mails); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestArrivalIsChecked(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/attachment.bin"
	if err := writeAttachment(file, 1000); err != nil {
		t.Fatal(err)
	}
	m := mail{from: "a@b.example", to: []string{"c@d.example"}, subject: "第 1 封", text: "one\r\ntwo\r\n", attachment: file}
	var whole strings.Builder
	if err := writeByHand(&whole, m); err != nil {
		t.Fatal(err)
	}
	good := taken{recipients: 1, data: []byte(whole.String())}
	change := func(old, new string) taken {
		changed := strings.Replace(whole.String(), old, new, 1)
		if changed == whole.String() {
			t.Fatalf("%q is not in the message", old)
		}
		return taken{recipients: 1, data: []byte(changed)}
	}
	for _, test := range []struct {
		name    string
		arrived []taken
		fails   bool
	}{
		{"whole", []taken{good}, false},
		{"lost", nil, true},
		{"twice", []taken{good, good}, true},
		{"to too few", []taken{{recipients: 0, data: good.data}}, true},
		{"another subject", []taken{change("Subject: ", "Subject: x")}, true},
		{"another text", []taken{change("two", "2wo")}, true},
		{"cut", []taken{{recipients: 1, data: good.data[:len(good.data)-200]}}, true},
		{"no attachment", []taken{change("attachment; filename", "inline; filename")}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := checkArrived(test.arrived, []mail{m}); (err != nil) != test.fails {
				t.Errorf("got %v, want an error: %t", err, test.fails)
			}
		})
	}
}
