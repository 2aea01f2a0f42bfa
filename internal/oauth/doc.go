// Package oauth gets OAuth 2.0 access tokens for mailboxes and refreshes them.
//
//   - A [Client] is an authorization server and the program's registration with
//     it; [ForProvider] knows those of Google, Microsoft and others.
//   - The user consents once: [Client.Browser] opens the browser and waits for
//     its redirect to loopback (RFC 8252, with PKCE, RFC 7636), [Client.Device]
//     shows a code to enter on another device (RFC 8628).
//   - A [TokenSource] returns access tokens for the resulting [Token]: it refreshes
//     tokens that have expired or that a mail server refused, and saves the new
//     ones.
//   - Failures are an [*Error] with its [Problem], so that the command line can
//     advise the user in their language.
//
// Requests use https only, except to this machine, take at most half a minute,
// and read at most 256 kB. No error contains a token, code or secret, nor does
// the output of fmt and log/slog for a Client, a Token or a Source.
package oauth
