package enquiry

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Options configure a server.
type Options struct {
	// List is that of the outbox.
	List func(ctx context.Context, f queue.Filter) (queue.Page, error)
	// Policy returns the current rules of admission.
	Policy func() admission.Policy
	// Wake makes the daemon look for due messages.
	Wake func()
	// Log gets errors of the outbox and of the HTTP server; nil means none.
	Log *slog.Logger
	// User returns who has opened a connection; nil means peeruser.OfConn.
	User func(net.Conn) (peeruser.User, error)
}

// Bounds of the server. Requests are small, and any user may open connections.
const (
	requestTime = 10 * time.Second
	answerTime  = time.Minute
	maxHeader   = 8 << 10
)

// NewServer returns a server for a Unix socket that every user may open. Serve it there.
func NewServer(o Options) *http.Server {
	if o.User == nil {
		o.User = peeruser.OfConn
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &handler{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathMessages, h.forUser(h.messages))
	mux.HandleFunc("GET "+pathRoute, h.forUser(h.route))
	mux.HandleFunc("POST "+pathWake, h.forUser(func(w http.ResponseWriter, _ *http.Request, _ peeruser.User) {
		h.o.Wake()
		w.WriteHeader(http.StatusNoContent)
	}))
	limit := &connLimit{user: o.User, of: map[net.Conn]int{}, by: map[int]int{}}
	return &http.Server{
		Handler: http.MaxBytesHandler(mux, 0), ConnContext: h.withConn, ConnState: limit.follow,
		ReadHeaderTimeout: requestTime, ReadTimeout: requestTime, WriteTimeout: answerTime, IdleTimeout: requestTime,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
}

// Connections at once: of a user, and of all. A user who keeps many open must not take the files that
// the daemon may open from the delivery, or the socket from others.
const (
	maxPerUser     = 16
	maxConnections = 256
)

// connLimit closes connections of users that have too many.
type connLimit struct {
	user func(net.Conn) (peeruser.User, error)

	mu sync.Mutex
	of map[net.Conn]int // the UID of each that is counted
	by map[int]int
}

// follow is called with each change of a connection. A new one is not read before it returns.
func (l *connLimit) follow(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !l.enter(c) {
			_ = c.Close() // the client is told nothing more
		}
	case http.StateClosed, http.StateHijacked:
		l.leave(c)
	}
}

func (l *connLimit) enter(c net.Conn) bool {
	u, err := l.user(c)
	uid := u.UID
	if err != nil {
		uid = -1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.of) >= maxConnections || l.by[uid] >= maxPerUser {
		return false
	}
	l.of[c] = uid
	l.by[uid]++
	return true
}

func (l *connLimit) leave(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	uid, counted := l.of[c]
	if !counted {
		return
	}
	delete(l.of, c)
	if l.by[uid]--; l.by[uid] == 0 {
		delete(l.by, uid)
	}
}

type handler struct{ o Options }

// connKey is the key of a request's connection in its context.
type connKey struct{}

func (h *handler) withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// forUser answers only requests whose user is known.
func (h *handler) forUser(answer func(http.ResponseWriter, *http.Request, peeruser.User)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(net.Conn)
		if !ok {
			http.Error(w, "not at a connection", http.StatusInternalServerError)
			return
		}
		user, err := h.o.User(conn)
		if err != nil {
			h.o.Log.Warn("the user at the public socket is not known", "error", err)
			http.Error(w, "who are you?", http.StatusForbidden)
			return
		}
		answer(w, r, user)
	}
}

func peerOf(u peeruser.User) admission.Peer { return admission.Peer{User: u.Name, UID: u.UID} }

func (h *handler) messages(w http.ResponseWriter, r *http.Request, user peeruser.User) {
	f := Unfinished()
	if !user.IsRoot() {
		f.Tag = peerOf(user).Tag()
	}
	if after := r.URL.Query().Get("after"); after != "" {
		id, err := strconv.ParseInt(after, 10, 64)
		if err != nil || id < 0 {
			http.Error(w, "after is not the number of a message", http.StatusBadRequest)
			return
		}
		f.Before = queue.ID(id)
	}
	page, err := h.o.List(r.Context(), f)
	if err != nil {
		h.o.Log.Error("the outbox can't be listed for a user", "user", user.Name, "error", err)
		http.Error(w, "the outbox can't be read now", http.StatusServiceUnavailable)
		return
	}
	found := WaitingPage{Messages: []Waiting{}, More: page.More}
	for _, e := range page.Entries {
		found.Messages = append(found.Messages, Describe(e))
	}
	answerJSON(w, found)
}

func (h *handler) route(w http.ResponseWriter, r *http.Request, user peeruser.User) {
	to := r.URL.Query().Get("to")
	if to == "" {
		http.Error(w, "to is missing", http.StatusBadRequest)
		return
	}
	found, _ := Find(h.o.Policy(), peerOf(user), to) // the route has the refusal
	answerJSON(w, found)
}

// Find returns what would become of a recipient of a peer's message. The error is the refusal, which
// the route has as text.
func Find(p admission.Policy, peer admission.Peer, to string) (Route, error) {
	r := Route{To: to}
	grant, err := p.Grant(peer)
	if err != nil {
		return r.refused(err), err
	}
	r.Account = grant.Account
	address, err := smtp.ParseAddress(to)
	if err == nil && !p.IsLocalDomain(address.ASCIIDomain()) {
		r.Addresses = []string{address.String()}
		return r, nil
	}
	name := to
	if err == nil {
		name = address.Local()
	}
	list, err := p.Local(name)
	if err != nil {
		return r.refused(err), err
	}
	for _, a := range list {
		r.Addresses = append(r.Addresses, a.String())
	}
	return r, nil
}

func (r Route) refused(err error) Route {
	reply := admission.Reply(err)
	r.Code, r.Refusal = reply.Code, err.Error()
	if refusal, ok := errors.AsType[*admission.Refusal](err); ok {
		r.Rule, r.Code = refusal.Rule, refusal.Reply.Code
		if refusal.Hint != nil {
			r.Refusal += "; " + refusal.Hint.Error()
		}
	}
	return r
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
