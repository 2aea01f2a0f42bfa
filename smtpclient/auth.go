package smtpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
)

// maxMechanisms is the number of mechanisms that one login tries: servers hang up after a few
// unknown commands.
const maxMechanisms = 3

// authenticate logs in. A refused password ends it: the next mechanism with the same password
// only gets accounts locked, and QQ has hung up by then. A reply that the server doesn't know the
// mechanism, although it offers it, does not judge the password. Over TLS, where no attacker can
// have sent it, the next mechanism follows.
func (c *Conn) authenticate(context.Context) error {
	offered := c.caps.Auth()
	var unknown *smtp.Error // the last refusal that did not judge the password
	for range maxMechanisms {
		mech, err := c.chooseMechanism(offered)
		if err != nil && unknown != nil {
			return unknown
		}
		if err != nil {
			return &smtp.Error{Stage: smtp.StageAuth, Err: err}
		}
		refused, judged := c.logIn(mech)
		switch {
		case refused == nil:
			return nil
		case unknown != nil && refused.Reply.IsZero():
			return unknown // the server hung up after it gave the reason
		case judged || c.tls == nil || c.cfg.Mechanism != "":
			return refused
		}
		unknown = refused
		offered = slices.DeleteFunc(slices.Clone(offered), func(name string) bool { return name == mech.Name() })
	}
	return unknown
}

// logIn logs in with one mechanism. judged is false for a refusal that does not judge the
// password or token.
func (c *Conn) logIn(mech sasl.Mechanism) (refused *smtp.Error, judged bool) {
	fail := func(reply smtp.Reply, err error) *smtp.Error {
		return &smtp.Error{Stage: smtp.StageAuth, Reply: reply, Err: err}
	}
	initial, err := mech.Start()
	if err != nil {
		return fail(smtp.Reply{}, err), true
	}
	reply, challenged, err := c.runExchange(mech, initial)
	if err != nil {
		// QUIRK: QQ closes the connection after its 535, so a reply that was read is worth more
		// than the error after it.
		return fail(reply, err), true
	}
	if !challenged && unknownMechanism(mech.Name(), reply) {
		return fail(reply, nil), false
	}
	if name := mech.Name(); reply.Permanent() && (name == sasl.XOAuth2 || name == sasl.OAuthBearer) {
		return fail(reply, ErrTokenRefused), true
	}
	if !reply.Positive() {
		return fail(reply, nil), true
	}
	if err := mech.Finish(); err != nil {
		return fail(smtp.Reply{}, err), true
	}
	c.mechanism = mech.Name()
	return nil, true
}

// unknownMechanism reports whether a reply to AUTH says that the server does not know or support
// the mechanism: 500, 502 or 504, or text to that effect. A reply that may be about the login
// itself is not: 530, 534, 535, 538, and any text that speaks of failure.
func unknownMechanism(name string, r smtp.Reply) bool {
	// Of the security codes (RFC 3463 section 3.8) only X.7.4 is about the server's features.
	security := r.Enhanced.Subject == 7 && r.Enhanced.Detail != 4
	// The mechanism LOGIN must not count as the word "login".
	text := strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(r.Text(), name, "")), "auth "+strings.ToLower(name), "")
	if !r.Permanent() || security || judgesLogin(text) {
		return false
	}
	switch r.Code {
	case 500, 502, 504:
		return true
	case 530, 534, 535, 538:
		return false
	}
	return saysUnknown(text)
}

// judgesLogin reports text about the user or the password.
func judgesLogin(text string) bool {
	return containsAny(text, "password", "passwd", "credential", "fail", "denied", "incorrect", "wrong", "locked",
		"blocked", "disabled", "login", "log in", "user", "account", "token", "too many", "密码", "授权码", "用户", "账号", "登录")
}

// saysUnknown reports text about a mechanism that the server does not know.
func saysUnknown(text string) bool {
	return containsAny(text, "mechanism", "authentication type", "authentication method", "auth type", "auth method") &&
		containsAny(text, "not supported", "unsupported", "unrecognized", "unrecognised", "unknown", "not available",
			"unimplemented", "not implemented", "invalid mechanism", "invalid auth")
}

