package oauth

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Problem is the kind of a failure, as a stable word.
type Problem string

// The problems.
const (
	NoClientID   Problem = "no_client_id"  // none is configured
	NoDevice     Problem = "no_device"     // the server has no device flow for mail
	BadURL       Problem = "bad_url"       // an address of the server is missing, no URL, or not https
	Unreachable  Problem = "unreachable"   // no network, or no answer in time
	Untrusted    Problem = "untrusted"     // the server's certificate is not trusted
	Failing      Problem = "failing"       // the server answers with an error of its own, or nonsense
	Denied       Problem = "denied"        // the user, or an administrator, refused
	Expired      Problem = "expired"       // the user did not consent in time
	BadClient    Problem = "bad_client"    // the client id or secret is wrong, or not allowed to do this
	BadScope     Problem = "bad_scope"     // the server does not grant these scopes
	Rejected     Problem = "rejected"      // refused for a reason that the server states
	ConsentEnded Problem = "consent_ended" // the refresh token is no longer valid, or there is none
	StillRefused Problem = "still_refused" // the mail server refuses a new token too
	Unsaved      Problem = "unsaved"       // a new token could not be saved
	Busy         Problem = "busy"          // another process has been refreshing the token for too long
)

// The errors that a caller distinguishes with errors.Is; each is also an
// [*Error].
var (
	ErrNoClientID = errors.New("no client id is configured")
	ErrNoDevice   = errors.New("the authorization server has no device flow for mail; use the browser")
	ErrDenied     = errors.New("the consent was refused")
	ErrExpired    = errors.New("nobody consented in time")
	// ErrConsent: the refresh token is no longer valid, or there is none, or
	// its tokens are refused; the user has to consent again.
	ErrConsent = errors.New("the consent has ended; log in again")
	// ErrUnreachable: the authorization server can't be reached at the moment.
	// The consent is still valid.
	ErrUnreachable = errors.New("the authorization server can't be reached")
	// ErrForgotten is wrapped by Load if no token is stored any more, or one of
	// another login: the login was removed or changed meanwhile.
	ErrForgotten = errors.New("the login was removed or replaced meanwhile")
)

// Error is the reason why there is no token.
type Error struct {
	Problem Problem
	// Host is the authorization server's; "" if there was no request.
	Host string
	// Code and Description are the server's words (RFC 6749 section 5.2),
	// without secrets; "" if it sent none.
	Code, Description string
	// Ended is when the last access token expired; zero if that is not the
	// problem.
	Ended time.Time
	Err   error // never contains a secret; may be nil
}

// Error describes the failure and the remedy.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.what())
	if e.Err != nil {
		b.WriteString(": " + oneLine(e.Err.Error())) // may contain names of a certificate
	}
	if words := strings.Trim(e.Code+": "+e.Description, ": "); words != "" {
		fmt.Fprintf(&b, ": it says %q", words)
	}
	if todo := e.todo(); todo != "" {
		b.WriteString("; " + todo)
	}
	return b.String()
}

func (e *Error) what() string {
	switch e.Problem {
	case NoClientID:
		return ErrNoClientID.Error()
	case NoDevice:
		return "the authorization server has no device flow for mail"
	case BadURL:
		return "the authorization server can't be asked"
	case Unreachable:
		if !e.Ended.IsZero() {
			return fmt.Sprintf("the access token ended at %s, and %s can't be reached for a fresh one",
				e.Ended.Local().Format("2006-01-02 15:04"), e.Host)
		}
		return e.Host + " can't be reached"
	case Untrusted:
		return "the certificate of " + e.Host + " is not trusted"
	case Failing:
		return e.Host + " does not answer as an authorization server should"
	case Denied:
		return ErrDenied.Error()
	case Expired:
		return ErrExpired.Error()
	case BadClient:
		return e.Host + " does not take the client id or its secret"
	case BadScope:
		return e.Host + " does not give these scopes to this client"
	case ConsentEnded:
		return "the consent has ended"
	case StillRefused:
		return "the mail server refuses a fresh access token"
	case Unsaved:
		return "a fresh token could not be kept"
	case Busy:
		return "another process is refreshing the access token and does not finish"
	default:
		return e.Host + " refused"
	}
}

func (e *Error) todo() string {
	switch e.Problem {
	case NoDevice:
		return "use the browser"
	case Unreachable:
		return "check the network or set a proxy, then try again: the login is not lost"
	case Untrusted:
		return "check the clock and whether something stands between"
	case Failing, Busy:
		return "try again later"
	case BadClient:
		return "check client_id and client_secret"
	case ConsentEnded, Denied, Expired:
		return "log in again"
	case StillRefused:
		return "log in again with this mailbox, and check the scopes"
	case Unsaved:
		return "it serves until this program ends; log in again if the next run fails"
	default:
		return ""
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether e matches one of this package's errors.
func (e *Error) Is(target error) bool {
	switch e.Problem {
	case NoClientID:
		return target == ErrNoClientID
	case NoDevice:
		return target == ErrNoDevice
	case Denied:
		return target == ErrDenied
	case Expired:
		return target == ErrExpired
	case ConsentEnded, StillRefused:
		return target == ErrConsent
	case Unreachable:
		return target == ErrUnreachable
	default:
		return false
	}
}

// tokenLike matches text that may be a token: long, without the dots and
// slashes of an address.
var tokenLike = regexp.MustCompile(`[A-Za-z0-9_+=~-]{40,}`)

// cleanText makes a server's text safe to show: one line, at most 300 characters,
// without the given secrets. A string of less than eight characters is not
// taken as a secret, because it could occur in any word.
func cleanText(text string, secrets ...string) string {
	text = oneLine(text)
	for _, secret := range secrets {
		if secret = oneLine(secret); len(secret) >= 8 {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return shortenText(tokenLike.ReplaceAllString(text, hidden))
}

// oneLine removes invisible characters. This comes before the search for
// secrets: removing characters later could join the parts of a secret.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

const hidden = "****"

// shortenText cuts a text to 300 characters.
func shortenText(text string) string {
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// FailureKind returns the kind of failure for package diagnosis, a word of
// diagnosis.ErrorKinds; "" if the server's own words say more.
func (e *Error) FailureKind() string {
	switch e.Problem {
	case NoClientID, NoDevice, BadURL, BadClient, BadScope:
		return "oauth_client"
	case Unreachable, Untrusted, Failing, Busy:
		return "oauth_server"
	case Denied, Expired, ConsentEnded:
		return "consent"
	case StillRefused:
		return "token_refused"
	default:
		return ""
	}
}
