package sandbox

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// plain implements RFC 4616.
func (x *saslExchange) plain() (string, error) {
	response, err := x.initialResponse()
	if err != nil {
		return "", err
	}
	parts := strings.Split(response, "\x00")
	if len(parts) != 3 {
		return "", fmt.Errorf("%w: PLAIN wants two NULs", errDecode)
	}
	if parts[0] != "" && parts[0] != parts[1] {
		return parts[1], errCredentials
	}
	return parts[1], x.session.check(parts[1], parts[2])
}

// login implements LOGIN, which has no RFC; the prompts are the provider's.
func (x *saslExchange) login() (string, error) {
	w := x.session.server.profile.words
	var user string
	var err error
	if x.hasInitial {
		user, err = decode(x.initial)
	} else {
		user, err = x.askChallenge(w.userPrompt)
	}
	if err != nil {
		return "", err
	}
	secret, err := x.askChallenge(w.passPrompt)
	if err != nil {
		return user, err
	}
	return user, x.session.check(user, secret)
}

// cramMD5 implements RFC 2195.
func (x *saslExchange) cramMD5() (string, error) {
	challenge := fmt.Sprintf("<%s.%d@%s>", rand.Text(), x.session.server.cfg.Now().Unix(), x.session.server.profile.hosts[0])
	if x.hasInitial {
		return "", fmt.Errorf("%w: CRAM-MD5 has no initial response", errDecode)
	}
	response, err := x.askChallenge(challenge)
	if err != nil {
		return "", err
	}
	at := strings.LastIndexByte(response, ' ')
	if at < 0 {
		return "", fmt.Errorf("%w: CRAM-MD5 wants a name and a digest", errDecode)
	}
	user := response[:at]
	secret, ok := x.session.secretOf(user)
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write([]byte(challenge))
	if !ok || !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(response[at+1:])) {
		return user, errCredentials
	}
	return user, nil
}

// xoauth2 implements Google's and Microsoft's mechanism: user=…^Aauth=Bearer
// …^A^A.
func (x *saslExchange) xoauth2() (string, error) {
	response, err := x.initialResponse()
	if err != nil {
		return "", err
	}
	fields := keyValues(response)
	token, ok := strings.CutPrefix(fields["auth"], "Bearer ")
	if fields["user"] == "" || !ok || !strings.HasSuffix(response, "\x01\x01") {
		return "", fmt.Errorf("%w: XOAUTH2 wants user= and auth=Bearer", errDecode)
	}
	return fields["user"], x.checkToken(fields["user"], token, x.session.server.profile.words.tokenError)
}

// oauthBearer implements RFC 7628.
func (x *saslExchange) oauthBearer() (string, error) {
	response, err := x.initialResponse()
	if err != nil {
		return "", err
	}
	gs2, rest, ok := strings.Cut(response, "\x01")
	fields := keyValues(rest)
	token, bearer := strings.CutPrefix(fields["auth"], "Bearer ")
	header := strings.Split(gs2, ",")
	if !ok || !bearer || len(header) != 3 || header[0] != "n" || !strings.HasPrefix(header[1], "a=") || header[2] != "" {
		return "", fmt.Errorf("%w: OAUTHBEARER wants n,a=user, and auth=Bearer", errDecode)
	}
	user := strings.NewReplacer("=2C", ",", "=3D", "=").Replace(header[1][2:])
	return user, x.checkToken(user, token, invalidToken)
}

// invalidToken is the error of RFC 7628 section 3.2.2 in OAUTHBEARER.
const invalidToken = `{"status":"invalid_token","scope":"https://mail.google.com/"}`

// checkToken checks a token. A failure is reported in a challenge that the client
// answers with an empty line (XOAUTH2) or ^A (RFC 7628 section 3.2.3), followed
// by the 535. If the provider has no such challenge, the 535 comes at once.
func (x *saslExchange) checkToken(user, token, challenge string) error {
	if x.session.checkToken(user, token) {
		return nil
	}
	if challenge == "" {
		return errToken
	}
	if _, err := x.askChallenge(challenge); err != nil && !errors.Is(err, errCanceled) {
		return err
	}
	return errToken
}

func keyValues(s string) map[string]string {
	fields := map[string]string{}
	for field := range strings.SplitSeq(s, "\x01") {
		if key, value, ok := strings.Cut(field, "="); ok {
			fields[key] = value
		}
	}
	return fields
}

// external implements RFC 4422 appendix A: the client certificate identifies
// the account.
func (x *saslExchange) external() (string, error) {
	wanted, err := x.initialResponse()
	if err != nil {
		return "", err
	}
	if !x.session.hasClientCertificate() {
		return wanted, errCredentials
	}
	leaf := x.session.state.VerifiedChains[0][0]
	user := leaf.Subject.CommonName
	_, known := x.session.secretOf(user)
	if !known || wanted != "" && wanted != user {
		return user, errCredentials
	}
	return user, nil
}
