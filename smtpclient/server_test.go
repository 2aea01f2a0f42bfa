package smtpclient_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// simple is a server that accepts everything, one line at a time: it does not read on before its
// reply is read. It keeps the complete messages.
type simple struct {
	caps  []string
	reply map[string]string // command line or verb -> reply, instead of a positive one

	mu       sync.Mutex
	messages []string
}

func (s *simple) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages
}

func (s *simple) take(m string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
}

// serve serves until the client hangs up or sends QUIT.
func (s *simple) serve(conn net.Conn) {
	fmt.Fprint(conn, "220 simple\r\n")
	s.session(conn, bufio.NewReader(conn))
}

func (s *simple) session(conn net.Conn, r *bufio.Reader) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		answer := "250 ok"
		switch verb {
		case "EHLO", "LHLO":
			answer = "250-simple\r\n250-" + strings.Join(append(s.caps, "X"), "\r\n250-") + "\r\n250 END"
		case "DATA":
			answer = "354 go"
		case "BDAT":
			n, _ := strconv.Atoi(strings.TrimSuffix(rest, " LAST"))
			chunk := make([]byte, n)
			if _, err := io.ReadFull(r, chunk); err != nil {
				return
			}
			s.take(string(chunk))
		}
		for _, key := range []string{verb, line} {
			if said, ok := s.reply[key]; ok {
				answer = said
			}
		}
		if _, err := io.WriteString(conn, answer+"\r\n"); err != nil || verb == "QUIT" {
			return
		}
		if verb == "DATA" && answer == "354 go" {
			message, err := readDots(r)
			if err != nil {
				return
			}
			s.take(message)
			if _, err := io.WriteString(conn, "250 queued\r\n"); err != nil {
				return
			}
		}
	}
}

// readDots reads a message up to its dot.
func readDots(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}
