package smtpclient_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// No password is sent unencrypted without Plaintext and AllowCleartextPassword.
func TestCleartextPasswordNeedsTheSecondWord(t *testing.T) {
	t.Parallel()
	password := sasl.Credentials{Username: "u", Password: "hunter22"}
	token := sasl.Credentials{Username: "u", Token: "ya29.token"}
	for name, tc := range map[string]struct {
		creds     sasl.Credentials
		mechanism string
		offered   string
		allow     bool
		is        error // nil if the login succeeds
	}{
		"PLAIN":              {password, "", "PLAIN LOGIN", false, smtpclient.ErrCleartextPassword},
		"forced PLAIN":       {password, "PLAIN", "PLAIN", false, smtpclient.ErrCleartextPassword},
		"forced login":       {password, "login", "LOGIN SCRAM-SHA-1", false, smtpclient.ErrCleartextPassword},
		"CRAM-MD5":           {password, "", "CRAM-MD5", false, smtpclient.ErrCleartextPassword},
		"token":              {token, "", "XOAUTH2", false, smtpclient.ErrCleartextPassword},
		"forced XOAUTH2":     {token, "XOAUTH2", "XOAUTH2", false, smtpclient.ErrCleartextPassword},
		"token and SCRAM":    {token, "", "XOAUTH2 SCRAM-SHA-1", false, smtpclient.ErrNoMechanism},
		"PLAIN, both words":  {password, "", "PLAIN", true, nil},
		"token, both words":  {token, "", "XOAUTH2", true, nil},
		"forced, both words": {password, "plain", "PLAIN", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &simple{caps: []string{"AUTH " + tc.offered}, reply: map[string]string{"AUTH": "235 ok"}}
			cfg := plainConfig()
			cfg.Auth, cfg.Mechanism, cfg.AllowCleartextPassword = &tc.creds, tc.mechanism, tc.allow
			cfg, rec, done := pipe(cfg, server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if tc.is == nil {
				if err != nil {
					t.Fatal(err)
				}
				if conn.Mechanism() == "" {
					t.Error("no mechanism")
				}
				conn.Close()
				<-done
				return
			}
			if at := stageOf(t, err); at.Stage != smtp.StageAuth || !errors.Is(err, tc.is) {
				t.Errorf("%v", err)
			}
			<-done
			if strings.Contains(rec.written(), "AUTH") {
				t.Errorf("it said %q", rec.written())
			}
		})
	}
}

// SCRAM with the library's server: without TLS, which hides the password, and bound to TLS.
func TestScramOverTheWire(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}, SessionTicketsDisabled: true}
	for _, tc := range []struct {
		mechanism string
		tls       bool
		wrong     bool // a server that does not know the password and accepts
		asks      bool // the server's last message is a challenge, as RFC 4954 requires
	}{
		{sasl.ScramSHA1, false, false, true},
		{sasl.ScramSHA256, false, false, true},
		{sasl.ScramSHA256Plus, true, false, true},
		{sasl.ScramSHA1Plus, true, false, true},
		{sasl.ScramSHA256, false, true, false},
		{sasl.ScramSHA256Plus, true, true, false},
	} {
		t.Run(fmt.Sprint(tc.mechanism, " wrong ", tc.wrong), func(t *testing.T) {
			t.Parallel()
			cfg := smtpclient.Config{Security: smtpclient.Plaintext, Trust: smtpclient.Trust{Roots: ca.pool()},
				Auth: &sasl.Credentials{Username: "me@qq.com", Password: "hunter22"}}
			if tc.tls {
				cfg.Security = smtpclient.ImplicitTLS
			}
			log := newEventLog(t)
			cfg.Trace = log.trace
			cfg, _, done := pipe(cfg, func(conn net.Conn) {
				var state *tls.ConnectionState
				if tc.tls {
					server := tls.Server(conn, tlsConfig)
					if server.Handshake() != nil {
						return
					}
					s := server.ConnectionState()
					state, conn = &s, server
				}
				if err := scramServer(conn, tc.mechanism, state, tc.asks); err != nil {
					t.Error(err)
				}
			})
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if tc.wrong {
				if at := stageOf(t, err); at.Stage != smtp.StageAuth || !errors.Is(err, smtpclient.ErrServerNotVerified) {
					t.Errorf("%v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				if conn.Mechanism() != tc.mechanism {
					t.Errorf("logged in with %s", conn.Mechanism())
				}
				conn.Close()
			}
			<-done
			if strings.Contains(log.String(), "hunter22") || strings.Contains(log.String(), "cj") || !strings.Contains(log.String(), smtpclient.Hidden) {
				t.Errorf("the trace shows the exchange:\n%s", log)
			}
		})
	}
}

// scramServer offers one mechanism, with and without -PLUS, and runs it.
func scramServer(conn net.Conn, mechanism string, state *tls.ConnectionState, proves bool) error {
	hash := scram.SHA256
	if strings.HasPrefix(mechanism, sasl.ScramSHA1) {
		hash = scram.SHA1
	}
	known, err := hash.NewClient("me@qq.com", "hunter22", "")
	if err != nil {
		return err
	}
	stored, err := known.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of the test", Iters: 4096})
	if err != nil {
		return err
	}
	server, err := hash.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		return err
	}
	conv := server.NewConversation()
	if state != nil {
		binding, err := scram.NewTLSExporterBinding(state)
		if err != nil {
			return err
		}
		conv = server.NewConversationWithChannelBindingRequired(binding)
	}
	fmt.Fprint(conn, "220 hi\r\n")
	r := bufio.NewReader(conn)
	if _, err := r.ReadString('\n'); err != nil {
		return err
	}
	fmt.Fprintf(conn, "250-hi\r\n250 AUTH %s\r\n", mechanism)
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	said, ok := strings.CutPrefix(strings.TrimSpace(line), "AUTH "+mechanism+" ")
	if !ok {
		return fmt.Errorf("the client said %q", line)
	}
	for !conv.Done() {
		message, err := base64.StdEncoding.DecodeString(said)
		if err != nil {
			return err
		}
		answer, err := conv.Step(string(message))
		if err != nil {
			return err
		}
		if conv.Done() && !proves {
			break
		}
		fmt.Fprintf(conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(answer)))
		if line, err = r.ReadString('\n'); err != nil {
			return err
		}
		said = strings.TrimSpace(line)
	}
	fmt.Fprint(conn, "235 ok\r\n")
	return nil
}
