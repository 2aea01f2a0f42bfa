package account

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Outbox is the table [outbox]: where messages wait to be handed over, and for how
// long what became of them is known. What the file does not say has its default.
type Outbox struct {
	// URL is the path of a file, or a URL that begins with postgres://, without a
	// password; "" is the file outbox.db among the user's data.
	URL string
	// PasswordCommand prints the password of the URL's user; "" leaves it to PGPASSWORD
	// and ~/.pgpass.
	PasswordCommand string
	// Bounce is who gets a message about what could not be handed over: BounceSender,
	// BounceNone or an address.
	Bounce string
	// Queue is whether 'yan send' puts messages here where its flag does not say so:
	// QueueNever, QueueOffline or QueueAlways.
	Queue string
	// InDoubt is for accounts that have none of their own.
	InDoubt InDoubt
	// KeepBodies and KeepMessages are how long the text of a message, and what became
	// of it, are kept behind its end.
	KeepBodies, KeepMessages time.Duration
	// MinFree is how many octets have to be left on the disk; 0 asks for none.
	MinFree int64

	dir string // of the configuration
}

// The values of Outbox.Bounce that are no addresses.
const (
	BounceNone   = "none" // the default: the events tell
	BounceSender = "sender"
)

// The values of Outbox.Queue.
const (
	QueueNever   = "never"   // the default: a message is sent
	QueueOffline = "offline" // it is sent, and kept where no server can be reached
	QueueAlways  = "always"
)

// QueueWords lists them.
func QueueWords() []string { return []string{QueueAlways, QueueOffline, QueueNever} }

// InDoubt is what happens when nobody can know whether the server took a message,
// and the Sent folder does not tell.
type InDoubt string

// The values of InDoubt.
const (
	// InDoubtHold waits for a person, so that nobody gets a message twice. It is the
	// default.
	InDoubtHold InDoubt = "hold"
	// InDoubtRetry sends again, so that everybody gets it once or more.
	InDoubtRetry InDoubt = "retry"
)

// Pace is how many messages may go out in a time, over all machines that share
// an outbox. The zero value sets no bound.
type Pace struct {
	Messages int
	Per      time.Duration
}

const (
	day = 24 * time.Hour
	mib = 1 << 20
)

// usualOutbox is what holds where the file says nothing.
func usualOutbox(dir string) Outbox {
	return Outbox{Bounce: BounceNone, Queue: QueueNever, InDoubt: InDoubtHold, KeepBodies: 7 * day, KeepMessages: 90 * day, MinFree: 64 * mib, dir: dir}
}

// Outbox is that of the file; of the zero File it has the defaults.
func (f *File) Outbox() Outbox {
	if f.outbox.InDoubt == "" {
		return usualOutbox(f.defaults.dir)
	}
	return f.outbox
}

// OutboxFault is what is wrong with the table [outbox] of a file that LoadFaulty
// read, so that it can't be used; nil when nothing is.
func (f *File) OutboxFault() *ParseError {
	for _, p := range f.faults {
		if p.about("outbox") {
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

// ReportTo is who is told of what could not be handed over: nobody when report is
// false, the sender for the zero address.
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
	errOutboxURL   = sentence.New("want the path of a file, or a URL like postgres://user@host/database")
	errURLPassword = sentence.New("a password does not belong into this file: leave it to password_command, PGPASSWORD or ~/.pgpass")
	errCommandURL  = sentence.New("password_command needs a url that begins with postgres:// and names a user")
)

// check finds what makes no sense, by key.
func (o Outbox) check() []outboxFault {
	var list []outboxFault
	add := func(key string, fault Fault, err error) {
		if err != nil {
			list = append(list, outboxFault{key, fault, err})
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
			add("bounce", FaultValue, sentence.New("want none, sender or an address"))
		}
	}
	if !slices.Contains(QueueWords(), o.Queue) {
		add("queue", FaultValue, sentence.Errorf("%q: want always, offline or never", o.Queue))
	}
	add("in_doubt", FaultValue, o.InDoubt.check())
	return list
}

// outboxFault is what is wrong with a key.
type outboxFault struct {
	key   string
	fault Fault
	err   error
}

// checkURL says nothing of what it read, which may be a password.
func (o Outbox) checkURL() (Fault, error) {
	// libpq takes it as a parameter, too, and "host=… password=…" for a URL.
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

func (d InDoubt) check() error {
	if slices.Contains([]InDoubt{InDoubtHold, InDoubtRetry}, d) {
		return nil
	}
	return sentence.Errorf("%q: want hold or retry", string(d))
}
