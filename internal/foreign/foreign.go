package foreign

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
)

// Program is one whose settings can be read.
type Program string

// The programs.
const (
	Msmtp Program = "msmtp"
	Mutt  Program = "mutt" // and NeoMutt
	Git   Program = "git"  // git send-email
	SSMTP Program = "ssmtp"
)

// Programs lists all of them.
func Programs() []Program { return []Program{Msmtp, Mutt, Git, SSMTP} }

// Guess tells by the name of a file whose settings it holds.
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

// Settings is what a program is set up with.
type Settings struct {
	Program Program
	// Files are those that were read, in that order.
	Files []string
	Found []Found
	// Notes are about what could not be taken over, in the order of the files.
	Notes []Note
}

// Found is an account of another program.
type Found struct {
	// Account has everything that could be taken over. From is "" when nothing
	// says who the sender is; the server is always there.
	Account account.Account
	// Password is the one that stands in the file in clear, if any.
	Password Password
	// Default: the other program uses this account when it is not told which.
	Default bool
	// File and Line are where the account begins.
	File string
	Line int
	// Notes are what its user has to know.
	Notes []Note
}

// Has reports whether there is a note with a reason.
func (f Found) Has(r Reason) bool {
	for _, n := range f.Notes {
		if n.Reason == r {
			return true
		}
	}
	return false
}

// Note is about a setting: why it could not be taken over, or what its user has
// to know. It holds no secret.
type Note struct {
	File string
	Line int // from 1; 0 when it is about no line
	// Setting is the name as the file has it; "" when it is about none.
	Setting string
	Reason  Reason
	// Detail is what the reason is about, if anything: a file, a mechanism, the
	// nearest known name, an error of the system.
	Detail string
	// Count is how many lines it stands for, where it stands for several.
	Count int
}

// Place is where a note points to: "file:line".
func (n Note) Place() string {
	if n.Line == 0 {
		return n.File
	}
	return fmt.Sprintf("%s:%d", n.File, n.Line)
}

// Reason says why something was not taken over, as a stable word.
type Reason string

// The reasons.
const (
	// Those that are about an account.
	Plaintext Reason = "plaintext"    // nothing is encrypted on the way to the server
	NoSecret  Reason = "no_secret"    // the password is not in the settings
	NoSender  Reason = "no_sender"    // nothing says what address it sends from
	Spelled   Reason = "spelled"      // a command holds the password in a form that is not read; it is not kept
	Renamed   Reason = "renamed"      // the name can't be used; Detail was the name
	ImplicitS Reason = "implicit_tls" // STARTTLS on a port where TLS comes first: smtps:// was taken

	// Those that are about a setting.
	NoCounterpart Reason = "no_counterpart" // there is no such setting here
	Differs       Reason = "differs"        // the setting of this name here means something else
	Always        Reason = "always"         // it is done here without being set
	Fits          Reason = "fits"           // it is done here on request, by yan send --raw --fit
	ProtectionOff Reason = "protection_off" // it switches off a protection that stays on here
	Unknown       Reason = "unknown"        // the other program has no such setting; Detail is the nearest
	BadValue      Reason = "bad_value"      // the value can't be read
	Runs          Reason = "runs"           // it runs a command, which is not done here
	Mechanism     Reason = "mechanism"      // Detail is a SASL mechanism that is not known here
	Unused        Reason = "unused"         // it has no effect there either
	Conditional   Reason = "conditional"    // it holds under a condition only
	OtherUser     Reason = "other_user"     // it is for another user of the machine
	OtherMatter   Reason = "other_matter"   // Count settings that are not about sending
	LocalProgram  Reason = "local_program"  // it sends through a program of this machine
	NoServer      Reason = "no_server"      // no server, or none that can be used; Detail says why
	Unreadable    Reason = "unreadable"     // Detail is a file that is included and can't be read
	TooDeep       Reason = "too_deep"       // Detail is a file that is included once too often
	Syntax        Reason = "syntax"         // the line can't be read
)

// Password is a secret that stood in a file in clear. No verb of package fmt and
// no encoder shows it.
type Password struct{ secret string }

// Reveal gives the secret to whoever keeps it.
func (p Password) Reveal() string { return p.secret }

// IsZero reports that there is none.
func (p Password) IsZero() bool { return p.secret == "" }

// String hides it.
func (p Password) String() string {
	if p.IsZero() {
		return "no password"
	}
	return "a password"
}

// Format hides it from every verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// MarshalText hides it from encoders.
func (p Password) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ProblemError says why a file can't be read as settings.
type ProblemError struct {
	File    string
	Line    int // 0 when it is about the whole file
	Problem Problem
}

func (e *ProblemError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Problem)
}

// Problem is what is wrong with a whole file.
type Problem string

// The problems.
const (
	TooLarge   Problem = "too large for settings"
	NotText    Problem = "not a text in UTF-8"
	NotRegular Problem = "not a file"
	Untrusted  Problem = "others can change it" // it may name commands, and where passwords go
	BadSyntax  Problem = "syntax error"         // the other program can't read it either
)
