package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/words"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// Name is what a step looks at. The values are stable words.
type Name string

// The steps, in the order in which they are told.
const (
	NameAddress     Name = "address"     // A and AAAA of the server
	NamePort        Name = "port"        // TCP; one step for each port
	NameGreeting    Name = "greeting"    // behind TLS where that comes first
	NameHello       Name = "ehlo"        // twice with STARTTLS: what counts is the second
	NameTLS         Name = "tls"         // version and cipher suite
	NameCertificate Name = "certificate" // chain, name, dates
	NameClock       Name = "clock"       // of this machine against the server's
	NameSpeed       Name = "speed"       // what the extensions mean for round trips
	NameFeatures    Name = "features"    // the other extensions
	NameSize        Name = "size"        // limits that the server names
	NameAuth        Name = "auth"        // SASL mechanisms and the choice among them
	NameLogin       Name = "login"
	NameSender      Name = "sender"  // MAIL FROM
	NameMessage     Name = "message" // only with Exam.SendTo
	NameMX          Name = "mx"      // this and the following are of the sender's domain
	NameSRV         Name = "srv"
	NameSPF         Name = "spf"
	NameDKIM        Name = "dkim"
	NameDMARC       Name = "dmarc"
	NameReceiver    Name = "receiver" // what somebody who gets the message concludes
)

// Status is how a step went. The values are stable words.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Info    Status = "info"    // neither good nor bad, or not known
	Warning Status = "warning" // mail goes out, and something should be changed
	Failed  Status = "failed"
	Skipped Status = "skipped" // Detail says why
)

// Text is a text in the two languages.
type Text = diagnosis.Text

// Step is one thing that was looked at.
type Step struct {
	Name   Name
	Target string // a host, host:port, domain or address; "" where there is none
	Status Status
	// Took is how long it was waited for; 0 for what follows from other steps.
	Took time.Duration
	// Detail says in one line what was found, or why the step was skipped.
	Detail Text
	// Advice says what to do; empty where there is nothing to do, or where Finding
	// says it.
	Advice Text
	// Finding is what a failure of the network or the server means; its Class is ""
	// where there was none.
	Finding diagnosis.Finding
	// Outcome is that failure as a fact: stage, reply and error.
	Outcome smtp.Outcome
	Facts   Facts
}

// Facts are what was found, for programs. Fields that a step does not know are
// empty.
type Facts struct {
	// Addresses are those of the server; of the other end for a port.
	Addresses []string `json:"addresses,omitempty"`
	// Hosts are mail exchangers, or the host:port of SRV records.
	Hosts []string `json:"hosts,omitempty"`
	// Open says whether a port could be reached.
	Open bool `json:"open,omitempty"`

	TLSVersion string `json:"tls_version,omitempty"` // "TLS 1.3"
	Cipher     string `json:"cipher,omitempty"`
	// KeyExchange is the group of the key exchange, like "X25519MLKEM768", or "RSA".
	KeyExchange string `json:"key_exchange,omitempty"`
	// SmallHello says that the server answered only a ClientHello without X25519MLKEM768.
	SmallHello bool `json:"small_client_hello,omitempty"`
	// Fingerprint is that of the certificate, as a pin: "sha256:HEX".
	Fingerprint string `json:"fingerprint,omitempty"`
	// Names are those of the certificate.
	Names  []string `json:"names,omitempty"`
	Issuer string   `json:"issuer,omitempty"`
	// Chain are the issuers from the server's own certificate on, as it showed them.
	Chain    []string `json:"chain,omitempty"`
	NotAfter string   `json:"not_after,omitempty"` // RFC 3339
	DaysLeft *int     `json:"days_left,omitempty"`

	// Text is the greeting, without its code.
	Text string `json:"text,omitempty"`
	// Encrypted says of EHLO whether it was said under TLS.
	Encrypted  bool     `json:"encrypted,omitempty"`
	Extensions []string `json:"extensions,omitempty"`
	// RoundTrips is how often a message alone on an open connection has to wait.
	RoundTrips int `json:"round_trips,omitempty"`
	// Overlap is how many messages of a run are on the wire at a time.
	Overlap int `json:"overlap,omitempty"`
	// SizeLimit is in octets.
	SizeLimit       int64 `json:"size_limit,omitempty"`
	RecipientLimit  int   `json:"recipient_limit,omitempty"`
	ConnectionLimit int   `json:"messages_per_connection,omitempty"`
	// SkewSeconds is how far the clock of this machine is ahead of the server's.
	SkewSeconds *int64 `json:"skew_seconds,omitempty"`

	Mechanisms []string `json:"mechanisms,omitempty"`
	Mechanism  string   `json:"mechanism,omitempty"` // the chosen one
	ServerID   string   `json:"server_id,omitempty"`

	Record  string `json:"record,omitempty"` // of DNS
	Lookups int    `json:"lookups,omitempty"`
	// Result is that of SPF (RFC 7208 section 2.6) for the address Tested, which
	// stands for the sending servers because of Basis: "include", "own_domain" or
	// "submission_server".
	Result  string `json:"result,omitempty"`
	Tested  string `json:"tested,omitempty"`
	Basis   string `json:"basis,omitempty"`
	KeyType string `json:"key_type,omitempty"`
	KeyBits int    `json:"key_bits,omitempty"`
	Policy  string `json:"policy,omitempty"`
}

// textError is an error in the two languages.
type textError struct{ Text }

func (e textError) Error() string { return e.EN }
func (e textError) text() Text    { return e.Text }

// wrongf makes an error of two formats with the same arguments.
func wrongf(en, zh string, args ...any) error { return textError{say(en, zh, args...)} }

// say makes a text of two formats with the same arguments. An argument that is
// a Text, or an error, speaks the language of the format.
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
				own[i] = pick(Text{EN: a.Error(), ZH: words.In(words.Chinese).Say(a)})
			}
		}
		if len(own) == 0 {
			return format
		}
		return fmt.Sprintf(format, own...)
	}
	return Text{EN: in(en, func(t Text) string { return t.EN }), ZH: in(zh, func(t Text) string { return t.ZH })}
}

// isEmpty reports whether there is nothing to say.
func isEmpty(t Text) bool { return t.EN == "" && t.ZH == "" }

// Report is what an exam found.
type Report struct {
	Steps []Step
	// Server is the one that was looked at, with the port that was chosen.
	Server transport.Server
	// Interrupted says that the context ended before the last step.
	Interrupted bool
	Took        time.Duration
}

// Worst is Failed, Warning or OK.
func (r Report) Worst() Status {
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

// Count is how many steps have a status.
func (r Report) Count(status Status) int {
	n := 0
	for _, s := range r.Steps {
		if s.Status == status {
			n++
		}
	}
	return n
}

// LoggedIn reports whether a login was tried and worked.
func (r Report) LoggedIn() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Name == NameLogin && s.Status == OK })
}

// Next is the step to act upon: the first that failed, else the first with a
// warning. ok is false when there is nothing to do.
func (r Report) Next() (step Step, ok bool) {
	for _, status := range []Status{Failed, Warning} {
		for _, s := range r.Steps {
			if s.Status == status {
				return s, true
			}
		}
	}
	return Step{}, false
}

// listed counts up what other sides have said, as each language does it.
func listed(items []string) Text {
	return Text{EN: strings.Join(items, ", "), ZH: strings.Join(items, "、")}
}

// row is a sentence that stands in a row: without its full stop.
func row(t Text) Text {
	return Text{EN: strings.TrimSuffix(t.EN, "."), ZH: strings.TrimSuffix(t.ZH, "。")}
}
