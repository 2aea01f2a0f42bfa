package intake

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"path/filepath"
	"reflect"
	"runtime"
	"sync/atomic"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/telemetry"
)

// Options configure an Intake.
type Options struct {
	Store admission.Store
	// Spool is the folder for large messages while they arrive; "" is the system's for temporary
	// files.
	Spool string
	// Tokens is the path of the file of tokens.
	Tokens string
	// Machine is true for the daemon of the machine, which has a submission socket and a drop folder
	// even if the configuration does not name them.
	Machine bool
	// Count is told of each message that was accepted, with rule "", and of each refusal; nil counts
	// only for Ways.
	Count func(way, rule string)
	Log   *slog.Logger
}

// Settings are the tables of the configuration that an Intake uses.
type Settings struct {
	File *account.File
	// Listen is the SMTP listener; nil means none. It may differ from the File's by a flag.
	Listen *account.ListenSMTP
}

// Intake is the ways in of a daemon.
type Intake struct {
	o      Options
	tokens *tokens.LiveTokens

	rules    atomic.Pointer[currentRules]
	settings Settings // of the start
	users    *admission.Admission
	ways     []*way
	retry    atomic.Pointer[func()] // tries the refused files of the drop folder again
}

// currentRules are replaced by a reload.
type currentRules struct {
	policy *accountroute.SubmitPolicy
	listen account.ListenSMTP
	local  *accountroute.ListenPolicy
	tls    *tls.Config // nil: none
}

// The errors of New and Configure are about the configuration, and wrap one of these where a caller
// has advice.
var (
	// ErrNoToken: other machines can reach the listener, and nobody can log in.
	ErrNoToken = localerr.New("other machines can reach the address of [listen.smtp], but there are no logins")
	// ErrNoUsers: the system can't tell the user of a connection.
	ErrNoUsers = localerr.New("this system does not tell which user has opened a connection: users in [listen.smtp] is for Linux")
)

// New returns the ways in of a configuration. It opens nothing but the file of tokens and the
// certificate.
func New(ctx context.Context, o Options, s Settings) (*Intake, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Count == nil {
		o.Count = func(string, string) {}
	}
	in := &Intake{o: o}
	var err error
	if in.tokens, err = tokens.Open(ctx, o.Tokens, func(err error) {
		o.Log.Error("the file of tokens can't be used, keeping the previous tokens", telemetry.ErrorField(err))
	}); err != nil {
		return nil, err
	}
	if err := in.Configure(ctx, s); err != nil {
		return nil, err
	}
	in.settings = s
	if s.Listen != nil && s.Listen.Insecure {
		o.Log.Warn("passwords are accepted in the clear", slog.String("address", s.Listen.Address))
	}
	in.users = admission.New(admission.Options{Policy: in.policy, Store: o.Store, Spool: o.Spool})
	in.addWays()
	return in, nil
}

// systemNames reads the names of the machine and /etc/aliases.
func (in *Intake) systemNames() accountroute.PolicySources {
	names, notices, err := accountroute.SystemNames()
	if err != nil {
		in.o.Log.Warn("local names of the system are not used", telemetry.ErrorField(err))
	}
	if len(notices) > 0 {
		in.o.Log.Info("lines of /etc/aliases are not used", slog.Int("lines", len(notices)), slog.Int("first", notices[0].Line))
	}
	names.Tokens = func() *tokens.TokenFile { return in.tokens.Current(context.Background()) }
	return names
}

