// Package transport sends messages now. [SMTP] keeps connections to one
// server and is safe for concurrent use; [Recorder] keeps the messages instead
// and is for tests of programs that send.
//
//   - [ParseServer] reads a URL or the name of a provider, [Open] makes an
//     [SMTP] of it and of what else is needed to log in ([Options]).
//   - Send carries out one transaction on a connection that is free, or on a
//     new one, and returns one outcome per recipient.
//   - SendAll does so with many, overlapped as far as the server allows, and
//     yields each one's result as it is known.
//   - Close says goodbye to the idle connections.
//
// Between a message and its connection stand, in this order:
//
//   - pace: how fast, and over how many connections. It begins at what the
//     provider is known to allow and heeds what the server says.
//   - pool: the connections. One that died at rest is found before MAIL.
//   - limits: how many messages a connection takes, and how many recipients a
//     message.
//   - delivery: one message on its way, over one transaction or more. contentFor returns
//     its form for a connection.
//   - judge: what a result says about more than its message. Package diagnosis
//     knows what a reply means; what follows from that is decided there.
//
// Send goes through them in a loop. SendAll is a run: a feeder that ranges over
// the caller's messages, workers that each carry them over a connection, and the
// caller's loop.
package transport
