// Package sandbox imitates a mail provider on loopback: a submission server
// that speaks like QQ Mail, NetEase, Gmail or Microsoft 365, keeps the messages
// it accepts, misbehaves on request and records every violation of its client.
// It has its own SMTP server instead of a library's, because it must repeat a
// provider's replies verbatim and fail at any byte.
//
// Its parts, in order of use:
//
//   - [Start] takes a [Config] and returns a [Server] on 127.0.0.1 with its own
//     certificate authority ([Server.WriteCA]).
//   - A profile ([Profiles]) sets the greeting, the EHLO reply, the allowed
//     senders and the words of refusals.
//   - A [Fault] ([ParseFault], [Faults]) makes it misbehave at one stage. It
//     comes from the Config, or as a magic word in a login, a sender or a
//     recipient: mail to body-cut@example.org is accepted and never
//     acknowledged.
//   - Config.Accounts, or Config.Tokens for tokens, decides about a login; too
//     many wrong logins lock it (Config.LockAfter). A [SenderRule] limits the
//     senders that it may use.
//   - A [Quirk] is a permanent behaviour, a [Bound] a limit that is not
//     announced; Config.Limits are announced (RFC 9422).
//   - Config.Committed is called with each message when the server takes
//     responsibility for it: a test compares the client's outcomes with this
//     record.
//   - [Server.Messages] returns the accepted messages, [Server.Violations] the
//     client's violations of the rules, [Server.Connections] the round trips of
//     each connection.
//   - [Server.Close] ends every connection and waits for them.
package sandbox
