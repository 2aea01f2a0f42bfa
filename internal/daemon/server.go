package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/scrub"
)

// The paths that a daemon answers: all of them on the socket, those that only show
// something at the address for metrics, too.
const (
	pathStatus = "/status"  // GET: a Status
	pathWake   = "/wake"    // POST: look what is due
	pathReload = "/reload"  // POST: read the configuration again; a Reloaded
	pathHealth = "/healthz" // GET: 200 while the process lives
	// GET: 200 while what is enqueued is being sent, else 503 and why. With ?accounts=no
	// accounts that rest don't count.
	pathReady   = "/readyz"
	pathMetrics = "/metrics" // GET: what the Meter shows
)

// Status is how it goes with a daemon.
type Status struct {
	Version  string    `json:"version"`
	PID      int       `json:"pid"`
	Since    time.Time `json:"since"`
	Outbox   string    `json:"outbox"`
	Accounts []string  `json:"accounts"`
	// Ready says that what is enqueued is being sent; Why says why not: "stopping",
	// say.
	Ready    bool   `json:"ready"`
	Why      string `json:"why,omitempty"`
	Stopping bool   `json:"stopping"`
	// Couriers are accounts at work, InFlight recipients that it has leased.
	Couriers int `json:"couriers"`
	InFlight int `json:"in_flight"`
	// Connections is how many it may have open, by account.
	Connections map[string]int `json:"connections"`
	// Resting are the accounts that do not send now.
	Resting []Resting `json:"resting"`
	// Configured is when the configuration that counts was read; ConfigError why
	// a later one does not.
	Configured  time.Time `json:"configured"`
	ConfigError string    `json:"config_error,omitempty"`
}

// Reloaded is the answer to /reload: with an error, the configuration before stays.
type Reloaded struct {
	Accounts []string `json:"accounts"`
	Error    string   `json:"error,omitempty"`
}

// looks are what everybody who reaches the address may see.
func (d *daemon) looks() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathHealth, func(w http.ResponseWriter, _ *http.Request) { line(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET "+pathReady, func(w http.ResponseWriter, r *http.Request) {
		ready, why := d.isReady()
		if !ready {
			line(w, http.StatusServiceUnavailable, why)
			return
		}
		var blocked []Resting
		if r.URL.Query().Get("accounts") != "no" {
			blocked = d.blocked(r.Context())
		}
		if len(blocked) > 0 {
			line(w, http.StatusServiceUnavailable, accountsBlocked(blocked))
			return
		}
		line(w, http.StatusOK, why)
	})
	if d.meter != nil {
		mux.Handle("GET "+pathMetrics, d.meter)
	}
	return mux
}

// commands are what the owner of the socket may want.
func (d *daemon) commands() *http.ServeMux {
	mux := d.looks()
	mux.HandleFunc("GET "+pathStatus, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, d.status(r.Context()))
	})
	mux.HandleFunc("POST "+pathWake, func(w http.ResponseWriter, _ *http.Request) {
		d.store.wake()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+pathReload, func(w http.ResponseWriter, r *http.Request) {
		if d.stopping.Load() {
			answer(w, http.StatusServiceUnavailable, Reloaded{Error: "stopping"})
			return
		}
		err := d.reload(r.Context())
		told := Reloaded{Accounts: d.routes.config.Load().Accounts}
		if err != nil {
			told.Error = err.Error()
			answer(w, http.StatusUnprocessableEntity, told)
			return
		}
		answer(w, http.StatusOK, told)
	})
	return mux
}

// accountsBlocked is the answer of /readyz while accounts rest for which something is
// enqueued: the first line for machines, the others say which and why.
func accountsBlocked(list []Resting) string {
	lines := []string{fmt.Sprintf("accounts that can't send: %d", len(list))}
	for _, r := range list {
		where := ""
		if r.Here {
			where = " from here"
		}
		lines = append(lines, fmt.Sprintf("account %s can't send%s until %s: %s; recipients waiting: %d",
			scrub.Text(r.Account), where, r.Until.Format(time.RFC3339), r.why(), r.Waiting))
	}
	return strings.Join(lines, "\n")
}

func (d *daemon) status(ctx context.Context) Status {
	ready, why := d.isReady()
	if blocked := d.blocked(ctx); ready && len(blocked) > 0 {
		ready, why = false, accountsBlocked(blocked)
	}
	if ready {
		why = ""
	}
	resting, err := d.resting(ctx)
	if err != nil {
		resting = []Resting{}
	}
	now := d.deliver.Status()
	s := Status{Version: d.o.Version, PID: os.Getpid(), Since: d.since, Outbox: d.o.Outbox,
		Ready: ready, Why: why, Stopping: d.stopping.Load(), Couriers: now.Couriers, InFlight: now.InFlight,
		Connections: d.routes.open(), Resting: resting, Accounts: d.routes.config.Load().Accounts}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Configured = d.read
	if d.configErr != nil {
		s.ConfigError = d.configErr.Error()
	}
	return s
}

// Bounds of the server: what is asked is small.
const (
	headerTime  = 10 * time.Second
	answerTime  = time.Minute
	maxHeader   = 16 << 10
	maxBody     = 1 << 10
	goodbyeTime = time.Second // for answers that are being written at the end
)

// serve answers until ctx is over.
func (d *daemon) serve(ctx context.Context, l net.Listener, mux http.Handler) error {
	s := &http.Server{Handler: d.sheltered(mux), ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: answerTime,
		IdleTimeout: answerTime, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(d.o.Log.Handler(), slog.LevelWarn)}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		bounded, cancel := context.WithTimeout(context.Background(), goodbyeTime)
		defer cancel()
		if s.Shutdown(bounded) != nil {
			_ = s.Close() // who does not read is cut off
		}
	})
	err := s.Serve(l)
	if stop() { // before it was asked to
		return fmt.Errorf("answering at %s: %w", l.Addr(), err)
	}
	<-closed
	return nil
}

// namedHere answers at an address of the loopback only who asks for that: a page in a
// browser on this machine could otherwise have a name of its own lead here, and read the
// answer (DNS rebinding).
func namedHere(at net.Addr, h http.Handler) http.Handler {
	if a, ok := at.(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
		if host != "" && host != "localhost" && net.ParseIP(host) == nil {
			line(w, http.StatusMisdirectedRequest, "ask for localhost, or for the address itself")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// sheltered answers a request that panics with 500 and tells of it.
func (d *daemon) sheltered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http's own way to break an answer off
			}
			if v != nil {
				d.tellFailure(r.URL.Path, delivery.NewPanicError(r.URL.Path, v))
				line(w, http.StatusInternalServerError, "a mistake in yan itself")
			}
		}()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}

func line(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, text) // who does not listen any more is not told
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // as above
}
