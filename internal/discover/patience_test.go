package discover

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/internal/testing/dnstest"
)

// A cancelled search does not wait for a silent DNS server, as Go's resolver
// would.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(dnstest.Zone{"example.com": {"SILENCE MX"}, "_submission._tcp.example.com": {"SILENCE"}}))
	w.silent("smtp.example.com:465", "autoconfig.example.com:443")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := w.finder()
	f.Resolver = tireless(t, w)
	told := f.Tried
	f.Tried = func(a Attempt) {
		told(a)
		if a.What == "mail.example.com:465" { // refused; by then the others are waiting
			cancel()
		}
	}
	type end struct {
		found []Candidate
		err   error
	}
	ended := make(chan end, 1)
	go func() {
		found, err := f.Find(ctx, parse(t, "me@example.com"))
		ended <- end{found, err}
	}()
	select {
	case e := <-ended:
		if len(e.found) != 0 || !errors.Is(e.err, context.Canceled) {
			t.Errorf("%v, %v", e.found, e.err)
		}
	case <-time.After(50 * time.Second): // the search itself would end after a minute, DNS never
		t.Fatal("the search did not end")
	}
	if said := w.why(ByMX, "MX example.com"); said != context.Canceled.Error() {
		t.Errorf("said %q", said)
	}
}

// tireless returns a resolver of a world that waits for an answer until the
// test ends.
func tireless(t *testing.T, w *world) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, w.dns.Addr())
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { _ = conn.Close() }) // usually closed already
		return noDeadline{conn.(*net.UDPConn)}, nil
	}}
}

// noDeadline is a socket that ignores deadlines.
type noDeadline struct{ *net.UDPConn }

func (noDeadline) SetDeadline(time.Time) error      { return nil }
func (noDeadline) SetReadDeadline(time.Time) error  { return nil }
func (noDeadline) SetWriteDeadline(time.Time) error { return nil }

// A better way that is silent is waited for, but with a limit, and reported as
// cancelled.
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		build  func(*world)
		dialed string // the dial that the worse way waits for: only then does patience begin
		silent Attempt
		want   string
	}{
		{"autoconfig", func(w *world) { w.silent("autoconfig.example.com:443", "example.com:443") }, "example.com:443",
			Attempt{Way: ByAutoconfig, What: "https://example.com/.well-known/autoconfig/mail/config-v1.1.xml"}, "smtp.example.com"},
		{"autoconfig that drips", func(w *world) {
			w.https(func(rw http.ResponseWriter, r *http.Request) {
				_, _ = rw.Write([]byte("<clientConfig>"))
				rw.(http.Flusher).Flush()
				<-r.Context().Done()
			}, "example.com")
		}, "example.com:443", Attempt{Way: ByAutoconfig, What: "https://example.com/.well-known/autoconfig/mail/config-v1.1.xml"}, "smtp.example.com"},
		{"server of the autoconfig", func(w *world) {
			w.silent("slow.example.com:465")
			w.https(answer(configuration("slow.example.com 465 SSL x")), "example.com")
		}, "slow.example.com:465", Attempt{Way: ByAutoconfig, What: "slow.example.com:465"}, "smtp.example.com"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, zone(dnstest.Zone{"slow.example.com": {here}, "fast.example.com": {here}}))
			test.build(w)
			w.smtp([]string{"smtp.example.com:465"})
			w.after("smtp.example.com:465", test.dialed)
			f := w.finder()
			f.Patience = time.Millisecond
			found, err := f.Find(t.Context(), parse(t, "me@example.com"))
			if err != nil || len(found) != 1 || found[0].Host != test.want {
				t.Fatalf("%v, %v", found, err)
			}
			if said := w.why(test.silent.Way, test.silent.What); said != errNotAwaited.Error() {
				w.log()
				t.Errorf("said %q", said)
			}
		})
	}
}

// A better server of the same way is waited for too.
func TestPatienceWithServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(dnstest.Zone{"slow.example.com": {here}, "fast.example.com": {here}}))
	w.silent("slow.example.com:465")
	w.https(answer(configuration("slow.example.com 465 SSL x", "fast.example.com 465 SSL x")), "example.com")
	w.smtp([]string{"fast.example.com:465"})
	w.after("fast.example.com:465", "slow.example.com:465")
	f := w.finder()
	f.Patience = time.Millisecond
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if err != nil || len(found) != 1 || found[0].Host != "fast.example.com" {
		t.Fatalf("%v, %v", found, err)
	}
	if said := w.why(ByAutoconfig, "slow.example.com:465"); said != errNotAwaited.Error() {
		t.Errorf("said %q", said)
	}
}

// But not as long as a better way: the remaining time is many times longer than a busy machine needs.
func TestPatienceWithPorts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(nil))
	w.silent("smtp.example.com:465")
	w.smtp([]string{"smtp.example.com:587"})
	f := w.finder()
	f.Patience = 20 * time.Second
	f.Timeout = 5 * time.Minute
	start := time.Now()
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if err != nil || len(found) != 1 || found[0].Port != 587 {
		t.Fatalf("%v, %v", found, err)
	}
	if took := time.Since(start); took >= f.Patience {
		t.Errorf("took %v", took)
	}
}

// After Find has returned, it uses none of the caller's functions.
func TestNothingGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(nil))
	w.smtp([]string{"smtp.example.com:465"})
	f := w.finder()
	f.Patience = time.Nanosecond
	var dialling atomic.Int32
	f.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialling.Add(1)
		defer dialling.Add(-1)
		if address == "smtp.example.com:465" {
			return w.dial(ctx, network, address)
		}
		<-ctx.Done()
		for range 10_000 {
			runtime.Gosched()
		}
		return nil, ctx.Err()
	}
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if n := dialling.Load(); err != nil || len(found) != 1 || n != 0 {
		t.Errorf("%v, %v, %d connections are still being made", found, err, n)
	}
}

// With one silent server the search ends at its timeout and reports it.
func TestTimeout(t *testing.T) {
	t.Parallel()
	down := func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("network is unreachable")
	}
	resolver := &net.Resolver{PreferGo: true, Dial: down}
	// Package net's lazily created globals must not be created in the bubble.
	if _, err := resolver.LookupHost(t.Context(), "example.com."); err == nil {
		t.Fatal("a name was found")
	}
	synctest.Test(t, func(t *testing.T) {
		said := map[string]error{}
		f := Finder{Resolver: resolver, Timeout: time.Minute, Tried: func(a Attempt) { said[a.What] = a.Err }}
		f.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "smtp.example.com:587" {
				return down(ctx, network, address)
			}
			mine, theirs := net.Pipe()
			t.Cleanup(func() { _ = theirs.Close() }) // never fails
			return mine, nil
		}
		start := time.Now()
		found, err := f.Find(t.Context(), parse(t, "me@example.com"))
		if err != nil || len(found) != 0 || time.Since(start) != f.Timeout {
			t.Errorf("%v, %v, after %v", found, err, time.Since(start))
		}
		if !errors.Is(said["smtp.example.com:587"], errTimeout) {
			t.Errorf("said %v", said)
		}
	})
}
