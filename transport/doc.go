// Package transport sends messages immediately. [SMTP] pools connections to one server and is safe
// for concurrent use; [Recorder] records the messages instead, for tests of programs that send.
//
//   - [ParseServer] parses a URL or the name of a provider, [Open] returns an [SMTP] for it with
//     the login in [Options].
//   - Send carries out one transaction on a free or a new connection, and returns one outcome per
//     recipient.
//   - SendAll sends many, overlapped as far as the server allows, and yields each result when it
//     is known.
//   - Close sends QUIT on the idle connections.
//
// The layers between a message and its connection, in order:
//
//   - pace: the rate, and the number of connections. It begins with the provider's known limits
//     and adapts to the server's replies.
//   - pool: the connections. A dead idle one is detected before MAIL.
//   - limits: the number of messages per connection, and of recipients per message.
//   - delivery: one message being sent, in one transaction or more. contentFor returns its form
//     for a connection.
//   - judge: the effects of a result on other messages. Package diagnosis interprets the reply;
//     judge decides the consequences.
//
// Send goes through them in a loop. SendAll is a run: a feeder that ranges over the caller's
// messages, workers with one connection each, and the caller's loop.
package transport
