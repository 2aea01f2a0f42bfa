package smtpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
)

// authenticate logs in with one mechanism. The first failure ends it: trying
// the next mechanism with the same password only gets accounts locked, and QQ
// has hung up by then.
func (c *Conn) authenticate(context.Context) error {
	fail := func(reply smtp.Reply, err error) error {
		return &smtp.Error{Stage: smtp.StageAuth, Reply: reply, Err: err}
	}
	mech, err := c.chooseMechanism()
	if err != nil {
		return fail(smtp.Reply{}, err)
	}
	initial, err := mech.Start()
	if err != nil {
		return fail(smtp.Reply{}, err)
	}
	reply, err := c.exchange(mech, initial)
	if err != nil {
		// QUIRK: QQ closes the connection behind its 535, so a reply that was
		// read is worth more than the error that followed it.
		return fail(reply, err)
	}
	if name := mech.Name(); reply.Permanent() && (name == sasl.XOAuth2 || name == sasl.OAuthBearer) {
		return fail(reply, ErrTokenRefused)
	}
	if !reply.Positive() {
		return fail(reply, nil)
	}
	if err := mech.Finish(); err != nil {
		return fail(smtp.Reply{}, err)
	}
	c.mechanism = mech.Name()
	return nil
}

func (c *Conn) chooseMechanism() (sasl.Mechanism, error) {
	creds := *c.cfg.Auth
	session := sasl.Session{TLS: c.tls, Host: c.cfg.Host, Port: c.cfg.port(), Offered: c.caps.Auth()}
	if len(session.Offered) == 0 {
		return nil, ErrAuthNotOffered
	}
	name := strings.ToUpper(c.cfg.Mechanism)
	if name == "" {
		// Without TLS only a mechanism that keeps the password is looked for,
		// unless the second word was said.
		if c.tls == nil && !c.cfg.AllowCleartextPassword {
			session.Offered = keepingPassword(session.Offered)
		}
		best, ok := sasl.Choose(creds, session)
		if !ok && len(session.Offered) == 0 {
			return nil, ErrCleartextPassword
		}
		if !ok {
			return nil, fmt.Errorf("%w: it offers %s", ErrNoMechanism, strings.Join(c.caps.Auth(), ", "))
		}
		name = best
	}
	if c.tls == nil && !c.cfg.AllowCleartextPassword && !sasl.KeepsPassword(name) {
		return nil, ErrCleartextPassword
	}
	return sasl.New(name, creds, session)
}

func keepingPassword(offered []string) []string {
	var keep []string
	for _, name := range offered {
		if sasl.KeepsPassword(name) {
			keep = append(keep, name)
		}
	}
	return keep
}

// maxChallenges bounds an exchange; SCRAM needs two.
const maxChallenges = 8

// exchange carries the mechanism's messages (RFC 4954 section 4).
func (c *Conn) exchange(mech sasl.Mechanism, initial []byte) (smtp.Reply, error) {
	line := authLine{command: "AUTH " + mech.Name()}
	// The command line is limited to 512 octets (RFC 4954 section 4): a longer
	// initial response waits for the server's empty challenge.
	if initial != nil && len(line.command)+1+base64.StdEncoding.EncodedLen(len(initial)) <= 510 {
		line.response, initial = encodeInitial(initial), nil
	}
	for range maxChallenges {
		reply, err := c.say(line)
		if err != nil || !reply.Intermediate() {
			return reply, err
		}
		answer, err := c.answer(mech, reply, initial)
		if err != nil {
			// What the mechanism objects to may be the server's own words.
			return c.cancel(errors.New(c.w.redact.line(err.Error())))
		}
		initial = nil
		line = authLine{response: base64.StdEncoding.EncodeToString(answer)}
	}
	return c.cancel(errors.New("the server keeps asking"))
}

// answer decodes a challenge and lets the mechanism, or the initial response
// that had to wait, answer it.
func (c *Conn) answer(mech sasl.Mechanism, reply smtp.Reply, initial []byte) ([]byte, error) {
	if initial != nil {
		return initial, nil
	}
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(reply.Text()))
	if err != nil {
		// QUIRK: some servers prompt for LOGIN in plain words; it ignores them.
		if mech.Name() != sasl.Login {
			return nil, errors.New("the server's challenge is not base64")
		}
		challenge = nil
	}
	return mech.Next(challenge)
}

// authLine is a line of the exchange: the command, a response in base64, or
// the command with its initial response.
type authLine struct{ command, response string }

// say sends one line of the exchange. Neither the trace nor an error ever
// holds the response, nor the challenge that came back.
func (c *Conn) say(l authLine) (smtp.Reply, error) {
	line, shown := l.response, Hidden
	if l.command != "" {
		line, shown = l.command, l.command
		if l.response != "" {
			line, shown = line+" "+l.response, shown+" "+Hidden
		}
	}
	c.w.redact.hideResponse(l.response)
	reply, err := c.ask(question{stage: smtp.StageAuth, line: line, shown: shown, challenge: true})
	if err != nil {
		return smtp.Reply{}, err.Err
	}
	return reply, nil
}

// cancel ends an exchange that can't go on (RFC 4954 section 4). The reason is
// ours; the server's 501 to the asterisk tells nothing.
func (c *Conn) cancel(reason error) (smtp.Reply, error) {
	if err := c.w.send(c.cfg.Timeouts.Command, []byte("*\r\n"), "*"); err == nil {
		_, _ = c.w.reply(c.cfg.Timeouts.Command)
	}
	return smtp.Reply{}, reason
}

// encodeInitial writes an initial response; an empty one is "=".
func encodeInitial(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}

// showChallenge hides what a challenge says, but for the two prompts of LOGIN,
// which say nothing and which the reader of a transcript looks for.
func showChallenge(line string) string {
	code, text := line[:min(4, len(line))], line[min(4, len(line)):]
	if code != "334 " && code != "334-" || text == "" {
		return line
	}
	if prompt, err := base64.StdEncoding.DecodeString(text); err == nil {
		switch strings.ToLower(string(prompt)) {
		case "username:", "password:", "user name\x00", "password\x00":
			return line + " (" + strings.TrimRight(string(prompt), "\x00") + ")"
		}
	}
	return code + Hidden
}
