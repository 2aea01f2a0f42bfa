// Package smtp defines the terms of the protocol: addresses, envelopes, replies, capabilities,
// stages and outcomes. It has no I/O and no policy, so that a client, a server, a queue and a web
// page can share them.
//
// An overview, in the order of use:
//
//   - [ParseAddress] returns an [Address], [NewEnvelope] an [Envelope]; neither can inject
//     anything into a command line.
//   - A [ReplyParser] parses the lines of a server into a [Reply] of limited size;
//     [ParseCapabilities] parses the reply to EHLO.
//   - An [Outcome] is the result for one recipient: its [Status], the [Stage] at which it was
//     decided, and the deciding reply.
//   - An [Error] is a failure with its stage and the reply.
package smtp
