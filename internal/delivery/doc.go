// Package delivery sends the messages of the outbox: it claims due messages, sends them at the
// account's pace, and settles the result of each recipient.
//
// [New] returns a Delivery for a store and the routes of accounts ([Options.Route]).
// [Delivery.Run] works until its context is done, then finishes the messages in flight and
// requeues the others. [Delivery.Drain] works until no message is due.
//
// Each account with due messages has an account worker. It claims ahead, hands the messages to
// the transport as one overlapping batch, marks each one durably before its last octet is
// sent, and settles the results. classify.go decides the consequences of a result for the
// message, the account and the next attempt, using package diagnosis. Other goroutines renew
// the lease, sweep, look for messages in doubt in the Sent folder, and report failures to the
// senders.
package delivery
