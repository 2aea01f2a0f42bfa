package sendmailcmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/peeruser"
)

// kept says where a message is.
type kept struct {
	id string // its number in the outbox; "" in the drop folder
}

// send hands over the message on standard input.
func (a *sendmailCommand) send(ctx context.Context, c call) error {
	l, err := a.readLetter(c)
	if err != nil {
		return err
	}
	defer l.Close()
	got, err := a.handOver(ctx, c, l)
	if err != nil {
		return err
	}
	if c.verbose && got.id != "" {
		a.Outf("%s\n", a.T("kept as %s", got.id))
	} else if c.verbose {
		a.Outf("%s\n", a.T("kept in the drop folder until 'yan serve' runs"))
	}
	return nil
}

// errNoDaemon means that no daemon has taken the message, or could have: the next way may.
var errNoDaemon = errors.New("no daemon")

// handOver tries the three ways in their order. Each keeps all of the message or nothing, and all
// have the message's key, so that it is kept once even if an answer was lost.
func (a *sendmailCommand) handOver(ctx context.Context, c call, l *letter) (kept, error) {
	p := a.places(c)
	if p.socket != "" {
		got, err := a.overSocket(ctx, p.socket, l)
		if !errors.Is(err, errNoDaemon) {
			return got, err
		}
	}
	if p.drop != "" && dropfolder.Exists(p.drop) {
		return kept{}, a.intoFolder(p.drop, l)
	}
	return a.intoOwnOutbox(ctx, p, l)
}

// places are where the machine's daemon takes messages; "" where it does not.
type places struct {
	socket, drop string
	// seen says that the socket exists, though no daemon may answer there.
	seen bool
}

// systemConfig is the configuration of the machine's daemon, below the folder of the system's
// settings.
const systemConfig = "yan/config.toml"

// places finds them in the user's configuration, then in that of the machine.
func (a *sendmailCommand) places(c call) places {
	if c.config != "" || a.Etc == "" {
		return places{}
	}
	var own, system account.Submit
	if path, err := account.Path(a.Getenv); err == nil {
		own = a.submitOf(path)
	}
	if own.Socket == "" || own.Drop == "" {
		system = a.submitOf(filepath.Join(a.Etc, systemConfig))
	}
	choose := func(own, system, usual string) string {
		for _, s := range []string{own, system, usual} {
			if s == account.SubmitNone {
				return ""
			}
			if s != "" {
				return s
			}
		}
		return ""
	}
	p := places{socket: choose(own.Socket, system.Socket, account.DefaultSubmitSocket), drop: choose(own.Drop, system.Drop, account.DefaultDropFolder)}
	_, err := os.Lstat(p.socket)
	p.seen = p.socket != "" && !errors.Is(err, fs.ErrNotExist)
	return p
}

// submitOf returns the table [submit] of a file. A file that can't be read has none: it is a fault
// only if the message goes into the outbox that it names.
func (a *sendmailCommand) submitOf(path string) account.Submit {
	if _, err := os.Stat(path); err != nil {
		return account.Submit{}
	}
	load := a.LoadConfig
	if load == nil {
		load = account.LoadLenient
	}
	f, err := a.ReadConfiguration(path, load)
	if err != nil {
		return account.Submit{}
	}
	return f.Submit()
}

// publicSocket returns the path of the socket for enquiries, next to the one for messages.
func (p places) publicSocket() string {
	if p.socket == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(p.socket), publicName)
}

// publicName is the name of the socket of package enquiry.
const publicName = "public.sock"

// nowhere is the failure if there is no way for a message.
func (a *sendmailCommand) nowhere(p places) error {
	if p.seen || p.drop != "" && exists(p.drop) {
		return command.Fail(command.ExitTemporary, errors.New(a.T("'yan serve' does not run on this machine, and its drop folder can't be used")),
			a.T("Start it: %s", "systemctl start yan"))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("no 'yan serve' takes mail on this machine, and the user %s has no account", peeruser.Of(os.Geteuid()).Name)),
		a.T("Set up an account: %s. Or let 'yan serve' run for the machine.", "yan login"))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
