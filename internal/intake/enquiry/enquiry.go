// Package enquiry answers the users of this machine about their own messages, over HTTP at a Unix
// socket that every user may open: mailq, sendmail -bv and sendmail -q. The kernel says who asks.
// A user sees the messages that it handed over; root sees all.
//
// [NewServer] is the daemon's side, [Client] the other.
package enquiry

import (
	"time"

	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/queue"
)

// The paths.
const (
	pathMessages = "/messages" // GET: a Page of unfinished messages, the oldest first; after=ID is the next page
	pathRoute    = "/route"    // GET: a Route; to=RECIPIENT
	pathWake     = "/wake"     // POST: looks for due messages
)

// Waiting is an unfinished message.
type Waiting struct {
	ID      queue.ID  `json:"id"`
	Created time.Time `json:"created"`
	Size    int64     `json:"size"`
	From    string    `json:"from"` // "" is the null sender
	// Recipients are those that are not finished, at most 20; Left counts all of them.
	Recipients []WaitingRecipient `json:"recipients"`
	Left       int                `json:"recipients_left"`
	// Active is true while the message is being sent.
	Active bool `json:"active"`
	// Held is true if a user holds it.
	Held bool `json:"held"`
}

// WaitingRecipient is an unfinished recipient.
type WaitingRecipient struct {
	Address string      `json:"address"`
	State   queue.State `json:"state"`
	// Due is the time of the next attempt; zero if there is none.
	Due time.Time `json:"due,omitzero"`
	// Reason is the last reply or error; "" if there is none.
	Reason string `json:"reason,omitempty"`
}

// WaitingPage is a part of a list.
type WaitingPage struct {
	Messages []Waiting `json:"messages"`
	// More is true if there are messages after the last of these.
	More bool `json:"more"`
}

// Route is what would become of a recipient.
type Route struct {
	To string `json:"to"`
	// Account would send it, to the addresses: of a local name, those that it stands for.
	Account   string   `json:"account,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	// Rule and Refusal are set if it would be refused; Code is the SMTP reply code.
	Rule    string `json:"rule,omitempty"`
	Refusal string `json:"refusal,omitempty"`
	Code    int    `json:"code,omitempty"`
}

// Unfinished returns the filter of the messages that mailq shows, the oldest first.
func Unfinished() queue.Filter {
	return queue.Filter{States: []queue.State{queue.Queued, queue.Deferred, queue.Leased, queue.Sending, queue.InDoubt, queue.Held}, Oldest: true, Limit: pageSize}
}

// pageSize is the number of messages of a page.
const pageSize = 200

// Describe returns what mailq shows of a message.
func Describe(e queue.Entry) Waiting {
	w := Waiting{ID: e.ID, Created: e.Created, Size: e.Size, From: e.From.String(), Recipients: []WaitingRecipient{}}
	for _, r := range e.Recipients {
		if r.State.Final() {
			continue
		}
		w.Left++
		w.Active = w.Active || r.State == queue.Leased || r.State == queue.Sending
		w.Held = w.Held || r.State == queue.Held
		w.Recipients = append(w.Recipients, WaitingRecipient{Address: r.Address.String(), State: r.State, Due: r.Due, Reason: reasonOf(r.Answer)})
	}
	// A list has 20 recipients of a message; it is not known how many of the others are finished.
	w.Left += max(0, e.Total-len(e.Recipients))
	return w
}

// maxReason bounds a reason, in octets.
const maxReason = 300

func reasonOf(a queue.Answer) string {
	reason := a.Err
	if !a.Reply.IsZero() {
		reason = a.Reply.String()
	}
	return excerpt.Octets(reason, maxReason)
}
