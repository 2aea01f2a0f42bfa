package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/telemetry/redact"
	"github.com/yanmail/yan/queue"
)

// LogEvent logs an event of the delivery, with its kind as the message. It leaves out the text of the reply, because servers
// repeat addresses and more in it; 'yan queue' shows it.
func LogEvent(log *slog.Logger, e delivery.WorkerEvent) {
	level := levelOf(e)
	if !log.Enabled(context.Background(), level) {
		return
	}
	log.LogAttrs(context.Background(), level, string(e.Kind), EventFields(e)...)
}

// levelOf returns the level of an event. Events that may need action by a person are warnings.
func levelOf(e delivery.WorkerEvent) slog.Level {
	switch e.Kind {
	case delivery.Claimed, delivery.Marked:
		return slog.LevelDebug
	case delivery.StoreError, delivery.NoRoute:
		return slog.LevelError
	case delivery.Paused, delivery.Lapsed:
		return slog.LevelWarn
	}
	switch e.State {
	case queue.Failed, queue.Expired, queue.InDoubt, queue.Held:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// EventFields returns the fields of an event that are not zero.
func EventFields(e delivery.WorkerEvent) []slog.Attr {
	var list []slog.Attr
	add := func(a slog.Attr, there bool) {
		if there {
			list = append(list, a)
		}
	}
	add(slog.Int64("id", int64(e.ID)), e.ID != 0)
	add(slog.Int("n", e.N), e.ID != 0)
	add(slog.String("account", redact.Text(e.Account)), e.Account != "")
	add(slog.String("domain", redact.Domain(e.Domain)), e.Domain != "")
	add(slog.String("state", string(e.State)), e.State != "")
	add(slog.Int("attempt", e.Attempt), e.Attempt != 0)
	add(slog.String("stage", string(e.Answer.Stage)), e.Answer.Stage != "")
	add(slog.Int("code", e.Answer.Reply.Code), e.Answer.Reply.Code != 0)
	add(slog.String("enhanced", e.Answer.Reply.Enhanced.String()), !e.Answer.Reply.Enhanced.IsZero())
	add(slog.String("class", e.Answer.Class), e.Answer.Class != "")
	add(slog.Int("count", e.Count), e.Count != 0)
	add(slog.Int64("size", e.Size), e.Size != 0)
	add(Milliseconds("for_ms", e.For), e.For != 0)
	add(Milliseconds("took_ms", e.Took), e.Took != 0)
	add(Milliseconds("waited_ms", e.Waited), e.Waited != 0)
	switch {
	case e.Err != nil:
		list = append(list, ErrorField(e.Err))
	case e.Answer.Err != "" && e.Answer.Reply.IsZero():
		list = append(list, slog.String("error", redact.Text(e.Answer.Err)))
	}
	return list
}

// Milliseconds returns a duration, in whole milliseconds if it is long: slog writes a large
// float with an exponent.
func Milliseconds(key string, d time.Duration) slog.Attr {
	if d >= time.Second {
		return slog.Int64(key, d.Milliseconds())
	}
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

// ErrorField returns err as an attribute, without addresses and secrets.
func ErrorField(err error) slog.Attr { return slog.String("error", redact.Text(err.Error())) }
