package smtpclient

import (
	"crypto/tls"
	"testing"
)

// A silent server may wait for TLS, but not on a port that begins without TLS.
func TestMayWantTLS(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg  Config
		tls  *tls.ConnectionState
		want bool
	}{
		{Config{Security: STARTTLS, Port: 465}, nil, true},
		{Config{Security: Plaintext, Port: 12345}, nil, true},
		{Config{Security: STARTTLS}, nil, false},
		{Config{Security: STARTTLS, Port: 25}, nil, false},
		{Config{Security: STARTTLS, Port: 2525}, nil, false},
		{Config{Security: Plaintext, Port: 24, LMTP: true}, nil, false},
		{Config{Security: ImplicitTLS, Port: 465}, &tls.ConnectionState{}, false},
	} {
		c := &Conn{cfg: test.cfg, tls: test.tls}
		if got := c.mayWantTLS(); got != test.want {
			t.Errorf("%+v: %v", test.cfg, got)
		}
	}
}
