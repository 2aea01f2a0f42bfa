package repair

import "slices"

// Change is the name of a rule that changed something.
type Change string

// The rules. Decision 43 gives the reasons, and docs/repair.md tells users.
const (
	FromLine    Change = "from-line"
	NoHeader    Change = "no-header"
	HeaderEnd   Change = "header-end"
	LineEnds    Change = "line-ends"
	Hidden      Change = "hidden-recipients"
	Mailbox     Change = "mailbox-fields"
	Key         Change = "key"
	Doubled     Change = "doubled-fields"
	Empty       Change = "empty-fields"
	Spelling    Change = "field-names"
	Addresses   Change = "addresses"
	FieldText   Change = "field-text"
	FieldOctets Change = "field-controls"
	FieldLength Change = "field-length"
	From        Change = "from"
	FullName    Change = "full-name"
	Sender      Change = "sender"
	Resender    Change = "resender"
	ReplyTo     Change = "reply-to"
	Local       Change = "local-names"
	Received    Change = "received"
	Date        Change = "date"
	MessageID   Change = "message-id"
	MIME        Change = "mime"
	Charset     Change = "charset"
	EightBit    Change = "eight-bit"
	Controls    Change = "controls"
	LongLines   Change = "long-lines"
)

// Rule is a repair.
type Rule struct {
	Name Change
	Does string // an English sentence
}

// Rules returns all repairs, in the order in which they are made.
func Rules() []Rule { return slices.Clone(rules) }

var rules = []Rule{
	{FromLine, "An mbox line (From …) and a byte order mark before the header are left out."},
	{NoHeader, "Text whose first line is not a header field is the body of a message without a header."},
	{HeaderEnd, "The body begins at a line of the header that is not a field."},
	{LineEnds, "A CR alone ends a line in the body and is a space in a header field; CR CR LF is one line end."},
	{Hidden, "Bcc and Resent-Bcc are left out."},
	{Mailbox, "Fields that a mailbox adds are left out, such as Return-Path, Delivered-To and Status."},
	{Key, "Yan-Key is left out; its value is the key of the message."},
	{Doubled, "Of a field that may occur once, the first stays; To, Cc and Reply-To are joined."},
	{Empty, "Address fields without an address are left out."},
	{Spelling, "Blanks before the colon of a field are removed."},
	{Addresses, "A malformed list of addresses is written in the right form."},
	{FieldText, "Text in UTF-8, GB18030 or Windows-1252 in a field is encoded (RFC 2047, RFC 2231)."},
	{FieldOctets, "Control characters in a field become U+FFFD."},
	{FieldLength, "Lines of more than 998 octets in the header are folded."},
	{From, "From becomes the account's address if the sender may not use its own or has none; the name is kept, the old value goes to Reply-To or X-Original-From."},
	{FullName, "A From without a name gets the one that was given."},
	{Sender, "A Sender that is not the account's is left out."},
	{Resender, "Resent-From and Resent-Sender of the last resending become the account's address if the sender may not use theirs."},
	{ReplyTo, "The replaced address of From goes to Reply-To if it can receive mail and there is none."},
	{Local, "Names without a domain in address fields get the address that they stand for; unknown ones become an empty group."},
	{Received, "A Received field is added."},
	{Date, "Date is added if it is missing or can't be read; the old value goes to X-Original-Date."},
	{MessageID, "Message-ID is added if it is missing or malformed."},
	{MIME, "MIME-Version and Content-Type are added if they are missing."},
	{Charset, "8-bit text without a charset is labelled: UTF-8, otherwise GB18030, otherwise Windows-1252."},
	{EightBit, "8-bit parts are written as quoted-printable or base64, for servers without 8BITMIME."},
	{Controls, "Parts with a NUL or other control characters are written as quoted-printable or base64."},
	{LongLines, "Parts with lines of more than 998 octets are written as quoted-printable or base64."},
}

// changeSet collects rules.
type changeSet map[Change]bool

// list returns the rules in the order of Rules.
func (s changeSet) list() []Change {
	var list []Change
	for _, r := range rules {
		if s[r.Name] {
			list = append(list, r.Name)
		}
	}
	return slices.Clip(list)
}
