package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// held returns the credentials of a mechanism. They are in a function because package fmt never
// looks into one: with a wrong verb it prints even the target of a pointer.
type held func() Credentials

// plain is PLAIN (RFC 4616): one message, sent with the command.
type plain struct{ c held }

func (*plain) Name() string  { return Plain }
func (*plain) Finish() error { return nil }

func (p *plain) Start() ([]byte, error) {
	if strings.ContainsRune(p.c().Username+p.c().Password+p.c().AuthorizationID, 0) {
		return nil, errors.New("a NUL in the user name or password can't be sent with PLAIN")
	}
	return []byte(p.c().AuthorizationID + "\x00" + p.c().Username + "\x00" + p.c().Password), nil
}

func (*plain) Next([]byte) ([]byte, error) {
	return nil, errors.New("PLAIN: the server asks for more than the mechanism has")
}

// login is LOGIN, which has no standard (draft-murchison-sasl-login-00). It ignores the text of the
// prompts.
//
// QUIRK: NetEase and Aliyun prompt with "username:", others with "User Name" and a NUL; the draft
// tells clients to ignore it.
type login struct {
	c     held
	steps int
}

func (*login) Name() string           { return Login }
func (*login) Finish() error          { return nil }
func (*login) Start() ([]byte, error) { return nil, nil }

func (l *login) Next([]byte) ([]byte, error) {
	l.steps++
	switch l.steps {
	case 1:
		return []byte(l.c().Username), nil
	case 2:
		return []byte(l.c().Password), nil
	}
	return nil, errors.New("LOGIN: the server asks for more than user name and password")
}

// cramMD5 is CRAM-MD5 (RFC 2195).
type cramMD5 struct{ c held }

func (*cramMD5) Name() string           { return CramMD5 }
func (*cramMD5) Finish() error          { return nil }
func (*cramMD5) Start() ([]byte, error) { return nil, nil }

func (m *cramMD5) Next(challenge []byte) ([]byte, error) {
	mac := hmac.New(md5.New, []byte(m.c().Password))
	mac.Write(challenge)
	return []byte(m.c().Username + " " + hex.EncodeToString(mac.Sum(nil))), nil
}

// xoauth2 is Google's and Microsoft's XOAUTH2.
type xoauth2 struct{ c held }

func (*xoauth2) Name() string  { return XOAuth2 }
func (*xoauth2) Finish() error { return nil }

func (x *xoauth2) Start() ([]byte, error) {
	return fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", x.c().Username, x.c().Token), nil
}

// Next answers the challenge with the reason of a failure with an empty line; then the server sends
// its 535.
func (*xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

// oauthBearer is OAUTHBEARER (RFC 7628).
type oauthBearer struct {
	c held
	s Session
}

func (*oauthBearer) Name() string  { return OAuthBearer }
func (*oauthBearer) Finish() error { return nil }

func (o *oauthBearer) Start() ([]byte, error) {
	id := o.c().AuthorizationID
	if id == "" {
		id = o.c().Username
	}
	// The gs2 header is escaped as in SCRAM (RFC 5801 section 4).
	id = strings.NewReplacer("=", "=3D", ",", "=2C").Replace(id)
	return fmt.Appendf(nil, "n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01",
		id, o.s.Host, o.s.Port, o.c().Token), nil
}

// Next answers the reason of a failure with a single ^A (RFC 7628 section 3.2.3).
func (*oauthBearer) Next([]byte) ([]byte, error) { return []byte{1}, nil }

// external is EXTERNAL (RFC 4422 appendix A): the client certificate authenticates.
type external struct{ c held }

func (*external) Name() string             { return External }
func (*external) Finish() error            { return nil }
func (e *external) Start() ([]byte, error) { return []byte(e.c().AuthorizationID), nil }

func (e *external) Next([]byte) ([]byte, error) { return []byte(e.c().AuthorizationID), nil }
