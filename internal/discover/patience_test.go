package discover

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/dnstest"
)

// Whoever calls the search off has not to wait for a DNS server that is silent,
// which Go's resolver would do.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(dnstest.Zone{"example.com": {"SILENCE MX"}, "_submission._tcp.example.com": {"SILENCE"}}))
	w.silent("smtp.example.com:465", "autoconfig.example.com:443")
	ctx, cancel := context.WithCancel(t.Context())
	f := w.finder()
	told := f.Tried
	f.Tried = func(a Attempt) {
		told(a)
		if a.What == "mail.example.com:465" { // refused; by then others wait
			cancel()
		}
	}
	start := time.Now()
	found, err := f.Find(ctx, parse(t, "me@example.com"))
	if len(found) != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", found, err)
	}
	if took := time.Since(start); took > 4*time.Second { // the resolver's own time-out is 5 s
		t.Errorf("took %v", took)
	}
	if said := w.why(ByMX, "MX example.com"); said != context.Canceled.Error() {
		t.Errorf("said %q", said)
	}
}

// What is silent is waited for when it is better, and not for ever; it is told
// that it was not waited for.
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		build  func(*world)
		silent Attempt
		want   string
	}{
		{"autoconfig", func(w *world) { w.silent("autoconfig.example.com:443", "example.com:443") },
			Attempt{Way: ByAutoconfig, What: "https://example.com/.well-known/autoconfig/mail/config-v1.1.xml"}, "smtp.example.com"},
		{"autoconfig that drips", func(w *world) {
			w.https(func(rw http.ResponseWriter, r *http.Request) {
				_, _ = rw.Write([]byte("<clientConfig>"))
				rw.(http.Flusher).Flush()
				<-r.Context().Done()
			}, "example.com")
		}, Attempt{Way: ByAutoconfig, What: "https://example.com/.well-known/autoconfig/mail/config-v1.1.xml"}, "smtp.example.com"},
		{"server of the autoconfig", func(w *world) {
			w.silent("slow.example.com:465")
			w.https(answer(configuration("slow.example.com 465 SSL x")), "example.com")
		}, Attempt{Way: ByAutoconfig, What: "slow.example.com:465"}, "smtp.example.com"},
		{"better server of the same autoconfig", func(w *world) {
			w.silent("slow.example.com:465")
			w.https(answer(configuration("slow.example.com 465 SSL x", "fast.example.com 465 SSL x")), "example.com")
			w.smtp([]string{"fast.example.com:465"})
		}, Attempt{Way: ByAutoconfig, What: "slow.example.com:465"}, "fast.example.com"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, zone(dnstest.Zone{"slow.example.com": {here}, "fast.example.com": {here}}))
			test.build(w)
			w.smtp([]string{"smtp.example.com:465"})
			f := w.finder()
			f.Patience = time.Second
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

// A better port of the same way is waited for, too, but not as long.
func TestPatienceWithPorts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(nil))
	w.silent("smtp.example.com:465")
	w.smtp([]string{"smtp.example.com:587"})
	f := w.finder()
	f.Patience = 4 * time.Second
	start := time.Now()
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if err != nil || len(found) != 1 || found[0].Port != 587 {
		t.Fatalf("%v, %v", found, err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

// When Find returns, nothing of the caller's is used any more.
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

// A silent server, and no other: the search ends with its time and says so.
func TestTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, zone(nil))
	w.silent("smtp.example.com:587")
	f := w.finder()
	f.Timeout = 300 * time.Millisecond
	found, err := f.Find(t.Context(), parse(t, "me@example.com"))
	if err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
	if said := w.why(ByGuess, "smtp.example.com:587"); said != errTimeout.Error() {
		t.Errorf("said %q", said)
	}
}
