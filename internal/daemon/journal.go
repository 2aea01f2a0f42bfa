package daemon

import (
	"context"
	"io"
	"log/slog"
	"sync"
)

// journal prefixes each line with the priority of its level, which systemd's journal strips
// (sd-daemon(3)).
type journal struct {
	slog.Handler
	to *priorities
}

func (j journal) Handle(ctx context.Context, r slog.Record) error {
	j.to.mu.Lock()
	defer j.to.mu.Unlock()
	j.to.next = levelPriority(r.Level)
	return j.Handler.Handle(ctx, r)
}

func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return journal{j.Handler.WithAttrs(attrs), j.to}
}

func (j journal) WithGroup(name string) slog.Handler {
	return journal{j.Handler.WithGroup(name), j.to}
}

// priorities is the writer below the handler, which calls Write once per record.
type priorities struct {
	mu   sync.Mutex
	w    io.Writer
	next string
}

func (p *priorities) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.next), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}

func levelPriority(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "<3>"
	case l >= slog.LevelWarn:
		return "<4>"
	case l >= slog.LevelInfo:
		return "<6>"
	}
	return "<7>"
}
