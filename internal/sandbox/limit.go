package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Bound is a limit that the server does not announce, with the reply for
// exceeding it.
type Bound struct {
	Max int // 0 for none
	// Reply is one line, like "421 4.7.0 Too many messages"; 421 closes the
	// connection too. "" is the reply of the profile's provider.
	Reply string
}

// Rate is a Bound for a span of time, by the clock of the Config.
type Rate struct {
	Bound
	Window time.Duration
}

func (b Bound) check() error {
	if b.Max < 0 {
		return errors.New("a limit of the sandbox is negative")
	}
	if b.Reply == "" {
		return nil
	}
	var p smtp.ReplyParser
	reply, whole, err := p.Line([]byte(b.Reply))
	if err != nil || !whole || !reply.Transient() && !reply.Permanent() {
		return fmt.Errorf("%q is no refusal like \"421 4.7.0 Too many messages\"", b.Reply)
	}
	return nil
}

// replyText returns Reply, or the profile's own reply.
func (b Bound) replyText(own string) string {
	if b.Reply != "" {
		return b.Reply
	}
	return own
}

func (cfg Config) checkLimits() error {
	l := cfg.Limits
	if min(l.Transactions, l.Recipients, l.RecipientsDomains) < 0 || max(l.Transactions, l.Recipients, l.RecipientsDomains) > 999_999 {
		return errors.New("a limit of LIMITS is not within 0 and 999999 (RFC 9422 section 4)")
	}
	if cfg.MessageRate.Max > 0 && cfg.MessageRate.Window <= 0 {
		return errors.New("a rate of messages needs a window of time")
	}
	return errors.Join(cfg.MessagesPerConnection.check(), cfg.ConnectionsAtOnce.check(), cfg.MessageRate.check())
}

// limitsLine returns the keyword of RFC 9422, or "" if there are no limits.
func limitsLine(l smtp.Limits) string {
	line := "LIMITS"
	for _, field := range []struct {
		name  string
		value int
	}{{"MAILMAX", l.Transactions}, {"RCPTMAX", l.Recipients}, {"RCPTDOMAINMAX", l.RecipientsDomains}} {
		if field.value > 0 {
			line += fmt.Sprintf(" %s=%d", field.name, field.value)
		}
	}
	if line == "LIMITS" {
		return ""
	}
	return line
}

// tooManyMessages returns the reply to a MAIL that exceeds a limit of the
// connection or of the time span, else "". Every MAIL counts for MAILMAX,
// refused ones too (RFC 9422 section 4.1).
func (s *serverSession) tooManyMessages() string {
	cfg, w := s.server.cfg, s.server.profile.words
	if limit := s.offeredLimits().Transactions; limit > 0 && s.mails > limit {
		s.violate(smtp.StageMail, "MAIL number %d, MAILMAX is %d", s.mails, limit)
		return cfg.MessagesPerConnection.replyText(w.perConnection)
	}
	if b := cfg.MessagesPerConnection; b.Max > 0 && s.sent >= b.Max {
		return b.replyText(w.perConnection)
	}
	if b := cfg.MessageRate; b.Max > 0 && s.server.rate.recentCount(cfg.Now(), b.Window) >= b.Max {
		return b.replyText(w.tooFast)
	}
	return ""
}

// tooManyRecipients returns the reply to a RCPT that exceeds the transaction's
// limit, else "".
func (s *serverSession) tooManyRecipients(address string) string {
	w, limits := s.server.profile.words, s.offeredLimits()
	if n := len(s.mail.to) + s.mail.refused; limits.Recipients > 0 && n >= limits.Recipients {
		s.violate(smtp.StageRcpt, "RCPT number %d, RCPTMAX is %d", n+1, limits.Recipients)
		return w.tooMany
	}
	if limits.RecipientsDomains > 0 {
		domains := map[string]bool{domainOf(address): true}
		for _, to := range s.mail.to {
			domains[domainOf(to.address)] = true
		}
		if len(domains) > limits.RecipientsDomains {
			s.violate(smtp.StageRcpt, "a recipient of domain number %d, RCPTDOMAINMAX is %d", len(domains), limits.RecipientsDomains)
			return w.tooMany
		}
	}
	if len(s.mail.to) >= s.server.cfg.MaxRecipients {
		return w.tooMany
	}
	return ""
}

// offeredLimits returns the limits that this client was told in the EHLO reply.
func (s *serverSession) offeredLimits() smtp.Limits { return s.offer.caps.Limits() }

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// oneTooMany returns the reply for a connection beyond ConnectionsAtOnce, or
// "". atGreeting is true if the reply is the greeting: a greeting can only be
// 421 or 554 (RFC 5321 section 4.3.2), and any other code is the reply to each
// message of the connection.
//
// QUIRK: Microsoft 365 - 432 at the message's end.
func (s *serverSession) oneTooMany() (reply string, atGreeting bool) {
	b := s.server.cfg.ConnectionsAtOnce
	if b.Max == 0 || !s.excess || s.server.countOpen() <= b.Max {
		return "", false
	}
	reply = b.replyText(s.server.profile.words.tooManyConnections)
	return reply, strings.HasPrefix(reply, "421") || strings.HasPrefix(reply, "554")
}

// countOpen counts the connections.
func (s *Server) countOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// rateCounter records when messages were accepted.
type rateCounter struct {
	mu    sync.Mutex
	times []time.Time
}

func (r *rateCounter) add(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times = append(r.times, now)
}

// recentCount drops entries older than the window and counts the rest.
func (r *rateCounter) recentCount(now time.Time, window time.Duration) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.times) > 0 && now.Sub(r.times[0]) >= window {
		r.times = r.times[1:]
	}
	return len(r.times)
}