func containsAny(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// chooseMechanism returns the best offered mechanism, or the one in the configuration. That one
// is tried over TLS even if the server does not announce it: the user may know more than the
// server says.
func (c *Conn) chooseMechanism(offered []string) (sasl.Mechanism, error) {
	creds := *c.cfg.Auth
	session := sasl.Session{TLS: c.tls, Host: c.cfg.Host, Port: c.cfg.portOrDefault(), Offered: offered}
	name := strings.ToUpper(c.cfg.Mechanism)
	if len(session.Offered) == 0 && (name == "" || c.tls == nil) {
		return nil, ErrAuthNotOffered
	}
	if name == "" {
		// Without TLS only mechanisms that hide the password are chosen, unless
		// AllowCleartextPassword is set.
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

// maxChallenges limits an exchange; SCRAM needs two.
const maxChallenges = 8

// runExchange carries the mechanism's messages (RFC 4954 section 4). challenged says that the server
// sent a challenge first.
func (c *Conn) runExchange(mech sasl.Mechanism, initial []byte) (reply smtp.Reply, challenged bool, err error) {
	line := authLine{command: "AUTH " + mech.Name()}
	// The command line is limited to 512 octets (RFC 4954 section 4): a longer initial response
	// is sent after the server's empty challenge.
	if initial != nil && len(line.command)+1+base64.StdEncoding.EncodedLen(len(initial)) <= 510 {
		line.response, initial = encodeInitial(initial), nil
	}
	for range maxChallenges {
		reply, err = c.sendAuthLine(line)
		if err != nil || !reply.Intermediate() {
			return reply, challenged, err
		}
		challenged = true
		answer, err := c.answerChallenge(mech, reply, initial)
		if err != nil {
			// The error of the mechanism may quote the server.
			return smtp.Reply{}, true, c.cancelExchange(errors.New(c.w.redact.redactLine(err.Error())))
		}
		initial = nil
		line = authLine{response: base64.StdEncoding.EncodeToString(answer)}
	}
	return smtp.Reply{}, true, c.cancelExchange(errors.New("the server keeps asking"))
}

// answerChallenge decodes a challenge and returns the mechanism's response, or the initial response that
// was too long.
func (c *Conn) answerChallenge(mech sasl.Mechanism, reply smtp.Reply, initial []byte) ([]byte, error) {
	if initial != nil {
		return initial, nil
	}
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(reply.Text()))
	if err != nil {
		// QUIRK: some servers prompt for LOGIN in plain text; LOGIN ignores the prompt.
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

// sendAuthLine sends one line of the exchange. Neither the trace nor an error ever contains the response
// or the next challenge.
func (c *Conn) sendAuthLine(l authLine) (smtp.Reply, error) {
	line, shown := l.response, Hidden
	if l.command != "" {
		line, shown = l.command, l.command
		if l.response != "" {
			line, shown = line+" "+l.response, shown+" "+Hidden
		}
	}
	c.w.redact.hideResponse(l.response)
	reply, err := c.sendCommand(commandSpec{stage: smtp.StageAuth, line: line, shown: shown, challenge: true})
	if err != nil {
		return smtp.Reply{}, err.Err
	}
	return reply, nil
}

// cancelExchange ends an exchange that can't continue (RFC 4954 section 4). The reason is ours; the
// server's 501 to the asterisk adds nothing.
func (c *Conn) cancelExchange(reason error) error {
	if err := c.w.sendLines(c.cfg.Timeouts.Command, []byte("*\r\n"), "*"); err == nil {
		_, _ = c.w.readReplyWithin(c.cfg.Timeouts.Command)
	}
	return reason
}

// encodeInitial writes an initial response; an empty one is "=".
func encodeInitial(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}

// showChallenge hides the content of a challenge, except the two prompts of LOGIN, which are not
// secret and help the reader of a transcript.
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
