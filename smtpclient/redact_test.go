package smtpclient_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// FuzzTraceRedaction logs in to a server that repeats all input, and the secret in every known
// encoding, in each of its replies. Neither the trace nor an error contains any of it.
func FuzzTraceRedaction(f *testing.F) {
	f.Add("me@qq.com", "hunter22", uint8(6), "535 bad %s and %s", uint8(0))
	f.Add("me@qq.com", "授权码授权码", uint8(7), "454 %s", uint8(1))
	f.Add("u", "aGk=", uint8(8), "334 %s", uint8(2))
	f.Add("u", "ya29.token", uint8(5), "334-%s\r\n334 %s", uint8(3))
	f.Add("u", "a b c d e", uint8(4), "%s", uint8(1))
	f.Add("me", "p\tq%s", uint8(1), "235 %s%s%s", uint8(0))
	f.Add("", "certcert", uint8(9), "535 %s", uint8(0))
	f.Fuzz(func(t *testing.T, user, secret string, mechanism uint8, format string, form uint8) {
		if len(secret) < 4 || len(secret)+len(user)+len(format) > 300 || isOurs(secret) {
			return
		}
		name := sasl.Mechanisms()[int(mechanism)%len(sasl.Mechanisms())]
		creds := sasl.Credentials{Username: user, Password: secret}
		if name == sasl.XOAuth2 || name == sasl.OAuthBearer {
			creds = sasl.Credentials{Username: user, Token: secret}
		}
		log := newEventLog(t)
		cfg := smtpclient.Config{Security: smtpclient.Plaintext, AllowCleartextPassword: true, Auth: &creds, Mechanism: name, Trace: log.trace}
		var said []string
		cfg, _, done := pipe(cfg, func(conn net.Conn) { said = echo(conn, name, secret, user, format, form) })
		conn, err := smtpclient.Dial(t.Context(), cfg)
		shown := log.String()
		if err != nil {
			shown += "\n" + err.Error()
		} else {
			r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}})
			shown = log.String() + "\n" + describe(r) + "\n" + r.Outcomes[0].String() + conn.Greeting().String() + conn.Hello().String()
			conn.Close()
		}
		<-done
		for _, hidden := range append(forms(secret, user), said...) {
			if len(hidden) >= 8 && strings.Contains(shown, hidden) || hidden == secret && strings.Contains(shown, hidden) {
				t.Fatalf("%q of %s, %q, %q is shown:\n%s", hidden, name, user, secret, shown)
			}
		}
	})
}

// isOurs reports a secret that occurs in the conversation anyway: parts of constant words can't
// be hidden.
func isOurs(secret string) bool {
	always := "C: EHLO localhost\nC: AUTH " + strings.Join(sasl.Mechanisms(), " **** ") + "\nC: ****\nC: *\nS: connected: pipe\n" +
		"MAIL FROM:<a@x.org>\nRCPT TO:<b@x.org>\nDATA\nmessage sent: 34\nAUTH= 235 250- 334- 535- 454 221 " +
		"(Username:) (Password:) user name password closed lost EXTERNAL uses a client certificate, and a token was given " +
		"the server's challenge is not base64 keeps asking not an SMTP reply did not prove that it knows needs holds characters that SASLprep forbids"
	return strings.Contains(always, secret) || strings.ContainsAny(secret, "*\r\n\"\\") || strings.Trim(secret, " \t") != secret ||
		strings.ContainsFunc(secret, func(r rune) bool { return r < 0x20 || r == '\uFFFD' || r >= 0x7f && r < 0xa0 }) ||
		!strings.ContainsFunc(secret, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 0x4e00 })
}

// forms lists the encodings in which a server may repeat a secret.
func forms(secret, user string) []string {
	b64 := base64.StdEncoding.EncodeToString
	return []string{secret, b64([]byte(secret)), b64([]byte("\x00" + user + "\x00" + secret))}
}

// echo is the server. It returns the base64 responses that it received.
func echo(conn net.Conn, name, secret, user, format string, form uint8) (said []string) {
	r := bufio.NewReader(conn)
	all := forms(secret, user)
	if gbk, err := simplifiedchinese.GB18030.NewEncoder().String(secret); err == nil {
		all = append(all, gbk)
	}
	last := ""
	reply := func(code string) {
		args := []any{all[int(form)%len(all)], last, all[(int(form)+1)%len(all)]}
		text := fmt.Sprintf(format, args...) + " " + strings.Join(all, " ") + " " + last
		text = strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
		if len(format) > 0 && format[0] == '%' {
			code = "" // garbage
		}
		_, _ = fmt.Fprintf(conn, "%s%s\r\n", code, text)
	}
	_, _ = fmt.Fprintf(conn, "220 %s\r\n", strings.Join(all, " "))
	for range 20 {
		line, err := r.ReadString('\n')
		if err != nil {
			return said
		}
		line = strings.TrimRight(line, "\r\n")
		words := strings.Split(line, " ")
		verb := words[0]
		switch {
		case verb == "EHLO":
			_, _ = fmt.Fprintf(conn, "250-%s\r\n250-X%s\r\n250 AUTH %s\r\n", strings.Join(all, " "), all[1], name)
			continue
		case verb == "AUTH" && len(words) == 3:
			said = append(said, words[2])
			last = words[2]
		case verb != "AUTH" && verb != "MAIL" && verb != "RCPT" && verb != "DATA" && verb != "*":
			said = append(said, line)
			last = line
		}
		switch {
		case verb == "MAIL":
			reply("550 ")
		case verb == "AUTH" && len(words) == 2, form%4 == 2:
			_, _ = fmt.Fprintf(conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte("e="+secret+",Username:")))
		case form%4 == 3:
			_, _ = fmt.Fprintf(conn, "235 %s %s\r\n", secret, last)
		default:
			reply("535 ")
		}
	}
	return said
}

