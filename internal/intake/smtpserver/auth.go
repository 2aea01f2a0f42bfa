package smtpserver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// maxFailures is how many failed logins end a connection.
const maxFailures = 3

// mayLogIn reports whether a password would not be readable on the way, or that is allowed.
func (c *clientSession) mayLogIn() bool {
	return c.o.Authenticate != nil && (c.secure || c.o.TLS == nil)
}

// auth answers AUTH (RFC 4954). The line, which may contain the password, is cleared.
func (c *clientSession) auth(args string, line []byte) error {
	defer clear(line)
	switch {
	case c.hello == "":
		return c.misuse(503, "5.5.1", "order", "EHLO comes first", "send EHLO and the client's name")
	case c.o.Authenticate == nil:
		return c.misuse(502, "5.5.1", "login", "this server has no logins", "set the client to send without a login")
	case c.login:
		return c.misuse(503, "5.5.1", "login", "you are logged in already", "leave AUTH out")
	case c.open != nil:
		return c.misuse(503, "5.5.1", "order", "AUTH is not possible in a transaction", "send AUTH before MAIL")
	case !c.mayLogIn():
		return c.misuse(538, "5.7.11", "tls", "a login needs TLS here", "set the client's encryption to STARTTLS")
	}
	mechanism, initial, given := strings.Cut(args, " ")
	user, password, err := c.credentials(strings.ToUpper(mechanism), strings.TrimSpace(initial), given)
	switch {
	case errors.Is(err, errMechanism):
		return c.misuse(504, "5.5.4", "login", "this mechanism is not offered", "use PLAIN or LOGIN")
	case errors.Is(err, errCancelled):
		return c.misuse(501, "5.7.0", "login", "the client cancelled the login", "")
	case errors.Is(err, errEncoding):
		return c.misuse(501, "5.5.2", "login", "the answer is not base64, or not in the form of the mechanism", "check the client")
	case err != nil:
		return err
	}
	return c.checkLogin(user, password)
}

// checkLogin answers the last step of AUTH.
func (c *clientSession) checkLogin(user, password string) error {
	peer, err := c.o.Authenticate(user, password)
	switch {
	case err == nil:
		c.peer, c.known, c.login, c.failures = peer, true, true, 0
		c.server.login.forget(c.key)
		c.reply(235, "2.7.0", "logged in")
		return nil
	case !errors.Is(err, ErrWrongLogin):
		c.log.Error("SMTP: a login can't be checked", slog.String("error", err.Error()))
		c.refuse(refusalReply{454, "4.7.0", "login", "the login can't be checked now", "try again later; the log of yan says more"})
		return nil
	}
	c.failures++
	c.o.Count("login", false)
	wait := c.server.login.failed(c.key, c.o.Now())
	c.log.Warn("SMTP: a login failed", slog.Int("failures", c.failures), slog.Duration("wait", wait))
	c.o.Sleep(c.ctx, wait)
	c.refuse(refusalReply{535, "5.7.8", "login", "the user name or the token is wrong", "the user name is the token's name; 'yan token list' shows it"})
	if c.failures >= maxFailures {
		return errDone
	}
	return nil
}

var (
	errMechanism   = errors.New("unknown mechanism")
	errCancelled   = errors.New("cancelled")
	errEncoding    = errors.New("malformed answer")
	errNoHandshake = errors.New("the TLS handshake failed")
)

// credentials carries out the exchange of PLAIN (RFC 4616) or LOGIN.
func (c *clientSession) credentials(mechanism, initial string, given bool) (user, password string, err error) {
	switch mechanism {
	case "PLAIN":
		answer, err := c.saslAnswer("", initial, given)
		if err != nil {
			return "", "", err
		}
		parts := bytes.Split(answer, []byte{0})
		// The authorization identity, for acting as another user, may repeat the user name.
		if len(parts) != 3 || len(parts[1]) == 0 || len(parts[0]) > 0 && !bytes.Equal(parts[0], parts[1]) {
			return "", "", errEncoding
		}
		return string(parts[1]), string(parts[2]), nil
	case "LOGIN":
		name, err := c.saslAnswer("VXNlcm5hbWU6", initial, given) // Username:
		if err != nil {
			return "", "", err
		}
		word, err := c.saslAnswer("UGFzc3dvcmQ6", "", false) // Password:
		return string(name), string(word), err
	}
	return "", "", errMechanism
}

// saslAnswer decodes the initial response, or asks for an answer.
func (c *clientSession) saslAnswer(challenge, initial string, given bool) ([]byte, error) {
	if !given {
		c.reply(334, "", challenge)
		line, err := c.in.line()
		if err != nil {
			return nil, err
		}
		defer clear(line)
		if initial = string(bytes.TrimSpace(line)); initial == "*" {
			return nil, errCancelled
		}
	}
	if initial == "=" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(initial)
	if err != nil {
		return nil, errEncoding
	}
	return b, nil
}

// loginFailures slows down a client that tries passwords, also over several connections.
type loginFailures struct {
	mu sync.Mutex
	by map[string]failedLogins
}

type failedLogins struct {
	n    int
	last time.Time
}

const (
	firstWait    = time.Second
	longestWait  = 32 * time.Second
	failureAge   = 15 * time.Minute // failures are forgotten after this time
	maxOffenders = 4096
)

// failed counts a failure and returns how long the client must wait for its reply: twice as long
// each time.
func (l *loginFailures) failed(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[string]failedLogins{}
	}
	f := l.by[key]
	if now.Sub(f.last) > failureAge {
		f.n = 0
	}
	f.n, f.last = f.n+1, now
	if _, known := l.by[key]; !known && len(l.by) >= maxOffenders {
		l.makeRoom(now)
	}
	l.by[key] = f
	return min(firstWait<<min(f.n-1, 10), longestWait)
}

// makeRoom looks at a few addresses and removes those with old failures, or one of them.
func (l *loginFailures) makeRoom(now time.Time) {
	looked := 0
	for key, f := range l.by {
		if now.Sub(f.last) > failureAge || looked == 16 && len(l.by) >= maxOffenders {
			delete(l.by, key)
		}
		if looked++; looked > 16 {
			return
		}
	}
}

func (l *loginFailures) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.by, key)
}
