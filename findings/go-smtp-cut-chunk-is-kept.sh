#!/bin/sh
# What: the server of emersion/go-smtp, whose client's connection ends within a BDAT chunk.
# Expected: the message is incomplete. A server must not keep it, and no 250 is due: a chunk has the
# number of octets that BDAT announces (RFC 3030 section 2), and after a lost connection without a
# reply a client sends the message again (RFC 5321 section 4.2.5).
# Seen: the backend's Data reads the octets that have arrived, then an ordinary io.EOF, not
# io.ErrUnexpectedEOF, and the server answers 250. The backend can't tell the part from the whole.
# After DATA the same cut gives the backend io.ErrUnexpectedEOF, and the reply is 554.
# Why it matters: a backend that stores what it reads without an error keeps half a message, and the
# client sends the whole one again: the recipient gets both.
# Checked with go-smtp v0.26.0, Go 1.26.8.
# Exits non-zero if the behaviour changes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/main.go" <<'GO'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

type backend struct{ data chan string }

func (b backend) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b backend) Reset()                                      {}
func (b backend) Logout() error                               { return nil }
func (b backend) Mail(string, *smtp.MailOptions) error        { return nil }
func (b backend) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (b backend) Data(r io.Reader) error {
	octets, err := io.ReadAll(r)
	b.data <- fmt.Sprintf("%d octets, error %v", len(octets), err)
	return err
}

// cut sends commands, then text, and ends its side of the connection. It returns the codes of the replies
// to the commands after EHLO.
func cut(address, command, text string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(conn)
	reply := func() string {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return "none"
			}
			if line[3] == ' ' {
				return line[:3]
			}
		}
	}
	reply()
	for _, line := range []string{"EHLO client.test", "MAIL FROM:<a@example.test>", "RCPT TO:<b@example.test>"} {
		fmt.Fprint(conn, line+"\r\n")
		reply()
	}
	fmt.Fprint(conn, command+"\r\n")
	if command == "DATA" {
		reply()
	}
	fmt.Fprint(conn, text)
	_ = conn.(*net.TCPConn).CloseWrite()
	return reply()
}

func main() {
	b := backend{make(chan string, 1)}
	server := smtp.NewServer(b)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go server.Serve(listener)
	text := "Subject: x\r\n\r\n" + strings.Repeat("line\r\n", 10)
	ok := true
	for _, c := range []struct{ command, seen, reply string }{
		{"BDAT 1000 LAST", "74 octets, error <nil>", "250"},
		{"DATA", "74 octets, error unexpected EOF", "554"},
	} {
		reply := cut(listener.Addr().String(), c.command, text)
		seen := <-b.data
		fmt.Printf("%s, cut after %d octets: the backend read %s; reply %s\n", c.command, len(text), seen, reply)
		ok = ok && seen == c.seen && reply == c.reply
	}
	server.Close()
	if !ok {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
cd "$dir"
cat >go.mod <<'MOD'
module finding
go 1.24
require github.com/emersion/go-smtp v0.26.0
MOD
go mod tidy >tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run .
