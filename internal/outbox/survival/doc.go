// Package survival proves that the outbox loses nothing and sends nothing twice,
// whatever dies in between. It is for tests only.
//
//   - A [Letter] is a message whose name says all about it, so that another process,
//     a server and a store can tell whether they have all of it.
//   - [Examine] holds what an outbox says became of its letters against what the server
//     really accepted (torture.Ledger) and what callers were told is kept.
//   - A [Trace] is what a process had the kernel write and sync; [Trace.After] makes of
//     it what a disk may hold behind a power cut.
//
// The proofs themselves are its tests. Each has a control: something that is broken
// on purpose, and has to be found.
package survival
