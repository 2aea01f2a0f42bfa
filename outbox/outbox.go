package outbox

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// Options are the options of [Open]. The zero value is right for most programs.
type Options struct {
	// Accounts is the configuration; nil reads that of this user when it is first needed. It
	// must not change while the outbox is open. A configuration without accounts, like
	// new(account.File), checks no account names: for a machine that only enqueues.
	Accounts *account.File
	// Secrets is the source of passwords; nil means [account.SystemSecrets].
	Secrets account.Secrets
	// MinFree is the disk space in octets that must be left after a message is kept. 0 means
	// the value of the configuration if the outbox is the configured one, otherwise 64 MiB; a
	// negative value switches the check off. It has no effect on PostgreSQL.
	MinFree int64
	// Log gets the problems of delivery that are not outcomes of messages: accounts that can't
	// be used, pauses, errors of the database. It gets no content of messages and no secrets.
	// nil discards it.
	Log *slog.Logger
	// Tracer gets a span for every attempt for each recipient, from its beginning to the
	// answer; nil disables tracing. Spans have no content of messages, no local part of an
	// address and no secret.
	Tracer trace.Tracer
}

// Outbox is an open outbox. It is safe for concurrent use; call Close at the end.
type Outbox struct {
	o        Options
	store    store.Store
	composer message.Composer

	mu   sync.Mutex
	file *account.File

	signal signal // wakes the watchers after a change by this process
}

// Open opens an outbox, and creates it if there is none. where is the path of a SQLite file
// (~/ is the user's home folder), or a URL that begins with postgres://, for which PGPASSWORD,
// ~/.pgpass and the other settings of libpq apply as well; the tables are in the schema yan.
// "" is the outbox of this user: $YAN_OUTBOX, otherwise the configured one, otherwise the
// default file.
//
// An error of the configuration is an *account.ParseError; no error contains a password. The
// configuration is read if where is "" and Options.Accounts is nil. Reading it (at most 1 MiB,
// see [account.Load]) is not interrupted by ctx.
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
		f, err := b.loadAccounts()
		if err != nil {
			return nil, err
		}
		if p := f.OutboxFault(); p != nil {
			return nil, p
		}
		settings = f.Outbox()
		if o.MinFree == 0 {
			options = accountroute.StoreOptions(settings)
		}
	}
	where, err := accountroute.Place{Named: where, Settings: settings, Secrets: b.o.Secrets, Getenv: os.Getenv}.Find(ctx)
	if err != nil {
		return nil, err
	}
	if b.store, err = stores.Open(ctx, where, options); err != nil {
		return nil, err
	}
	return b, nil
}

// loadAccounts returns the accounts of the options, or of this user. After an error the next call
// reads the configuration again.
func (b *Outbox) loadAccounts() (*account.File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file != nil {
		return b.file, nil
	}
	path, err := account.Path(os.Getenv)
	if err != nil {
		return nil, err
	}
	f, err := account.LoadLenient(path)
	if err != nil {
		return nil, err
	}
	b.file = f
	return f, nil
}

// Close closes the outbox. An Enqueue in progress is finished or fails. Stop [Outbox.Deliver]
// first.
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

// Stats counts the recipients in the outbox, and describes its workers and pauses.
func (b *Outbox) Stats(ctx context.Context) (queue.Stats, error) { return b.store.Stats(ctx) }
