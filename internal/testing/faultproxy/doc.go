// Package faultproxy puts faults between an SMTP client of this module and a server, and compares the
// outcomes that the client reports with the messages that the server accepted.
//
// The parts, in the order of their use:
//
//   - [Start] puts a [Proxy] between client and server. It follows both directions of the session,
//     so that a [Fault] can name its place: after a reply, instead of one, or after a number of
//     octets of a message.
//   - [Proxy.Seen] returns the replies and messages of a run without faults: the places for faults.
//   - An [OldBox] closes connections with a large ClientHello, as old firewalls do.
//   - A [NamedMessage] has recognizable content and can fail in the middle.
//   - A [Ledger] records each message that the sandbox accepts, when it accepts it.
//   - [Ledger.Contradictions] lists the outcomes that disagree with the ledger. Accepted recipients
//     must be in it exactly once; refused, deferred and not tried ones must not be in it; unknown
//     ones may be.
package faultproxy
