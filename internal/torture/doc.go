// Package torture sets a client of this module against the worst that can
// happen between it and a server, and holds what it says became of each
// message against what the server really accepted.
//
// In the order in which its parts are used:
//
//   - [Start] puts a [Proxy] between client and server. It follows both sides
//     of the conversation, so that a [Fault] can say where it happens: behind a
//     reply, in place of one, or so many octets into a message.
//   - [Proxy.Seen] tells, of a run in which nothing went wrong, how many replies
//     and messages there were: the places where something can go wrong.
//   - An [OldBox] closes connections with a large ClientHello, as old firewalls do.
//   - A [Message] is one whose every octet can be recognised again, and that
//     can fail in the middle.
//   - A [Ledger] is told by the sandbox what it committed itself to, at the
//     moment when it did.
//   - [Ledger.Contradictions] lists where the outcomes deny the ledger: accepted
//     must be in it exactly once; refused, deferred and not tried must not be;
//     unknown may be either.
package torture
