// Package message composes Internet messages (RFC 5322 with MIME) and streams them. It uses no
// network.
//
// An overview, in the order of use:
//
//   - A [Message] is a plain struct: addresses, subject, text, HTML and attachments made by
//     [File], [Bytes] and [Reader]. [PlainText] converts HTML to text, [Invitation] a calendar
//     file to an alternative, and [CheckImages] finds pictures that the HTML does not show.
//   - [Compose] checks it, opens the attachments and returns a [Content]: the message as it
//     will be sent, not yet written. A [Composer] does the same for many messages and encodes a
//     shared attachment once. [OpenRaw] and [ReadRaw] return the Content of a whole message, and
//     [Raw] changes one that a server could not accept.
//   - [Content.Sign] prepends DKIM signatures (package dkim).
//   - [Content.Envelope] returns sender and recipients, [Content.Size] the exact number of octets
//     that WriteTo will write.
//   - [Content.SevenBit] and [Content.Binary] return the same message for servers with fewer or
//     more capabilities.
//   - [Content.WriteTo] writes it, any number of times. Attachments are read and encoded in blocks
//     of 32 KiB. If one can't be read to its end, WriteTo returns an error with fewer than Size
//     octets written, so that the caller does not end the message.
//   - [Content.Close] closes the attachments and removes temporary files.
//
// [ParseMailbox] and [ParseMailboxList] parse mailboxes as people type them, with commas,
// semicolons and their full-width twins.
//
// # Transfer encodings
//
// Text and HTML are UTF-8 with CRLF line ends. ASCII in lines of at most 78 octets is sent as
// 7bit, other text as quoted-printable or base64, whichever is shorter. So the exact octets are
// known before a server is contacted, a dry run shows the real message, and servers without
// 8BITMIME need no conversion. 8bit is used only if [Message.EightBit] is set; then
// [Content.SevenBit] returns the same message for a server without 8BITMIME.
//
// Attachments are sent in base64 and arrive byte for byte, whatever their type. For a server with
// BINARYMIME, [Content.Binary] sends them without encoding: a quarter fewer octets, and no work. A
// saved message (message/rfc822, ".eml") is the exception, since it must not be encoded (RFC 2046
// section 5.2.1): it is sent in 7bit or 8bit with CRLF line ends. If that is impossible (a line
// over 900 octets, a NUL, UTF-8 in its header), it is attached as application/octet-stream; so is
// one with 8-bit text if the server has no 8BITMIME or the message is signed.
//
// The types multipart/* and other message/* are refused for attachments. A text is labelled with
// the charset detected from all of its octets.
//
// # Cost
//
// A message of 5 kB to one recipient takes a few microseconds and 12 allocations from Compose to
// Close; a test checks this. An attachment is encoded at some GB/s (decision 10) and takes 64 KiB
// of memory, whatever its size.
//
// # Headers
//
// Non-ASCII in the subject, in names and in other fields becomes encoded words (RFC 2047) in
// UTF-8; file names are RFC 2231 parameters in Content-Disposition, and encoded words in
// Content-Type only, for old mail programs. Names are in Unicode's form NFC. Lines are folded at
// 76 characters if a field has a blank there, and are never longer than 998. Domains are written
// as A-labels; only a local part that is not ASCII stays UTF-8, and only then
// [Content.NeedsSMTPUTF8] is true. A control character, line break or NUL in a header is an error
// that names the field.
//
// [Message.Headers] knows the syntax of some fields: addresses, message IDs and URIs are written
// as such, and never inside an encoded word.
//
// Bcc is never written, not even as an empty field.
package message
