package smtpclient

import (
	"github.com/yanmail/yan/internal/clienthello"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/sasl"
)

// Errors that a caller may compare with. They are wrapped in an *[smtp.Error], which names the
// stage.
var (
	// ErrSTARTTLSNotOffered: STARTTLS is required and the server does not offer it, or an
	// attacker removed it.
	ErrSTARTTLSNotOffered = localerr.New("the server does not offer STARTTLS, which this connection requires")
	// ErrInjectedResponse: plain text arrived after the reply to STARTTLS. It would have been
	// read as a reply under TLS (CVE-2011-0411 and similar), so the connection is not used.
	ErrInjectedResponse = localerr.New("unencrypted bytes followed the reply to STARTTLS; the connection may have been tampered with")
	// ErrNoGreeting: the server did not greet on a connection without TLS, and the port is not
	// one that begins without TLS.
	ErrNoGreeting = localerr.New("no greeting received; the port may require TLS from the first byte")
	// ErrTLSPort: the server did not greet, and answered TLS on another connection.
	ErrTLSPort = localerr.New("the server sends no greeting; the port uses TLS from the first byte")
	// ErrNoServerHello: the connection ended, or the server stayed silent, between the
	// ClientHello and the server's first octet, also with a smaller ClientHello.
	ErrNoServerHello = clienthello.ErrUnanswered
	// ErrPinMismatch: the server's certificate is not the pinned one.
	ErrPinMismatch = localerr.New("the server's certificate does not match the pinned SHA-256 fingerprint")
	// ErrCleartextPassword: the password would have been sent unencrypted.
	ErrCleartextPassword = localerr.New("refusing to send a password over an unencrypted connection")
	// ErrAuthNotOffered: credentials were given and the server has no AUTH.
	ErrAuthNotOffered = localerr.New("the server does not offer authentication")
	// ErrNoMechanism: the server offers AUTH, but no mechanism for these credentials.
	ErrNoMechanism = localerr.New("no authentication mechanism in common with the server")
	// ErrServerNotVerified: the server accepted the login without proving that
	// it knows the password, as SCRAM demands (RFC 5802 section 3).
	ErrServerNotVerified = sasl.ErrServerNotVerified
	// ErrTokenRefused: the server refused an access token. The text of its reply may wrongly
	// speak of a password.
	ErrTokenRefused = localerr.New("the server refused the access token")
	// ErrTooLarge: the message is larger than the server's SIZE (RFC 1870).
	ErrTooLarge = localerr.New("the message exceeds the server's size limit")
	// ErrNeedsSMTPUTF8: an address needs SMTPUTF8 (RFC 6531) and the server does not offer it.
	ErrNeedsSMTPUTF8 = localerr.New("an address has non-ASCII characters before the @ and the server does not support SMTPUTF8")
	// ErrHeaderNeedsSMTPUTF8: the header of the message contains UTF-8, which needs SMTPUTF8, and
	// the server does not offer it.
	ErrHeaderNeedsSMTPUTF8 = localerr.New("the header contains unencoded UTF-8 and the server does not support SMTPUTF8")
	// ErrNeeds8BITMIME: the message contains 8-bit data and the server does not offer 8BITMIME
	// (RFC 6152).
	ErrNeeds8BITMIME = localerr.New("the message contains 8-bit data and the server does not support 8BITMIME")
	// ErrNeedsBINARYMIME: the message contains binary data and the server does not offer
	// BINARYMIME with CHUNKING (RFC 3030).
	ErrNeedsBINARYMIME = localerr.New("the message contains binary data and the server does not support BINARYMIME")
	// ErrBrokenBINARYMIME: the message contains binary data, and the server offers BINARYMIME but
	// is known to refuse such messages.
	ErrBrokenBINARYMIME = localerr.New("the message contains binary data, and this server is known to refuse it although it offers BINARYMIME")
	// ErrNeedsDSN: notifications were requested and the server does not offer DSN (RFC 3461).
	ErrNeedsDSN = localerr.New("delivery notifications were requested and the server does not support DSN")
	// ErrContent: the message could not be read to its end, or contradicted its announced
	// properties. The connection was cut, so that the server can't accept a partial message.
	ErrContent = localerr.New("the message could not be read completely")
	// ErrAnotherRefused: under the policy All another recipient was refused or deferred, so the
	// message was sent to no recipient.
	ErrAnotherRefused = localerr.New("another recipient was not accepted, and the policy is all or none")
	// ErrTooManyRecipients: under the policy All, the message has more recipients than the server
	// accepts in one transaction; two transactions can't be undone together.
	ErrTooManyRecipients = localerr.New("the message has more recipients than the server accepts at once, and the policy is all or none")
	// ErrUnasked: the server sent data before a command. Its replies can't be matched to commands
	// any more, so the connection is not used.
	ErrUnasked = localerr.New("the server sent data without a command")
	// ErrOutOfStep: the replies did not fit the commands of a flight, as with a server that
	// offers PIPELINING and loses commands. Such a server needs one command at a time
	// (Config.NoPipelining).
	ErrOutOfStep = localerr.New("the server's replies do not match the commands it was sent")
	// ErrNotPipelined: commands sent together with the end of a message, after DATA, were refused
	// or lost (see PipelineMessages). Their message was not tried.
	ErrNotPipelined = localerr.New("the server ignores commands that arrive together with the end of a message")
	// ErrClosed: the connection was closed by this side, or is unusable.
	ErrClosed = localerr.New("the connection is closed")
)
