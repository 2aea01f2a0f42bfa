package smtpclient_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// chooser is a server with one reply to AUTH per mechanism; "" hangs up.
type chooser struct {
	offers  string
	answers map[string]string
	asked   []string
}

func (s *chooser) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 chooser\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		answer := "250 ok"
		switch words[0] {
		case "EHLO":
			answer = "250-chooser\r\n250 " + s.offers
		case "AUTH":
			s.asked = append(s.asked, words[1])
			answer = s.answers[words[1]]
			if answer == "" {
				return
			}
		}
		fmt.Fprint(conn, answer+"\r\n")
	}
}

// The next mechanism follows an unknown one: over TLS, if no mechanism was configured, and never
// after a reply that judges the login.
func TestNextMechanism(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	serverTLS := &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}, SessionTicketsDisabled: true}
	password := sasl.Credentials{Username: "u", Password: "hunter22"}
	token := sasl.Credentials{Username: "u", Token: "ya29.token"}
	const unknown, wrong, yes = "504 5.5.4 Unrecognized authentication type", "535 5.7.8 no", "235 2.7.0 yes"
	for name, tc := range map[string]struct {
		creds   sasl.Credentials
		offers  string
		forced  string
		plain   bool // without TLS, with AllowCleartextPassword
		answers map[string]string
		asked   string // mechanisms in order of use
		code    int    // of the final reply; 0 for a login
	}{
		"the first is unknown":     {password, "AUTH PLAIN LOGIN", "", false, map[string]string{"PLAIN": unknown, "LOGIN": yes}, "PLAIN LOGIN", 0},
		"500":                      {password, "AUTH PLAIN LOGIN", "", false, map[string]string{"PLAIN": "500 what", "LOGIN": yes}, "PLAIN LOGIN", 0},
		"the first is wrong":       {password, "AUTH PLAIN LOGIN", "", false, map[string]string{"PLAIN": wrong, "LOGIN": yes}, "PLAIN", 535},
		"then wrong":               {password, "AUTH PLAIN LOGIN CRAM-MD5", "", false, map[string]string{"PLAIN": unknown, "LOGIN": wrong, "CRAM-MD5": yes}, "PLAIN LOGIN", 535},
		"then the server hangs up": {password, "AUTH PLAIN LOGIN", "", false, map[string]string{"PLAIN": unknown}, "PLAIN LOGIN", 504},
		"none is left":             {password, "AUTH PLAIN", "", false, map[string]string{"PLAIN": unknown}, "PLAIN", 504},
		"none at all, three times": {password, "AUTH SCRAM-SHA-1 SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5", "", false,
			map[string]string{"SCRAM-SHA-256": unknown, "SCRAM-SHA-1": unknown, "PLAIN": unknown, "LOGIN": yes}, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", 504},
		"it was asked for":             {password, "AUTH PLAIN LOGIN", "PLAIN", false, map[string]string{"PLAIN": unknown, "LOGIN": yes}, "PLAIN", 504},
		"without TLS":                  {password, "AUTH PLAIN LOGIN", "", true, map[string]string{"PLAIN": unknown, "LOGIN": yes}, "PLAIN", 504},
		"a token":                      {token, "AUTH OAUTHBEARER XOAUTH2", "", false, map[string]string{"OAUTHBEARER": unknown, "XOAUTH2": yes}, "OAUTHBEARER XOAUTH2", 0},
		"a token that is refused":      {token, "AUTH OAUTHBEARER XOAUTH2", "", false, map[string]string{"OAUTHBEARER": wrong, "XOAUTH2": yes}, "OAUTHBEARER", 535},
		"not announced":                {password, "SIZE", "", false, nil, "", 0},
		"not announced, asked for":     {password, "SIZE", "login", false, map[string]string{"LOGIN": yes}, "LOGIN", 0},
		"another announced, asked for": {password, "AUTH PLAIN", "LOGIN", false, map[string]string{"LOGIN": yes}, "LOGIN", 0},
		"not announced without TLS":    {password, "SIZE", "LOGIN", true, nil, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &chooser{offers: tc.offers, answers: tc.answers}
			cfg := smtpclient.Config{Trust: smtpclient.Trust{Roots: ca.pool()}, Auth: &tc.creds, Mechanism: tc.forced}
			if tc.plain {
				cfg.Security, cfg.AllowCleartextPassword = smtpclient.Plaintext, true
			}
			cfg, _, done := pipe(cfg, func(conn net.Conn) {
				if !tc.plain {
					conn = tls.Server(conn, serverTLS)
				}
				server.serve(conn)
			})
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if conn != nil {
				conn.Close()
			}
			<-done
			if got := strings.Join(server.asked, " "); got != tc.asked {
				t.Errorf("asked with %q, want %q", got, tc.asked)
			}
			last := ""
			if len(server.asked) > 0 {
				last = server.asked[len(server.asked)-1]
			}
			switch {
			case tc.asked == "" || tc.code != 0:
				if at := stageOf(t, err); at.Stage != smtp.StageAuth || at.Reply.Code != tc.code {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			case conn.Mechanism() != last || !slices.Contains(sasl.Mechanisms(), last):
				t.Errorf("logged in with %q", conn.Mechanism())
			}
		})
	}
}
