package sandboxtest_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/sandboxtest"
)

// Each limit and quirk, in a cleartext conversation: the lines sent, and the
// beginning of the last reply.
func TestLimitsAndQuirks(t *testing.T) {
	t.Parallel()
	const mail, rcpt, data = "MAIL FROM:<me@example.org>\r\n", "RCPT TO:<a@example.com>\r\n", "BDAT 4 LAST\r\nx\r\n\n"
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name    string
		option  sandboxtest.Option
		sends   string
		replies int
		want    string
	}{
		{"LIMITS", sandboxtest.WithLimits(sandboxtest.Limits{Transactions: 7, Recipients: 5, RecipientDomains: 2}), "", 0, "250 LIMITS MAILMAX=7 RCPTMAX=5 RCPTDOMAINMAX=2"},
		{"RCPTMAX", sandboxtest.WithLimits(sandboxtest.Limits{Recipients: 1}), mail + rcpt + rcpt, 3, "452 4.5.3"},
		{"messages of a connection", sandboxtest.WithMessagesPerConnection(1, "450 MI:DMC"), mail + rcpt + "BDAT 3 LAST\r\nx\r\n" + mail, 4, "450 MI:DMC"},
		{"connections at once", sandboxtest.WithConnectionsAtOnce(1, "432 4.3.2 slow down"), mail + rcpt + "BDAT 3 LAST\r\nx\r\n", 3, "250"},
		{"message rate", sandboxtest.WithMessageRate(1, time.Hour, ""), mail + rcpt + "BDAT 3 LAST\r\nx\r\n" + mail, 4, "450 4.7.1"},
		{"quirk", sandboxtest.WithQuirk("keeps-transaction"), mail + rcpt + data + mail, 4, "503"},
		{"quirk of PIPELINING", sandboxtest.WithQuirk("loses-group"), mail + rcpt + rcpt, 1, "250 2.1.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, "plain", test.option, sandboxtest.WithClock(func() time.Time { return now }))
			conn, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewScanner(conn)
			reply := func() string {
				for in.Scan() {
					if line := in.Text(); len(line) > 3 && line[3] == ' ' {
						return line
					}
				}
				t.Fatalf("the server hung up: %v", in.Err())
				return ""
			}
			reply()
			if _, err := conn.Write([]byte("EHLO client.example\r\n")); err != nil {
				t.Fatal(err)
			}
			last := reply()
			if _, err := conn.Write([]byte(test.sends)); err != nil {
				t.Fatal(err)
			}
			for range test.replies {
				last = reply()
			}
			if !strings.HasPrefix(last, test.want) {
				t.Errorf("got %q, want %q", last, test.want)
			}
		})
	}
}

func TestWrongLimitsAndQuirks(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]sandboxtest.Option{
		"quirk": sandboxtest.WithQuirk("lunch"), "limit": sandboxtest.WithLimits(sandboxtest.Limits{Recipients: -1}),
		"reply": sandboxtest.WithMessagesPerConnection(1, "fine"), "rate": sandboxtest.WithMessageRate(1, 0, ""),
	} {
		if s, err := sandboxtest.New("plain", option); err == nil {
			s.Close()
			t.Errorf("an invalid %s was accepted", name)
		}
	}
	if len(sandboxtest.Quirks()) != 12 {
		t.Errorf("quirks %v", sandboxtest.Quirks())
	}
}
