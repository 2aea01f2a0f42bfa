// Package dkim signs messages with DomainKeys Identified Mail (RFC 6376), by RSA
// or by Ed25519 (RFC 8463). It does no networking and holds no body: a message
// is written through it once, and what comes out is a header field to be put in
// front of it.
//
// In the order in which they are used:
//
//   - [ParseKey] reads a private key from PEM.
//   - A [Signer] is a key with the domain and the selector that its public half
//     is published under; [Signer.Record] is what to publish.
//   - [Sign] makes the DKIM-Signature fields of a message, one for each signer.
//
// Signatures are relaxed/relaxed: they survive header lines that are folded
// anew and blanks that get lost, as servers on the way do. The whole body is
// always signed; the tag l=, which lets anyone append to a message, is not to be
// had.
package dkim
