// Package smtpclient is one connection to a submission server: it dials, encrypts, sends EHLO,
// authenticates, and carries out transactions with an outcome for each recipient.
//
// conn, err := smtpclient.Dial(ctx, smtpclient.Config{Host: "smtp.qq.com", Auth: &creds})
// ...
// defer conn.Close()
// result := conn.Send(ctx, smtpclient.Transaction{Envelope: env, Content: msg})
// for _, o := range result.Outcomes {
// fmt.Println(o)
// }
// conn.Quit(ctx)
//
// A run sends many messages and overlaps them:
//
// for result := range conn.Run(ctx, transactions) {
// ...
// }
//
// Guarantees:
//
//   - The zero [Config] is the secure one. TLS is verified, STARTTLS is required if it is chosen,
//     and only [Plaintext] and AllowCleartextPassword allow sending anything, or a password,
//     unencrypted.
//   - A transaction takes as few round trips as the server allows: two with PIPELINING (RFC 2920),
//     one with CHUNKING (RFC 3030). A run ([Conn.Run]) takes one for a whole [Window] with both.
//     With PIPELINING alone it takes one per message at servers known to read commands that come
//     with the end of a message ([PipelineMessages]).
//   - A message that can't be read to its end is never ended on the wire.
//   - After the reply to the message's end is read, nothing changes the outcome. The outcome is
//     [smtp.Unknown] if that reply is lost, and in no other case.
//   - The context cancels every wait, and every phase has its own timeout.
//   - [Config.Trace] receives the whole conversation, without the secrets.
//
// A Conn is not safe for concurrent use. Package transport pools connections.
package smtpclient
