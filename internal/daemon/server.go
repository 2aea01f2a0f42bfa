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
	"github.com/yanmail/yan/internal/telemetry/redact"
)

// The paths of a daemon's HTTP server. The socket serves all of them, the address for metrics only
// the last three.
const (
	pathStatus = "/status"  // GET: a Status
	pathWake   = "/wake"    // POST: look for due messages
	pathReload = "/reload"  // POST: read the configuration again; a Reloaded
	pathHealth = "/healthz" // GET: 200 while the process lives
	// GET: 200 while enqueued messages are being sent, else 503 and the reason. With ?accounts=no
	// resting accounts are ignored.
	pathReady   = "/readyz"
	pathMetrics = "/metrics" // GET: the Meter's handler
)

// StatusReply is the state of a daemon, as /status returns it.
type StatusReply struct {
	Version  string    `json:"version"`
	PID      int       `json:"pid"`
	Since    time.Time `json:"since"`
	Outbox   string    `json:"outbox"`
	Accounts []string  `json:"accounts"`
	// Ready is true while enqueued messages are being sent. Otherwise Why is the reason, such as
	// "stopping".
	Ready    bool   `json:"ready"`
	Why      string `json:"why,omitempty"`
	Stopping bool   `json:"stopping"`
	// Couriers counts the accounts that send now, InFlight the leased recipients.
	Couriers int `json:"couriers"`
	InFlight int `json:"in_flight"`
	// Connections is how many connections may be open, by account.
	Connections map[string]int `json:"connections"`
	// Resting are the accounts that do not send now.
	Resting []Resting `json:"resting"`
	// Ways are the ways in for messages of programs.
	Ways []WayStatus `json:"ways"`
	// Configured is when the current configuration was read. ConfigError says why a later reload
	// failed.
	Configured  time.Time `json:"configured"`
	ConfigError string    `json:"config_error,omitempty"`
}

// ReloadReply is the response to /reload. If Error is set, the previous configuration is still used.
type ReloadReply struct {
	Accounts []string `json:"accounts"`
	Error    string   `json:"error,omitempty"`
}

// publicMux returns the handlers that only show something, for the address of the metrics.
func (d *daemon) publicMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathHealth, func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET "+pathReady, func(w http.ResponseWriter, r *http.Request) {
		ready, why := d.isReady()
		if !ready {
			writeText(w, http.StatusServiceUnavailable, why)
			return
		}
		var blocked []Resting
		if r.URL.Query().Get("accounts") != "no" {
			blocked = d.blockedAccounts(r.Context())
		}
		if len(blocked) > 0 {
			writeText(w, http.StatusServiceUnavailable, accountsBlocked(blocked))
			return
		}
		writeText(w, http.StatusOK, why)
	})
	if d.meter != nil {
		mux.Handle("GET "+pathMetrics, d.meter)
	}
	return mux
}

// controlMux returns all handlers, for the command socket.
func (d *daemon) controlMux() *http.ServeMux {
	mux := d.publicMux()
	mux.HandleFunc("GET "+pathStatus, func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, d.status(r.Context()))
	})
	mux.HandleFunc("POST "+pathWake, func(w http.ResponseWriter, _ *http.Request) {
		d.store.wakeWaiters()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+pathReload, func(w http.ResponseWriter, r *http.Request) {
		if d.stopping.Load() {
			writeJSON(w, http.StatusServiceUnavailable, ReloadReply{Error: "stopping"})
			return
		}
		err := d.reload(r.Context())
		told := ReloadReply{Accounts: d.routes.config.Load().Accounts}
		if err != nil {
			told.Error = err.Error()
			writeJSON(w, http.StatusUnprocessableEntity, told)
			return
		}
		writeJSON(w, http.StatusOK, told)
	})
	return mux
}

// accountsBlocked returns the response of /readyz while accounts with waiting recipients rest. The
// first line is for programs; the others name each account and the reason.
func accountsBlocked(list []Resting) string {
	lines := []string{fmt.Sprintf("accounts that can't send: %d", len(list))}
	for _, r := range list {
		where := ""
		if r.Here {
			where = " from here"
		}
		lines = append(lines, fmt.Sprintf("account %s can't send%s until %s: %s; recipients waiting: %d",
			redact.Text(r.Account), where, r.Until.Format(time.RFC3339), r.reasonLine(), r.Waiting))
	}
	return strings.Join(lines, "\n")
}

func (d *daemon) status(ctx context.Context) StatusReply {
	ready, why := d.isReady()
	if blocked := d.blockedAccounts(ctx); ready && len(blocked) > 0 {
		ready, why = false, accountsBlocked(blocked)
	}
	if ready {
		why = ""
	}
	resting, err := d.restingAccounts(ctx)
	if err != nil {
		resting = []Resting{}
	}
	now := d.deliver.Status()
	s := StatusReply{Version: d.o.Version, PID: os.Getpid(), Since: d.since, Outbox: d.o.Outbox,
		Ready: ready, Why: why, Stopping: d.stopping.Load(), Couriers: now.Couriers, InFlight: now.InFlight,
		Connections: d.routes.openConnections(), Resting: resting, Accounts: d.routes.config.Load().Accounts, Ways: d.o.Ways()}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Configured = d.read
	if d.configErr != nil {
		s.ConfigError = d.configErr.Error()
	}
	return s
}

// Bounds of the server; requests are small.
const (
	headerTime  = 10 * time.Second
	answerTime  = time.Minute
	maxHeader   = 16 << 10
	maxBody     = 1 << 10
	goodbyeTime = time.Second // for responses being written at the end
)

// serve answers requests at l until ctx is done.
func (d *daemon) serve(ctx context.Context, l net.Listener, mux http.Handler) error {
	s := &http.Server{Handler: d.recoverPanics(mux), ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: answerTime,
		IdleTimeout: answerTime, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(d.o.Log.Handler(), slog.LevelWarn)}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		bounded, cancel := context.WithTimeout(context.Background(), goodbyeTime)
		defer cancel()
		if s.Shutdown(bounded) != nil {
			_ = s.Close() // clients that do not read are cut off
		}
	})
	err := s.Serve(l)
	if stop() { // Serve ended before ctx did
		return fmt.Errorf("answering at %s: %w", l.Addr(), err)
	}
	<-closed
	return nil
}

// requireLoopbackHost rejects requests to a loopback address whose Host is another name. Otherwise
// a web page open on this machine could point its own name at the address and read the response
// (DNS rebinding).
func requireLoopbackHost(at net.Addr, h http.Handler) http.Handler {
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
			writeText(w, http.StatusMisdirectedRequest, "ask for localhost, or for the address itself")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// recoverPanics answers a request that panics with 500 and logs the panic.
func (d *daemon) recoverPanics(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http aborts a response this way
			}
			if v != nil {
				d.logFailure(r.URL.Path, delivery.NewPartPanicError(r.URL.Path, v))
				writeText(w, http.StatusInternalServerError, "a bug in yan")
			}
		}()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, text) // the client may be gone
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
