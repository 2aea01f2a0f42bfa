package metrics

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// countingStore is an outbox that implements only Stats.
type countingStore struct {
	outbox.Store
	stats queue.Stats
	err   error
	times int
}

func (c *countingStore) Stats(context.Context) (queue.Stats, error) {
	c.times++
	return c.stats, c.err
}

// scrape returns the exported metrics by name and labels, without comments and without the metrics
// of Go and of the process.
func scrape(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	list := map[string]string{}
	process := false
	for line := range strings.Lines(w.Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "} ")
		if strings.Contains(line, "}") {
			name += "}"
		} else {
			name, value, _ = strings.Cut(strings.TrimSpace(line), " ")
		}
		process = process || strings.HasPrefix(name, "go_goroutines")
		if strings.HasPrefix(name, "yan_") {
			list[name] = value
		}
	}
	if !process {
		t.Error("no metrics of the process")
	}
	return list
}

// sampleEvents returns events of every kind that hold addresses and other private text.
func sampleEvents() []delivery.WorkerEvent {
	answer := queue.Answer{Class: "mailbox_unknown", Err: "alice@example.org", ServerID: "alice",
		Reply: smtp.Reply{Code: 550, Lines: []string{"no alice here"}}}
	base := delivery.WorkerEvent{Account: "work", ID: 17, MessageID: "<alice@example.org>", Domain: "secret.example", Answer: answer, Attempt: 1,
		Began: time.Unix(1767225600, 0), Took: 200 * time.Millisecond, Err: errors.New("alice")}
	of := func(kind delivery.WorkerEventKind, change func(*delivery.WorkerEvent)) delivery.WorkerEvent {
		e := base
		e.Kind = kind
		if change != nil {
			change(&e)
		}
		return e
	}
	return []delivery.WorkerEvent{
		of(delivery.Claimed, nil),
		of(delivery.Settled, func(e *delivery.WorkerEvent) { e.State = queue.Failed }),
		of(delivery.Settled, func(e *delivery.WorkerEvent) {
			e.State, e.Answer.Class, e.Waited = queue.HandedOver, "", 2*time.Second
		}),
		of(delivery.Settled, func(e *delivery.WorkerEvent) { e.State, e.Began = queue.Queued, time.Time{} }),
		of(delivery.Paused, nil),
		of(delivery.NoRoute, nil),
		of(delivery.Lapsed, nil),
		of(delivery.Swept, nil),
		of(delivery.Reconciled, func(e *delivery.WorkerEvent) { e.State = queue.HandedOver }),
		of(delivery.Reported, nil),
		of(delivery.StoreError, nil),
		of(delivery.Marked, func(e *delivery.WorkerEvent) { e.Count, e.Took = 3, 2*time.Millisecond }),
	}
}

