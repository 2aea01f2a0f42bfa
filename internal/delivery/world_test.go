package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

const account = "work"

// patience limits the wait of a test.
const patience = 60 * time.Second

// testWorld is an outbox, a server, and the options of a delivery between them.
type testWorld struct {
	t      *testing.T
	clock  *outboxtest.Clock
	model  *outboxtest.Model
	server *sandbox.Server
	route  delivery.Route
	opts   delivery.Options

	mu     sync.Mutex
	events []delivery.WorkerEvent
	news   chan struct{}
	taken  map[string]int // Message-ID and recipient of the messages that the server has

	others atomic.Int64 // number of other workers
}

func newWorld(t *testing.T, faults ...string) *testWorld {
	t.Helper()
	w := &testWorld{t: t, clock: outboxtest.NewClock(), news: make(chan struct{}, 1), taken: map[string]int{}}
	w.model = outboxtest.NewModel(w.clock)
	cfg := sandbox.Config{Committed: w.recordMessage}
	for _, word := range faults {
		f, err := sandbox.ParseFault(word)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	var err error
	if w.server, err = sandbox.Start(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.server.Close() })
	host := "smtp+notls://" + w.server.SubmissionAddr()
	w.route = delivery.Route{
		Open: func(_ context.Context, connections int) (delivery.TransactionSender, error) {
			return transport.Open(host, transport.Options{MaxConnections: connections})
		},
		NoReport: true,
	}
	w.opts = delivery.Options{Store: w.model, Observe: w.recordEvent,
		Route: func(context.Context, string) (delivery.Route, error) { return w.route, nil }}
	return w
}

func (w *testWorld) recordMessage(m sandbox.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, _, _ := strings.Cut(string(m.Data[strings.Index(string(m.Data), "Message-ID: ")+len("Message-ID: "):]), "\r\n")
	for _, to := range m.To {
		w.taken[id+" "+to]++
	}
}

func (w *testWorld) recordEvent(e delivery.WorkerEvent) {
	w.mu.Lock()
	w.events = append(w.events, e)
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// countEvents counts events.
func (w *testWorld) countEvents(kind delivery.WorkerEventKind, state queue.State) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == kind && (state == "" || e.State == state) {
			n++
		}
	}
	return n
}

// waitFor returns when the condition holds.
func (w *testWorld) waitFor(what string, condition func() bool) {
	w.t.Helper()
	late := time.After(patience)
	for !condition() {
		select {
		case <-w.news:
		case <-late:
			w.t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func mustAddress(t *testing.T, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// enqueueTo enqueues a message to recipients.
func (w *testWorld) enqueueTo(to ...string) queue.ID {
	w.t.Helper()
	return w.enqueueUntil(time.Time{}, to...)
}

// enqueueUntil enqueues a message that expires.
func (w *testWorld) enqueueUntil(expires time.Time, to ...string) queue.ID {
	w.t.Helper()
	content := composeMessage(w.t, to...)
	envelope, err := content.Envelope()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.opts.Store.Enqueue(w.t.Context(), outbox.NewMessage{Account: account, Envelope: envelope,
		MessageID: content.MessageID(), Content: content, Expires: expires})
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

func composeMessage(t *testing.T, to ...string) *message.Content {
	t.Helper()
	content, err := message.Compose(&message.Message{From: "me@example.org", To: to, Subject: "Hello", Text: "Hello World\n"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = content.Close() })
	return content
}

func (w *testWorld) mustDrain() queue.Drained {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	drained, err := delivery.New(w.opts).Drain(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	if ctx.Err() != nil {
		w.t.Fatalf("not drained within %v", patience)
	}
	return drained
}

// statesOf returns the states of a message's recipients, by place.
func (w *testWorld) statesOf(id queue.ID) string {
	w.t.Helper()
	e, err := w.model.Show(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var states []string
	for _, r := range e.Recipients {
		states = append(states, string(r.State))
	}
	return strings.Join(states, " ")
}

func (w *testWorld) wantStates(id queue.ID, states string) {
	w.t.Helper()
	if got := w.statesOf(id); got != states {
		w.t.Errorf("message %d: %s, want %s", id, got, states)
	}
}

// countDeliveries returns how many messages the server has, and which of them more than once.
func (w *testWorld) countDeliveries() (n int, twice []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for what, times := range w.taken {
		n += times
		if times > 1 {
			twice = append(twice, fmt.Sprintf("%s: %d times", what, times))
		}
	}
	return n, twice
}
