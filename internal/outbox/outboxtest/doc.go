// Package outboxtest is what every store of the outbox has to pass, for tests only.
//
//   - [NewModel] is a store in memory, as simple as the contract allows: what it
//     does is meant. [Clock] is the time that tests and stores share.
//   - [Run] tests rule by rule. [RunReopen] tests that everything survives Close,
//     [RunShared] two stores on one outbox, and [RunIn] transactions of the caller's.
//   - [Random] carries out the same random operations on a store and on the model, and
//     compares every answer.
package outboxtest
