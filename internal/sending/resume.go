package sending

import (
	"slices"

	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/smtp"
)

// resumeFromLog divides the messages into pending ones and those that the log settles.
func (r *Run) resumeFromLog() {
	copies := map[sendlog.RecipientKey]int{}
	for _, m := range r.messages {
		r.lookUp(m, copies)
		if len(m.entry.To) > 0 {
			r.pending = append(r.pending, m)
		} else {
			m.Close()
			r.settled = append(r.settled, m)
		}
	}
}

// lookUp reads the outcomes of a message from the log. copies counts how often each recipient gets
// the same octets.
func (r *Run) lookUp(m *Outgoing, copies map[sendlog.RecipientKey]int) {
	log := r.o.Log
	if !r.o.Date.IsZero() {
		if m.date = log.Date(m.Hash); m.date.IsZero() {
			m.date = r.o.Date
		}
		m.setDate()
	}
	m.entry = &sendlog.LogEntry{Date: m.date, Hash: m.Hash, File: m.File, Number: m.Number, From: m.Envelope.From()}
	for i, to := range m.Envelope.To() {
		key := sendlog.RecipientKey{Hash: m.Hash, Recipient: to.Wire()}
		copies[key]++
		key.Copy = copies[sendlog.RecipientKey{Hash: m.Hash, Recipient: to.Wire()}]
		o, known := log.State(key)
		if !m.FormerHash.IsZero() {
			former := sendlog.RecipientKey{Hash: m.FormerHash, Recipient: to.Wire()}
			copies[former]++
			former.Copy = copies[former]
			if !known {
				o, known = log.State(former)
			}
		}
		if known && !r.o.sendsAgain(o.Status) {
			if m.decided == nil {
				m.decided = make([]smtp.Outcome, m.Envelope.Len())
			}
			o.Recipient = to
			m.decided[i] = o
			continue
		}
		m.entry.To, m.entry.Copies = append(m.entry.To, to), append(m.entry.Copies, key.Copy)
	}
}

// sendsAgain reports whether a recipient with this status in the log is sent to again.
func (o *Options) sendsAgain(s smtp.Status) bool {
	return s == smtp.Deferred || s == smtp.NotTried || slices.Contains(o.Resend, s)
}
