// Package transport sends messages now. [SMTP] keeps connections to one
// server and is safe for concurrent use; [Recorder] keeps the messages instead
// and is for tests of programs that send.
//
//   - [ParseServer] reads a URL or the name of a provider, [Open] makes an
//     [SMTP] of it and of what else is needed to log in ([Options]).
//   - Send carries out one transaction on a connection that is free, or on a
//     new one, and returns one outcome per recipient.
//   - Close says goodbye to the idle connections.
package transport
