// Package delivery is the one door out of the outbox: it claims what is due, sends
// it at the account's pace, and keeps what came of each recipient.
//
// [New] makes a Delivery of a store and of what knows how an account sends
// ([Options.Open]). [Delivery.Run] works until its context is over, then finishes
// what is on the wire and gives the rest back. [Delivery.Drain] works until
// nothing is due.
//
// For each account that has something due there is a courier: it claims ahead of
// what it sends, hands the messages to the transport as one overlapped run, has each
// marked as being sent, durably, before its last octet may leave, and settles
// the results. What a result means for the message, for the account and for the next
// try is decided in judge.go, by what package diagnosis says. Beside the
// couriers, a keeper renews the lease, sweeps, reconciles what is in doubt with
// the Sent folder, and reports what could not be handed over.
package delivery
