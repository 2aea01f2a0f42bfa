package diagnosis

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// The kinds of errors on this side, as named in the data files.
const (
	kindNoSuchHost          = "no_such_host"
	kindDNSFailed           = "dns_failed"
	kindRefused             = "refused"
	kindUnreachable         = "unreachable"
	kindTimeoutPort25       = "timeout_port_25"
	kindTimeout             = "timeout"
	kindCanceled            = "canceled"
	kindNotTLS              = "not_tls"
	kindCertificateExpired  = "certificate_expired"
	kindCertificateName     = "certificate_name"
	kindProviderCertificate = "provider_certificate"
	kindUntrusted           = "untrusted"
	kindPin                 = "pin"
	kindClientCertificate   = "client_certificate"
	kindTLSVersion          = "tls_version"
	kindTLS                 = "tls"
	kindNoGreeting          = "no_greeting"
	kindTLSPort             = "tls_port"
	kindNoServerHello       = "no_server_hello"
	kindIncompleteChain     = "incomplete_chain"
	kindNoNames             = "no_names"
	kindTLSRefused          = "tls_refused"
	kindStartTLSMissing     = "starttls_missing"
	kindCleartext           = "cleartext"
	kindInjected            = "injected"
	kindServerNotVerified   = "server_not_verified"
	kindAuthNotOffered      = "auth_not_offered"
	kindNoMechanism         = "no_mechanism"
	kindTooLarge            = "too_large"
	kindNeedsSMTPUTF8       = "needs_smtputf8"
	kindHeaderNeedsSMTPUTF8 = "header_needs_smtputf8"
	kindNeeds8BITMIME       = "needs_8bitmime"
	kindNeedsDSN            = "needs_dsn"
	kindTooManyRecipients   = "too_many_recipients"
	kindContent             = "content"
	kindAnotherRefused      = "another_refused"
	kindMalformedReply      = "malformed_reply"
	kindBrokenPipe          = "broken_pipe"
	kindClosed              = "closed"
	kindTokenRefused        = "token_refused"
	// The kinds of errors of packages above this one (kinder).
	kindConsent      = "consent"
	kindOAuthClient  = "oauth_client"
	kindOAuthServer  = "oauth_server"
	kindProxyAway    = "proxy_unreachable"
	kindProxyLogin   = "proxy_login"
	kindProxyRefused = "proxy_refused"
	// Errors of other programs, without the server's reply.
	kindLoginRefused  = "login_refused"
	kindTLSNotUsed    = "tls_not_used"
	kindNoCredentials = "no_credentials"
	kindWeakCrypto    = "weak_crypto"
	kindNoReason      = "no_reason"
	// Failures in bounces, without a reply.
	kindNoRecipient       = "no_recipient"
	kindNoRecipientDomain = "no_recipient_domain"
	kindMailLoop          = "mail_loop"
	kindSMTPUTF8OnTheWay  = "smtputf8_on_the_way"
	kindOther             = "other"
)

// ErrorKinds lists all kinds of errors.
func ErrorKinds() []string {
	return []string{kindNoSuchHost, kindDNSFailed, kindRefused, kindUnreachable, kindTimeoutPort25, kindTimeout,
		kindCanceled, kindNotTLS, kindCertificateExpired, kindCertificateName, kindProviderCertificate, kindUntrusted,
		kindPin, kindClientCertificate, kindTLSVersion, kindTLSRefused, kindTLS, kindNoGreeting, kindTLSPort, kindNoServerHello, kindIncompleteChain, kindNoNames, kindStartTLSMissing, kindCleartext, kindInjected, kindServerNotVerified, kindAuthNotOffered,
		kindNoMechanism, kindTooLarge, kindNeedsSMTPUTF8, kindHeaderNeedsSMTPUTF8, kindNeeds8BITMIME, kindNeedsDSN, kindTooManyRecipients, kindContent,
		kindAnotherRefused, kindMalformedReply, kindBrokenPipe, kindClosed,
		kindTokenRefused, kindConsent, kindOAuthClient, kindOAuthServer, kindProxyAway, kindProxyLogin, kindProxyRefused, kindLoginRefused, kindTLSNotUsed,
		kindNoCredentials, kindWeakCrypto, kindNoReason, kindNoRecipient, kindNoRecipientDomain, kindMailLoop, kindSMTPUTF8OnTheWay, kindOther}
}

