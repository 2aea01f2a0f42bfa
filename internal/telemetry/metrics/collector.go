package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

const (
	// countLifetime is how long one result of Stats is reused: counting millions of rows is expensive, and
	// several clients may ask.
	countLifetime = 10 * time.Second
	// countTimeout bounds the time that the outbox may take to count.
	countTimeout = 15 * time.Second
)

var (
	upDesc      = prometheus.NewDesc("yan_outbox_up", "1 when the outbox could be asked, and what follows is so.", nil, nil)
	countDesc   = prometheus.NewDesc("yan_outbox_recipients", "Recipients in the outbox.", []string{"account", "state"}, nil)
	oldestDesc  = prometheus.NewDesc("yan_outbox_oldest_seconds", "Age of the oldest message that waits; 0 for none.", nil, nil)
	bytesDesc   = prometheus.NewDesc("yan_outbox_bytes", "Octets of the outbox, where that is known.", nil, nil)
	freeDesc    = prometheus.NewDesc("yan_outbox_free_bytes", "Octets left on the disk of the outbox, where that is known.", nil, nil)
	pausedDesc  = prometheus.NewDesc("yan_account_paused_seconds", "How long an account still pauses; 0 for not.", []string{"account"}, nil)
	workersDesc = prometheus.NewDesc("yan_outbox_workers", "Processes that deliver from the outbox.", nil, nil)

	joinedDesc   = prometheus.NewDesc("yan_joined", "1 while this process has a lease on the outbox.", nil, nil)
	couriersDesc = prometheus.NewDesc("yan_couriers", "Accounts that this process sends from at the moment.", nil, nil)
	leasedDesc   = prometheus.NewDesc("yan_recipients_leased", "Recipients that this process has leased.", nil, nil)
	connDesc     = prometheus.NewDesc("yan_connections", "Connections that this process may have open.", []string{"account"}, nil)
)

// storeCollector exports the outbox's counts to Prometheus.
type storeCollector struct {
	store  outbox.Admin
	failed func()
	now    func() time.Time

	mu    sync.Mutex // held while the outbox counts; other callers wait for the same result
	asked time.Time
	stats queue.Stats
	ok    bool
}

func newStoreCollector(s outbox.Admin, failed func()) *storeCollector {
	return &storeCollector{store: s, failed: failed, now: time.Now}
}

func (s *storeCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upDesc, countDesc, oldestDesc, bytesDesc, freeDesc, pausedDesc, workersDesc} {
		to <- d
	}
}

// cachedStats returns the outbox's counts, at most fresh old. ok is false if the outbox could not be read.
func (s *storeCollector) cachedStats() (stats queue.Stats, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.asked.IsZero() || now.Sub(s.asked) >= countLifetime {
		ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
		defer cancel()
		got, err := s.store.Stats(ctx)
		if err != nil {
			s.failed()
		}
		s.stats, s.ok, s.asked = got, err == nil, now
	}
	return s.stats, s.ok
}

func (s *storeCollector) Collect(to chan<- prometheus.Metric) {
	stats, ok := s.cachedStats()
	sendGauge(to, upDesc, boolValue(ok))
	if !ok {
		return
	}
	for _, a := range stats.Accounts {
		for _, state := range queue.States() {
			sendGauge(to, countDesc, float64(a.Count[state]), accountLabel(a.Account), string(state))
		}
		sendGauge(to, pausedDesc, a.PausedFor.Seconds(), accountLabel(a.Account))
	}
	age := 0.0
	if !stats.Oldest.IsZero() {
		age = max(0, s.now().Sub(stats.Oldest).Seconds())
	}
	sendGauge(to, oldestDesc, age)
	if stats.Bytes > 0 {
		sendGauge(to, bytesDesc, float64(stats.Bytes))
	}
	if stats.Free >= 0 {
		sendGauge(to, freeDesc, float64(stats.Free))
	}
	sendGauge(to, workersDesc, float64(len(stats.Workers)))
}

// deliveryCollector exports the state of this process's delivery.
type deliveryCollector struct {
	status      func() delivery.WorkerStatus
	connections func() map[string]int
}

func (w deliveryCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{joinedDesc, couriersDesc, leasedDesc, connDesc} {
		to <- d
	}
}

func (w deliveryCollector) Collect(to chan<- prometheus.Metric) {
	s := w.status()
	sendGauge(to, joinedDesc, boolValue(s.Joined))
	sendGauge(to, couriersDesc, float64(s.Couriers))
	sendGauge(to, leasedDesc, float64(s.InFlight))
	for account, n := range w.connections() {
		sendGauge(to, connDesc, float64(n), accountLabel(account))
	}
}

func sendGauge(to chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
