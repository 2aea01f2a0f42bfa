package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// Name is the subject of a step. The values are stable words.
type Name string

// The steps, in the order in which they are reported.
const (
	NameAddress     Name = "address"     // A and AAAA of the server
	NamePort        Name = "port"        // TCP; one step for each port
	NameGreeting    Name = "greeting"    // after the TLS handshake if that comes first
	NameHello       Name = "ehlo"        // twice with STARTTLS: the second counts
	NameTLS         Name = "tls"         // version and cipher suite
	NameCertificate Name = "certificate" // chain, name, dates
	NameClock       Name = "clock"       // of this machine, compared with the server's
	NameSpeed       Name = "speed"       // the effect of the extensions on round trips
	NameFeatures    Name = "features"    // the other extensions
	NameSize        Name = "size"        // limits that the server announces
	NameAuth        Name = "auth"        // SASL mechanisms and the one to use
	NameLogin       Name = "login"
	NameSender      Name = "sender"  // MAIL FROM
	NameMessage     Name = "message" // only with Exam.SendTo
	NameMX          Name = "mx"      // this and the following steps check the sender's domain
	NameSRV         Name = "srv"
	NameSPF         Name = "spf"
	NameDKIM        Name = "dkim"
	NameDMARC       Name = "dmarc"
	NameReceiver    Name = "receiver" // a receiver's conclusion about the message
)

// StepStatus is the result of a step. The values are stable words.
type StepStatus string

// The statuses.
const (
	OK      StepStatus = "ok"
	Info    StepStatus = "info"    // neither good nor bad, or unknown
	Warning StepStatus = "warning" // mail can be sent, but something should be changed
	Failed  StepStatus = "failed"
	Skipped StepStatus = "skipped" // Detail has the reason
)

// Text is a text in both languages.
type Text = diagnosis.Text

// Step is the result of one check.
type Step struct {
	Name   Name
	Target string // a host, host:port, domain or address; "" if there is none
	Status StepStatus
	// Took is the time that the step took; 0 if it follows from other steps.
	Took time.Duration
	// Detail describes the result in one line, or why the step was skipped.
	Detail Text
	// Advice tells the user what to do; empty if no action is needed, or if
	// Finding has the advice.
	Advice Text
	// Finding is the meaning of a failure of the network or the server; its
	// Class is "" if there was none.
	Finding diagnosis.Finding
	// Outcome is the failure itself: stage, reply and error.
	Outcome smtp.Outcome
	Facts   StepFacts
}

// StepFacts are the findings for programs. Fields that a step does not fill are
// empty.
type StepFacts struct {
	// Addresses are the server's addresses; for a port, the peer's.
	Addresses []string `json:"addresses,omitempty"`
	// Hosts are mail exchangers, or the host:port of SRV records.
	Hosts []string `json:"hosts,omitempty"`
	// Open reports whether a port could be reached.
	Open bool `json:"open,omitempty"`

	TLSVersion string `json:"tls_version,omitempty"` // "TLS 1.3"
	Cipher     string `json:"cipher,omitempty"`
	// KeyExchange is the group of the key exchange, like "X25519MLKEM768", or "RSA".
	KeyExchange string `json:"key_exchange,omitempty"`
	// SmallHello reports that the server answered only a ClientHello without
	// X25519MLKEM768.
	SmallHello bool `json:"small_client_hello,omitempty"`
	// Fingerprint is the certificate's fingerprint, as a pin: "sha256:HEX".
	Fingerprint string `json:"fingerprint,omitempty"`
	// Names are the names in the certificate.
	Names  []string `json:"names,omitempty"`
	Issuer string   `json:"issuer,omitempty"`
	// Chain lists the issuers, from that of the server's certificate on, as the
	// server sent them.
	Chain    []string `json:"chain,omitempty"`
	NotAfter string   `json:"not_after,omitempty"` // RFC 3339
	DaysLeft *int     `json:"days_left,omitempty"`

	// Text is the greeting, without its code.
	Text string `json:"text,omitempty"`
	// Encrypted reports whether an EHLO was sent under TLS.
	Encrypted  bool     `json:"encrypted,omitempty"`
	Extensions []string `json:"extensions,omitempty"`
	// RoundTrips is the number of round trips of a single message on an open
	// connection.
	RoundTrips int `json:"round_trips,omitempty"`
	// Overlap is how many messages of a batch are sent at a time.
	Overlap int `json:"overlap,omitempty"`
	// SizeLimit is in octets.
	SizeLimit       int64 `json:"size_limit,omitempty"`
	RecipientLimit  int   `json:"recipient_limit,omitempty"`
	ConnectionLimit int   `json:"messages_per_connection,omitempty"`
	// SkewSeconds is how far the local clock is ahead of the server's.
	SkewSeconds *int64 `json:"skew_seconds,omitempty"`

	Mechanisms []string `json:"mechanisms,omitempty"`
	Mechanism  string   `json:"mechanism,omitempty"` // the chosen one
	ServerID   string   `json:"server_id,omitempty"`

	Record  string `json:"record,omitempty"` // of DNS
	Lookups int    `json:"lookups,omitempty"`
	// Result is the SPF result (RFC 7208 section 2.6) for the address Tested,
	// which represents the sending servers. Basis is the reason: "include",
	// "own_domain" or "submission_server".
	Result  string `json:"result,omitempty"`
	Tested  string `json:"tested,omitempty"`
	Basis   string `json:"basis,omitempty"`
	KeyType string `json:"key_type,omitempty"`
	KeyBits int    `json:"key_bits,omitempty"`
	Policy  string `json:"policy,omitempty"`
}

