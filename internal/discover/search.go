package discover

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Reasons for a failed attempt other than network errors.
var (
	errUnknownDomain = errors.New("not the domain of a known provider")
	errUnwanted      = errors.New("the host is not wanted")
	errTimeout       = errors.New("no answer in the time for the search")
	errNotAwaited    = errors.New("not waited for: a server was found without it")
	errDenied        = errors.New("the domain's SRV records say that it offers no submission")
)

// search is one call of Find, shared by its ways.
type search struct {
	*Finder
	ctx      context.Context // of the whole search
	address  smtp.Address
	domain   string // in A-labels
	client   *http.Client
	patience time.Duration
	// heard is set after any answer, even that a name does not exist.
	heard atomic.Bool
	// denied is set if the domain offers no submission.
	denied atomic.Bool

	work     sync.WaitGroup // the connections of checks
	telling  sync.Mutex     // held while Tried is called
	mu       sync.Mutex
	checks   map[endpoint]*endpointCheck
	dnsError error // the last error without an answer
}

func newSearch(ctx context.Context, f *Finder, address smtp.Address) *search {
	s := &search{Finder: f, ctx: ctx, address: address, domain: address.ASCIIDomain(),
		patience: f.Patience, checks: map[endpoint]*endpointCheck{}}
	if s.patience <= 0 {
		s.patience = 2 * time.Second
	}
	s.client = s.newClient()
	return s
}

// reportAttempt reports an attempt. A cancelled one has the cause as its error, not
// that its context ended.
func (s *search) reportAttempt(ctx context.Context, way Method, what string, start time.Time, err error) {
	if s.Tried == nil {
		return
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	s.Tried(Attempt{Way: way, What: what, Err: err, Took: time.Since(start)})
}

// dnsSilence returns the reason why DNS did not answer.
func (s *search) dnsSilence() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dnsError == nil {
		return errTimeout
	}
	return s.dnsError
}

func (f *Finder) isUnwanted(host string) bool { return slices.Contains(f.Not, host) }

// dial opens every connection of the search.
func (s *search) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{Resolver: s.Resolver}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err == nil {
		s.heard.Store(true)
	}
	return conn, err
}

// lookupDNS queries DNS. Go's own resolver does not return when its context is
// cancelled while it waits for an answer, so lookup does not wait for it.
func lookupDNS[T any](ctx context.Context, s *search, ask func(context.Context, *net.Resolver) ([]T, error)) ([]T, error) {
	type answer struct {
		records []T
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		resolver := s.Resolver
		if resolver == nil {
			resolver = net.DefaultResolver
		}
		records, err := ask(ctx, resolver)
		answers <- answer{records, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case a := <-answers:
		var dns *net.DNSError
		if len(a.records) > 0 {
			a.err = nil // some records were malformed, these are not
		}
		if a.err == nil || errors.As(a.err, &dns) && dns.IsNotFound {
			s.heard.Store(true)
		} else {
			s.mu.Lock()
			s.dnsError = a.err
			s.mu.Unlock()
		}
		return a.records, a.err
	}
}

// task searches for a value; ok is false if there is none. It ends soon after
// its context.
type task[T any] func(context.Context) (value T, ok bool)

// firstInOrder runs the tasks concurrently and returns the value of the first in their
// order that has one. Tasks before it are waited for, but not longer than
// patience after a value is there. All have ended when first returns.
func firstInOrder[T any](ctx context.Context, patience time.Duration, tasks []task[T]) (value T, ok bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type end struct {
		index int
		value T
		ok    bool
	}
	ends := make(chan end)
	for i, run := range tasks {
		go func() {
			value, ok := run(ctx)
			ends <- end{i, value, ok}
		}()
	}
	best, ended := len(tasks), make([]bool, len(tasks))
	var impatient <-chan time.Time
	for left := len(tasks); left > 0; {
		select {
		case e := <-ends:
			left--
			ended[e.index] = true
			if e.ok && e.index < best {
				best, value, ok = e.index, e.value, true
			}
		case <-impatient:
			cancel(errNotAwaited)
		}
		if ok && !slices.Contains(ended[:best], false) {
			cancel(errNotAwaited)
		} else if ok && impatient == nil {
			impatient = time.After(patience)
		}
	}
	return value, ok
}
