// Package smtpclient is one connection to a submission server: it dials,
// encrypts, says EHLO, authenticates, and carries out transactions, telling of
// each recipient what became of it.
//
//	conn, err := smtpclient.Dial(ctx, smtpclient.Config{Host: "smtp.qq.com", Auth: &creds})
//	...
//	defer conn.Close()
//	result := conn.Send(ctx, smtpclient.Transaction{Envelope: env, Content: msg})
//	for _, o := range result.Outcomes {
//		fmt.Println(o)
//	}
//	conn.Quit(ctx)
//
// Many messages go by a run, which overlaps them:
//
//	for result := range conn.Run(ctx, transactions) {
//		...
//	}
//
// What the package promises:
//
//   - The zero [Config] is the secure one. TLS is verified, STARTTLS when asked
//     for is required, and nothing but the words [Plaintext] and
//     AllowCleartextPassword sends anything, or a password, in the clear.
//   - A transaction takes as few round trips as the server allows: two with
//     PIPELINING (RFC 2920), one with CHUNKING (RFC 3030). A run of them
//     ([Conn.Run]) takes one for a whole [Window] with both. With PIPELINING alone
//     it takes one for each at servers that are known to read commands that come
//     with the end of a message ([PipelineMessages]).
//   - A message that can't be read to its end is never ended on the wire.
//   - Once the reply to the message's end is read, nothing that follows changes
//     the outcome. If that reply is lost, the outcome is [smtp.Unknown], and
//     it is that in no other case.
//   - The context cancels every wait, and every phase has its own time-out.
//   - [Config.Trace] sees the whole conversation, without the secrets.
//
// A Conn is for one goroutine at a time. Package transport keeps connections
// and shares them.
package smtpclient
