package daemon

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/yanmail/yan/internal/delivery"
)

// routes finds accounts' routes in the current configuration and counts the connections that may be
// open on them.
type routes struct {
	config atomic.Pointer[Config]

	mu          sync.Mutex
	connections map[string]int
}

func newRoutes(c Config) *routes {
	r := &routes{connections: map[string]int{}}
	r.config.Store(&c)
	return r
}

// find implements delivery.Options.Route.
func (r *routes) find(ctx context.Context, account string) (delivery.Route, error) {
	route, err := r.config.Load().Route(ctx, account)
	if err != nil {
		return delivery.Route{}, err
	}
	open := route.Open
	route.Open = func(ctx context.Context, connections int) (delivery.TransactionSender, error) {
		s, err := open(ctx, connections)
		if err != nil {
			return nil, err
		}
		r.count(account, connections)
		return &countedSender{TransactionSender: s, closed: sync.OnceFunc(func() { r.count(account, -connections) })}, nil
	}
	return route, nil
}

func (r *routes) count(account string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.connections[account] += n; r.connections[account] == 0 {
		delete(r.connections, account)
	}
}

// openConnections returns how many connections may be open, by account.
func (r *routes) openConnections() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.connections)
}

// countedSender is a delivery.TransactionSender whose connections are counted until it is closed.
type countedSender struct {
	delivery.TransactionSender
	closed func()
}

func (s *countedSender) Close() error {
	defer s.closed()
	return s.TransactionSender.Close()
}