// The lines of AUTH are hidden whatever their length.
func TestAuthLinesAreHiddenWhateverTheirLength(t *testing.T) {
	t.Parallel()
	for _, name := range []string{sasl.Plain, sasl.Login} {
		for _, password := range []string{"a", "ab", "abc"} {
			server := &simple{caps: []string{"AUTH " + name}, reply: map[string]string{"AUTH PLAIN": "235 ok", "AUTH": "235 ok"}}
			if name == sasl.Login {
				server.reply = map[string]string{"AUTH": "334 secretprompt", "dQ==": "334-secretprompt\r\n334 x", base64.StdEncoding.EncodeToString([]byte(password)): "235 ok"}
			}
			log := newEventLog(t)
			cfg := plainConfig()
			cfg.Auth, cfg.AllowCleartextPassword, cfg.Trace = &sasl.Credentials{Username: "u", Password: password}, true, log.trace
			cfg, _, done := pipe(cfg, server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			<-done
			shown := log.String()
			for _, secret := range []string{"dQ==", "AHUA", base64.StdEncoding.EncodeToString([]byte(password)), "secretprompt"} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s is shown:\n%s", secret, shown)
				}
			}
		}
	}
}

// A secret that is part of its own encoding must not prevent the whole encoding from being
// hidden.
func TestLongestFormIsHiddenFirst(t *testing.T) {
	t.Parallel()
	creds := sasl.Credentials{Username: "me@qq.com", Password: "HFxL"}
	response := base64.StdEncoding.EncodeToString([]byte("\x00me@qq.com\x00HFxL"))
	if !strings.Contains(response, creds.Password) {
		t.Fatalf("%s does not hold the password", response)
	}
	server := &simple{caps: []string{"AUTH PLAIN"}, reply: map[string]string{"AUTH": "535 " + response}}
	cfg := plainConfig()
	cfg.Auth, cfg.AllowCleartextPassword = &creds, true
	cfg, _, done := pipe(cfg, server.serve)
	_, err := smtpclient.Dial(t.Context(), cfg)
	if got := err.Error(); got != "auth: 535 "+smtpclient.Hidden {
		t.Errorf("%s", got)
	}
	<-done
}

// A challenge reaches the mechanism unchanged, even if it happens to contain a password.
func TestChallengeIsNotRedacted(t *testing.T) {
	t.Parallel()
	challenge := base64.StdEncoding.EncodeToString([]byte("<1896.697170952@postoffice.example>"))
	password := challenge[8:14]
	mech, err := sasl.New(sasl.CramMD5, sasl.Credentials{Username: "u", Password: password}, sasl.Session{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := mech.Next([]byte("<1896.697170952@postoffice.example>"))
	if err != nil {
		t.Fatal(err)
	}
	server := &simple{caps: []string{"AUTH CRAM-MD5"}, reply: map[string]string{
		"AUTH": "334 " + challenge, base64.StdEncoding.EncodeToString(answer): "235 ok", "*": "501 no"}}
	log := newEventLog(t)
	cfg := plainConfig()
	cfg.Auth, cfg.AllowCleartextPassword, cfg.Trace = &sasl.Credentials{Username: "u", Password: password}, true, log.trace
	cfg, _, done := pipe(cfg, server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if conn.Mechanism() != sasl.CramMD5 || conn.Capabilities().Has("PIPELINING") || conn.Greeting().Code != 220 || conn.Hello().Code != 250 {
		t.Errorf("mechanism %q", conn.Mechanism())
	}
	conn.Close()
	<-done
}

// A 421 that was sent before a command could be sent is read.
func TestRefusalBeforeABrokenPipeIsRead(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	cfg, rec, done := pipe(plainConfig(), func(conn net.Conn) {
		(&simple{reply: map[string]string{"RCPT": "550 no"}}).serve(conn)
	})
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}
	if got := describe(conn.Send(t.Context(), tx)); got != "refused@rcpt 550" {
		t.Fatal(got)
	}
	// Now RSET comes first. The socket refuses to write and has a 421 to read.
	swap, server := net.Pipe()
	go func() {
		defer close(gone)
		defer server.Close()
		_, _ = server.Write([]byte("421 idle too long\r\n"))
	}()
	old := rec.Conn
	rec.Conn = deafEnd{swap}
	o := conn.Send(t.Context(), tx).Outcomes[0]
	if o.Status != smtp.NotTried || o.Reply.Code != 421 || conn.Usable() {
		t.Errorf("outcome %v", o)
	}
	old.Close()
	<-gone
	<-done
}

// deafEnd can be read but not written.
type deafEnd struct{ net.Conn }

func (deafEnd) Write([]byte) (int, error) { return 0, net.ErrClosed }
