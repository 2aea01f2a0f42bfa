// Package outbox is the words of the outbox: messages that were handed over to
// Yan and wait to be handed over to a server. It holds no SQL and does no I/O; a
// [Store] keeps what it describes. Packages sqlite and postgres are the stores,
// and the suite of package outboxtest is what both have to pass.
//
// # One message's way
//
//   - Package submission makes a [New] of a message, [Store.Enqueue] keeps it: when
//     that has returned, the message is on the disk.
//   - A worker joins with [Store.Join] and says every third of its lease with
//     [Store.Renew] that it lives. It takes what is due with [Store.Claim], and
//     says with [Store.Mark] which recipients it is about to hand over, before the
//     last octet of the message may leave. [Store.Settle] keeps what came of it.
//   - [Store.Sweep] takes back what lapsed workers had, and ends what is too old.
//   - People look with List, Show, Stats and Events, and decide with Change.
//
// # States
//
// Every recipient has a [State] of its own; [Moves] is all that may happen to it.
// The one that no other mail system has is [InDoubt]: the message may have been
// handed over, and nobody can know. It is never sent again just because time passes.
//
// # Time
//
// A store's clock is the only clock: pauses and leases are given as durations, and
// only what a person said (not before, expires) is a time. A clock may be wrong and be
// set, so that "now" is stored as [Soon], not as a time; a pause is never longer than
// [LongestPause]; and leases are measured by [Uptime] where all workers share a machine.
package outbox
