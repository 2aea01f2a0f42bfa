// Package outbox defines a store of the outbox: [Store], which packages sqlite and postgres
// implement and the suite of package outboxtest tests. It contains no SQL and does no I/O. The
// types that users see are in package queue.
//
// # The life of a message
//
//   - Package submission makes a [NewMessage], and [Enqueuer] keeps it: when Enqueue has
//     returned, the message is on the disk.
//   - A worker registers with Join and renews its lease with Renew every third of it. It
//     leases recipients that are due with Claim. Before the last octet of a message may be
//     sent it calls Mark with its recipients. Settle keeps the results. All of these are
//     methods of [WorkQueue].
//   - Sweep requeues the recipients of workers that stopped, and expires old messages.
//   - Users read with List, Show, Stats and Events of [Admin], and change with Change.
//
// # Time
//
// A store uses only its own clock: pauses and leases are passed as durations, and only
// the times that a user chose (NotBefore, Expires) are absolute. A clock may be wrong and may be
// set, so that "now" is stored as [Soon], not as a time; a pause is never longer than
// [LongestPause]; and leases are measured by [Uptime] if all workers share a machine.
package outbox
