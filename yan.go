// Package yan sends e-mail through a mailbox provider's SMTP server and reports the
// outcome for each recipient.
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
// The error is nil only if every recipient was accepted. The [Result] has an [Outcome]
// for each recipient in any case: accepted, refused, deferred, not tried, or unknown.
//
// [Client.SendAll] sends many messages, overlapped as far as the server allows.
// Message.DKIM signs them.
//
// A [Client] is long-lived and safe for concurrent use; it keeps connections for the
// next message. For tests there are [transport.Recorder], which records messages instead
// of sending them, and package sandboxtest, a mail provider on loopback that misbehaves
// on request.
package yan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// The types of lower packages that a program needs to send a message. Each comment names
// the fields that programs use most; `go doc` with the second name prints them all.
type (
	// Message is a [message.Message], the message to compose: From, To, Cc, Bcc, ReplyTo,
	// Subject, Text, HTML, Alternatives, Attachments, Headers, DKIM. All fields are documented by
	//	go doc github.com/yanmail/yan/message.Message
	Message = message.Message
	// Attachment is a [message.Attachment], made by [File], [Bytes] or [Reader]: Name,
	// ContentType, ContentID, Inline. Its data is one of Path, Data and Reader.
	//	go doc github.com/yanmail/yan/message.Attachment
	Attachment = message.Attachment
	// Alternative is a [message.Alternative], another form of the text, such as an
	// invitation: ContentType, Text.
	//	go doc github.com/yanmail/yan/message.Alternative
	Alternative = message.Alternative
	// Header is a [message.Header], an extra header field: Name, Value.
	Header = message.Header
	// Options are the [transport.Options] of [Open]: From, User, Password, FreshToken,
	// CAFile, Pin, Proxy, MaxConnections, Policy, Window, Timeouts, Trace. All fields are documented by
	//	go doc github.com/yanmail/yan/transport.Options
	Options = transport.Options
	// Transaction is a [smtpclient.Transaction], a message that is composed already:
	// Envelope, Content, Policy, Progress.
	//	go doc github.com/yanmail/yan/smtpclient.Transaction
	Transaction = smtpclient.Transaction
	// TransportResult is a [smtpclient.Result], which a [Transport] returns: Outcomes, Reply,
	// Size. A [Client] makes a [Result] of it.
	//	go doc github.com/yanmail/yan/smtpclient.Result
	TransportResult = smtpclient.Result
	// Envelope is an [smtp.Envelope], the sender and the recipients of a transaction; made
	// by [smtp.NewEnvelope].
	Envelope = smtp.Envelope
	// Outcome is an [smtp.Outcome], the outcome for one recipient: Recipient, Status, Stage,
	// Reply, Err. Reply is set if the server decided it, Err if this side did.
	//	go doc github.com/yanmail/yan/smtp.Outcome
	Outcome = smtp.Outcome
	// Status is an [smtp.Status]: one of Accepted, Refused, Deferred, Unknown and NotTried.
	Status = smtp.Status
	// Stage is an [smtp.Stage], the step of the protocol at which something failed: "auth",
	// "mail", "rcpt", "body" and others.
	Stage = smtp.Stage
	// Window is a [smtpclient.Window], the limit of messages and octets that SendAll may
	// have in doubt at a time on one connection: Messages, Bytes.
	Window = smtpclient.Window
	// Policy is a [smtpclient.Policy], for messages of which some recipients are refused:
	// [Any] or [All].
	Policy = smtpclient.Policy
	// Reply is an [smtp.Reply], a server's reply: Code, Enhanced, Lines.
	Reply = smtp.Reply
	// Event is a [smtpclient.Event], one line of the conversation with a server, for
	// Options.Trace.
	//	go doc github.com/yanmail/yan/smtpclient.Event
	Event = smtpclient.Event
)

// The statuses of a recipient.
const (
	Accepted = smtp.Accepted // the server has the message
	Refused  = smtp.Refused  // the server refused it for good (5xx)
	Deferred = smtp.Deferred // the server may accept it later (4xx)
	Unknown  = smtp.Unknown  // the connection broke before the reply to the message came
	NotTried = smtp.NotTried // the message was not sent to this recipient
)

// The policies for a message of which some recipients are refused.
const (
	// Any sends the message to the others. It is the default.
	Any = smtpclient.Any
	// All sends the message to none of them.
	All = smtpclient.All
)

// File returns an attachment of the file at path.
func File(path string) Attachment { return message.File(path) }

// Bytes returns an attachment of data, with a file name.
func Bytes(name string, data []byte) Attachment { return message.Bytes(name, data) }

// Reader returns an attachment of everything that r holds, with a file name.
func Reader(name string, r io.Reader) Attachment { return message.Reader(name, r) }

// Transport carries out transactions: [transport.SMTP], or [transport.Recorder] in tests.
// Send must return an outcome for each recipient of the envelope. If it doesn't, the
// error of the [Client] is not a [*SendError].
type Transport interface {
	Send(ctx context.Context, t Transaction) TransportResult
	Close() error
}

// Client sends messages through one server. It is safe for concurrent use.
type Client struct {
	transport Transport
	provider  string // its ID, for diagnosis; "" if unknown
	from      string // Options.From, for messages without From
}

// Open returns a client for a server, given as a URL ("smtps://me%40qq.com@smtp.qq.com",
// or "smtp://host:587" with STARTTLS required) or as the name of a provider ("qq",
// "gmail"); "" means the provider of Options.From's domain. It checks the options and
// does not connect; the client connects when it sends a message.
func Open(server string, o Options) (*Client, error) {
	t, err := transport.Open(server, o)
	if err != nil {
		return nil, err
	}
	return &Client{transport: t, provider: t.Server().Provider.ID, from: o.From}, nil
}

// NewClient returns a client on the caller's transport, which Close closes.
func NewClient(t Transport) *Client { return &Client{transport: t} }

// Send composes a message and sends it to all recipients in To, Cc and Bcc. From defaults
// to Options.From. A fault in the message is an error before anything is connected; then
// the result is zero. A later error is a [*SendError], and the result has the outcome
// for each recipient. A nil error means that every recipient was accepted.
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
	result, err := c.SendTransaction(ctx, Transaction{Envelope: envelope, Content: content})
	result.MessageID = content.MessageID()
	if failed, ok := errors.AsType[*SendError](err); ok {
		failed.Result = result
	}
	return result, err
}

// SendTransaction sends a composed message to the recipients of an envelope, whatever its
// header says. The policy is All if the transaction or Options.Policy says so. The
// caller closes the content.
func (c *Client) SendTransaction(ctx context.Context, t Transaction) (Result, error) {
	if t.Envelope.Len() == 0 {
		return Result{}, errNoRecipients
	}
	p := pending{recipients: t.Envelope.Len()}
	if t.Content != nil {
		p.size = t.Content.Size()
	}
	return c.toResult(0, p, c.transport.Send(ctx, t))
}

// Format prints the name of the transport for every verb of package fmt, and none of its
// content.
func (c Client) Format(f fmt.State, _ rune) {
	if s, ok := c.transport.(fmt.Stringer); ok {
		_, _ = io.WriteString(f, "client on a "+s.String())
		return
	}
	_, _ = fmt.Fprintf(f, "client on a %T", c.transport)
}

// Close sends QUIT on the idle connections and closes them. It doesn't affect messages
// that are being sent.
func (c *Client) Close() error { return c.transport.Close() }
