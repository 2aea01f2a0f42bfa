package intake

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/telemetry"
)

// ErrDrop: the drop folder of the configuration can't be used.
var ErrDrop = localerr.New("can't use the drop folder")

// dropWay is the drop folder. A folder that the configuration does not name is optional.
func (in *Intake) dropWay(path string, required bool) *way {
	w := in.newWay(WayDrop, path)
	log := in.o.Log.With(slog.String("way", w.name))
	var folder *dropfolder.Reader
	w.open = func(context.Context) error {
		reader, err := dropfolder.Open(dropfolder.Options{Dir: path, Log: log, Permanent: isPermanent,
			Accept: func(ctx context.Context, m dropfolder.Message) error { return in.acceptFile(ctx, w, m, log) }})
		switch {
		case err == nil:
			folder = reader
			retry := reader.Retry
			in.retry.Store(&retry)
			in.logOpen(w)
			return nil
		case required:
			return localerr.Errorf("%w: %w", ErrDrop, err)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errors.ErrUnsupported):
			log.Warn("the drop folder is not used", telemetry.ErrorField(err))
		}
		w.place = ""
		return nil
	}
	w.run = func(ctx context.Context) error {
		if folder == nil {
			<-ctx.Done()
			return nil
		}
		return errors.Join(folder.Watch(ctx), folder.Close())
	}
	w.close = func() error {
		if folder == nil {
			return nil
		}
		return folder.Close()
	}
	return w
}

// acceptFile takes a message of the drop folder into the outbox. A message is refused as a whole if a
// recipient is: its program has ended, and no one would learn that one recipient is missing.
func (in *Intake) acceptFile(ctx context.Context, w *way, m dropfolder.Message, log *slog.Logger) error {
	peer := m.Peer()
	accepted, err := m.Admit(ctx, in.users)
	if err != nil {
		rule := ruleOf(err)
		w.tell(rule, false)
		log.Warn("refused a message", slog.String("file", m.Name), slog.String("peer", peer.String()), slog.String("rule", rule), slog.Int("code", admission.Reply(err).Code))
		return err
	}
	w.tell("", accepted.Duplicate)
	log.Info("kept a message", slog.Int64("id", int64(accepted.ID)), slog.String("peer", peer.String()), slog.Bool("again", accepted.Duplicate))
	return nil
}

// isPermanent reports whether a message would be refused again with the same configuration.
func isPermanent(err error) bool {
	if r, ok := errors.AsType[*admission.Refusal](err); ok && r.Rule == "count" {
		return true // no one divides the message
	}
	return admission.Reply(err).Permanent()
}

// ruleOf returns the rule that refused a message, or "outbox" for trouble of the store.
func ruleOf(err error) string {
	if r, ok := errors.AsType[*admission.Refusal](err); ok {
		return r.Rule
	}
	return "outbox"
}
