// Package message composes Internet messages (RFC 5322 with MIME) and streams
// them. It does no networking: what comes out of it is handed to a connection.
//
// In the order in which one message uses its parts:
//
//   - A [Message] is a plain struct: addresses, subject, text, HTML and
//     attachments made by [File], [Bytes] and [Reader]. [PlainText] makes the
//     text of a page of HTML, [Invitation] an alternative of a calendar file,
//     and [CheckImages] finds pictures that the HTML does not show.
//   - [Compose] checks all of it, opens the attachments and returns a [Content]:
//     the message as it will go on the wire, not yet written. A [Composer] does
//     the same for many messages and encodes an attachment that they share once.
//     [OpenRaw] and [ReadRaw] make a Content of a message that already exists, and
//     [Raw] makes one fit that a server could not take.
//   - [Content.Sign] puts DKIM signatures in front of it (package dkim).
//   - [Content.Envelope] says from whom and to whom, [Content.Size] how many
//     octets WriteTo will write, exactly, before one is produced.
//   - [Content.SevenBit] and [Content.Binary] are the same message for servers
//     that can do less or more than it was composed for.
//   - [Content.WriteTo] writes it, as often as asked. Attachments are read
//     and encoded as they go, in blocks of 32 KiB. What can't be read to its
//     end is reported as an error with fewer than Size octets written, so that
//     a sender knows not to end the message.
//   - [Content.Close] closes the attachments and removes temporary files.
//
// Mailboxes are read by [ParseMailbox] and [ParseMailboxList], which accept what
// people type: commas, semicolons and their full-width twins.
//
// # Transfer encodings
//
// Text and HTML are UTF-8 with CRLF line ends. ASCII in lines of at most 78
// octets goes as 7bit, anything else as quoted-printable or base64, whichever
// is shorter. So the exact octets are known without asking any server, a dry
// run shows what would be sent, and servers without 8BITMIME need nothing
// special. 8bit is used only when [Message.EightBit] asks for it; then
// [Content.SevenBit] gives the same message for a server without 8BITMIME.
//
// Attachments are base64 and arrive byte for byte, whatever their type. For a
// server with BINARYMIME, [Content.Binary] has them as they are: a quarter fewer
// octets, and no work. A saved message (message/rfc822, ".eml") is the exception,
// since it may not be encoded (RFC 2046 section 5.2.1): it goes in 7bit or 8bit
// with CRLF line ends. One that can't (a line over 900 octets, a NUL, UTF-8 in its
// header) is attached as application/octet-stream, and so is one with 8-bit
// text where the server has no 8BITMIME or the message is signed.
//
// The types multipart/* and other message/* are refused for attachments. A text
// is labelled with the charset that all of its octets were found to be in.
//
// # What it costs
//
// A message of 5 kB to one recipient takes a few microseconds and
// 12 allocations from Compose to Close, which a test holds. An attachment is
// encoded at some GB/s (decision 10) and takes 64 KiB of memory, however large it
// is.
//
// # Headers
//
// Non-ASCII in the subject, in names and in other fields becomes encoded words
// (RFC 2047) in UTF-8; file names are RFC 2231 parameters in Content-Disposition,
// and encoded words in Content-Type alone, for old readers. Names are in Unicode's
// form NFC. Lines are folded at 76 characters where a field has a blank
// to fold at, and are never longer than 998. Domains are written as A-labels;
// only a local part that is not ASCII stays UTF-8, and only then
// [Content.NeedsSMTPUTF8] is true. No control character, line break or NUL gets
// into a header: each is an error that names the field.
//
// [Message.Headers] knows what some fields hold: addresses, message ids and URIs
// are written as such, and never under an encoded word.
//
// Bcc is never written, not even as an empty field.
package message
