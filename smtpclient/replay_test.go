package smtpclient_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtpclient"
)

// Every dialogue of testdata is replayed, both directions to the byte, in each rhythm.
func TestDialogues(t *testing.T) {
	t.Parallel()
	for _, s := range loadScripts(t) {
		for name, rhythm := range rhythms() {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				replay(t, s, rhythm)
			})
		}
	}
}

func replay(t *testing.T, s script, rhythm func([]byte) [][]byte) {
	ctx, log := t.Context(), newEventLog(t)
	var wrong error
	cfg, rec, done := pipe(s.config(), func(conn net.Conn) { wrong = s.play(conn, rhythm, uncut) })
	cfg.Trace = log.trace
	conn, err := smtpclient.Dial(ctx, cfg)
	var got []string
	if err != nil {
		got = append(got, describeError(t, err))
	} else {
		flights := fmt.Sprint(rec.flown())
		for range s.head["want"] {
			got = append(got, describe(conn.Send(ctx, s.transaction(t))))
			flights += fmt.Sprint(" ", rec.flown())
		}
		if want := s.value("flights"); want != "" && flights != want {
			t.Errorf("flights %s, want %s", flights, want)
		}
		if usable := fmt.Sprint(conn.Usable()); s.value("usable") != "" && usable != s.value("usable") {
			t.Errorf("usable %s", usable)
		}
		conn.Quit(ctx)
		conn.Quit(ctx)
	}
	<-done
	if wrong != nil {
		t.Error(wrong)
	}
	want := s.head["want"]
	if f := s.value("fails"); f != "" {
		want = []string{f}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || len(want) == 0 {
		t.Errorf("outcome\n%s\nwant\n%s\n\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), log)
	}
	for _, secret := range s.head["secret"] {
		if strings.Contains(log.String(), secret) || strings.Contains(strings.Join(got, ""), secret) {
			t.Errorf("%q is shown:\n%s", secret, log)
		}
	}
	for _, line := range s.head["trace"] {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the trace has no %q:\n%s", line, log)
		}
	}
}

// describe formats a result like the head of a dialogue: for each recipient "status@stage", with
// the code of the reply and the error.
func describe(r smtpclient.Result) string {
	var out []string
	for _, o := range r.Outcomes {
		s := strings.ReplaceAll(string(o.Status), " ", "-") + "@" + string(o.Stage)
		if o.Reply.Code != 0 {
			s += fmt.Sprint(" ", o.Reply.Code)
		}
		if o.Err != nil {
			s += fmt.Sprintf(" (%v)", o.Err)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func describeError(t *testing.T, err error) string {
	t.Helper()
	at := stageOf(t, err)
	s := string(at.Stage)
	if at.Reply.Code != 0 {
		s += fmt.Sprint(" ", at.Reply.Code)
	}
	if at.Err != nil {
		s += fmt.Sprintf(" (%v)", at.Err)
	}
	return s
}
