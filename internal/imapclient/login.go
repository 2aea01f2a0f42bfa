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
func (c *conn) login() error {
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

func (c *conn) askCapabilities() error {
	reply, err := c.ask(c.command("CAPABILITY"))
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
func (c *conn) identify() error {
	if !c.caps.has("ID") {
		return nil
	}
	id := `ID ("name" "yan" "vendor" "yanmail" "support-url" "https://github.com/yanmail/yan")`
	if reply, err := c.ask(c.command(id)); err != nil || reply.Status == "BYE" {
		return &Error{Stage: StageLogin, Reply: reply, Err: err}
	}
	return nil
}

// authenticate chooses a login method and runs it.
func (c *conn) authenticate(offered capabilities) (Reply, error) {
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
		return Reply{}, ErrLoginDisabled
	case !ok:
		slices.Sort(session.Offered)
		return Reply{}, fmt.Errorf("%w: it offers %q", smtpclient.ErrNoMechanism, session.Offered)
	}
	mech, err := sasl.New(name, c.cfg.Auth, session)
	if err != nil {
		return Reply{}, err
	}
	reply, err := c.exchange(mech, offered.has("SASL-IR") || offered.has("IMAP4REV2"))
	if err == nil && reply.Status == "OK" {
		err = mech.Finish()
	}
	if err != nil {
		return Reply{}, err
	}
	return reply, nil
}

func (c *conn) loginCommand() (Reply, error) {
	m := c.command("LOGIN")
	for _, s := range []string{c.cfg.Auth.Username, c.cfg.Auth.Password} {
		if err := m.astring(s); err != nil {
			return Reply{}, fmt.Errorf("user name or password: %w", err)
		}
	}
	return c.ask(m)
}

const (
	// maxChallenges limits an exchange; SCRAM needs three.
	maxChallenges = 8
	// maxInitial limits the response sent with the command: servers need not
	// accept lines of more than 8,192 octets (RFC 7162 section 4). A longer one
	// waits for an empty challenge.
	maxInitial = 8000
)

// exchange runs a SASL exchange (RFC 9051 section 6.2.2).
func (c *conn) exchange(mech sasl.Mechanism, withCommand bool) (Reply, error) {
	initial, err := mech.Start()
	if err != nil {
		return Reply{}, err
	}
	c.redact.hideOctets(initial)
	m := c.command("AUTHENTICATE " + mech.Name())
	if initial != nil && withCommand && base64.StdEncoding.EncodedLen(len(initial)) <= maxInitial {
		m.text(" " + encodeInitial(initial))
		initial = nil
	}
	m.text("\r\n")
	c.alert = ""
	line := m.chunks[0]
	for range maxChallenges {
		c.allow()
		if reply, err := c.write(m, line); err != nil || !reply.IsZero() {
			return reply, err
		}
		challenge, reply, err := c.next(m.tag)
		if err != nil || !reply.IsZero() {
			return reply, err
		}
		response := initial
		if initial == nil {
			if response, err = next(mech, challenge); err != nil {
				return c.cancel(m, err)
			}
		}
		initial = nil
		c.redact.hideOctets(response)
		line = []byte(base64.StdEncoding.EncodeToString(response) + "\r\n")
	}
	return c.cancel(m, errors.New("the server keeps asking"))
}

// next returns the mechanism's response to a challenge.
func next(mech sasl.Mechanism, challenge []byte) ([]byte, error) {
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

// cancel cancels an exchange. reason is the local error, and may quote the
// server.
func (c *conn) cancel(m *command, reason error) (Reply, error) {
	c.allow()
	if reply, err := c.write(m, []byte("*\r\n")); err == nil && reply.IsZero() {
		_, _ = c.answer(m.tag) // a BAD without information
	}
	if hidden := c.redact.line(reason.Error()); hidden != reason.Error() {
		return Reply{}, errors.New(hidden)
	}
	return Reply{}, reason
}

// encodeInitial encodes an initial response; an empty one is "=" (RFC 4959).
func encodeInitial(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}
