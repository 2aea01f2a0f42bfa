// Package queue holds the types of the outbox: the messages in it, the states of their
// recipients, events, statistics and errors. Package outbox opens an outbox and works on
// it with these types; this package does no I/O.
//
//   - [Entry] is a message with its [Recipient]s, each of which has a [State] and the
//     last [Answer] about it.
//   - [Filter] selects messages for a list, or for a change; [Changed] counts the
//     changed recipients, and [StateError] says why a change is not possible.
//   - [Event] is a change in the past, [Cursor] a position between events.
//   - [Stats] counts the recipients in the outbox and names the workers that send.
//
// Times are exact to the millisecond.
package queue
