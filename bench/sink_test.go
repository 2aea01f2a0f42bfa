package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

func testSink(t testing.TB, chunks bool) (*sink, *tls.Config) {
	t.Helper()
	folder := t.TempDir()
	if err := makeCertificate(folder); err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(certificateFile(folder), keyFile(folder))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(authorityFile(folder))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	s, err := startSink(chunks, certificate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

func TestSinkTakesWholeMessagesOnly(t *testing.T) {
	t.Parallel()
	const head = "Subject: s\r\nContent-Type: text/plain\r\n\r\n"
	for _, test := range []struct {
		name, dialogue string
		want           []string // the texts kept
		fails          bool
	}{
		{"pipelined", "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + head + "..hi\r\n.\r\nQUIT\r\n", []string{".hi"}, false},
		{"a dot that is no end", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + head + "..\r\n...\r\n.\r\n", []string{".\n.."}, false},
		{"chunks", "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 40\r\n" + head + "BDAT 2 LAST\r\nde", []string{"de"}, false},
		{"two messages", strings.Repeat("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"+head+"1\r\n.\r\n", 2), []string{"1", "1"}, false},
		{"two in chunks", strings.Repeat("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 41 LAST\r\n"+head+"1", 2), []string{"1", "1"}, false},
		{"many octets", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + head + strings.Repeat("x", 3<<20) + "\r\n.\r\nNOOP\r\n", []string{strings.Repeat("x", 3<<20)}, false},
		{"cut in the data", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nA: b\r\n", nil, true},
		{"cut in a chunk", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 5 LAST\r\nabc", nil, true},
		{"chunks not LAST", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\nabc", nil, false},
		{"no such command", "HELP\r\n", nil, true},
		{"a login in the clear", "AUTH PLAIN " + login() + "\r\n", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := testSink(t, true)
			connection, err := net.Dial("tcp", s.addresses()[inClear])
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			said := make(chan error, 1)
			go func() {
				_, err := io.Copy(io.Discard, connection)
				said <- err
			}()
			if _, err := io.WriteString(connection, test.dialogue); err != nil {
				t.Fatal(err)
			}
			if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if err := <-said; err != nil {
				t.Fatal(err)
			}
			s.close() // waits for the conversation
			a := s.take()
			if (a.Failure != "") != test.fails {
				t.Errorf("failure: %q, want one: %t", a.Failure, test.fails)
			}
			if len(a.Messages) != len(test.want) || a.Count != len(test.want) {
				t.Fatalf("%d messages kept, %d counted, want %d", len(a.Messages), a.Count, len(test.want))
			}
			for i, want := range test.want {
				if got := a.Messages[i]; got.Text != briefText(want) || got.Recipients != 1 || got.Problem != "" {
					t.Errorf("message %d: %.100q for %d, %q, want %.100q for 1", i, got.Text, got.Recipients, got.Problem, want)
				}
			}
		})
	}
}

func login() string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + userName + "\x00" + password))
}

// On the protected ports nothing is accepted without encryption and a login.
func TestSinkWantsALogin(t *testing.T) {
	t.Parallel()
	const message = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: s\r\nContent-Type: text/plain\r\n\r\nx\r\n.\r\nQUIT\r\n"
	for _, test := range []struct {
		name, dialogue string
		want           int
	}{
		{"login", "AUTH PLAIN " + login() + "\r\n" + message, 1},
		{"login in two lines", "AUTH PLAIN\r\n" + login() + "\r\n" + message, 1},
		{"no login", message, 0},
		{"wrong password", "AUTH PLAIN AGEAYg==\r\n" + message, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, config := testSink(t, false)
			connection, err := tls.Dial("tcp", s.addresses()[fromStart], config)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if _, err := io.WriteString(connection, test.dialogue); err != nil {
				t.Fatal(err)
			}
			// The sink disconnects on unexpected input, perhaps with a reset.
			_, _ = io.Copy(io.Discard, connection)
			s.close()
			a := s.take()
			if a.Count != test.want || (a.Failure == "") != (test.want == 1) {
				t.Errorf("%d messages, failure %q, want %d", a.Count, a.Failure, test.want)
			}
		})
	}
}
