// Package discover finds the submission server of a mail domain.
//
//   - [Finder.Find] asks, side by side, what is known of the provider (package
//     provider), the domain's own autoconfig (Mozilla's format), its SRV
//     records (RFC 6186, RFC 8314), its mail exchangers, and last the
//     usual names. It gives [Candidate]s, the best first, each of which has
//     answered with a certificate that is valid for its name.
//   - [Candidate.Trust] says how much the connection between the address and the
//     host is worth: DNS is not authenticated, so a host that only DNS names
//     is shown to the user before it gets a password (RFC 6186 section 6).
//
// No password passes through this package.
package discover
