// Package smtp holds the words of the protocol: addresses, envelopes, replies,
// capabilities, stages and outcomes. It does no I/O and knows no policy, so
// that a client, a server, a queue and a web page can speak of the same reply.
//
// In the order in which one message uses them:
//
//   - [ParseAddress] makes an [Address], [NewEnvelope] an [Envelope]; neither
//     can hold anything that would change the meaning of a command line.
//   - A [ReplyParser] turns the lines of a server into a [Reply], within bounds;
//     [ParseCapabilities] reads the one that answers EHLO.
//   - An [Outcome] says what became of one recipient: its [Status], the
//     [Stage] at which that was decided, and the reply that decided it.
//   - An [Error] is a failure that names its stage and carries the reply.
package smtp
