package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func TestStops(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, nil)
	r.stop()
	receiveWithin(t, r.told, "the delivery is told to end")
	// Messages are still in flight: the daemon answers and says that it is stopping.
	s, err := r.client.Status(t.Context())
	if err != nil || !s.Stopping || s.Ready || s.Why != "stopping" {
		t.Errorf("while it stops: %+v, %v", s, err)
	}
	select {
	case err := <-r.ended:
		t.Fatalf("Run ended before the messages in flight: %v", err)
	default:
	}
	r.end <- nil
	if err := receiveWithin(t, r.ended, "the end"); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if _, err := os.Stat(r.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := Dial(t.Context(), r.socket); !errors.Is(err, ErrNotServing) {
		t.Errorf("dialling after the end: %v", err)
	}
}

func TestStopsInItsTime(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, nil)
	if r.o.Grace != DefaultGrace {
		t.Errorf("grace of the delivery: got %v", r.o.Grace)
	}
	r.stop()
	receiveWithin(t, r.told, "the delivery is told to end")
	r.clock.fire(t, DefaultGrace+afterCut)
	if err := receiveWithin(t, r.ended, "the end"); !errors.Is(err, ErrUnfinished) {
		t.Errorf("Run returned %v", err)
	}
}

func TestEndsWithItsDelivery(t *testing.T) {
	t.Parallel()
	broken := fmt.Errorf("committing: %w", queue.ErrBroken)
	for name, test := range map[string]struct{ gives, want error }{
		"an outbox that is broken":       {broken, queue.ErrBroken},
		"a delivery that ends unasked":   {nil, errEnded},
		"an outbox that somebody closes": {queue.ErrClosed, queue.ErrClosed},
	} {
		r := startDaemon(t, nil)
		r.end <- test.gives
		if err := receiveWithin(t, r.ended, "the end"); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(r.socket); err == nil {
			t.Errorf("%s: the socket is still there", name)
		}
	}
}

// The information for the user comes before the log.
func TestTellsPeopleFirst(t *testing.T) {
	t.Parallel()
	logged := make(chan string, 1)
	startDaemon(t, func(o *Options) {
		ready, out := o.Ready, &logBuffer{}
		o.Log = NewLog(out, LogText, slog.LevelDebug)
		o.Ready = func(i Info) { logged <- out.String(); ready(i) }
	})
	if text := receiveWithin(t, logged, "it is ready"); text != "" {
		t.Errorf("logged before it:\n%s", text)
	}
}

// An error that happens while the daemon stops is returned.
func TestFailsWhileItStops(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, nil)
	r.stop()
	receiveWithin(t, r.told, "the delivery is told to end")
	r.end <- queue.ErrBroken
	if err := receiveWithin(t, r.ended, "the end"); !errors.Is(err, queue.ErrBroken) {
		t.Errorf("Run returned %v", err)
	}
}

// TestPanics makes every part panic: the process ends with the stack in its log, and the delivery
// may finish first.
func TestPanics(t *testing.T) {
	t.Parallel()
	hangups := make(chan os.Signal, 1)
	tests := map[string]struct {
		change func(*Options)
		begin  func(*testing.T, *runningDaemon)
	}{
		"delivery": {nil, func(_ *testing.T, r *runningDaemon) { r.end <- errors.New("panic") }},
		"pruning": {func(o *Options) {
			o.Configure = configRetaining(outbox.Retention{Bodies: 1})
			o.Store.(*fakeStore).setPrune(func(outbox.Retention) (outbox.Pruned, error) { panic("pruning") })
		}, func(t *testing.T, r *runningDaemon) { r.clock.fire(t, firstPrune) }},
		"signals": {func(o *Options) {
			times := 0
			o.Hangups = hangups
			o.Configure = func(ctx context.Context) (Config, error) {
				if times++; times > 1 {
					panic("the configuration")
				}
				return oneAccount(ctx)
			}
		}, func(*testing.T, *runningDaemon) { hangups <- os.Interrupt }},
		"watchdog": {func(o *Options) { o.Getenv = environmentOf("NOTIFY_SOCKET", "/nowhere", "WATCHDOG_USEC", "2000000") },
			func(t *testing.T, r *runningDaemon) {
				times := 0
				r.setStatus(func() delivery.WorkerStatus {
					if times++; times == 1 {
						panic("the status")
					}
					return delivery.WorkerStatus{}
				})
				r.clock.fire(t, 1_000_000_000)
			}},
		"waking": {func(o *Options) { o.Store = &panickingStore{fakeStore: o.Store.(*fakeStore)} },
			func(_ *testing.T, r *runningDaemon) { r.store.wake() }},
	}
	for part, test := range tests {
		r := startDaemon(t, test.change)
		test.begin(t, r)
		if part != "delivery" {
			receiveWithin(t, r.told, part+": the delivery is told to end")
			r.end <- nil
		}
		var p *PanicError
		if err := receiveWithin(t, r.ended, part+": the end"); !errors.As(err, &p) || p.Part != part {
			t.Errorf("%s: Run returned %v", part, err)
		}
		if text := r.log.String(); !strings.Contains(text, "part="+part) || !strings.Contains(text, "stack=") || !strings.Contains(text, "_test.go") {
			t.Errorf("%s: the log does not say where:\n%s", part, text)
		}
		if strings.Contains(r.log.String(), "alice") {
			t.Errorf("%s: the log names a recipient:\n%s", part, r.log)
		}
	}
}

// panickingStore panics at its second Wake.
type panickingStore struct {
	*fakeStore
	times int
}

func (s *panickingStore) Wake() <-chan struct{} {
	if s.times++; s.times > 1 {
		panic("waking")
	}
	return s.fakeStore.Wake()
}

// A request that panics is answered and logged, and ends nothing else.
func TestRequestPanics(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, func(o *Options) {
		o.Meter, o.Metrics = fakeMeter{http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("counting") })}, "127.0.0.1:0"
	})
	for path, want := range map[string]int{pathMetrics: 500, pathHealth: 200} {
		if code, text := getURL(t, "http://"+r.info.Metrics+path); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if !strings.Contains(r.log.String(), "counting") || !strings.Contains(r.log.String(), "stack=") {
		t.Errorf("the panic is not in the log:\n%s", r.log)
	}
}

// An invalid option is an error at once, and no socket remains.
func TestBeginsWithNothingWrong(t *testing.T) {
	t.Parallel()
	nonsense := errors.New("nonsense")
	socket := shortTempDir(t) + "/s.sock"
	for name, o := range map[string]Options{
		"the configuration": {Configure: func(context.Context) (Config, error) { return Config{}, nonsense }},
		"the address":       {Configure: oneAccount, Socket: socket, Metrics: "127.0.0.1:0:0"},
		"the socket":        {Configure: oneAccount, Socket: "/" + strings.Repeat("long", 100)},
	} {
		o.Store = newFakeStore()
		if err := Run(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(socket); err == nil {
			t.Errorf("%s: the socket is still there", name)
		}
	}
}
