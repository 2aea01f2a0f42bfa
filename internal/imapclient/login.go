package imapclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

// login logs in, with the best mechanism or with the LOGIN command. It stops at
// the first failure: trying the same password in another way only locks
// accounts.
func (c *imapConn) login() error {
	if c.caps == nil && !c.preauth {
		if err := c.askCapabilities(); err != nil {
			return err
		}
	}
	if !c.preauth {
		before := c.caps
		c.caps = nil // capabilities may differ after the login
		reply, err := c.authenticate(before)
		if err != nil || reply.Status != "OK" {
			return &Error{Stage: StageLogin, Reply: reply, Err: err}
		}
	}
	if c.caps == nil {
		if err := c.askCapabilities(); err != nil {
			return err
		}
	}
	return c.identify()
}

func (c *imapConn) askCapabilities() error {
	reply, err := c.runCommand(c.newCommand("CAPABILITY"))
	switch {
	case err != nil:
		return &Error{Stage: StageLogin, Err: err}
	case reply.Status != "OK":
		return &Error{Stage: StageLogin, Reply: reply}
	case c.caps == nil:
		return &Error{Stage: StageLogin, Err: fmt.Errorf("%w: it does not say what it can do", ErrMalformed)}
	}
	return nil
}

// identify sends ID (RFC 2971) to servers that support it, and ignores the
// answer.
//
// QUIRK: NetEase (163, 126, yeah.net) refuses every folder with "Unsafe Login.
// Please contact kefu@188.com for help" to clients that have not sent it.
func (c *imapConn) identify() error {
	if !c.caps.has("ID") {
		return nil
	}
	id := `ID ("name" "yan" "vendor" "yanmail" "support-url" "https://github.com/yanmail/yan")`
	if reply, err := c.runCommand(c.newCommand(id)); err != nil || reply.Status == "BYE" {
		return &Error{Stage: StageLogin, Reply: reply, Err: err}
	}
	return nil
}

// authenticate chooses a login method and runs it.
func (c *imapConn) authenticate(offered capabilities) (ServerReply, error) {
	session := sasl.Session{TLS: c.tls, Host: c.cfg.Host, Port: c.cfg.port(), Offered: offered.mechanisms()}
	name, ok := sasl.Choose(c.cfg.Auth, session)
	hasPassword := c.cfg.Auth.Password != "" && c.cfg.Auth.Token == ""
	byCommand := hasPassword && !offered.has("LOGINDISABLED")
	switch {
	case byCommand && (!ok || name == sasl.Login):
		// QUIRK: NetEase and others list no mechanism for passwords at all; RFC
		// 3501 section 6.2.3 leaves the command to them. LOGIN also saves the
		// round trips of the LOGIN mechanism.
		return c.loginCommand()
	case !ok && hasPassword:
		return ServerReply{}, ErrLoginDisabled
	case !ok:
		slices.Sort(session.Offered)
		return ServerReply{}, fmt.Errorf("%w: it offers %q", smtpclient.ErrNoMechanism, session.Offered)
	}
	mech, err := sasl.New(name, c.cfg.Auth, session)
	if err != nil {
		return ServerReply{}, err
	}
	reply, err := c.runExchange(mech, offered.has("SASL-IR") || offered.has("IMAP4REV2"))
	if err == nil && reply.Status == "OK" {
		err = mech.Finish()
	}
	if err != nil {
		return ServerReply{}, err
	}
	return reply, nil
}

func (c *imapConn) loginCommand() (ServerReply, error) {
	m := c.newCommand("LOGIN")
	for _, s := range []string{c.cfg.Auth.Username, c.cfg.Auth.Password} {
		if err := m.astring(s); err != nil {
			return ServerReply{}, fmt.Errorf("user name or password: %w", err)
		}
	}
	return c.runCommand(m)
}

const (
	// maxChallenges limits an exchange; SCRAM needs three.
	maxChallenges = 8
	// maxInitial limits the response sent with the command: servers need not
	// accept lines of more than 8,192 octets (RFC 7162 section 4). A longer one
	// waits for an empty challenge.
	maxInitial = 8000
)

// runExchange runs a SASL exchange (RFC 9051 section 6.2.2).
func (c *imapConn) runExchange(mech sasl.Mechanism, withCommand bool) (ServerReply, error) {
	initial, err := mech.Start()
	if err != nil {
		return ServerReply{}, err
	}
	c.redact.hideOctets(initial)
	m := c.newCommand("AUTHENTICATE " + mech.Name())
	if initial != nil && withCommand && base64.StdEncoding.EncodedLen(len(initial)) <= maxInitial {
		m.text(" " + encodeInitial(initial))
		initial = nil
	}
	m.text("\r\n")
	c.alert = ""
	line := m.chunks[0]
	for range maxChallenges {
		c.setLimits()
		if reply, err := c.writeCommand(m, line); err != nil || !reply.IsZero() {
			return reply, err
		}
		challenge, reply, err := c.readContinuation(m.tag)
		if err != nil || !reply.IsZero() {
			return reply, err
		}
		response := initial
		if initial == nil {
			if response, err = nextResponse(mech, challenge); err != nil {
				return c.cancelExchange(m, err)
			}
		}
		initial = nil
		c.redact.hideOctets(response)
		line = []byte(base64.StdEncoding.EncodeToString(response) + "\r\n")
	}
	return c.cancelExchange(m, errors.New("the server keeps asking"))
}

// nextResponse returns the mechanism's response to a challenge.
func nextResponse(mech sasl.Mechanism, challenge []byte) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(string(challenge))
	if err != nil {
		// QUIRK: some servers send the prompts of LOGIN in plain text; the
		// mechanism ignores them.
		if mech.Name() != sasl.Login {
			return nil, errors.New("the server's challenge is not base64")
		}
		decoded = nil
	}
	return mech.Next(decoded)
}

// cancelExchange cancels an exchange. reason is the local error, and may quote the
// server.
func (c *imapConn) cancelExchange(m *commandBuilder, reason error) (ServerReply, error) {
	c.setLimits()
	if reply, err := c.writeCommand(m, []byte("*\r\n")); err == nil && reply.IsZero() {
		_, _ = c.readAnswer(m.tag) // a BAD without information
	}
	if hidden := c.redact.line(reason.Error()); hidden != reason.Error() {
		return ServerReply{}, errors.New(hidden)
	}
	return ServerReply{}, reason
}

// encodeInitial encodes an initial response; an empty one is "=" (RFC 4959).
func encodeInitial(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}
