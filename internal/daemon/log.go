package daemon

import (
	"io"
	"log/slog"
)

// LogForm is the format of a log's lines.
type LogForm string

// The formats.
const (
	LogText    LogForm = "text"    // time=… level=… msg=…
	LogJSON    LogForm = "json"    // one object per line
	LogJournal LogForm = "journal" // for systemd's journal, which adds the time: <6>msg=…
)

// NewLog returns a logger that writes to w. Records below level least are dropped.
func NewLog(w io.Writer, form LogForm, least slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: least}
	switch form {
	case LogJSON:
		return slog.New(slog.NewJSONHandler(w, o))
	case LogJournal:
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		}
		p := &priorities{w: w}
		return slog.New(journal{Handler: slog.NewTextHandler(p, o), to: p})
	}
	return slog.New(slog.NewTextHandler(w, o))
}
