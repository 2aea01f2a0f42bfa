package faultproxy

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

var messages = flag.Int("messages", 10_000, "how many messages the memory is measured over")

// inFlight is how much two measurements of the heap may differ because of other messages in flight,
// in octets. Over 90,000 messages it would take a leak of two octets for each.
const inFlight = 160 << 10

// The memory of a run does not grow with the number of messages: the live heap after a tenth of
// them and at the end is the same. The test is not parallel, because all tests share the heap.
func TestMemoryStaysFlat(t *testing.T) {
	for _, m := range modes() {
		port, stop := startSink(t, m)
		early, late := heapOver(t, port, *messages)
		stop()
		t.Logf("%s: %d live octets after %d messages, %d after %d", m.name, early, *messages/10, late, *messages)
		if late > early+early/10+inFlight {
			t.Errorf("%s: the heap went from %d to %d octets", m.name, early, late)
		}
	}
}

// heapOver sends n messages and measures the live heap after a tenth of them and at the end.
func heapOver(t *testing.T, port, n int) (early, late uint64) {
	t.Helper()
	tr, err := transport.Open(fmt.Sprintf("smtp+notls://127.0.0.1:%d", port), transport.Options{LocalName: "client.example", MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	from, err := smtp.ParseAddress("me@example.org")
	if err != nil {
		t.Fatal(err)
	}
	results := 0
	for i, r := range tr.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
		for i := range n {
			to, err := smtp.ParseAddress(fmt.Sprintf("r%d@example.com", i))
			if err != nil {
				t.Error(err)
				return
			}
			env, err := smtp.NewEnvelope(from, to)
			if err != nil {
				t.Error(err)
				return
			}
			if !yield(smtpclient.Transaction{Envelope: env, Content: NamedMessage{Name: strconv.Itoa(i), Octets: 2000}}) {
				return
			}
		}
	}) {
		if len(r.Outcomes) != 1 || r.Outcomes[0].Status != smtp.Accepted {
			t.Fatalf("message %d: %v", i, r.Outcomes)
		}
		switch results++; results {
		case n / 10:
			early = liveHeap()
		case n:
			late = liveHeap()
		}
	}
	if results != n {
		t.Fatalf("%d results for %d messages", results, n)
	}
	return early, late
}

// liveHeap returns the size of the live heap.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // for objects that a finalizer or a pool kept in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// startSink starts a server that accepts all messages and stores nothing.
func startSink(t *testing.T, m serverMode) (port int, stop func()) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	hello := "250-sink.example\r\n"
	for _, keyword := range []string{"PIPELINING", "CHUNKING"} {
		if !withheld(m, keyword) {
			hello += "250-" + keyword + "\r\n"
		}
	}
	hello += "250 8BITMIME\r\n"
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			group.Go(func() {
				defer conn.Close()
				serveSink(conn, hello)
			})
		}
	})
	return l.Addr().(*net.TCPAddr).Port, func() {
		cancel()
		l.Close()
		group.Wait()
	}
}

func withheld(m serverMode, keyword string) bool {
	for _, w := range m.without {
		if w == keyword {
			return true
		}
	}
	return false
}

// serveSink serves one connection of the sink.
func serveSink(conn net.Conn, hello string) {
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	say := func(reply string) {
		_, _ = out.WriteString(reply) // Flush returns the error
	}
	say("220 sink.example\r\n")
	for {
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		switch verb := line[:min(4, len(line))]; string(verb) {
		case "EHLO":
			say(hello)
		case "DATA":
			say("354 go\r\n")
			if out.Flush() != nil || !throughDot(in) {
				return
			}
			say("250 ok\r\n")
		case "BDAT":
			words := bytes.Fields(line)
			n, err := strconv.Atoi(string(words[1]))
			if err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, in, int64(n)); err != nil {
				return
			}
			say("250 ok\r\n")
		case "QUIT":
			say("221 bye\r\n")
			_ = out.Flush()
			return
		default:
			say("250 ok\r\n")
		}
	}
}

// throughDot reads a message up to its final dot.
func throughDot(in *bufio.Reader) bool {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return false
		}
		if string(line) == ".\r\n" {
			return true
		}
	}
}