// Configure makes a configuration the current one. If it can't be used, the error says why, and the
// previous one stays.
func (in *Intake) Configure(ctx context.Context, s Settings) error {
	var names accountroute.PolicySources
	if in.isUsed(s) {
		names = in.systemNames()
	}
	if err := in.tokens.Reload(ctx); err != nil {
		return err
	}
	r := &currentRules{policy: accountroute.NewSubmitPolicy(s.File, names)}
	if l := s.Listen; l != nil {
		r.listen, r.local = *l, r.policy.ForListener(*l)
		if len(l.Users) > 0 && runtime.GOOS != "linux" {
			return ErrNoUsers
		}
		if !l.IsLoopback() && len(in.tokens.Current(ctx).List()) == 0 {
			return ErrNoToken
		}
		if l.Certificate != "" {
			var err error
			if r.tls, err = loadCertificate(l.Certificate, l.Key, in.o.Log); err != nil {
				return err
			}
		}
	}
	if in.settings.File != nil && in.needsRestart(s) {
		in.o.Log.Warn("the places and limits of the ways in change at the next start")
	}
	in.rules.Store(r)
	if retry := in.retry.Load(); retry != nil {
		(*retry)()
	}
	return nil
}

// isUsed reports whether settings have a way in.
func (in *Intake) isUsed(s Settings) bool {
	submit := s.File.Submit()
	socket, _ := in.place(submit.Socket, account.DefaultSubmitSocket)
	drop, _ := in.place(submit.Drop, account.DefaultDropFolder)
	return s.Listen != nil || socket != "" || drop != ""
}

// needsRestart reports whether settings differ from those of the start in what a reload can't change.
func (in *Intake) needsRestart(s Settings) bool {
	before, now := in.settings.File.Submit(), s.File.Submit()
	if before.Socket != now.Socket || before.Drop != now.Drop || (in.settings.Listen == nil) != (s.Listen == nil) {
		return true
	}
	return s.Listen != nil && !reflect.DeepEqual(fixed(*in.settings.Listen), fixed(*s.Listen))
}

// fixed returns the settings of a listener that a reload can't change.
func fixed(l account.ListenSMTP) account.ListenSMTP {
	l.Local, l.Users = nil, nil
	if l.Certificate != "" {
		l.Certificate, l.Key = "TLS", ""
	}
	return l
}

func (in *Intake) policy() admission.Policy { return in.rules.Load().policy }

// localPolicy is the policy of the listener. After a reload that removed the listener, the one before
// would be gone, too: then the policy of users applies, which lets in nobody without a login.
func (in *Intake) localPolicy() admission.Policy {
	r := in.rules.Load()
	if r.local == nil {
		return r.policy
	}
	return r.local
}

// place returns the path of a socket or folder: as configured, or the default of the daemon of the
// machine; "" for none. set says that the configuration names it.
func (in *Intake) place(configured, usual string) (path string, set bool) {
	switch {
	case configured == account.SubmitNone, configured == "" && !in.o.Machine:
		return "", false
	case configured == "":
		return usual, false
	}
	return configured, true
}

// addWays makes the ways in of the configuration.
func (in *Intake) addWays() {
	submit := in.settings.File.Submit()
	if path, _ := in.place(submit.Socket, account.DefaultSubmitSocket); path != "" {
		in.ways = append(in.ways, in.socketWay(path))
	}
	if path, set := in.place(submit.Drop, account.DefaultDropFolder); path != "" {
		in.ways = append(in.ways, in.dropWay(path, set))
	}
	if in.settings.Listen != nil {
		in.ways = append(in.ways, in.listenerWay(*in.settings.Listen))
	}
}

// PublicSocket returns the path of the socket at which users ask about their messages, beside a
// submission socket.
func PublicSocket(submit string) string { return filepath.Join(filepath.Dir(submit), "public.sock") }

// Services returns the ways in as parts of the daemon. wake makes the delivery look for due messages.
func (in *Intake) Services(wake func()) []daemon.Service {
	var list []daemon.Service
	for _, w := range in.ways {
		list = append(list, daemon.Service{Name: w.name, Open: w.open, Run: w.run, Close: w.close})
		if w.name == WaySocket {
			list = append(list, in.enquiryService(PublicSocket(w.place), wake))
		}
	}
	return list
}

// errNotOpened: a service runs that was not opened, a bug.
var errNotOpened = errors.New("the service was not opened")
