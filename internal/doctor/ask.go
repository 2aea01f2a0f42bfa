package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// Resolver is the part of [net.Resolver] that an exam uses.
type Resolver interface {
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
}

// ResolverAt returns a resolver that queries one DNS server, given as
// host:port, instead of the system's.
func ResolverAt(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
}

// directDialer resolves names with the exam's resolver.
func directDialer(r Resolver) dialContext {
	own, _ := r.(*net.Resolver)
	return (&net.Dialer{Resolver: own}).DialContext
}

// asker queries a resolver for complete names, so that no search domain of this
// machine applies, with a timeout for each query. It does not wait for a
// resolver that ignores its context.
type asker struct {
	resolver Resolver
	timeout  time.Duration
}

func newAsker(r Resolver, timeout time.Duration) *asker {
	if r == nil {
		r = net.DefaultResolver
	}
	return &asker{r, timeout}
}

// askWithin runs one query until it is answered or times out.
func askWithin[T any](ctx context.Context, a *asker, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		defer cancel()
		value, err := question(ctx)
		answered <- answer{value, err}
	}()
	select {
	case got := <-answered:
		return got.value, got.err
	case <-ctx.Done():
		var none T
		// The answer may have arrived at the same moment.
		select {
		case got := <-answered:
			return got.value, got.err
		default:
			return none, context.Cause(ctx)
		}
	}
}

// fullyQualified marks a name as complete with a final dot. An address stays as it is.
func fullyQualified(name string) string {
	if net.ParseIP(name) != nil || strings.HasSuffix(name, ".") {
		return name
	}
	return name + "."
}

func (a *asker) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return askWithin(ctx, a, func(ctx context.Context) ([]net.IPAddr, error) {
		return a.resolver.LookupIPAddr(ctx, fullyQualified(host))
	})
}

// lookupServer resolves a host as sending does: a name without dots may be
// local to this network.
func (a *asker) lookupServer(ctx context.Context, host string) ([]net.IPAddr, error) {
	return askWithin(ctx, a, func(ctx context.Context) ([]net.IPAddr, error) { return a.resolver.LookupIPAddr(ctx, host) })
}

func (a *asker) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return askWithin(ctx, a, func(ctx context.Context) ([]*net.MX, error) { return a.resolver.LookupMX(ctx, fullyQualified(name)) })
}

func (a *asker) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return askWithin(ctx, a, func(ctx context.Context) ([]string, error) { return a.resolver.LookupTXT(ctx, fullyQualified(name)) })
}

func (a *asker) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return askWithin(ctx, a, func(ctx context.Context) ([]string, error) { return a.resolver.LookupAddr(ctx, addr) })
}

func (a *asker) lookupSRV(ctx context.Context, name string) ([]*net.SRV, error) {
	return askWithin(ctx, a, func(ctx context.Context) ([]*net.SRV, error) {
		_, list, err := a.resolver.LookupSRV(ctx, "", "", fullyQualified(name))
		return list, err
	})
}

// isNotFound reports whether the name or the record does not exist.
func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
