package daemon

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
)

// fakeMeter is a Meter that exports the handler of a test.
type fakeMeter struct{ shows http.Handler }

func (m fakeMeter) Observe(delivery.WorkerEvent) {}

func (m fakeMeter) Handler(outbox.Admin, func() delivery.WorkerStatus, func() map[string]int) http.Handler {
	return m.shows
}

func getURL(t *testing.T, url string) (code int, text string) {
	t.Helper()
	return requestURL(t, http.DefaultClient, url)
}

// requestPath requests path over a socket.
func requestPath(t *testing.T, socket, path string) (code int, text string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
	return requestURL(t, c, "http://yan"+path)
}

func requestURL(t *testing.T, c *http.Client, url string) (code int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

func TestOneForASocket(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, nil)
	_, err := Listen(t.Context(), r.socket)
	var busy *BusyError
	if !errors.As(err, &busy) || busy.PID != os.Getpid() || !busy.Since.Equal(r.clock.Now()) || !strings.Contains(err.Error(), r.socket) {
		t.Fatalf("the second Listen returned %v", err)
	}
	if _, err := r.client.Status(t.Context()); err != nil {
		t.Errorf("the first can't be reached any more: %v", err)
	}
	r.stop()
	r.end <- nil
	receiveWithin(t, r.ended, "the end")
	l, err := Listen(t.Context(), r.socket)
	if err != nil {
		t.Fatalf("after the first has closed: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// The socket of a killed process is replaced.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortTempDir(t), "s.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNotServing) {
		t.Errorf("dialling a dead socket: %v", err)
	}
	l, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 2 { // the socket and its lock
		t.Errorf("the directory holds %v, %v", left, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	other, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // again; this must not remove the other's socket
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a second Close removed another's socket: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

func TestSocketPath(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(shortTempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	run := environmentOf("XDG_RUNTIME_DIR", "/run/user/1")
	none := environmentOf()
	if got, want := SocketPath(filepath.Join(dir, "outbox.db"), run), filepath.Join(dir, "outbox.db.sock"); got != want {
		t.Errorf("next to its file: got %q, want %q", got, want)
	}
	if got, want := SocketPath(filepath.Join(link, "outbox.db"), none), filepath.Join(dir, "outbox.db.sock"); got != want {
		t.Errorf("by a link: %q, want %q", got, want)
	}
	const a, b = "postgres://u:secret@h:5432/db?sslmode=require", "postgres://u@h:5432/db"
	if SocketPath(a, run) != SocketPath(b, run) || !strings.HasPrefix(SocketPath(a, run), filepath.FromSlash("/run/user/1/yan/")) {
		t.Errorf("a database: %q and %q", SocketPath(a, run), SocketPath(b, run))
	}
	if SocketPath(a, run) == SocketPath("postgres://u@h:5432/other", run) {
		t.Error("two databases have the same socket")
	}
	long := filepath.Join(dir, strings.Repeat("x", 120), "outbox.db")
	if got := SocketPath(long, run); !strings.HasPrefix(got, filepath.FromSlash("/run/user/1/yan/")) {
		t.Errorf("of a path that is too long: %q", got)
	}
	for _, outbox := range []string{a, long} {
		if got := SocketPath(outbox, none); got != "" {
			t.Errorf("%s without XDG_RUNTIME_DIR: %q", outbox, got)
		}
	}
	if _, err := Dial(t.Context(), ""); !errors.Is(err, ErrNotServing) {
		t.Errorf("dialling no socket: %v", err)
	}
}

// The longest path that SocketPath returns can be listened on.
func TestLongestSocket(t *testing.T) {
	t.Parallel()
	dir := shortTempDir(t)
	room := maxSocket - tempName - len(dir) - 1
	if room < 1 {
		t.Skipf("the folder for temporary files is too long: %s", dir)
	}
	path := filepath.Join(dir, strings.Repeat("d", room), "s.sock")
	if !fitsSocketName(path) {
		t.Fatalf("%d octets don't fit", len(path))
	}
	l, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestStatusAndWake(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, nil)
	s, err := r.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Version != "1.2.3" || s.PID != os.Getpid() || !s.Since.Equal(r.clock.Now()) || s.Outbox != "/somewhere/outbox.db" ||
		!s.Ready || s.Stopping || s.Couriers != 2 || s.InFlight != 7 || len(s.Accounts) != 1 {
		t.Errorf("status: %+v", s)
	}
	for name, wake := range map[string]func(){
		"by a command": func() {
			if err := r.client.Wake(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"by the store": r.store.wake,
	} {
		for range 3 {
			woke := r.o.Store.Wake()
			wake()
			receiveWithin(t, woke, "a wake "+name)
		}
	}
}

// wakingStore is a store that wakes once and counts the calls of Wake.
type wakingStore struct {
	*fakeStore
	asked chan struct{}
}

func (s *wakingStore) Wake() <-chan struct{} {
	s.asked <- struct{}{}
	return nil // never
}

// One wake of the store is one wake of the daemon: it does not wake itself again.
func TestWakesOnce(t *testing.T) {
	t.Parallel()
	s := &wakingStore{fakeStore: newFakeStore(), asked: make(chan struct{}, 1)}
	w := newLeaseWatch(s, newManualClock().Now)
	woke, first := w.Wake(), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.forwardWakes(ctx, first) }()
	close(first)
	receiveWithin(t, s.asked, "it asks for the next one")
	receiveWithin(t, woke, "it wakes")
	stop()
	select {
	case <-s.asked:
		t.Error("Wake is called again and again")
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("follow does not end")
	}
}

// The address for metrics allows reading only.
func TestAddress(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, func(o *Options) {
		o.Metrics, o.Meter = "127.0.0.1:0", fakeMeter{http.NotFoundHandler()}
	})
	for path, want := range map[string]int{pathHealth: 200, pathReady: 200, pathStatus: 404} {
		if code, text := getURL(t, "http://"+r.info.Metrics+path); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	named, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.info.Metrics+pathHealth, nil)
	if err != nil {
		t.Fatal(err)
	}
	named.Host = "evil.example"
	if a, err := http.DefaultClient.Do(named); err != nil || a.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("it answers a foreign host name: %v, %v", a, err)
	} else {
		_ = a.Body.Close()
	}
	for _, path := range []string{pathWake, pathReload, pathReady} {
		a, err := http.Post("http://"+r.info.Metrics+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode/100 != 4 {
			t.Errorf("posting to %s: %s", path, a.Status)
		}
	}
	r.setStatus(func() delivery.WorkerStatus {
		return delivery.WorkerStatus{Joined: true, Accepting: true, StoreErr: errors.New("no such host: postgres://yan:hunter2@db/yan")}
	})
	if code, text := getURL(t, "http://"+r.info.Metrics+pathReady); code != 503 || !strings.Contains(text, "no such host") || strings.Contains(text, "hunter2") {
		t.Errorf("an outbox that does not work: %d %s", code, text)
	}
	if code, _ := getURL(t, "http://"+r.info.Metrics+pathHealth); code != 200 {
		t.Errorf("/healthz of a living process: %d", code)
	}
}

func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"9090": "127.0.0.1:9090", ":9090": "127.0.0.1:9090", "0.0.0.0:9090": "0.0.0.0:9090",
		"[::]:1": "[::]:1", "localhost:80": "localhost:80", "0": "127.0.0.1:0"} {
		if got, err := MetricsAddress(s); err != nil || got != want {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "http", "65536", "-1", "::1:90", "host:"} {
		if got, err := MetricsAddress(s); err == nil {
			t.Errorf("%q: %q", s, got)
		}
	}
}
