// Package outboxtest is what every store of the outbox has to pass, for tests only.
//
//   - [NewModel] is a store in memory, as simple as the contract allows: what it
//     does is meant. [Clock] is the time that tests and stores share.
package outboxtest
