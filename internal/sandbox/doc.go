// Package sandbox is a mail provider on loopback: a submission server that
// speaks like QQ Mail, NetEase, Gmail or Microsoft 365, keeps what it accepts,
// misbehaves on request and takes down every mistake of its client. Its own
// server rather than a library's, because it has to say a provider's words
// verbatim and to go wrong at any byte.
//
// In the order in which its parts are used:
//
//   - [Start] takes a [Config] and gives a [Server] on 127.0.0.1, with a
//     certificate authority of its own ([Server.WriteCA]).
//   - A profile ([Profiles]) says how it greets, what it offers to EHLO, which
//     senders it takes and in which words it refuses.
//   - A [Fault] ([ParseFault], [Faults]) says where and how it misbehaves. It
//     comes from the Config, or as a magic word in a login, a sender or a
//     recipient: mail to body-cut@example.org is taken and never acknowledged.
//   - A login is decided about by Config.Accounts, for tokens by Config.Tokens; too
//     many wrong ones lock it (Config.LockAfter). A [SenderRule] says which senders
//     it may use.
//   - A [Quirk] is a habit that it has all the time, a [Bound] a limit that it
//     announces to nobody; Config.Limits are announced (RFC 9422).
//   - Config.Committed is told of each message at the moment when the server takes
//     responsibility for it: the ledger against which a client's word is held.
//   - [Server.Messages] gives what it accepted, [Server.Violations] what the
//     client did against the rules, [Server.Connections] how many round trips
//     each connection took.
//   - [Server.Close] ends every connection and waits for them.
package sandbox
