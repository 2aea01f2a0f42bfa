package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// wayIn is a service that ends as the test says.
type wayIn struct {
	opened, running, told, closed chan struct{}
	end                           chan error
	openErr                       error
}

func newWayIn() *wayIn {
	return &wayIn{opened: make(chan struct{}), running: make(chan struct{}), told: make(chan struct{}), closed: make(chan struct{}), end: make(chan error, 1)}
}

func (w *wayIn) service(name string) Service {
	return Service{Name: name, Open: func(context.Context) error { close(w.opened); return w.openErr },
		Run: func(ctx context.Context) error {
			close(w.running)
			select {
			case <-ctx.Done():
				close(w.told)
				return <-w.end
			case err := <-w.end:
				return err
			}
		},
		Close: func() error { close(w.closed); return nil }}
}

func servicesOf(list ...Service) func(func()) []Service {
	return func(func()) []Service { return list }
}

// The services are open when the daemon is ready, are told to end with the delivery, and the daemon
// waits for the messages that they still keep.
func TestServices(t *testing.T) {
	t.Parallel()
	w := newWayIn()
	var wake func()
	r := startDaemon(t, func(o *Options) {
		o.Services = func(f func()) []Service { wake = f; return []Service{w.service("smtp")} }
		o.Ways = func() []WayStatus {
			return []WayStatus{{Way: "smtp", Address: "127.0.0.1:2525", Accepted: 3, Refused: map[string]int64{"sender": 2}}}
		}
	})
	receiveWithin(t, w.opened, "open before ready")
	receiveWithin(t, w.running, "the service runs")
	s, err := r.client.Status(t.Context())
	if err != nil || len(s.Ways) != 1 || s.Ways[0].Accepted != 3 || s.Ways[0].Refused["sender"] != 2 {
		t.Errorf("%+v, %v", s.Ways, err)
	}
	woken := r.o.Store.Wake()
	wake()
	receiveWithin(t, woken, "the delivery is woken")
	r.stop()
	receiveWithin(t, w.told, "the service is told to end")
	r.end <- nil
	select {
	case err := <-r.ended:
		t.Fatalf("Run ended before the service: %v", err)
	default:
	}
	w.end <- nil
	if err := receiveWithin(t, r.ended, "the end"); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

// A service that fails, panics or ends unasked ends the daemon; one that does not end is abandoned
// after the grace period.
func TestServicesThatFail(t *testing.T) {
	t.Parallel()
	failure := errors.New("it failed")
	for name, test := range map[string]struct{ ended, want error }{"fails": {failure, failure}, "ends": {nil, errServiceEnded}} {
		w := newWayIn()
		r := startDaemon(t, func(o *Options) { o.Services = servicesOf(w.service("smtp")) })
		w.end <- test.ended
		receiveWithin(t, r.told, "the delivery is told to end")
		r.end <- nil
		if err := receiveWithin(t, r.ended, "the end"); !errors.Is(err, test.want) || !strings.Contains(r.log.String(), "part=smtp") {
			t.Errorf("%s: %v\n%s", name, err, r.log)
		}
	}
	w := newWayIn()
	r := startDaemon(t, func(o *Options) { o.Services = servicesOf(w.service("smtp")) })
	r.stop()
	receiveWithin(t, w.told, "the service is told to end")
	receiveWithin(t, r.told, "the delivery is told to end")
	r.end <- nil
	r.clock.fire(t, DefaultGrace+afterCut)
	if err := receiveWithin(t, r.ended, "the end"); !errors.Is(err, ErrUnfinished) {
		t.Errorf("a service that hangs: %v", err)
	}
	close(w.end)
}

// If a service can't be opened, the daemon does not start, and closes what it has opened.
func TestServicesThatDoNotOpen(t *testing.T) {
	t.Parallel()
	first, second := newWayIn(), newWayIn()
	second.openErr = errors.New("in use")
	socket := filepath.Join(shortTempDir(t), "s.sock")
	ready := false
	err := Run(t.Context(), Options{Store: newFakeStore(), Configure: oneAccount, Socket: socket, Services: servicesOf(first.service("a"), second.service("b")),
		Metrics: "127.0.0.1:0", Ready: func(Info) { ready = true }})
	if !errors.Is(err, second.openErr) || ready {
		t.Errorf("%v, ready %v", err, ready)
	}
	receiveWithin(t, first.closed, "the first is closed")
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is still there")
	}
}

// Where others can create files, they could listen in place of the daemon.
func TestListenPublicInOpenFolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes have no meaning on Windows")
	}
	for _, mode := range []os.FileMode{0o777, 0o777 | os.ModeSticky, 0o703} {
		dir := filepath.Join(shortTempDir(t), "open")
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
		l, err := ListenPublic(filepath.Join(dir, "submit.sock"))
		if err == nil {
			_ = l.Close()
		}
		if !errors.Is(err, ErrSocket) {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

// Every user can connect to a public socket, and two processes can't have it.
func TestListenPublic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortTempDir(t), "yan", "submit.sock")
	l, err := ListenPublic(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
	var busy *BusyError
	if _, err := ListenPublic(path); !errors.As(err, &busy) || busy.Socket != path {
		t.Errorf("a second listener: %v", err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || slices.ContainsFunc(names, func(e os.DirEntry) bool { return e.Name() == "submit.sock" }) {
		t.Errorf("%v, %v", names, err)
	}
}
