// Package dkim signs messages with DomainKeys Identified Mail (RFC 6376), with RSA or Ed25519 (RFC
// 8463). It uses no network and holds no body in memory: a message is written through it once, and
// the result is a header field to prepend to the message.
//
// In the order of use:
//
//   - [ParseKey] reads a private key from PEM.
//   - A [Signer] is a key with its domain and selector; [Signer.Record] returns the DNS record to
//     publish.
//   - [Sign] returns the DKIM-Signature fields of a message, one per signer.
//
// Signatures are relaxed/relaxed: they survive refolded header lines and lost blanks, as caused by
// servers in transit. The whole body is always signed; the tag l=, which lets anyone append to a
// message, is not supported.
package dkim
