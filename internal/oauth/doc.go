// Package oauth gets OAuth 2.0 access tokens for mailboxes, and fresh ones.
//
//   - A [Client] is an authorization server and the program's registration with
//     it; [ForProvider] knows those of Google, Microsoft and others.
//   - The user consents once: [Client.Browser] opens the browser and waits for its
//     redirect to loopback (RFC 8252, with PKCE, RFC 7636), [Client.Device]
//     shows a code to type on another device (RFC 8628).
//   - A [Source] gives access tokens from the [Token] that came of it: it
//     refreshes what has expired and what a mail server refused, and hands what is
//     new to be kept.
//   - What goes wrong is an [*Error] with its [Problem], so that the command line
//     can say in the user's language what to do.
//
// Requests go to https alone, save to this machine, take half a minute at the
// most, and read 256 kB at the most. No token, code or secret is ever in an error,
// nor in what fmt and log/slog make of a Client, a Token or a Source.
package oauth
