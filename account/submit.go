package account

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// The places of the machine's daemon, if [submit] names no others.
const (
	DefaultSubmitSocket = "/run/yan/submit.sock"
	DefaultDropFolder   = "/var/spool/yan/drop"
)

// SubmitNone as Submit.Socket or Submit.Drop means that there is none.
const SubmitNone = "none"

// Submit is the table [submit]: what the users of this machine may send through 'yan sendmail', the
// submission socket and the drop folder.
type Submit struct {
	// Account sends the messages of users without an account of their own in Users; "" means the
	// default account.
	Account string
	// ForeignFrom says what happens to a sender that the account does not have: ForeignRewrite or
	// ForeignRefuse.
	ForeignFrom ForeignFrom
	// PerHour limits the recipients of a user in an hour; 0 means no limit.
	PerHour int
	// MaxRecipients limits the recipients of a message; 0 means the default of package admission.
	MaxRecipients int
	// Socket is the path of the submission socket: "" means DefaultSubmitSocket for the daemon of
	// the machine and none for others, SubmitNone means none.
	Socket string
	// Drop is the folder for messages that are handed over while the daemon is down; "" and
	// SubmitNone as in Socket.
	Drop string
	// Users are the rules of users, by login name.
	Users map[string]SubmitUser
}

// SubmitUser is a table [submit.users.NAME]: the rules of a user of this machine.
type SubmitUser struct {
	// Account is the account that sends; "" means Submit.Account.
	Account string
	// From lists senders that the user may use besides those of the account: addresses, or patterns
	// like "*@example.com". "*" allows all.
	From []string
	// PerHour and MaxRecipients are those of Submit for this user; 0 means the value there.
	PerHour, MaxRecipients int
}

// ForeignFrom says what happens to a sender that a program may not use.
type ForeignFrom string

// The values of ForeignFrom.
const (
	// ForeignRewrite sends as the account, with the name of the old sender. It is the default for
	// users of this machine.
	ForeignRewrite ForeignFrom = "rewrite"
	ForeignRefuse  ForeignFrom = "refuse"
)

// Submit returns the table [submit]; missing keys have their defaults.
func (f *File) Submit() Submit {
	s := f.submit
	s.Users = maps.Clone(s.Users)
	if s.ForeignFrom == "" {
		s.ForeignFrom = ForeignRewrite
	}
	return s
}

// Local returns the table [local]: the addresses that get the mail for a name without a domain, by the
// name in lower case. The name "*" is for all that have no entry.
func (f *File) Local() map[string][]smtp.Address { return maps.Clone(f.local) }

// SubmissionFault returns the fault that makes [local], [submit] or [listen.smtp] unusable in a file
// from LoadLenient; nil if there is none.
func (f *File) SubmissionFault() *ParseError {
	for _, p := range f.faults {
		if p.isAbout("local") || p.isAbout("submit") || p.isAbout("listen") {
			return p
		}
	}
	return nil
}

// submitSettings are the keys of [submit]; nil means that the key is not set.
type submitSettings struct {
	Account *string                       `toml:"account"`
	From    *string                       `toml:"from"`
	PerHour *int                          `toml:"per_hour"`
	MaxRcpt *int                          `toml:"max_rcpt"`
	Socket  *string                       `toml:"socket"`
	Drop    *string                       `toml:"drop"`
	Users   map[string]submitUserSettings `toml:"users"`
}

type submitUserSettings struct {
	Account *string   `toml:"account"`
	From    *[]string `toml:"from"`
	PerHour *int      `toml:"per_hour"`
	MaxRcpt *int      `toml:"max_rcpt"`
}

// readSubmit sets [submit]; each unusable key is a fault.
func (f *File) readSubmit(s submitSettings) {
	var o Submit
	optional(&o.Account, s.Account)
	if s.From != nil {
		o.ForeignFrom = ForeignFrom(*s.From)
		f.addFault(FaultValue, o.ForeignFrom.checkWord(), "submit", "from")
	}
	optional(&o.PerHour, s.PerHour)
	optional(&o.MaxRecipients, s.MaxRcpt)
	optional(&o.Socket, s.Socket)
	optional(&o.Drop, s.Drop)
	f.addFault(FaultReference, f.checkAccountName(o.Account), "submit", "account")
	f.addFault(FaultValue, checkNotNegative(o.PerHour), "submit", "per_hour")
	f.addFault(FaultValue, checkNotNegative(o.MaxRecipients), "submit", "max_rcpt")
	f.addFault(FaultValue, checkPlace(o.Socket), "submit", "socket")
	f.addFault(FaultValue, checkPlace(o.Drop), "submit", "drop")
	for _, name := range slices.Sorted(maps.Keys(s.Users)) {
		if o.Users == nil {
			o.Users = map[string]SubmitUser{}
		}
		o.Users[name] = f.readSubmitUser(name, s.Users[name])
	}
	f.submit = o
}

