package sendcmd

import (
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/sending"
)

func TestRunBar(t *testing.T) {
	t.Parallel()
	for lang, want := range map[i18n.Language]string{
		i18n.English: "████████████░░░░░░░░░░░░  50%  1 of 3 messages  0.1/s  10 seconds left",
		i18n.Chinese: "████████████░░░░░░░░░░░░  50%  已处理 1 封，共 3 封  每秒 0.1 封  剩余 10 秒",
	} {
		a, _, errs := testApp(lang)
		now := time.Unix(0, 0)
		a.Now = func() time.Time { return now }
		a.StderrWidth = 100
		todo := []*sending.Outgoing{{Size: 4_000_000}, {Size: 6_000_000 + overhead}, {Size: 2_000_000 - overhead}}
		var b runBar
		b.startBar(a, &sendFlags{}, todo)
		part := b.progressFunc(todo[1])
		b.countSettled(todo[0])
		now = now.Add(10 * time.Second)
		part(2_000_000+overhead/2, todo[1].Size)
		got := errs.String()
		if got != "\r"+want+"\x1b[K" {
			t.Errorf("%q, want %q", got, want)
		}
		part(3_000_000, todo[1].Size) // not drawn: at most ten times a second
		if errs.String() != got {
			t.Errorf("drawn too soon: %q", errs)
		}
		b.printAround(true, func() { a.Errf("line\n") })
		if !strings.HasSuffix(errs.String(), "\r\x1b[Kline\n") {
			t.Errorf("%q", errs)
		}
		now = now.Add(time.Second)
		a.StderrWidth = 15
		part(4_000_000, todo[1].Size)
		if !strings.HasSuffix(errs.String(), "\r 66%\x1b[K") {
			t.Errorf("on a narrow terminal: %q", errs)
		}
		b.clear()
		if !strings.HasSuffix(errs.String(), "\r\x1b[K") {
			t.Errorf("%q", errs)
		}
	}
	var none runBar
	none.printAround(true, func() {})
	none.countSettled(&sending.Outgoing{})
	if none.progressFunc(&sending.Outgoing{Size: 1 << 30}) != nil {
		t.Error("a bar that shows nothing asks for progress")
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n    int
		took time.Duration
		want string
	}{{1, 4 * time.Second, "0.2"}, {99, 10 * time.Second, "9.9"}, {10, time.Second, "10"}, {24_321, 2 * time.Second, "12160"}} {
		if got := formatRate(test.n, test.took); got != test.want {
			t.Errorf("rate(%d, %v) = %s, want %s", test.n, test.took, got, test.want)
		}
	}
}

// barOf returns the bar of a single message; nil if none is shown.
func barOf(a *sendCommand, s *sendFlags, size int64) *console.Bar {
	var b runBar
	b.startBar(a, s, []*sending.Outgoing{{Size: size}})
	return b.one
}

func TestProgress(t *testing.T) {
	t.Parallel()
	a, _, errs := testApp(i18n.English)
	now := time.Unix(0, 0)
	a.Now = func() time.Time { return now }
	a.StderrWidth = 80
	for name, s := range map[string]*sendFlags{"quiet": {quiet: true}, "json": {json: true}, "transcript": {transcript: true},
		"quit": {ServerFlags: serverflag.ServerFlags{QuitAfter: "rcpt"}}} {
		if b := barOf(a, s, 5_000_000); b != nil {
			t.Errorf("with %s a bar is shown", name)
		}
	}
	if barOf(a, &sendFlags{}, 1_000_000) != nil {
		t.Error("a small message has a bar")
	}
	b := barOf(a, &sendFlags{}, 4_000_000)
	steps := []struct {
		after time.Duration
		sent  int64
		want  string // "" if not drawn
	}{
		{0, 0, "░░░░░░░░░░░░░░░░░░░░░░░░   0%  0 B / 4.0 MB"},
		{50 * time.Millisecond, 500_000, ""},
		{50 * time.Millisecond, 1_000_000, "██████░░░░░░░░░░░░░░░░░░  25%  1.0 MB / 4.0 MB"},
		{1900 * time.Millisecond, 2_000_000, "████████████░░░░░░░░░░░░  50%  2.0 MB / 4.0 MB  1.0 MB/s  2 seconds left"},
		{0, 4_000_000, "████████████████████████ 100%  4.0 MB / 4.0 MB  waiting for the server"},
	}
	for _, step := range steps {
		errs.Reset()
		now = now.Add(step.after)
		b.Set(step.sent, 4_000_000)
		want := ""
		if step.want != "" {
			want = "\r" + step.want + "\x1b[K"
		}
		if errs.String() != want {
			t.Errorf("at %d: %q, want %q", step.sent, errs, want)
		}
	}
	errs.Reset()
	b.Clear()
	if errs.String() != "\r\x1b[K" {
		t.Errorf("clear: %q", errs)
	}
	for _, width := range []int{1, 4, 20, 30, 40, 60} {
		a.StderrWidth = width
		if got := console.Columns(b.Line(2_000_000, 4_000_000, 2*time.Second)); got > max(width, 4) {
			t.Errorf("%d columns on a terminal of %d", got, width)
		}
	}
}