// errorKind classifies an error by its type, never by its text, which changes with Go's version
// and the system's language. It returns "" for nil, and for an error that only carries a reply.
func errorKind(err error) string {
	if err == nil {
		return ""
	}
	for _, name := range []func(error) string{ownKind, clientKind, tlsKind, networkKind} {
		if kind := name(err); kind != "" {
			return kind
		}
	}
	var at *smtp.Error
	if errors.As(err, &at) && at.Err == nil && !at.Reply.IsZero() {
		return ""
	}
	return kindOther
}

// kinder is an error that returns its own kind, a word of [ErrorKinds]. Packages above this one
// have such errors; an error that represents another one returns "".
type kinder interface{ FailureKind() string }

func ownKind(err error) string {
	var k kinder
	// After a cancellation the resulting error doesn't matter.
	if !errors.Is(err, context.Canceled) && errors.As(err, &k) && slices.Contains(ErrorKinds(), k.FailureKind()) {
		return k.FailureKind()
	}
	return ""
}

// clientKind classifies the errors of package smtpclient.
func clientKind(err error) string {
	for _, known := range clientErrors() {
		if errors.Is(err, known.err) {
			return known.kind
		}
	}
	return ""
}

// keptKind classifies them by their text, if only the text was stored.
func keptKind(words string) string {
	for _, known := range clientErrors() {
		if strings.Contains(words, known.err.Error()) {
			return known.kind
		}
	}
	return ""
}

type clientError struct {
	err  error
	kind string
}

func clientErrors() []clientError {
	return []clientError{
		{smtpclient.ErrSTARTTLSNotOffered, kindStartTLSMissing},
		{smtpclient.ErrNoGreeting, kindNoGreeting},
		{smtpclient.ErrTLSPort, kindTLSPort},
		{smtpclient.ErrInjectedResponse, kindInjected},
		{smtpclient.ErrPinMismatch, kindPin},
		{smtpclient.ErrCleartextPassword, kindCleartext},
		{smtpclient.ErrAuthNotOffered, kindAuthNotOffered},
		{smtpclient.ErrNoMechanism, kindNoMechanism},
		{smtpclient.ErrServerNotVerified, kindServerNotVerified},
		{smtpclient.ErrTokenRefused, kindTokenRefused},
		{smtpclient.ErrTooLarge, kindTooLarge},
		{smtpclient.ErrNeedsSMTPUTF8, kindNeedsSMTPUTF8},
		{smtpclient.ErrHeaderNeedsSMTPUTF8, kindHeaderNeedsSMTPUTF8},
		{smtpclient.ErrNeeds8BITMIME, kindNeeds8BITMIME},
		{smtpclient.ErrNeedsBINARYMIME, kindNeeds8BITMIME},
		{smtpclient.ErrBrokenBINARYMIME, kindNeeds8BITMIME},
		{smtpclient.ErrNeedsDSN, kindNeedsDSN},
		{smtpclient.ErrTooManyRecipients, kindTooManyRecipients},
		{smtpclient.ErrOutOfStep, kindMalformedReply},
		{smtpclient.ErrNotPipelined, kindMalformedReply},
		{smtpclient.ErrContent, kindContent},
		{smtpclient.ErrAnotherRefused, kindAnotherRefused},
		{smtpclient.ErrUnasked, kindMalformedReply},
		{smtpclient.ErrClosed, kindClosed},
		{smtp.ErrMalformedReply, kindMalformedReply},
	}
}

