// Package outboxtest tests stores of the outbox. It is for tests only.
//
//   - [NewModel] returns a store in memory, as simple as the contract allows; its behaviour is the
//     reference. [Clock] is the time that tests and stores share.
//   - [Run] tests rule by rule. [RunReopen] tests that everything survives Close, [RunShared] two
//     stores on one outbox, and [RunIn] transactions of the caller.
//   - [Random] runs the same random operations on a store and on the model, and compares every
//     result.
package outboxtest
