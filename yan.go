// Package yan sends e-mail through a mailbox provider's SMTP server and tells
// what became of it, for each recipient.
//
//	client, err := yan.Open("qq", yan.Options{From: "me@qq.com", Password: code})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	result, err := client.Send(ctx, yan.Message{
//		From: "me@qq.com", To: []string{"friend@163.com"},
//		Subject: "第一封测试邮件", Text: "Hello World",
//		Attachments: []yan.Attachment{yan.File("report.pdf")},
//	})
//
// The error is nil only if every recipient was accepted. The result is there
// in any case and says of each recipient whether the message was accepted,
// refused, deferred or not tried, or that nobody can know.
//
// [Client.SendAll] sends many messages, overlapped as far as the server allows.
// Message.DKIM signs them.
//
// A [Client] is long-lived and safe for concurrent use; it keeps connections
// for the next message. For tests there are [transport.Recorder], which keeps
// messages instead of sending them, and package sandboxtest, a mail provider
// on loopback that misbehaves on request.
package yan

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// The words of the packages below that a program needs to send a message.
type (
	// Message is a message to compose: a plain struct, checked when it is sent.
	Message = message.Message
	// Attachment is a file, bytes or a reader that travels with a message.
	Attachment = message.Attachment
	// Alternative is one more form of the text, such as an invitation.
	Alternative = message.Alternative
	// Header is an extra header field.
	Header = message.Header
	// Options says how to reach the server and how to log in.
	Options = transport.Options
	// Transaction is an envelope with a message that is ready to travel.
	Transaction = smtpclient.Transaction
	// Envelope is who a message is from and to.
	Envelope = smtp.Envelope
	// Outcome is what became of one recipient; Status and Stage are its words.
	Outcome = smtp.Outcome
	Status  = smtp.Status
	Stage   = smtp.Stage
	// Window bounds how many messages of SendAll may be in doubt at a time.
	Window = smtpclient.Window
	// Policy is what happens when some recipients are refused: Any or All.
	Policy = smtpclient.Policy
	// Reply is a server's answer.
	Reply = smtp.Reply
	// Event is one line of the conversation with a server.
	Event = smtpclient.Event
)

// What may become of a recipient; see package smtp.
const (
	Accepted = smtp.Accepted
	Refused  = smtp.Refused
	Deferred = smtp.Deferred
	Unknown  = smtp.Unknown
	NotTried = smtp.NotTried
)

// What happens to a message when some of its recipients are refused.
const (
	// Any sends to the others. It is the default.
	Any = smtpclient.Any
	// All sends to nobody.
	All = smtpclient.All
)

// File attaches a file by its path.
func File(path string) Attachment { return message.File(path) }

// Bytes attaches data under a file name.
func Bytes(name string, data []byte) Attachment { return message.Bytes(name, data) }

// Reader attaches what a reader gives under a file name.
func Reader(name string, r io.Reader) Attachment { return message.Reader(name, r) }

// Transport carries out transactions: [transport.SMTP], or
// [transport.Recorder] in tests. Send has to tell of every recipient of the
// envelope; that it doesn't is the one error after composing that is no
// [*SendError].
type Transport interface {
	Send(ctx context.Context, t Transaction) smtpclient.Result
	Close() error
}

// Client sends messages through one server. It is safe for concurrent use.
type Client struct {
	transport Transport
	provider  string // id, for diagnosis; "" when unknown
	from      string // of Options: the sender of messages that name none
}

// Open makes a client for a server, given as a URL ("smtps://me%40qq.com@smtp.qq.com",
// "smtp://host:587" with STARTTLS required) or as the name of a provider
// ("qq", "gmail"); "" means the provider of Options.From's domain. It checks
// the options and connects to nothing: that happens when a message is sent.
func Open(server string, o Options) (*Client, error) {
	t, err := transport.Open(server, o)
	if err != nil {
		return nil, err
	}
	return &Client{transport: t, provider: t.Server().Provider.ID, from: o.From}, nil
}

// NewClient makes a client on a transport of the caller's, which Close closes.
func NewClient(t Transport) *Client { return &Client{transport: t} }

// Send composes a message and sends it to everybody in To, Cc and Bcc. One without From
// is from Options.From. What
// is wrong with the message is an error before anything is connected. A nil
// error means that every recipient was accepted; an error after that is a
// [*SendError] and the result holds each recipient's outcome.
func (c *Client) Send(ctx context.Context, m Message) (Result, error) {
	m.From = cmp.Or(m.From, c.from)
	content, err := message.Compose(&m)
	if err != nil {
		return Result{}, err
	}
	defer content.Close()
	envelope, err := content.Envelope()
	if err != nil {
		return Result{}, err
	}
	result, err := c.Deliver(ctx, Transaction{Envelope: envelope, Content: content})
	result.MessageID = content.MessageID()
	if failed, ok := err.(*SendError); ok {
		failed.Result = result
	}
	return result, err
}

// Deliver sends a message that is composed already to the recipients of an
// envelope, whatever the headers say. The policy is All if the transaction or
// Options.Policy says so. The caller closes the content.
func (c *Client) Deliver(ctx context.Context, t Transaction) (Result, error) {
	if t.Envelope.Len() == 0 {
		return Result{}, errNoRecipients
	}
	l := letter{recipients: t.Envelope.Len()}
	if t.Content != nil {
		l.size = t.Content.Size()
	}
	return c.told(0, l, c.transport.Send(ctx, t))
}

// Format names the transport for every verb of package fmt, and shows nothing of
// what is in it.
func (c Client) Format(f fmt.State, _ rune) {
	if s, ok := c.transport.(fmt.Stringer); ok {
		_, _ = io.WriteString(f, "client on a "+s.String())
		return
	}
	_, _ = fmt.Fprintf(f, "client on a %T", c.transport)
}

// Close says goodbye to the server on the connections that were kept.
// Messages being sent are not disturbed.
func (c *Client) Close() error { return c.transport.Close() }