// textError is an error in both languages.
type textError struct{ Text }

func (e textError) Error() string { return e.EN }
func (e textError) text() Text    { return e.Text }

// textErrorf makes an error from two formats with the same arguments.
func textErrorf(en, zh string, args ...any) error { return textError{say(en, zh, args...)} }

// say makes a Text from two formats with the same arguments. An argument that
// is a Text or an error appears in the language of the format.
func say(en, zh string, args ...any) Text {
	in := func(format string, pick func(Text) string) string {
		own := make([]any, len(args))
		for i, arg := range args {
			own[i] = arg
			switch a := arg.(type) {
			case Text:
				own[i] = pick(a)
			case interface{ text() Text }:
				own[i] = pick(a.text())
			case error:
				own[i] = pick(Text{EN: a.Error(), ZH: i18n.NewWords(i18n.Chinese).TranslateError(a)})
			}
		}
		if len(own) == 0 {
			return format
		}
		return fmt.Sprintf(format, own...)
	}
	return Text{EN: in(en, func(t Text) string { return t.EN }), ZH: in(zh, func(t Text) string { return t.ZH })}
}

// isEmpty reports whether a text is empty in both languages.
func isEmpty(t Text) bool { return t.EN == "" && t.ZH == "" }

// ExamReport is the result of an exam.
type ExamReport struct {
	Steps []Step
	// Server is the server that was checked, with the chosen port.
	Server transport.Server
	// Interrupted reports that the context ended before the last step.
	Interrupted bool
	Took        time.Duration
}

// Worst returns Failed, Warning or OK.
func (r ExamReport) Worst() StepStatus {
	worst := OK
	for _, s := range r.Steps {
		if s.Status == Failed {
			return Failed
		}
		if s.Status == Warning {
			worst = Warning
		}
	}
	return worst
}

// Count returns the number of steps with a status.
func (r ExamReport) Count(status StepStatus) int {
	n := 0
	for _, s := range r.Steps {
		if s.Status == status {
			n++
		}
	}
	return n
}

// LoggedIn reports whether a login was tried and succeeded.
func (r ExamReport) LoggedIn() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool {
		return s.Name == NameLogin && (s.Status == OK || s.Status == Warning)
	})
}

// Next returns the step to act on: the first that failed, else the first with a
// warning. ok is false if there is none.
func (r ExamReport) Next() (step Step, ok bool) {
	for _, status := range []StepStatus{Failed, Warning} {
		for _, s := range r.Steps {
			if s.Status == status {
				return s, true
			}
		}
	}
	return Step{}, false
}

// listText joins words of other sources as an enumeration in each language.
func listText(items []string) Text {
	return Text{EN: strings.Join(items, ", "), ZH: strings.Join(items, "、")}
}

// tableCell removes the full stop of a sentence for a table cell.
func tableCell(t Text) Text {
	return Text{EN: strings.TrimSuffix(t.EN, "."), ZH: strings.TrimSuffix(t.ZH, "。")}
}
