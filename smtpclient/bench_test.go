package smtpclient_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// BenchmarkSend sends a 5 kB message to one recipient over a loopback
// connection that stays open.
func BenchmarkSend(b *testing.B) {
	data := "Subject: hi\r\n\r\n" + string(bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"), 75))
	for _, bench := range []struct {
		name string
		caps string
	}{
		{"lock-step", "250 SIZE\r\n"},
		{"pipelined", "250 PIPELINING\r\n"},
		{"chunked", "250-PIPELINING\r\n250 CHUNKING\r\n"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			conn, stop := dialSink(b, bench.caps)
			defer stop()
			tx := smtpclient.Transaction{Envelope: envelope(b, "a@x.org", "b@x.org"), Content: text{data: data}}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if o := conn.Send(context.Background(), tx).Outcomes[0]; o.Status != smtp.Accepted {
					b.Fatal(o)
				}
			}
		})
	}
}

// sink is a server without allocations. It answers a flight in one write.
func sink(conn net.Conn, caps string) {
	r, w := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	say := func(s string) { _, _ = w.WriteString(s) } // Flush returns the error
	say("220 sink\r\n")
	for data := false; ; {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch {
		case data:
			if data = !bytes.Equal(line, []byte(".\r\n")); !data {
				say("250 queued\r\n")
			}
		case bytes.HasPrefix(line, []byte("EHLO")):
			say("250-sink\r\n" + caps)
		case bytes.HasPrefix(line, []byte("DATA")):
			data = true
			say("354 go\r\n")
		case bytes.HasPrefix(line, []byte("BDAT")):
			n, err := strconv.ParseInt(string(bytes.Fields(line)[1]), 10, 64)
			if err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, r, n); err != nil {
				return
			}
			say("250 queued\r\n")
		default:
			say("250 ok\r\n")
		}
	}
}

// endless is a Source that returns the same message n times.
type endless struct {
	tx   smtpclient.Transaction
	left int
}

func (e *endless) Next(context.Context, bool) (smtpclient.Transaction, bool) {
	e.left--
	return e.tx, e.left >= 0
}

// BenchmarkRun sends a run of 5 kB messages to one recipient each over a
// loopback connection.
func BenchmarkRun(b *testing.B) {
	data := "Subject: hi\r\n\r\n" + string(bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"), 75))
	for _, bench := range []struct {
		name string
		caps string
	}{
		{"pipelined", "250 PIPELINING\r\n"},
		{"chunked", "250-PIPELINING\r\n250 CHUNKING\r\n"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			conn, stop := dialSink(b, bench.caps)
			defer stop()
			tx := smtpclient.Transaction{Envelope: envelope(b, "a@x.org", "b@x.org"), Content: text{data: data}}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			b.ResetTimer()
			for r := range conn.RunSource(context.Background(), &endless{tx, b.N}) {
				if o := r.Outcomes[0]; o.Status != smtp.Accepted {
					b.Fatal(o)
				}
			}
		})
	}
}

// dialSink connects to a sink server of its own.
func dialSink(b *testing.B, caps string) (conn *smtpclient.Conn, stop func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if conn, err := listener.Accept(); err == nil {
			defer conn.Close()
			sink(conn, caps)
		}
	}()
	cfg := plainConfig()
	cfg.Host, cfg.Port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	conn, err = smtpclient.Dial(context.Background(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	return conn, func() {
		conn.Close()
		listener.Close()
		<-served
	}
}
