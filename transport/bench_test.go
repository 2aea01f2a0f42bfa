package transport

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// sinkVariable, if set, makes the test binary a sink server, because a server must not run in the
// process of its client.
const sinkVariable = "YAN_TRANSPORT_TEST_SINK"

func TestMain(m *testing.M) {
	if offers, ok := os.LookupEnv(sinkVariable); ok {
		if err := runSink(strings.Fields(offers)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runSink prints its address, and ends when standard input is closed.
func runSink(offers []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go sink(conn, offers)
		}
	}()
	fmt.Println(listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// sink accepts everything, as fast as possible.
func sink(conn net.Conn, offers []string) {
	defer conn.Close()
	r, w := bufio.NewReaderSize(conn, 256<<10), bufio.NewWriterSize(conn, 64<<10)
	say := func(s string) bool {
		_, _ = w.WriteString(s + "\r\n")
		return r.Buffered() > 0 || w.Flush() == nil
	}
	say("220 sink")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		reply := "250 ok"
		switch verb := string(line[:4]); verb {
		case "EHLO":
			reply = "250-sink\r\n"
			for _, offer := range offers {
				reply += "250-" + offer + "\r\n"
			}
			reply += "250 8BITMIME"
		case "BDAT":
			n, _ := strconv.Atoi(strings.Fields(string(line))[1])
			if _, err := r.Discard(n); err != nil {
				return
			}
		case "DATA":
			if !say("354 go") || w.Flush() != nil {
				return
			}
			for err == nil && string(line) != ".\r\n" {
				line, err = r.ReadSlice('\n')
			}
		case "QUIT":
			say("221 bye")
			return
		}
		if !say(reply) {
			return
		}
	}
}

// startSink runs a sink in a process of its own.
func startSink(b *testing.B, offers string) (address string) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), sinkVariable+"="+offers)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// BenchmarkSendAll measures one small, already composed message of a run.
func BenchmarkSendAll(b *testing.B) {
	content := text("Subject: hello\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 14))
	envelope, err := smtp.NewEnvelope(addr(b, "me@example.org"), addr(b, "you@example.net"))
	if err != nil {
		b.Fatal(err)
	}
	t := smtpclient.Transaction{Envelope: envelope, Content: content}
	for _, offers := range []string{"PIPELINING", "PIPELINING CHUNKING"} {
		b.Run(strings.ReplaceAll(offers, " ", "+"), func(b *testing.B) {
			s, err := Open("smtp+notls://"+startSink(b, offers), Options{MaxConnections: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			// The sum over all goroutines is the cost of a message.
			b.ReportAllocs()
			b.ResetTimer()
			accepted := 0
			for _, r := range s.SendAll(b.Context(), func(yield func(smtpclient.Transaction) bool) {
				for range b.N {
					if !yield(t) {
						return
					}
				}
			}) {
				if r.Outcomes[0].Status == smtp.Accepted {
					accepted++
				}
			}
			b.StopTimer()
			if accepted != b.N {
				b.Errorf("%d accepted of %d", accepted, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkSend measures one small message over a kept connection.
func BenchmarkSend(b *testing.B) {
	content := text("Subject: hello\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 14))
	envelope, err := smtp.NewEnvelope(addr(b, "me@example.org"), addr(b, "you@example.net"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := Open("smtp+notls://"+startSink(b, "PIPELINING CHUNKING"), Options{MaxConnections: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		if r := s.Send(b.Context(), smtpclient.Transaction{Envelope: envelope, Content: content}); r.Outcomes[0].Status != smtp.Accepted {
			b.Fatal(r.Outcomes)
		}
	}
}
