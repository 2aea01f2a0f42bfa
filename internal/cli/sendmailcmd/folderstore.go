package sendmailcmd

import (
	"context"
	"strings"

	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// folderStore keeps messages in the drop folder, for a session while the daemon is down.
type folderStore struct{ dir string }

// Enqueue implements admission.Store.
func (s folderStore) Enqueue(_ context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	dsn := m.Envelope.DSN()
	e := dropfolder.Envelope{From: m.Envelope.From().String(), Return: dsn.Return, EnvelopeID: dsn.EnvelopeID, Notify: strings.Join(dsn.Notify, ","),
		Key: strings.TrimPrefix(m.Key, peer().Tag()+"/")} // the daemon puts the owner's tag before it
	for _, to := range m.Envelope.To() {
		e.To = append(e.To, strings.TrimSuffix(to.String(), "@"+localDomain))
	}
	err := dropfolder.Write(s.dir, e, m.Content)
	if isFull(err) {
		err = localerr.Errorf("%w: %w", queue.ErrFull, err)
	}
	return outbox.EnqueueResult{}, err
}

// EnqueueIn implements admission.Store.
func (folderStore) EnqueueIn(context.Context, outbox.CallerTx, outbox.NewMessage) (outbox.EnqueueResult, error) {
	return outbox.EnqueueResult{}, errNoTransaction
}

// List implements admission.Store. A caller can't list the folder.
func (folderStore) List(context.Context, queue.Filter) (queue.Page, error) { return queue.Page{}, nil }