// tlsKind classifies the errors of the handshake and of the certificate check.
func tlsKind(err error) string {
	var (
		header    tls.RecordHeaderError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
		roots     x509.SystemRootsError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
		op        *net.OpError
	)
	switch {
	case errors.As(err, &header):
		return kindNotTLS
	case errors.As(err, &name):
		if isProviders(name.Certificate) {
			return kindProviderCertificate
		}
		if c := name.Certificate; c != nil && len(c.DNSNames)+len(c.IPAddresses) == 0 {
			return kindNoNames
		}
		return kindCertificateName
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			return kindCertificateExpired
		}
		return kindUntrusted
	case errors.As(err, &authority) && isAlone(verify, err):
		return kindIncompleteChain
	case errors.As(err, &authority), errors.As(err, &roots), errors.As(err, &verify):
		return kindUntrusted
	case errors.Is(err, smtpclient.ErrNoServerHello) && networkKind(err) != kindTimeout:
		return kindNoServerHello
	case errors.As(err, &op) && op.Op == "remote error":
		return alertKind(op.Err)
	case errors.As(err, &alert):
		return alertKind(alert)
	}
	return ""
}

// isAlone reports that the server sent only one certificate, issued by another one.
func isAlone(verify *tls.CertificateVerificationError, err error) bool {
	if !errors.As(err, &verify) || len(verify.UnverifiedCertificates) != 1 {
		return false
	}
	c := verify.UnverifiedCertificates[0]
	return !bytes.Equal(c.RawIssuer, c.RawSubject)
}

// alertKind classifies an alert of the other side by its number (RFC 8446 section 6). crypto/tls
// does not export the type of TCP alerts.
func alertKind(alert error) string {
	v := reflect.ValueOf(alert)
	if v.Kind() != reflect.Uint8 {
		return kindTLS
	}
	switch v.Uint() {
	case 42, 43, 44, 45, 46, 48, 116:
		// bad, unsupported, revoked, expired or unknown certificate, unknown CA, certificate
		// required: these concern the client certificate.
		return kindClientCertificate
	case 40: // handshake_failure
		return kindTLSRefused
	case 70: // protocol_version
		return kindTLSVersion
	default:
		return kindTLS
	}
}

// isProviders reports whether a certificate belongs to a known provider's host. It only changes
// the advice: it never causes trust.
func isProviders(cert *x509.Certificate) bool {
	if cert == nil {
		return false
	}
	for _, p := range provider.All() {
		for _, host := range append([]string{p.SMTP.Host}, p.SMTP.AltHosts...) {
			if !strings.Contains(host, "{") && net.ParseIP(host) == nil && cert.VerifyHostname(host) == nil {
				return true
			}
		}
	}
	return false
}

// networkKind classifies the errors of the system and of package net.
func networkKind(err error) string {
	var (
		dns     *net.DNSError
		op      *net.OpError
		timeout interface{ Timeout() bool }
	)
	isOp := errors.As(err, &op)
	switch {
	case errors.Is(err, context.Canceled):
		return kindCanceled
	case errors.As(err, &dns) && dns.IsNotFound:
		return kindNoSuchHost
	case errors.As(err, &dns):
		return kindDNSFailed
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		if isOp && op.Op == "dial" && isPort25(op.Addr) {
			return kindTimeoutPort25
		}
		return kindTimeout
	case isErrno(err, errnoRefused()):
		return kindRefused
	case isErrno(err, errnoUnreachable()):
		return kindUnreachable
	case isErrno(err, errnoPipe()), isOp && op.Op == "write" && isErrno(err, errnoReset()):
		return kindBrokenPipe
	case isErrno(err, errnoReset()), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return kindClosed
	}
	return ""
}

func isErrno(err error, numbers []error) bool {
	for _, n := range numbers {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}

func isPort25(addr net.Addr) bool {
	if addr == nil {
		return false
	}
	_, port, err := net.SplitHostPort(addr.String())
	return err == nil && port == "25"
}
