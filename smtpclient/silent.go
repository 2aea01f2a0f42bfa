package smtpclient

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// whenSilent checks the port if the server does not greet for some time on a connection without
// TLS. If the port answers TLS, it cuts the connection, which ends the wait for the greeting.
// Otherwise it traces a Waiting event. The caller calls the returned function after the wait: it
// reports whether the port speaks TLS.
//
// Ports on which SMTP begins in plain text are not checked: some servers delay the greeting there
// on purpose, and remember clients that do not wait.
func (c *Conn) whenSilent(ctx context.Context) (speaksTLS func() bool) {
	if c.tls != nil || c.cfg.Timeouts.Silence >= c.cfg.Timeouts.Greeting {
		return func() bool { return false }
	}
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	found := false
	var panicked *carriedPanic // of the caller's Trace
	ask := func() {
		answers := c.mayWantTLS() && c.cfg.Socket == "" && c.answersTLS(ctx)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ctx.Err() != nil: // the greeting has arrived
		case answers:
			found = true
			c.w.closeAbruptly()
		default:
			patience := c.cfg.Timeouts.Greeting - c.cfg.Timeouts.Silence
			if end, ok := ctx.Deadline(); ok {
				patience = min(patience, time.Until(end))
			}
			c.w.traceLine(Waiting, "", patience)
		}
	}
	timer := time.AfterFunc(c.cfg.Timeouts.Silence, func() {
		p, _ := catchPanic(func() error { ask(); return nil })
		if p == nil {
			return
		}
		mu.Lock()
		panicked = p
		mu.Unlock()
		c.w.closeAbruptly()
	})
	return func() bool {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		cancel()
		if panicked != nil {
			panic(panicked)
		}
		return found
	}
}

// answersTLS begins TLS on another connection and reports whether the server answers with a TLS
// record, even an alert. It sends nothing else.
func (c *Conn) answersTLS(ctx context.Context) bool {
	raw, err := dialTCP(ctx, c.cfg)
	if err != nil {
		return false
	}
	defer raw.Close()
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeouts.Silence)
	defer cancel()
	first := &firstOctet{Conn: raw}
	settings := c.cfg.Trust.TLSConfig(c.cfg.Host)
	settings.ClientSessionCache, settings.Certificates = nil, nil
	_ = tls.Client(first, settings).HandshakeContext(ctx) // the certificate is checked later
	const alert, handshake = 0x15, 0x16
	return first.read && (first.octet == alert || first.octet == handshake)
}

// firstOctet remembers the first octet read.
type firstOctet struct {
	net.Conn
	read  bool
	octet byte
}

func (f *firstOctet) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if n > 0 && !f.read {
		f.read, f.octet = true, p[0]
	}
	return n, err
}
