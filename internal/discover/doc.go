// Package discover finds the submission server of a mail domain.
//
//   - [Finder.Find] asks, side by side, what is known of the provider (package
//     provider), the domain's own autoconfig (Mozilla's format), its mail
//     exchangers, its SRV records (RFC 6186, RFC 8314), and last the usual names.
//     It gives the [Candidate] of the most trustworthy of them that has one, not of
//     the fastest. What is not known beforehand has answered with a certificate
//     that is valid for its name, and offers a login.
//   - [Candidate.Trust] says how much the connection between the address and the
//     host is worth: DNS is not authenticated, so a host that only DNS names
//     is shown to the user before it gets a password (RFC 6186 section 6).
//   - [Finder.Tried] is told of each [Attempt], for the user who asks why.
//
// No password passes through this package, and no server is told who asks: only
// the domain's own configuration host is given the address.
package discover
