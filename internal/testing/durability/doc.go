// Package durability tests that the outbox loses no message and sends none twice, whichever process
// or machine dies at whatever moment. It is for tests only.
//
//   - A [Letter] is a message whose name determines its content, so that another process, a server
//     and a store can check whether they have all of it.
//   - [Examine] compares the states in an outbox with the messages that the server accepted
//     (faultproxy.Ledger) and with those that callers know to be enqueued.
//   - [ParseTrace] reads the writes and syncs of a process; [Disk.Leave] derives from it what a disk
//     may hold after a power cut.
//
// The proofs are the package's tests. Each has a control: a part that is broken on purpose and must
// be detected.
package durability
