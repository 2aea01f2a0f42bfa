package smtpclient_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtpclient"
)

// owned is a message that detects reads after its result.
type owned struct {
	text
	reading *int // not atomic: the race detector must see that accesses are ordered
}

func (m owned) WriteTo(w io.Writer) (int64, error) {
	*m.reading++
	defer func() { *m.reading-- }()
	return m.text.WriteTo(w)
}

// A server may refuse a message in the middle. After its result the message is not read any more:
// its owner may close it, or send it elsewhere.
func TestRunHasLetGoOfAMessageWithItsResult(t *testing.T) {
	t.Parallel()
	for way, caps := range map[string][]string{
		"PIPELINING": {"PIPELINING"}, "CHUNKING": {"PIPELINING", "CHUNKING"}, "lock-step": nil,
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			cfg, _, done := pipe(plainConfig(), func(conn net.Conn) { refuseInTheMiddle(conn, caps) })
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			reading := 0
			tx := letter{from: "a", to: "x"}.transaction(t, "0")
			tx.Content = owned{text{data: strings.Repeat("line\r\n", 100_000), piece: 600, deaf: true}, &reading}
			q := &queueOf{left: []smtpclient.Transaction{tx, letter{from: "a", to: "y"}.transaction(t, "1")}}
			var results []smtpclient.Result
			for r := range conn.RunSource(t.Context(), q) {
				if reading != 0 {
					t.Error("the message is still being read")
				}
				results = append(results, r)
			}
			if len(results) == 0 || statuses(results[0]) != "refused" {
				t.Errorf("%v", results)
			}
			conn.Close()
			<-done
		})
	}
}

// refuseInTheMiddle reads only the beginning of a message.
func refuseInTheMiddle(conn net.Conn, caps []string) {
	fmt.Fprint(conn, "220 x\r\n")
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		answer := "250 ok"
		switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); verb {
		case "EHLO":
			answer = "250-x\r\n250-" + strings.Join(append(caps, "X"), "\r\n250-") + "\r\n250 END"
		case "DATA":
			answer = "354 go"
		case "line":
			fmt.Fprint(conn, "552 5.3.4 too large\r\n")
			_, _ = io.Copy(io.Discard, conn)
			return
		case "BDAT":
			continue
		}
		if _, err := fmt.Fprintf(conn, "%s\r\n", answer); err != nil {
			return
		}
	}
}
