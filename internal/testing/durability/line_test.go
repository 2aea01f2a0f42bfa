package durability

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// patience is longer than anything takes here unless it hangs.
const patience = 2 * time.Minute

// serverLine is a server with the proxy in front of it.
type serverLine struct {
	server *sandbox.Server
	proxy  *faultproxy.Proxy
	ledger *faultproxy.Ledger
	mu     sync.Mutex // for observers
}

// newServerLine creates a line. before is called with each message when the ledger has it and before the
// server replies; it may be nil.
func newServerLine(server sandbox.Config, way faultproxy.Config, before func(sandbox.Message)) (*serverLine, error) {
	l := &serverLine{ledger: faultproxy.NewLedger(IsWholeLetter)}
	server.Discard, server.NoPorts = true, true
	server.Committed = func(m sandbox.Message) {
		l.ledger.Committed(m)
		if before != nil {
			before(m)
		}
	}
	var err error
	if l.server, err = sandbox.Start(server); err != nil {
		return nil, err
	}
	way.Serve = l.server.Serve
	if l.proxy, err = faultproxy.Start(way); err != nil {
		_ = l.server.Close()
		return nil, err
	}
	return l, nil
}

// quiet waits until the server has finished the data of all clients that have closed their
// connections.
func (l *serverLine) quiet(ctx context.Context) error {
	if err := l.server.WaitIdle(ctx); err != nil {
		return fmt.Errorf("the server is not done: %w\n%s", err, l.proxy.Transcript())
	}
	return nil
}

func (l *serverLine) close() {
	_ = l.proxy.Close()
	_ = l.server.Close()
}

// accountWay configures how an account sends in these tests.
type accountWay struct {
	port        int
	connections int
	window      smtpclient.Window
	wait        time.Duration // of the client; 0 is long
	doubt       delivery.DoubtPolicy
}

// route implements delivery.Options.Route.
func (w accountWay) route(context.Context, string) (delivery.Route, error) {
	d := w.wait
	if d == 0 {
		d = patience
	}
	return delivery.Route{
		Connections: w.connections, Doubt: w.doubt, NoReport: true,
		Open: func(_ context.Context, connections int) (delivery.TransactionSender, error) {
			return transport.Open(fmt.Sprintf("smtp+notls://127.0.0.1:%d", w.port), transport.Options{
				LocalName: "client.example", MaxConnections: connections, Window: w.window, Patience: time.Millisecond,
				Timeouts: smtpclient.Timeouts{Connect: d, Handshake: d, Greeting: d, Command: d, DataInit: d, DataBlock: d, DataEnd: d, Quit: min(d, time.Second)},
			})
		},
	}, nil
}
