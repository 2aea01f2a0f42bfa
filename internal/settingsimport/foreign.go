package settingsimport

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
)

// Program is a program whose settings can be read.
type Program string

// The programs.
const (
	Msmtp Program = "msmtp"
	Mutt  Program = "mutt" // and NeoMutt
	Git   Program = "git"  // git send-email
	SSMTP Program = "ssmtp"
)

// Programs lists all programs.
func Programs() []Program { return []Program{Msmtp, Mutt, Git, SSMTP} }

// Guess returns the program whose settings a file of this name usually holds.
func Guess(file string) (Program, bool) {
	base := strings.ToLower(filepath.Base(file))
	switch dir := strings.ToLower(filepath.Base(filepath.Dir(file))); {
	case strings.Contains(base, "ssmtp"), base == "revaliases":
		return SSMTP, true
	case strings.Contains(base, "msmtp"), dir == "msmtp":
		return Msmtp, true
	case strings.Contains(base, "muttrc"), dir == "mutt", dir == "neomutt", dir == ".mutt":
		return Mutt, true
	case strings.Contains(base, "gitconfig"), dir == "git", dir == ".git":
		return Git, true
	}
	return "", false
}

// Settings are the settings of a program.
type Settings struct {
	Program Program
	// Files are the files that were read, in order.
	Files []string
	Found []FoundAccount
	// Notes are about settings that were not imported, in the order of the files.
	Notes []Note
}

// FoundAccount is an account of another program.
type FoundAccount struct {
	// Account has every setting that could be imported. From is "" if the sender is not known; the
	// server is always set.
	Account account.Account
	// Password is a password found in clear text, if any.
	Password Password
	// Default is true if the other program uses this account by default.
	Default bool
	// File and Line are the place of the account's first line.
	File string
	Line int
	// Notes are about the account.
	Notes []Note
}

// Has reports whether there is a note with a reason.
func (f FoundAccount) Has(r Reason) bool {
	for _, n := range f.Notes {
		if n.Reason == r {
			return true
		}
	}
	return false
}

// Note says why a setting was not imported, or warns the user about it. It holds no
// secret.
type Note struct {
	File string
	Line int // from 1; 0 if it concerns no line
	// Setting is the name as written in the file; "" if it concerns none.
	Setting string
	Reason  Reason
	// Detail is the subject of the reason, if any: a file, a mechanism, the nearest known name, a
	// system error.
	Detail string
	// Count is the number of lines concerned, if there are several.
	Count int
}

// Place returns the place of a note as "file:line".
func (n Note) Place() string {
	if n.Line == 0 {
		return n.File
	}
	return fmt.Sprintf("%s:%d", n.File, n.Line)
}

// Reason says why a setting was not imported. The words are stable.
type Reason string

// The reasons.
const (
	// About an account.
	Plaintext Reason = "plaintext"    // the connection to the server is not encrypted
	NoSecret  Reason = "no_secret"    // the password is not in the settings
	NoSender  Reason = "no_sender"    // the sender's address is not known
	Spelled   Reason = "spelled"      // a command contains the password in a form that is not read; it is not imported
	Renamed   Reason = "renamed"      // the name can't be used; Detail was the name
	ImplicitS Reason = "implicit_tls" // STARTTLS on a port with implicit TLS: smtps:// is used

	// About a setting.
	NoCounterpart Reason = "no_counterpart" // Yan has no such setting
	Differs       Reason = "differs"        // Yan's setting of this name means something else
	Always        Reason = "always"         // Yan always does this
	Fits          Reason = "fits"           // Yan does this on request, with yan send --raw --fit
	ProtectionOff Reason = "protection_off" // it switches off a protection that Yan keeps
	Unknown       Reason = "unknown"        // the other program has no such setting; Detail is the nearest
	BadValue      Reason = "bad_value"      // the value can't be parsed
	Runs          Reason = "runs"           // it runs a command, which Yan does not do
	Mechanism     Reason = "mechanism"      // Detail is a SASL mechanism that Yan does not know
	Unused        Reason = "unused"         // it has no effect in the other program either
	Conditional   Reason = "conditional"    // it holds only under a condition
	OtherUser     Reason = "other_user"     // it is for another user of the machine
	OtherMatter   Reason = "other_matter"   // Count settings that are not about sending
	LocalProgram  Reason = "local_program"  // it sends through a program of this machine
	NoServer      Reason = "no_server"      // no server, or an unusable one; Detail says why
	Unreadable    Reason = "unreadable"     // Detail is an included file that can't be read
	TooDeep       Reason = "too_deep"       // Detail is a file beyond the limit on includes
	Syntax        Reason = "syntax"         // the line can't be parsed
)

// Password is a secret found in clear text. No verb of package fmt and no encoder shows it.
type Password struct{ secret string }

// Reveal returns the secret, to be stored.
func (p Password) Reveal() string { return p.secret }

// IsZero reports whether there is no password.
func (p Password) IsZero() bool { return p.secret == "" }

// String hides the secret.
func (p Password) String() string {
	if p.IsZero() {
		return "no password"
	}
	return "a password"
}

// Format hides the secret from every verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// MarshalText hides the secret from encoders.
func (p Password) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ProblemError says why a file can't be read as settings.
type ProblemError struct {
	File    string
	Line    int // 0 if it concerns the whole file
	Problem FileProblem
}

func (e *ProblemError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Problem)
}

// FileProblem is a problem with a whole file.
type FileProblem string

// The problems.
const (
	TooLarge   FileProblem = "too large for settings"
	NotText    FileProblem = "not a text in UTF-8"
	NotRegular FileProblem = "not a file"
	Untrusted  FileProblem = "others can change it" // it may name commands and the servers that get passwords
	BadSyntax  FileProblem = "syntax error"         // the other program can't read it either
)
