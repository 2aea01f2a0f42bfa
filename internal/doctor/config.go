package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// connConfig returns the configuration of one connection, without credentials.
func (v *examSession) connConfig(trace func(smtpclient.Event)) (smtpclient.Config, error) {
	o := v.Options
	o.Password, o.Token, o.FreshToken, o.Mechanism, o.Proxy = "", "", nil, "", ""
	o.Trace, o.StopAfter = trace, ""
	o.Timeouts = smtpclient.Timeouts{Connect: v.Timeout, Handshake: v.Timeout, Greeting: v.Timeout, Command: v.Timeout,
		DataInit: v.Timeout, DataBlock: v.Timeout, DataEnd: 2 * v.Timeout, Quit: min(v.Timeout, time.Second)}
	cfg, err := o.Config(v.Server)
	if err != nil {
		return cfg, err
	}
	if cfg.Mechanism = v.Options.Mechanism; v.noLogin() {
		cfg.Mechanism = ""
	}
	cfg.Dialer = func(ctx context.Context, _, address string) (net.Conn, error) { return v.dialServer(ctx, address) }
	return cfg, cfg.Check()
}

// noLogin reports whether the options disable the login.
func (v *examSession) noLogin() bool {
	return strings.EqualFold(v.Options.Mechanism, transport.NoLogin)
}

// credentials returns the credentials of the options, by the rules of package
// transport.
func (v *examSession) credentials(ctx context.Context, o transport.Options) (*sasl.Credentials, error) {
	if o.FreshToken != nil {
		token, err := o.FreshToken(ctx, "")
		if err != nil {
			return nil, err
		}
		o.Token, o.FreshToken = token, nil
	}
	external := strings.EqualFold(o.Mechanism, sasl.External)
	if o.Password == "" && o.Token == "" && !external {
		return nil, ErrNoSecret
	}
	if o.From == "" && !v.From.IsZero() {
		o.From = v.From.String()
	}
	if o.User == "" && v.Server.User == "" && o.From == "" && !external {
		return nil, errNoUser
	}
	cfg, err := o.Config(v.Server)
	if err == nil && cfg.Auth == nil {
		err = ErrNoSecret
	}
	return cfg.Auth, err
}

// errNoUser reports a secret without a user name.
var errNoUser = errors.New("there is a password, and no user name to log in with")

// dialer uses the proxy if there is one.
func (v *examSession) dialer() (dialContext, error) {
	if v.Options.Proxy == "" {
		return v.dial, nil
	}
	dialer, err := transport.ProxyDialer(v.Options.Proxy, v.dial)
	if err != nil {
		return nil, err
	}
	return dialer.DialContext, nil
}
