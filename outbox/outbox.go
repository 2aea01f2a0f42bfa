package outbox

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/yanmail/yan/account"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/route"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// Options is what [Open] may be told. The zero value is what a user wants.
type Options struct {
	// Accounts is the configuration to use; nil reads that of this user when it is
	// needed first. Nobody may change it meanwhile. One without accounts, like
	// new(account.File), checks no names: for a machine that only enqueues.
	Accounts *account.File
	// Secrets are where passwords are found; nil means the places of this machine.
	Secrets account.Secrets
	// MinFree is how many octets have to be left on the disk behind a message; 0
	// means what the configuration says where the outbox is its own, else 64 MiB, and
	// below 0 nothing is asked. Of PostgreSQL's disk nothing is known.
	MinFree int64
	// Log is told what goes wrong while messages are delivered, besides what
	// becomes of each: accounts that can't be used, pauses, errors of the database.
	// It holds nothing of messages and no secrets. nil tells nobody.
	Log *slog.Logger
	// Tracer is told of every attempt for each recipient, from its beginning to the
	// answer; nil tells nobody. What it is told holds nothing of messages, no local part
	// of an address and no secret.
	Tracer trace.Tracer
}

// Outbox keeps messages. It is for many goroutines. Close it.
type Outbox struct {
	o        Options
	store    store.Store
	composer message.Composer

	mu   sync.Mutex
	file *account.File

	signal signal // something happened in this process that makes an event
}

// Open opens an outbox, and makes it when there is none. where is the path of a
// SQLite file (~/ is the user's folder), or a URL that begins with postgres://,
// for which PGPASSWORD, ~/.pgpass and the other ways of libpq hold as well; the
// tables are in its schema yan. "" is the outbox of this user: $YAN_OUTBOX, else the
// one of the configuration, else the default file.
//
// The error is an *account.ParseError where it is about the configuration, and names
// no password. ctx does not end the reading of the configuration, which has at most
// 1 MiB (see [account.Load]); it is read if where is "" and Options.Accounts is nil.
func Open(ctx context.Context, where string, o Options) (*Outbox, error) {
	b := &Outbox{o: o, file: o.Accounts}
	if b.o.Secrets == nil {
		b.o.Secrets = account.SystemSecrets()
	}
	if b.o.Log == nil {
		b.o.Log = slog.New(slog.DiscardHandler)
	}
	options := store.Options{MinFree: o.MinFree}
	var settings account.Outbox
	if where == "" {
		f, err := b.accounts()
		if err != nil {
			return nil, err
		}
		if p := f.OutboxFault(); p != nil {
			return nil, p
		}
		settings = f.Outbox()
		if o.MinFree == 0 {
			options = route.StoreOptions(settings)
		}
	}
	where, err := route.Place{Named: where, Settings: settings, Secrets: b.o.Secrets, Getenv: os.Getenv}.Find(ctx)
	if err != nil {
		return nil, err
	}
	if b.store, err = stores.Open(ctx, where, options); err != nil {
		return nil, err
	}
	return b, nil
}

// accounts are those of the options, or of this user. What can't be read is tried
// again the next time.
func (b *Outbox) accounts() (*account.File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file != nil {
		return b.file, nil
	}
	path, err := account.Path(os.Getenv)
	if err != nil {
		return nil, err
	}
	f, err := account.LoadFaulty(path)
	if err != nil {
		return nil, err
	}
	b.file = f
	return f, nil
}

// Close closes the outbox. What is being enqueued is finished or fails; stop
// [Outbox.Deliver] before.
func (b *Outbox) Close() error { return b.store.Close() }

// Show returns a message with all recipients and events. The error is queue.ErrNotFound
// if there is no such message.
func (b *Outbox) Show(ctx context.Context, id queue.ID) (queue.Entry, error) {
	return b.store.Show(ctx, id)
}

// List returns a page of messages, the newest first. Its entries have no Events, and at
// most 20 Recipients.
func (b *Outbox) List(ctx context.Context, f queue.Filter) (queue.Page, error) {
	return b.store.List(ctx, f)
}

// Body opens a message as it is sent, header included. The error is queue.ErrNoBody if
// it has been removed.
func (b *Outbox) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	return b.store.Body(ctx, id)
}

// Stats counts what is in the outbox.
func (b *Outbox) Stats(ctx context.Context) (queue.Stats, error) { return b.store.Stats(ctx) }
