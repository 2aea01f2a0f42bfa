package account

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// Open returns a client for an account of this user: the one with that name, or the default for
// "". It reads the configuration and the stored secret, and never prompts.
func Open(ctx context.Context, name string) (*yan.Client, error) {
	path, err := Path(os.Getenv)
	if err != nil {
		return nil, err
	}
	f, err := atomicfile.Await(ctx, func() (*File, error) { return Load(path) }, nil)
	if err != nil {
		return nil, err
	}
	var a Account
	if name == "" && f.Default() == "" {
		return nil, &noDefaultError{path: path, accounts: len(f.Accounts())}
	}
	if name == "" {
		name = f.Default()
	}
	a, ok := f.Account(name)
	if !ok {
		return nil, f.unknownAccount(name)
	}
	o, err := a.Options(ctx, SystemSecrets())
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.Name, err)
	}
	return yan.Open(a.Server, o)
}

// noDefaultError is [ErrNone] if no account was named.
type noDefaultError struct {
	path     string
	accounts int
}

func (e *noDefaultError) Is(target error) bool { return target == ErrNone }
func (e *noDefaultError) Error() string        { return e.Unwrap().Error() }

func (e *noDefaultError) Unwrap() error {
	if e.accounts == 0 {
		return localerr.Errorf("%s: there are no accounts yet; run yan login to create one", e.path)
	}
	return localerr.Errorf("%s: there are %d accounts and none is the default: name one", e.path, e.accounts)
}

// Options returns the second argument of yan.Open; the first is a.Server. It reads the password;
// access tokens are requested when needed. If the secret can't be read, the error is a
// [*SecretError]. nil as s means [SystemSecrets].
func (a Account) Options(ctx context.Context, s Secrets) (yan.Options, error) {
	address, err := a.Address()
	if err != nil {
		return yan.Options{}, err
	}
	server, err := transport.ParseServer(a.Server, address)
	if err != nil {
		return yan.Options{}, err
	}
	if s == nil {
		s = SystemSecrets()
	}
	o := a.Connection()
	o.From = address.String()
	switch {
	case a.NoLogin():
	case a.UsesOAuth2(), o.Mechanism == sasl.XOAuth2, o.Mechanism == sasl.OAuthBearer:
		o.FreshToken, err = s.FreshToken(ctx, a)
	case o.Mechanism != sasl.External && a.logsIn(server):
		o.Password, err = s.Password(ctx, a)
	}
	return o, a.secretError(err)
}

// NoLogin reports whether the account is configured without a login.
func (a Account) NoLogin() bool { return strings.EqualFold(a.Auth, transport.NoLogin) }

// logsIn: a server given by the user without a user name, like a relay on this machine, needs no
// login.
func (a Account) logsIn(server transport.Server) bool {
	return a.User != "" || server.User != "" || a.Auth != "" || a.Secret != Secret{}
}

// Connection returns the options of the account that need no secret; [Account.Options]
// adds the login. All code that uses an account gets its options here.
func (a Account) Connection() yan.Options {
	return yan.Options{
		User: a.User, Mechanism: mechanismName(a.Auth), AllowCleartextPassword: a.AllowCleartextPassword,
		CAFile: a.File(a.TLSCA), Pin: a.TLSPin, CertFile: a.File(a.TLSCert), KeyFile: a.File(a.TLSKey),
		TLSName: a.TLSName, RSAKeyExchange: a.TLSRSAKeyExchange,
		LocalName: a.LocalName, Proxy: a.Proxy, MaxConnections: a.Connections,
		NoPipelining: a.NoPipelining, NoChunking: a.NoPipelining,
		PipelineMessages: a.PipelineMessages.Client(),
	}
}