func (f *File) readSubmitUser(name string, s submitUserSettings) SubmitUser {
	var u SubmitUser
	optional(&u.Account, s.Account)
	optional(&u.From, s.From)
	optional(&u.PerHour, s.PerHour)
	optional(&u.MaxRecipients, s.MaxRcpt)
	f.addFault(FaultReference, f.checkAccountName(u.Account), "submit", "users", name, "account")
	f.addFault(FaultValue, CheckSenders(u.From), "submit", "users", name, "from")
	f.addFault(FaultValue, checkNotNegative(u.PerHour), "submit", "users", name, "per_hour")
	f.addFault(FaultValue, checkNotNegative(u.MaxRecipients), "submit", "users", name, "max_rcpt")
	return u
}

// readLocal sets [local]; each unusable name is a fault.
func (f *File) readLocal(table map[string]any) {
	targets := map[string][]string{} // by the name in lower case
	written := map[string]string{}   // the name as it is written, by that in lower case
	for _, name := range slices.Sorted(maps.Keys(table)) {
		to, err := localTargets(table[name])
		if err == nil && name != "*" {
			err = checkLocalName(name)
		}
		lower := strings.ToLower(name)
		if _, twice := targets[lower]; err == nil && twice {
			err = localerr.Errorf("%q is set twice: keys are not case-sensitive here", name)
		}
		f.addFault(FaultValue, err, "local", name)
		if err == nil {
			targets[lower], written[lower] = to, name
		}
	}
	local := map[string][]smtp.Address{}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		addresses, err := resolveLocal(targets, name, nil)
		f.addFault(FaultReference, err, "local", written[name])
		if err == nil {
			local[name] = addresses
		}
	}
	f.local = local
}

var errLocalTarget = localerr.New(`want an address, another name of this table, or a list of them like ["a@example.com", "root"]`)

// localTargets returns the value of a name in [local]: a text or a list of texts.
func localTargets(value any) ([]string, error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	if len(list) == 0 {
		return nil, errLocalTarget
	}
	var to []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, errLocalTarget
		}
		if strings.Contains(s, "@") {
			if _, err := smtp.ParseAddress(s); err != nil {
				return nil, localerr.Errorf("%q: %w", s, err)
			}
		} else if checkLocalName(s) != nil {
			return nil, errLocalTarget
		}
		to = append(to, s)
	}
	return to, nil
}

// resolveLocal returns the addresses of a name, each once. above are the names that lead to it.
func resolveLocal(targets map[string][]string, name string, above []string) ([]smtp.Address, error) {
	if slices.Contains(above, name) {
		return nil, localerr.Errorf("circular local names: %s", strings.Join(append(above, name), ", "))
	}
	above = append(slices.Clone(above), name)
	var all []smtp.Address
	add := func(a smtp.Address) {
		if !slices.ContainsFunc(all, a.Equal) {
			all = append(all, a)
		}
	}
	for _, to := range targets[name] {
		if a, err := smtp.ParseAddress(to); err == nil {
			add(a)
			continue
		}
		next := strings.ToLower(to)
		if _, ok := targets[next]; !ok {
			return nil, localerr.Errorf("%q has no entry in [local]", to)
		}
		below, err := resolveLocal(targets, next, above)
		if err != nil {
			return nil, err
		}
		for _, a := range below {
			add(a)
		}
	}
	return all, nil
}

// checkLocalName accepts what can be a local part without quotes (RFC 5321 section 4.1.2).
func checkLocalName(name string) error {
	if name == "" || len(name) > 64 || strings.ContainsAny(name, " @<>()[],;:\"\\") || strings.ContainsFunc(name, isControl) {
		return localerr.Errorf("%q: want the name of a local user, like root, or *", name)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// CheckSenders checks a list of senders that a program may use: addresses, patterns like
// "*@example.com", or "*".
func CheckSenders(list []string) error {
	for _, s := range list {
		if s == "*" {
			continue
		}
		if _, err := newPattern(s); err != nil {
			return err
		}
	}
	return nil
}

func (w ForeignFrom) checkWord() error {
	if w == ForeignRewrite || w == ForeignRefuse {
		return nil
	}
	return localerr.Errorf("%q: want %s or %s", string(w), ForeignRewrite, ForeignRefuse)
}

func checkNotNegative(n int) error {
	if n < 0 {
		return localerr.New("want a number, or 0 for the default")
	}
	return nil
}

// checkPlace accepts absolute paths: the daemon, 'yan sendmail' and other users must mean the same
// place.
func checkPlace(path string) error {
	if path == "" || path == SubmitNone || filepath.IsAbs(path) || strings.HasPrefix(path, "/") {
		return nil
	}
	return localerr.Errorf("%q: want a path that starts with /, or %q", path, SubmitNone)
}

// checkAccountName returns an error if a name is set and no account has it.
func (f *File) checkAccountName(name string) error {
	if _, ok := f.Account(name); ok || name == "" {
		return nil
	}
	return f.unknownAccount(name)
}

// addFault records a fault of a key; a nil error is none.
func (f *File) addFault(fault Fault, err error, key ...string) {
	if err != nil {
		f.faults = append(f.faults, f.faultAt(fault, key, err))
	}
}
