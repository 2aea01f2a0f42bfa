package metrics

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Metrics counts the events of a delivery. It is safe for concurrent use.
type Metrics struct {
	registry   *prometheus.Registry
	settled    *prometheus.CounterVec
	attempts   *prometheus.CounterVec
	pauses     *prometheus.CounterVec
	waits      *prometheus.HistogramVec
	took       *prometheus.HistogramVec
	marks      prometheus.Histogram
	marked     prometheus.Counter
	storeFails prometheus.Counter
	lapses     prometheus.Counter
	reports    prometheus.Counter
	handedIn   *prometheus.CounterVec
	refused    *prometheus.CounterVec
}

// Bounds of the histograms, in seconds. A mark is one commit, an attempt takes a few round trips,
// and a message may wait for days.
var (
	markBounds    = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	attemptBounds = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	waitBounds    = []float64{.1, .5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400, 432000}
)

// New returns Metrics with a registry of its own.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(),
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yan_recipients_total",
			Help: "What recipients came to; one that is tried again counts each time."}, []string{"account", "state"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yan_attempts_total",
			Help: "Attempts for a recipient, by what the answer means; none where there was no answer to explain."}, []string{"account", "class"}),
		pauses: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yan_account_pauses_total",
			Help: "Times that an account was paused, or could not be used."}, []string{"account"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "yan_handover_seconds",
			Help: "From being enqueued to being handed over.", Buckets: waitBounds}, []string{"account"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "yan_attempt_seconds",
			Help: "From the beginning of a transaction to its answer.", Buckets: attemptBounds}, []string{"account"}),
		marks: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "yan_mark_seconds",
			Help: "Marking recipients as being sent, durably, before their last octet leaves.", Buckets: markBounds}),
		marked: prometheus.NewCounter(prometheus.CounterOpts{Name: "yan_marked_recipients_total",
			Help: "Recipients that were marked as being sent."}),
		storeFails: prometheus.NewCounter(prometheus.CounterOpts{Name: "yan_store_errors_total",
			Help: "Uses of the outbox that failed."}),
		lapses: prometheus.NewCounter(prometheus.CounterOpts{Name: "yan_lease_lapses_total",
			Help: "Times that this worker's lease ended before it was renewed."}),
		reports: prometheus.NewCounter(prometheus.CounterOpts{Name: "yan_reports_total",
			Help: "Messages whose sender was told that they could not be handed over."}),
		handedIn: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yan_accepted_messages_total",
			Help: "Messages of programs that were put into the outbox, or were there already, by the way in."}, []string{"way"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yan_refused_total",
			Help: "Senders, recipients and messages of programs that a rule refused, by the way in."}, []string{"way", "rule"}),
	}
	m.registry.MustRegister(m.settled, m.attempts, m.pauses, m.waits, m.took, m.marks, m.marked, m.storeFails, m.lapses, m.reports, m.handedIn, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts an event; it is made for delivery.Options.Observe.
func (m *Metrics) Observe(e delivery.WorkerEvent) {
	switch e.Kind {
	case delivery.Settled:
		m.settle(e)
	case delivery.Reconciled:
		m.settled.WithLabelValues(accountLabel(e.Account), string(e.State)).Inc()
	case delivery.Paused, delivery.NoRoute:
		m.pauses.WithLabelValues(accountLabel(e.Account)).Inc()
	case delivery.Marked:
		m.marks.Observe(e.Took.Seconds())
		m.marked.Add(float64(e.Count))
	case delivery.StoreError:
		m.storeFails.Inc()
	case delivery.Lapsed:
		m.lapses.Inc()
	case delivery.Reported:
		m.reports.Inc()
	}
}

// CountMessage counts what a program handed over: accepted, with rule "", or refused by a rule.
func (m *Metrics) CountMessage(way, rule string) {
	if rule == "" {
		m.handedIn.WithLabelValues(way).Inc()
		return
	}
	m.refused.WithLabelValues(way, rule).Inc()
}

func (m *Metrics) settle(e delivery.WorkerEvent) {
	m.settled.WithLabelValues(accountLabel(e.Account), string(e.State)).Inc()
	if e.Began.IsZero() { // requeued before it was tried
		return
	}
	class := e.Answer.Class
	if class == "" {
		class = "none"
	}
	m.attempts.WithLabelValues(accountLabel(e.Account), class).Inc()
	m.took.WithLabelValues(accountLabel(e.Account)).Observe(e.Took.Seconds())
	if e.State == queue.HandedOver {
		m.waits.WithLabelValues(accountLabel(e.Account)).Observe(e.Waited.Seconds())
	}
}

// Handler returns the handler that exports the counts and the state of the outbox and the delivery.
// connections returns how many connections may be open, by account. Handler may be called only
// once.
func (m *Metrics) Handler(store outbox.Admin, status func() delivery.WorkerStatus, connections func() map[string]int) http.Handler {
	m.registry.MustRegister(newStoreCollector(store, m.storeFails.Inc), deliveryCollector{status: status, connections: connections})
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// accountLabel returns an account's name as a label. Prometheus accepts only valid UTF-8, and an outbox of
// an earlier version may hold other names: these are quoted.
func accountLabel(account string) string {
	if utf8.ValidString(account) {
		return account
	}
	return strconv.QuoteToASCII(account)
}
