#!/bin/sh
# What: smtp.Client.Auth of Go's net/smtp against a server that refuses the login with 535.
# Expected: after the reply 535 the exchange is over; the client sends QUIT or another command.
# A line with "*" cancels an exchange while the server waits for an answer, that is after a 334
# (RFC 4954 section 4).
# Seen: the client sends "*" as a command after the 535, and then QUIT. It does so after every
# refusal, with PLAIN and with LOGIN.
# Why it matters: servers count unknown commands and refused logins; a program with an old password
# adds one of each per attempt. A server's log shows a command that no one has typed, and a proxy or
# a display of the session must not take it for the client's next step.
# Checked with Go 1.26.8; net/smtp is part of it, so that no package is installed.
# Exits non-zero if the behaviour changes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/main.go" <<'GO'
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"runtime"
	"strings"
)

// serve refuses every login and records the commands.
func serve(conn net.Conn, seen chan<- []string) {
	defer conn.Close()
	var lines []string
	fmt.Fprint(conn, "220 test\r\n")
	in := bufio.NewScanner(conn)
	for in.Scan() {
		line := in.Text()
		lines = append(lines, strings.Fields(line)[0])
		switch lines[len(lines)-1] {
		case "EHLO":
			fmt.Fprint(conn, "250-test\r\n250 AUTH PLAIN\r\n")
		case "AUTH":
			fmt.Fprint(conn, "535 5.7.8 wrong password\r\n")
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			seen <- lines
			return
		default:
			fmt.Fprint(conn, "500 5.5.2 unknown command\r\n")
		}
	}
	seen <- lines
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	seen := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		serve(conn, seen)
	}()
	client, err := smtp.Dial(listener.Addr().String())
	if err != nil {
		panic(err)
	}
	err = client.Auth(smtp.PlainAuth("", "me@example.test", "wrong", "127.0.0.1"))
	_ = client.Close()
	got := strings.Join(<-seen, " ")
	fmt.Printf("%s: %s; error: %v\n", runtime.Version(), got, err)
	if got != "EHLO AUTH * QUIT" {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
cd "$dir"
go run main.go
