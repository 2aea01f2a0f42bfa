package doctor

import (
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// commandReply is a command and its reply.
type commandReply struct {
	at    time.Time // when it was sent
	sent  string
	reply smtp.Reply
	wait  time.Duration
}

// traceWatcher assembles the conversation from its lines, with their times.
type traceWatcher struct {
	now  func() time.Time
	pass func(smtpclient.Event) // gets every event too; may be nil
	// begin is called with the step that is waited for next, on the way to
	// EHLO.
	begin    func(Name)
	security smtpclient.Security

	mu      sync.Mutex
	last    time.Time // of the latest event
	greeted time.Time
	secured time.Duration // duration of the handshake
	session string        // its result
	settled smtpclient.Handshake
	parser  smtp.ReplyParser
	all     []commandReply // the first is the greeting
	within  bool           // inside a reply of several lines
}

func (v *examSession) watch() *traceWatcher {
	return &traceWatcher{now: v.Now, pass: v.Options.Trace, begin: v.beginStep, security: v.Server.Security, last: v.Now()}
}

func (w *traceWatcher) event(e smtpclient.Event) {
	if w.pass != nil {
		w.pass(e)
	}
	w.beginNext(e)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = w.now()
	switch e.Direction {
	case smtpclient.Connected:
		w.all = []commandReply{{}}
	case smtpclient.Secured:
		w.settled = *e.Handshake
		w.secured, w.session = e.Wait, e.Handshake.Version+", "+e.Handshake.CipherSuite
	case smtpclient.Sent:
		w.all = append(w.all, commandReply{at: w.last, sent: e.Text})
		w.parser, w.within = smtp.ReplyParser{}, false
	case smtpclient.Received:
		if len(w.all) == 0 {
			return
		}
		current := &w.all[len(w.all)-1]
		if !w.within {
			current.wait, w.within = e.Wait, true
		}
		if len(w.all) == 1 {
			w.greeted = w.last
		}
		if reply, _, err := w.parser.Line([]byte(e.Text)); err == nil {
			current.reply = reply
		}
	}
}

func (w *traceWatcher) latest() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// handshake returns the duration and result of the handshake; "" if there was
// none.
func (w *traceWatcher) handshake() (took time.Duration, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.secured, w.session
}

// lastHandshake returns the parameters of the last handshake.
func (w *traceWatcher) lastHandshake() smtpclient.Handshake {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settled
}

// exchange returns the n-th exchange; zero if there was none.
func (w *traceWatcher) exchange(n int) commandReply {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n >= len(w.all) {
		return commandReply{}
	}
	return w.all[n]
}

// hello returns the n-th EHLO, HELO or LHLO that got a positive reply.
func (w *traceWatcher) hello(n int) commandReply {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.all {
		verb, _, _ := strings.Cut(x.sent, " ")
		if (verb == "EHLO" || verb == "HELO" || verb == "LHLO") && x.reply.Positive() {
			if n == 0 {
				return x
			}
			n--
		}
	}
	return commandReply{}
}

// sinceCommand returns the time from a command to the latest event.
func (w *traceWatcher) sinceCommand(verb string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.all {
		if first, _, _ := strings.Cut(x.sent, " "); first == verb {
			return w.last.Sub(x.at)
		}
	}
	return 0
}

// beginNext reports the step that is waited for after an event.
func (w *traceWatcher) beginNext(e smtpclient.Event) {
	switch {
	case e.Direction == smtpclient.Connected && w.security == smtpclient.ImplicitTLS:
		w.begin(NameTLS)
	case e.Direction == smtpclient.Connected, e.Direction == smtpclient.Secured && w.security == smtpclient.ImplicitTLS:
		w.begin(NameGreeting)
	case e.Direction == smtpclient.Sent && (strings.HasPrefix(e.Text, "EHLO") || strings.HasPrefix(e.Text, "LHLO")):
		w.begin(NameHello)
	case e.Direction == smtpclient.Sent && e.Text == "STARTTLS":
		w.begin(NameTLS)
	case e.Direction == smtpclient.Sent && strings.HasPrefix(e.Text, "AUTH "):
		w.begin(NameLogin)
	}
}
