// Package discover finds the submission server of a mail domain.
//
//   - [Finder.Find] queries, concurrently, the provider facts (package
//     provider), the domain's own autoconfig (Mozilla's format), its mail
//     exchangers, its SRV records (RFC 6186, RFC 8314), and last the usual
//     names. It returns the [Candidate] of the most trustworthy one that has a
//     result, not of the fastest. Unless it comes from the provider facts, the
//     server has answered with a certificate that is valid for its name, and
//     offers a login.
//   - [Candidate.Trust] rates the link between the address and the host: DNS is
//     not authenticated, so a host that only DNS names is shown to the user
//     before it gets a password (RFC 6186 section 6).
//   - [Finder.Tried] is called with each [Attempt], for a user who asks why.
//
// No password passes through this package, and only the domain's own
// configuration host is sent the address.
package discover
