// Package smtpserver takes messages over SMTP from the programs of a machine or a network, and
// hands them to package admission.
//
// A [Server] serves the listeners of TCP and the Unix socket ([Server.Serve]) and single
// connections ([Server.ServeConn]), such as [Stdio] for "sendmail -bs".
//
// The session is our own code; decision 42 has the reasons. Its rules:
//
//   - 250 for a message is written after the outbox's commit. A connection that ends after the last
//     octet of a message does not stop the commit; before it, nothing is kept.
//   - Only CR LF "." CR LF ends a message after DATA, and only its announced octets a BDAT chunk.
//     A BDAT command whose length can't be read ends the connection: what follows might be text.
//   - Everything that a client can send is limited: lines, octets, recipients, errors, time.
//   - Replies and logs contain no content, no local part and no credential.
package smtpserver
