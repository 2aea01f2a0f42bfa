package smtpclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// script is a dialogue of testdata/dialogue. After a head of "key: value" lines come the lines of
// both sides:
//
// C: the client's line, to the byte
// S: the server's reply; "S2:" decides the second recipient, "S*:" all undecided ones
// R: server bytes without a line end, as a Go string
// X: the server hangs up; without it the client must
type script struct {
	name  string
	head  map[string][]string
	runs  []sideLines
	ends  map[int]int // recipient -> number of server octets that decide it; -1 for all
	whole int         // octets of the client up to the message's end
	hangs bool        // the server hangs up at the end
}

// sideLines is the lines of one side until the other side's turn.
type sideLines struct {
	client bool
	data   []byte
}

func loadScripts(t testing.TB) []script {
	t.Helper()
	files, err := filepath.Glob("testdata/dialogue/*.txt")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d dialogues, %v", len(files), err)
	}
	var scripts []script
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parseScript(strings.ReplaceAll(string(data), "\r\n", "\n"))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		s.name = strings.TrimSuffix(filepath.Base(file), ".txt")
		scripts = append(scripts, s)
	}
	return scripts
}

func parseScript(text string) (script, error) {
	s := script{head: map[string][]string{}, ends: map[int]int{}}
	head, body, ok := strings.Cut(text, "---\n")
	if !ok {
		return s, errors.New("no head")
	}
	for line := range strings.Lines(head) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && line[0] != '#' {
			s.head[key] = append(s.head[key], strings.TrimSpace(value))
		}
	}
	server, client := 0, 0
	for line := range strings.Lines(body) {
		mark, said, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok || mark == "" {
			return s, fmt.Errorf("line %q", line)
		}
		if mark == "X" {
			s.hangs = true
			continue
		}
		data := strings.TrimPrefix(said, " ") + "\r\n"
		if mark == "R" {
			raw, err := strconv.Unquote(strings.TrimSpace(said))
			if err != nil {
				return s, fmt.Errorf("line %q: %w", line, err)
			}
			data = raw
		}
		if mark == "C" {
			client += len(data)
			s.say(true, data)
			continue
		}
		server += len(data)
		s.say(false, data)
		switch who := mark[1:]; who {
		case "":
		case "*":
			s.ends[-1], s.whole = server, client
		default:
			n, err := strconv.Atoi(who)
			if err != nil {
				return s, fmt.Errorf("line %q: %w", line, err)
			}
			s.ends[n-1], s.whole = server, max(s.whole, client)
		}
	}
	return s, nil
}

func (s *script) say(client bool, data string) {
	if n := len(s.runs); n > 0 && s.runs[n-1].client == client {
		s.runs[n-1].data = append(s.runs[n-1].data, data...)
		return
	}
	s.runs = append(s.runs, sideLines{client, []byte(data)})
}

// value returns the only value of a head line; "" without one.
func (s *script) value(key string) string {
	if len(s.head[key]) == 0 {
		return ""
	}
	return s.head[key][0]
}

// total returns the number of octets of one side.
func (s *script) total(client bool) int {
	n := 0
	for _, r := range s.runs {
		if r.client == client {
			n += len(r.data)
		}
	}
	return n
}

func (s *script) config() smtpclient.Config {
	cfg := smtpclient.Config{Security: smtpclient.Plaintext, AllowCleartextPassword: true,
		LMTP: s.value("lmtp") != "", LocalName: s.value("local"), Mechanism: s.value("mechanism"),
		NoPipelining: s.value("nopipelining") != "", NoChunking: s.value("nochunking") != "", Port: 587}
	if auth := strings.Fields(s.value("auth")); len(auth) == 2 {
		cfg.Auth = &sasl.Credentials{Username: auth[0], Password: auth[1]}
	}
	if token := strings.Fields(s.value("token")); len(token) == 2 {
		cfg.Auth = &sasl.Credentials{Username: token[0], Token: token[1]}
	}
	return cfg
}

func (s *script) transaction(t testing.TB) smtpclient.Transaction {
	t.Helper()
	from := "me@example.org"
	if f := s.value("from"); f != "" {
		from = strings.Trim(f, "<>")
	}
	e := envelope(t, from, strings.Fields(s.value("to"))...)
	if dsn := strings.Fields(s.value("dsn")); len(dsn) == 3 {
		var err error
		e, err = e.WithDSN(smtp.DSN{Return: dsn[0], EnvelopeID: dsn[1], Notify: strings.Split(dsn[2], ",")})
		if err != nil {
			t.Fatal(err)
		}
	}
	m := text{data: hello, eight: s.value("eight") != "", utf8: s.value("utf8") != ""}
	tx := smtpclient.Transaction{Envelope: e, Content: m, StopAfter: smtp.Stage(s.value("stopafter"))}
	if s.value("policy") == "all" {
		tx.Policy = smtpclient.All
	}
	return tx
}

// cut says when a player leaves the script: after a number of octets received or sent. A negative
// number means never.
type cut struct{ received, sent int }

var uncut = cut{-1, -1}

// play is the server's side of the script. It returns the client's errors.
func (s *script) play(conn net.Conn, rhythm func([]byte) [][]byte, c cut) error {
	received, sent := 0, 0
	for i, r := range s.runs {
		if r.client {
			want := r.data
			if c.received >= 0 && received+len(want) > c.received {
				want = want[:c.received-received]
			}
			got := make([]byte, len(want))
			n, err := io.ReadFull(conn, got)
			if !bytes.Equal(got[:n], want[:n]) {
				return fmt.Errorf("the client said %q, not %q", got[:n], want)
			}
			if received += n; err != nil {
				return fmt.Errorf("%w: it stopped after %q, before %q", err, got[:n], want[n:])
			}
			if len(want) < len(r.data) || received == c.received {
				return nil
			}
			continue
		}
		data := r.data
		if c.sent >= 0 && sent+len(data) >= c.sent {
			data = data[:c.sent-sent]
		}
		for _, p := range rhythm(data) {
			_, err := conn.Write(p)
			if err != nil && i == len(s.runs)-1 {
				return nil // the client need not read a farewell to its end
			}
			if err != nil {
				return fmt.Errorf("writing %q: %w", p, err)
			}
		}
		if sent += len(data); sent == c.sent {
			return nil
		}
	}
	if s.hangs {
		return nil
	}
	if more, _ := io.ReadAll(conn); len(more) > 0 {
		return fmt.Errorf("the client went on with %q", more)
	}
	return nil
}

// The three rhythms in which a server may reply.
func rhythms() map[string]func([]byte) [][]byte {
	return map[string]func([]byte) [][]byte{
		"whole":        whole,
		"line by line": func(b []byte) [][]byte { return slices.Collect(bytes.Lines(b)) },
		"byte by byte": func(b []byte) [][]byte { return slices.Collect(slices.Chunk(b, 1)) },
	}
}

func whole(b []byte) [][]byte { return slices.Collect(slices.Chunk(b, max(1, len(b)))) }
