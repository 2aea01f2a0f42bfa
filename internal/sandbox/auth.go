package sandbox

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/smtp"
)

var (
	errCredentials = errors.New("the credentials are wrong")
	errToken       = errors.New("the token is wrong")
	errDecode      = errors.New("the response can't be decoded")
	errCanceled    = errors.New("the client canceled")
)

// takesPassword reports whether a mechanism proves that the client has the password.
func takesPassword(mechanism string) bool {
	return !slices.Contains([]string{"XOAUTH2", "OAUTHBEARER", "EXTERNAL"}, mechanism)
}

// supportedMechanisms lists the SASL mechanisms that the server implements.
func supportedMechanisms() []string {
	return []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256",
		"SCRAM-SHA-256-PLUS", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"}
}

// runAuth runs one AUTH exchange, RFC 4954.
func (s *serverSession) runAuth(cmd commandLine) error {
	w := s.server.profile.words
	mechanism, initial, hasInitial := strings.Cut(cmd.args, " ")
	mechanism = strings.ToUpper(mechanism)
	if refusal := s.refuseAuth(mechanism); refusal != "" {
		return s.refuseCommand(refusal)
	}
	x := &saslExchange{session: s, mechanism: mechanism, initial: initial, hasInitial: hasInitial}
	login, err := x.run()
	if f, found, ferr := magicFault(localPart(login)); found {
		if ferr != nil {
			return s.refuseCommand("501 " + ferr.Error())
		}
		s.armFault(f, smtp.StageAuth)
	}
	answer := w.authOK
	wrong := errors.Is(err, errCredentials) || errors.Is(err, errToken)
	switch cfg := s.server.cfg; {
	case (err == nil || wrong) && s.server.profile.passwordsOff != "" && takesPassword(mechanism):
		answer = s.server.profile.passwordsOff
	case (err == nil || wrong) && s.server.lock.recordLogin(login, !wrong, cfg.LockAfter, cfg.Now()):
		answer = s.server.profile.loginRefusal(TooMany)
	case errors.Is(err, errCredentials):
		answer = w.authFailed
	case errors.Is(err, errToken):
		answer = w.tokenFailed
	case errors.Is(err, errDecode):
		s.violate(smtp.StageAuth, "%v", err)
		answer = w.authBad
	case errors.Is(err, errCanceled):
		answer = w.authCanceled
	case err != nil:
		return err
	}
	ok, err := s.respond(smtp.StageAuth, answer)
	if err != nil {
		return err
	}
	if !ok {
		if s.server.profile.hangsUp {
			return errHangUp
		}
		return nil
	}
	s.login = login
	s.update(func(c *Connection) { c.Login = login })
	return nil
}

// refuseAuth returns the reply to an AUTH that can't begin, or "".
func (s *serverSession) refuseAuth(mechanism string) string {
	p := s.server.profile
	offered := slices.Contains(s.offer.caps.Auth(), mechanism)
	allowed := s.server.cfg.AllowCleartextPassword
	if s.state == nil && !allowed {
		s.violate(smtp.StageAuth, "AUTH %s on an unencrypted connection", mechanism)
	}
	switch {
	case s.name == "":
		s.violate(smtp.StageAuth, "AUTH before EHLO")
		return p.words.badSequence
	case s.login != "":
		s.violate(smtp.StageAuth, "a second AUTH")
		return p.words.authTwice
	case s.mail.open:
		s.violate(smtp.StageAuth, "AUTH inside a transaction")
		return p.words.badSequence
	case s.state == nil && !p.cleartextAuth && !allowed:
		return p.words.tlsRequired
	case s.helo && p.authAfterEHLO:
		return p.words.authUnknown
	case !offered && !s.helo:
		s.violate(smtp.StageAuth, "AUTH %s was not offered", mechanism)
		return p.words.authUnknown
	case !slices.Contains(supportedMechanisms(), mechanism):
		return p.words.authUnknown
	}
	return ""
}

// secretOf returns the secret of a login. A magic login has the default secret,
// so that AUTH reaches its fault.
func (s *serverSession) secretOf(login string) (string, bool) {
	if secret, ok := s.server.cfg.Accounts[login]; ok {
		return secret, true
	}
	if _, found, err := magicFault(localPart(login)); found && err == nil {
		return Password, true
	}
	return "", false
}

func (s *serverSession) check(login, secret string) error {
	if want, ok := s.secretOf(login); !ok || !hmac.Equal([]byte(want), []byte(secret)) {
		return errCredentials
	}
	return nil
}

func (s *serverSession) checkToken(login, token string) bool {
	if tokens := s.server.cfg.Tokens; tokens != nil {
		return tokens(login, token)
	}
	return s.check(login, token) == nil
}

func localPart(login string) string {
	if at := strings.LastIndexByte(login, '@'); at >= 0 {
		return login[:at]
	}
	return login
}

// saslExchange is one SASL exchange.
type saslExchange struct {
	session    *serverSession
	mechanism  string
	initial    string
	hasInitial bool
}

// run returns the login, even with an error if the login is known.
func (x *saslExchange) run() (login string, err error) {
	switch x.mechanism {
	case "PLAIN":
		return x.plain()
	case "LOGIN":
		return x.login()
	case "CRAM-MD5":
		return x.cramMD5()
	case "XOAUTH2":
		return x.xoauth2()
	case "OAUTHBEARER":
		return x.oauthBearer()
	case "EXTERNAL":
		return x.external()
	}
	return x.scram()
}

// initialResponse returns the initial response; if there is none it sends an empty
// challenge.
func (x *saslExchange) initialResponse() (string, error) {
	if !x.hasInitial {
		return x.askChallenge("")
	}
	if x.initial == "=" { // RFC 4954 section 4: an empty initial response
		return "", nil
	}
	return decode(x.initial)
}

// challenge sends a 334. Challenges of SCRAM and CRAM-MD5 are kept out of the
// log: with the rest of the exchange they would allow passwords to be guessed
// offline.
func (x *saslExchange) challenge(text string) error {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	if x.session.server.cfg.ShowSecrets || !strings.Contains(x.mechanism, "CRAM") {
		return x.session.wire.queueReply("334 " + encoded)
	}
	x.session.wire.log(FromServer, "334 <hidden>")
	_, err := x.session.wire.out.WriteString("334 " + encoded + "\r\n")
	return err
}

// askChallenge sends a challenge and reads the response.
func (x *saslExchange) askChallenge(challenge string) (string, error) {
	s := x.session
	if s.wire.bufferedOctets() > 0 {
		s.violate(smtp.StageAuth, "%d octets sent before the challenge", s.wire.bufferedOctets())
	}
	if err := x.challenge(challenge); err != nil {
		return "", err
	}
	in, err := s.wire.readLine(maxAuthLine)
	if errors.Is(err, errLineTooLong) {
		return "", errDecode
	}
	if err != nil {
		return "", err
	}
	text := string(in.text)
	if s.server.cfg.ShowSecrets {
		s.wire.log(FromClient, text)
	} else {
		s.wire.log(FromClient, "<hidden>")
	}
	if in.bareCR || in.bareLF {
		s.violate(smtp.StageAuth, "bare CR or LF in a response")
	}
	if text == "*" {
		return "", errCanceled
	}
	return decode(text)
}

func decode(text string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", errDecode
	}
	return string(b), nil
}
