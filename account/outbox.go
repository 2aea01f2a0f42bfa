package account

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Outbox is the table [outbox]: the place of the outbox, and how long finished messages are kept.
// Missing keys have their defaults.
type Outbox struct {
	// URL is the path of a file, or a URL that begins with postgres://, without a password; ""
	// means the file outbox.db in the user's data folder.
	URL string
	// PasswordCommand prints the password for the URL's user; "" leaves it to PGPASSWORD and
	// ~/.pgpass.
	PasswordCommand string
	// Bounce is the recipient of bounces: BounceSender, BounceNone or an address.
	Bounce string
	// Queue says when 'yan send' uses the outbox without a flag: QueueNever, QueueOffline or
	// QueueAlways.
	Queue string
	// InDoubt applies to accounts without their own.
	InDoubt InDoubt
	// KeepBodies and KeepMessages are how long the text and the record of a message are kept
	// after it is finished.
	KeepBodies, KeepMessages time.Duration
	// MinFree is the number of octets that must stay free on the disk; 0 means no limit.
	MinFree int64

	dir string // folder of the configuration
}

// The values of Outbox.Bounce besides addresses.
const (
	BounceNone   = "none" // the default: failures are events only
	BounceSender = "sender"
)

// The values of Outbox.Queue.
const (
	QueueNever   = "never"   // the default: messages are sent at once
	QueueOffline = "offline" // messages are sent, and queued if no server can be reached
	QueueAlways  = "always"
)

// QueueWords lists the values of Outbox.Queue.
func QueueWords() []string { return []string{QueueAlways, QueueOffline, QueueNever} }

// InDoubt says what happens to a message that the server may have accepted, if the Sent folder
// does not show it.
type InDoubt string

// The values of InDoubt.
const (
	// InDoubtHold waits for the user's decision, so that no recipient gets a message twice. It is
	// the default.
	InDoubtHold InDoubt = "hold"
	// InDoubtRetry sends again, so that every recipient gets it at least once.
	InDoubtRetry InDoubt = "retry"
)

// Pace is a rate limit over all machines that share an outbox. The zero value means no limit.
type Pace struct {
	Messages int
	Per      time.Duration
}

const (
	day = 24 * time.Hour
	mib = 1 << 20
)

// usualOutbox returns the defaults.
func usualOutbox(dir string) Outbox {
	return Outbox{Bounce: BounceNone, Queue: QueueNever, InDoubt: InDoubtHold, KeepBodies: 7 * day, KeepMessages: 90 * day, MinFree: 64 * mib, dir: dir}
}

// Outbox returns the table [outbox] of the file; of the zero File, the defaults.
func (f *File) Outbox() Outbox {
	if f.outbox.InDoubt == "" {
		return usualOutbox(f.defaults.dir)
	}
	return f.outbox
}

// OutboxFault returns the fault that makes [outbox] unusable in a file from LoadLenient; nil if
// there is none.
func (f *File) OutboxFault() *ParseError {
	for _, p := range f.faults {
		if p.isAbout("outbox") {
			return p
		}
	}
	return nil
}

// Location returns the path of the outbox's file, or its URL without a password; "" is the
// default file.
func (o Outbox) Location() string {
	if o.URL == "" || outbox.IsPostgres(o.URL) {
		return o.URL
	}
	return Account{dir: o.dir}.File(o.URL)
}

// Where returns Location with the password of the URL, which makes it a secret. It runs
// PasswordCommand. The error is a [*SecretError] if the command fails. It does not look at
// $YAN_OUTBOX, as outbox.Open does.
func (o Outbox) Where(ctx context.Context, s Secrets) (string, error) {
	if o.PasswordCommand == "" || !outbox.IsPostgres(o.URL) {
		return o.Location(), nil
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return "", errOutboxURL
	}
	if s == nil {
		s = SystemSecrets()
	}
	a := Account{Name: "outbox", Secret: Secret{Command: o.PasswordCommand}}
	password, err := s.Password(ctx, a)
	if err != nil {
		return "", a.secretError(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
}

// ReportTo returns the recipient of bounces: none if report is false, the sender if the address
// is zero.
func (o Outbox) ReportTo() (to smtp.Address, report bool) {
	switch o.Bounce {
	case BounceNone, "":
		return to, false
	case BounceSender:
		return to, true
	}
	box, err := message.ParseMailbox(o.Bounce)
	return box.Address, err == nil
}

var (
	errOutboxURL   = localerr.New("want a file path, or a URL like postgres://user@host/database")
	errURLPassword = localerr.New("passwords are not allowed in this file: use password_command, PGPASSWORD or ~/.pgpass")
	errCommandURL  = localerr.New("password_command needs a url that starts with postgres:// and has a user name")
)

// checkKeys returns the faults, one per key.
func (o Outbox) checkKeys() []keyFault {
	var list []keyFault
	add := func(key string, fault Fault, err error) {
		if err != nil {
			list = append(list, keyFault{key, fault, err})
		}
	}
	fault, err := o.checkURL()
	add("url", fault, err)
	if o.PasswordCommand != "" && err == nil {
		if u, err := url.Parse(o.URL); err != nil || !outbox.IsPostgres(o.URL) || u.User.Username() == "" {
			add("password_command", FaultValue, errCommandURL)
		}
	}
	if o.Bounce != BounceNone && o.Bounce != BounceSender {
		if _, err := message.ParseMailbox(o.Bounce); err != nil {
			add("bounce", FaultValue, localerr.New("want none, sender or an address"))
		}
	}
	if !slices.Contains(QueueWords(), o.Queue) {
		add("queue", FaultValue, localerr.Errorf("%q: want always, offline or never", o.Queue))
	}
	add("in_doubt", FaultValue, o.InDoubt.checkWord())
	return list
}

// keyFault is a fault of one key of a table.
type keyFault struct {
	key   string
	fault Fault
	err   error
}

// checkURL never repeats the URL, which may contain a password.
func (o Outbox) checkURL() (Fault, error) {
	// libpq accepts a password as a parameter, too, and "host=… password=…" in place of a URL.
	if strings.Contains(strings.ToLower(o.URL), "password=") {
		return FaultSecret, errURLPassword
	}
	if !strings.Contains(o.URL, "://") {
		if strings.Contains(o.URL, "host=") || strings.Contains(o.URL, "dbname=") {
			return FaultValue, errOutboxURL
		}
		return "", nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || !outbox.IsPostgres(o.URL) {
		return FaultValue, errOutboxURL
	}
	if _, has := u.User.Password(); has {
		return FaultSecret, errURLPassword
	}
	return "", nil
}

func (d InDoubt) checkWord() error {
	if slices.Contains([]InDoubt{InDoubtHold, InDoubtRetry}, d) {
		return nil
	}
	return localerr.Errorf("%q: want hold or retry", string(d))
}
