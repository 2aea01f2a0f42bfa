package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// Resolver is what [net.Resolver] offers of DNS.
type Resolver interface {
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
}

// ResolverAt asks one DNS server, given as host:port, instead of the system's.
func ResolverAt(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
}

// directDialer resolves the names that it dials with the exam's resolver.
func directDialer(r Resolver) dialFunc {
	own, _ := r.(*net.Resolver)
	return (&net.Dialer{Resolver: own}).DialContext
}

// asker asks a resolver for whole names, so that no search domain of this
// machine comes into play, within a time for each question. A resolver that
// does not heed its context is left behind.
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

// ask runs one question until it is answered or its time is over.
func ask[T any](ctx context.Context, a *asker, question func(context.Context) (T, error)) (T, error) {
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
		// The answer may have come at the same moment.
		select {
		case got := <-answered:
			return got.value, got.err
		default:
			return none, context.Cause(ctx)
		}
	}
}

// whole marks a name as complete. An address stays what it is.
func whole(name string) string {
	if net.ParseIP(name) != nil || strings.HasSuffix(name, ".") {
		return name
	}
	return name + "."
}

func (a *asker) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return ask(ctx, a, func(ctx context.Context) ([]net.IPAddr, error) { return a.resolver.LookupIPAddr(ctx, whole(host)) })
}

// lookupServer asks for a host as sending does: a name without dots may be one of
// this network.
func (a *asker) lookupServer(ctx context.Context, host string) ([]net.IPAddr, error) {
	return ask(ctx, a, func(ctx context.Context) ([]net.IPAddr, error) { return a.resolver.LookupIPAddr(ctx, host) })
}

func (a *asker) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return ask(ctx, a, func(ctx context.Context) ([]*net.MX, error) { return a.resolver.LookupMX(ctx, whole(name)) })
}

func (a *asker) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return ask(ctx, a, func(ctx context.Context) ([]string, error) { return a.resolver.LookupTXT(ctx, whole(name)) })
}

func (a *asker) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return ask(ctx, a, func(ctx context.Context) ([]string, error) { return a.resolver.LookupAddr(ctx, addr) })
}

func (a *asker) lookupSRV(ctx context.Context, name string) ([]*net.SRV, error) {
	return ask(ctx, a, func(ctx context.Context) ([]*net.SRV, error) {
		_, list, err := a.resolver.LookupSRV(ctx, "", "", whole(name))
		return list, err
	})
}

// isNotFound reports that there is no such name, or no such record.
func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
