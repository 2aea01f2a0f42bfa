package main

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"testing"
	"time"
)

func echoServer(t *testing.T) string {
	t.Helper()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { echo.Close() })
	go func() {
		for {
			connection, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(struct{ io.Writer }{connection}, connection)
			}()
		}
	}()
	return echo.Addr().String()
}

// An echo through the link takes one round trip, and a hundred concurrent ones
// take no longer than one.
func TestLinkDelaysWithoutSerialising(t *testing.T) {
	t.Parallel()
	const roundTrip = 200 * time.Millisecond
	l, err := startLink(echoServer(t), roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	begun := time.Now()
	connection, err := net.Dial("tcp", l.address())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	lines := bufio.NewReader(connection)
	const many = 100
	for round, want := range []time.Duration{2 * roundTrip, roundTrip} { // the first opens the connection
		for i := range many {
			if _, err := fmt.Fprintf(connection, "line %d\n", i); err != nil {
				t.Fatal(err)
			}
		}
		for i := range many {
			line, err := lines.ReadString('\n')
			if err != nil || line != fmt.Sprintf("line %d\n", i) {
				t.Fatalf("line %d is read as %q, %v", i, line, err)
			}
		}
		if took := time.Since(begun); took < want || took > want+2*roundTrip {
			t.Errorf("round %d: a hundred lines took %v over a link of %v", round, took, roundTrip)
		}
		begun = time.Now()
	}
}

// The link must not limit a contender: a window of 1 MB with 40 ms is 25 MB a
// second. The link carries many times as much, in order, but the machine may be
// busy.
func TestLinkIsWide(t *testing.T) {
	t.Parallel()
	l, err := startLink(echoServer(t), 40*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	connection, err := net.Dial("tcp", l.address())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	const size, block = 64 << 20, 5 << 10
	sent, came := crc32.NewIEEE(), crc32.NewIEEE()
	begun := time.Now()
	written := make(chan error, 1)
	go func() {
		out := make([]byte, block)
		for i := range size / block {
			out[i%block]++
			sent.Write(out)
			if _, err := connection.Write(out); err != nil {
				written <- err
				return
			}
		}
		written <- connection.(*net.TCPConn).CloseWrite()
	}()
	n, err := io.Copy(came, connection)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if sent.Sum32() != came.Sum32() {
		t.Error("the data received is not the data sent")
	}
	rate := float64(n) / 1e6 / took.Seconds()
	t.Logf("%.0f MB/s each way, or %.0f messages of 5 kB", rate, rate*1e6/block)
	if rate < 25 {
		t.Errorf("%.0f MB/s is too narrow", rate)
	}
}

// A link whose server is gone ends its clients, and closes.
func TestLinkToNowhere(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	l, err := startLink(gone.Addr().String(), 2*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	connection, err := net.Dial("tcp", l.address())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.ReadAll(connection); err != nil {
		t.Log(err) // a reset also ends it
	}
}
