package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/telemetry"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// secretWords are strings that no log, span or status may hold: local parts, passwords, and parts
// of a message that a server repeats.
var secretWords = []string{"alice", "wonder", "hunter2", "o'brien", "quoted", "Nobody lives here"}

// eventKinds returns all kinds of events.
func eventKinds() []delivery.WorkerEventKind {
	return []delivery.WorkerEventKind{delivery.Claimed, delivery.Settled, delivery.Paused, delivery.NoRoute, delivery.Lapsed, delivery.Swept,
		delivery.Reconciled, delivery.Reported, delivery.StoreError, delivery.Marked}
}

// eventsWithSecrets returns events of each kind in each state, with secrets in every field that can hold
// one.
func eventsWithSecrets() []delivery.WorkerEvent {
	var list []delivery.WorkerEvent
	for _, kind := range eventKinds() {
		for _, state := range queue.States() {
			list = append(list, delivery.WorkerEvent{Kind: kind, Account: "alice@firm.example", ID: 17, N: 2,
				MessageID: "<alice.wonder@example.org>", Domain: "alice@example.org", State: state, Attempt: 3,
				Answer: queue.Answer{Stage: smtp.StageRcpt, Class: "mailbox_unknown", ServerID: "for alice@example.org",
					Err: "login as alice@example.org:hunter2",
					Reply: smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1},
						Lines: []string{"<alice@example.org>: Nobody lives here, hunter2"}}},
				Count: 4, Size: 1234, For: time.Minute, Began: time.Unix(1767225600, 0), Took: 1500 * time.Millisecond, Waited: time.Second,
				Err: errors.New(`can't reach postgres://yan:hunter2@db.example.org/yan for o'brien@example.org, "quoted one"@example.org and alice＠example.org`)})
		}
	}
	return list
}

func TestLogSaysNothingItMustNot(t *testing.T) {
	t.Parallel()
	for _, form := range []LogForm{LogText, LogJSON, LogJournal} {
		var out bytes.Buffer
		log := NewLog(&out, form, slog.LevelDebug)
		events := eventsWithSecrets()
		if want := len(eventKinds()) * len(queue.States()); len(events) != want || want < 100 {
			t.Fatalf("got %d events, want %d", len(events), want)
		}
		for _, e := range events {
			telemetry.LogEvent(log, e)
		}
		text := out.String()
		for _, word := range secretWords {
			if at := strings.Index(text, word); at >= 0 {
				t.Errorf("%s: the log holds %q: …%s…", form, word, text[max(0, at-80):min(len(text), at+80)])
			}
		}
		if n := strings.Count(text, "\n"); n != len(events) {
			t.Errorf("%s: %d lines of %d events", form, n, len(events))
		}
		for _, word := range []string{"17", "example.org", "mailbox_unknown", "550", "5.1.1", "db.example.org"} {
			if n := strings.Count(text, word); n < len(events) {
				t.Errorf("%s: %q occurs %d times in %d lines", form, word, n, len(events))
			}
		}
	}
}

func TestLogForms(t *testing.T) {
	t.Parallel()
	e := delivery.WorkerEvent{Kind: delivery.Settled, Account: "work", ID: 17, N: 1, Domain: "example.org", State: queue.Failed, Attempt: 2,
		Answer: queue.Answer{Class: "mailbox_unknown", Reply: smtp.Reply{Code: 550}}, Took: 1500 * time.Microsecond}
	write := func(form LogForm, least slog.Level) string {
		var out bytes.Buffer
		telemetry.LogEvent(NewLog(&out, form, least), e)
		return out.String()
	}
	const rest = "msg=settled id=17 n=1 account=work domain=example.org state=failed attempt=2 code=550 class=mailbox_unknown took_ms=1.5\n"
	if got := write(LogJournal, slog.LevelInfo); got != "<4>"+rest {
		t.Errorf("journal: %s", got)
	}
	if got := write(LogText, slog.LevelInfo); !strings.HasSuffix(got, "level=WARN "+rest) || !strings.HasPrefix(got, "time=") {
		t.Errorf("text: %s", got)
	}
	var o struct {
		Msg, Level, State, Class string
		ID, Code                 int
	}
	if err := json.Unmarshal([]byte(write(LogJSON, slog.LevelInfo)), &o); err != nil || o.Msg != "settled" || o.ID != 17 || o.Code != 550 || o.State != "failed" {
		t.Errorf("JSON: %+v, %v", o, err)
	}
	if got := write(LogText, slog.LevelError); got != "" {
		t.Errorf("a warning at level error: %s", got)
	}
}

// Errors of the configuration and of panics are scrubbed, too.
func TestOtherLinesSayNothingTheyMustNot(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, nil)
	p := &PanicError{Part: "delivery", Value: "alice@example.org", Stack: []byte("main.go:1")}
	d := &daemon{o: Options{Log: NewLog(r.log, LogText, slog.LevelDebug)}}
	d.logFailure("delivery", fmt.Errorf("wrapped: %w", p))
	d.logFailure("socket", errors.New("smtps://alice:hunter2@example.org"))
	for _, word := range secretWords {
		if strings.Contains(r.log.String(), word) {
			t.Errorf("the log holds %q:\n%s", word, r.log)
		}
	}
}