func TestShows(t *testing.T) {
	t.Parallel()
	m := New()
	store := &countingStore{stats: queue.Stats{Bytes: 1000, Free: 5000, Oldest: time.Now().Add(-time.Hour), Workers: make([]queue.WorkerStats, 2),
		Accounts: []queue.AccountStats{{Account: "work", Count: map[queue.State]int{queue.Queued: 7, queue.InDoubt: 1}, PausedFor: time.Minute}}}}
	h := m.Handler(store, func() delivery.WorkerStatus { return delivery.WorkerStatus{Joined: true, Couriers: 1, InFlight: 9} },
		func() map[string]int { return map[string]int{"work": 3} })
	for _, e := range sampleEvents() {
		m.Observe(e)
	}
	got := scrape(t, h)
	for name, want := range map[string]string{
		`yan_recipients_total{account="work",state="failed"}`:        "1",
		`yan_recipients_total{account="work",state="handed_over"}`:   "2",
		`yan_recipients_total{account="work",state="queued"}`:        "1",
		`yan_attempts_total{account="work",class="mailbox_unknown"}`: "1",
		`yan_attempts_total{account="work",class="none"}`:            "1",
		`yan_account_pauses_total{account="work"}`:                   "2",
		`yan_handover_seconds_bucket{account="work",le="1"}`:         "0",
		`yan_handover_seconds_bucket{account="work",le="5"}`:         "1",
		`yan_handover_seconds_count{account="work"}`:                 "1",
		`yan_attempt_seconds_count{account="work"}`:                  "2",
		`yan_mark_seconds_bucket{le="0.001"}`:                        "0",
		`yan_mark_seconds_bucket{le="0.0025"}`:                       "1",
		`yan_marked_recipients_total`:                                "3",
		`yan_store_errors_total`:                                     "1",
		`yan_lease_lapses_total`:                                     "1",
		`yan_reports_total`:                                          "1",
		`yan_outbox_up`:                                              "1",
		`yan_outbox_recipients{account="work",state="queued"}`:       "7",
		`yan_outbox_recipients{account="work",state="in_doubt"}`:     "1",
		`yan_outbox_recipients{account="work",state="held"}`:         "0",
		`yan_account_paused_seconds{account="work"}`:                 "60",
		`yan_outbox_bytes`:                                           "1000",
		`yan_outbox_free_bytes`:                                      "5000",
		`yan_outbox_workers`:                                         "2",
		`yan_joined`:                                                 "1",
		`yan_couriers`:                                               "1",
		`yan_recipients_leased`:                                      "9",
		`yan_connections{account="work"}`:                            "3",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if age := got["yan_outbox_oldest_seconds"]; !strings.HasPrefix(age, "36") {
		t.Errorf("the oldest is %s seconds old", age)
	}
	for _, file := range []string{"serve.md", "serve.zh-CN.md"} {
		checkDocumented(t, file, got)
	}
	for name := range got {
		if strings.Contains(name, "alice") || strings.Contains(name, "secret") {
			t.Errorf("a label holds private text: %s", name)
		}
	}
	if t.Failed() {
		t.Logf("exported:\n%s", strings.Join(slices.Sorted(maps.Keys(got)), "\n"))
	}
}

// checkDocumented checks that a document names every metric.
func checkDocumented(t *testing.T, file string, shown map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", file))
	if err != nil {
		t.Fatal(err)
	}
	for name := range shown {
		name, _, _ = strings.Cut(name, "{")
		for _, end := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, end)
		}
		if !strings.Contains(string(text), "`"+name) {
			t.Errorf("%s does not have %s", file, name)
		}
	}
}

// The outbox is counted at most every few seconds, however many clients ask.
func TestAsksSeldom(t *testing.T) {
	t.Parallel()
	store := &countingStore{err: errors.New("no disk")}
	failures := 0
	s := newStoreCollector(store, func() { failures++ })
	now := time.Unix(1767225600, 0)
	s.now = func() time.Time { return now }
	for range 5 {
		if _, ok := s.cachedStats(); ok {
			t.Error("yan_outbox_up is 1 for an outbox that does not answer")
		}
	}
	if store.times != 1 || failures != 1 {
		t.Errorf("asked %d times, %d failures", store.times, failures)
	}
	store.err = nil
	now = now.Add(countLifetime)
	if _, ok := s.cachedStats(); !ok || store.times != 2 {
		t.Errorf("later: %v, asked %d times", ok, store.times)
	}
}

// Old counts of an outbox that can't be read are not exported.
func TestDown(t *testing.T) {
	t.Parallel()
	store := &countingStore{err: errors.New("no disk"), stats: queue.Stats{Accounts: []queue.AccountStats{{Account: "work"}}}}
	got := scrape(t, New().Handler(store, func() delivery.WorkerStatus { return delivery.WorkerStatus{} }, func() map[string]int { return nil }))
	if got["yan_outbox_up"] != "0" || got["yan_store_errors_total"] == "" {
		t.Errorf("shown: %v", got)
	}
	for name := range got {
		if strings.HasPrefix(name, "yan_outbox_") && name != "yan_outbox_up" {
			t.Errorf("%s is shown", name)
		}
	}
}

// An outbox of an earlier version may hold names that are not valid labels. They stay distinct.
func TestNamesThatAreNoLabels(t *testing.T) {
	t.Parallel()
	m := New()
	store := &countingStore{stats: queue.Stats{Free: -1, Accounts: []queue.AccountStats{{Account: "x\xff"}, {Account: "x\xfe"}, {Account: "x\u2028"}}}}
	h := m.Handler(store, func() delivery.WorkerStatus { return delivery.WorkerStatus{} }, func() map[string]int { return map[string]int{"x\xff": 3} })
	for _, kind := range []delivery.WorkerEventKind{delivery.Settled, delivery.Paused, delivery.NoRoute, delivery.Reconciled} {
		m.Observe(delivery.WorkerEvent{Kind: kind, Account: "x\xff", State: queue.HandedOver, Began: time.Now()})
	}
	if got := scrape(t, h)[`yan_outbox_up`]; got != "1" {
		t.Errorf("up: %q", got)
	}
}
