//go:build unix

package smtpserver

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// BenchmarkListener takes messages of 5 kB over 32 connections into an outbox on the disk. The
// processor's time is that of the server and its clients, which do little.
//
//	go test -run '^$' -bench Listener -benchtime 20000x ./internal/intake/smtpserver
func BenchmarkListener(b *testing.B) {
	const connections = 32
	dir := b.TempDir()
	store, err := stores.Open(b.Context(), filepath.Join(dir, "outbox.db"), outbox.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	from, err := smtp.ParseAddress("sender@example.com")
	if err != nil {
		b.Fatal(err)
	}
	policy := onePolicy{admission.Grant{Account: "bench", Mailbox: message.Mailbox{Address: from}}}
	core := admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: store, Spool: dir})
	o := localOptions()
	o.Admission = core
	server := New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	defer func() { <-ended }()
	defer stop()

	var number atomic.Int64
	var clients sync.WaitGroup
	before := processorMicros(b)
	b.ResetTimer()
	for range connections {
		clients.Go(func() {
			if err := sendMany(l.Addr().String(), func() (int64, bool) { n := number.Add(1); return n, n <= int64(b.N) }); err != nil {
				b.Error(err)
			}
		})
	}
	clients.Wait()
	b.StopTimer()
	b.ReportMetric(float64(processorMicros(b)-before)/float64(b.N), "cpu-µs/message")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(0, "ns/op")
}

// processorMicros returns the processor's time of this process so far, in microseconds.
func processorMicros(b *testing.B) int64 {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return (used.Utime.Nano() + used.Stime.Nano()) / 1000
}

// sendMany sends a message for each number, as smtp-source writes them: each waits for its replies.
func sendMany(address string, next func() (int64, bool)) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	replies := bufio.NewReader(conn)
	say := func(line string, code string) error {
		if _, err := conn.Write([]byte(line)); err != nil {
			return err
		}
		for {
			reply, err := replies.ReadSlice('\n')
			if err != nil {
				return err
			}
			if string(reply[:3]) != code {
				return fmt.Errorf("%q: %s", line[:min(len(line), 40)], reply)
			}
			if reply[3] == ' ' {
				return nil
			}
		}
	}
	body := strings.Repeat("La de da de da 1. La de da de da 2. La de da de da 3. La de da de da 4. \r\n", 65) + ".\r\n"
	if err := say("", "220"); err != nil {
		return err
	}
	if err := say("EHLO localhost\r\n", "250"); err != nil {
		return err
	}
	for {
		n, ok := next()
		if !ok {
			return nil
		}
		head := fmt.Sprintf("From: <sender@example.com>\r\nTo: <recipient@example.test>\r\nDate: Tue, 01 Dec 2026 08:00:00 +0000 (UTC)\r\nMessage-Id: <%04x.%04x@localhost>\r\nSubject: a message\r\n\r\n", n, n)
		for _, step := range [][2]string{{"MAIL FROM:<sender@example.com>\r\n", "250"}, {"RCPT TO:<recipient@example.test>\r\n", "250"}, {"DATA\r\n", "354"}, {head + body, "250"}} {
			if err := say(step[0], step[1]); err != nil {
				return err
			}
		}
	}
}

// onePolicy lets each client use one account.
type onePolicy struct{ grant admission.Grant }

func (p onePolicy) Grant(admission.Peer) (admission.Grant, error) { return p.grant, nil }
func (onePolicy) IsLocalDomain(string) bool                       { return false }
func (onePolicy) Local(name string) ([]smtp.Address, error) {
	return nil, admission.NewRefusal("local", 550, "5.1.1", fmt.Errorf("%s is not known", name), nil)
}
