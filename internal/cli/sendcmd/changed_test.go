package sendcmd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/transport"
)

// deliverWith sends the messages of a folder to a recorder. It calls meanwhile after the messages
// were checked and before they are sent.
func deliverWith(t *testing.T, recorder *transport.Recorder, s *sendFlags, dir string, meanwhile func()) (code int, out, errs string) {
	t.Helper()
	a, stdout, stderr := testApp(i18n.English)
	messages, err := (&rawReader{a, s}).rawMessages(t.Context(), []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	meanwhile()
	r := a.newRun(s, nil, messages)
	o, err := r.runOptions(transport.Server{Host: "smtp.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	o.Sender.Open = func(context.Context) (*yan.Client, transport.Server, error) {
		return yan.NewClient(recorder), o.Sender.Server, nil
	}
	r.createRun(o)
	if err := r.run.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	code = a.Finish(r.sendPending(t.Context()))
	return code, stdout.String(), stderr.String()
}

// A file that changes or disappears while earlier messages are sent is not sent; the other messages
// are.
func TestFilesThatChangeMeanwhile(t *testing.T) {
	t.Parallel()
	for _, log := range []bool{false, true} {
		dir := clitest.WriteMails(t, 4)
		s := &sendFlags{raw: true, policy: "all"}
		if log {
			s.log = filepath.Join(t.TempDir(), "run.log")
		}
		at := func(name string) string { return filepath.Join(dir, name) }
		recorder := &transport.Recorder{}
		code, out, errs := deliverWith(t, recorder, s, dir, func() {
			stamp := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, err := range []error{os.Chtimes(at("0002.eml"), stamp, stamp), os.Remove(at("0003.eml"))} {
				if err != nil {
					t.Error(err)
				}
			}
		})
		if code != command.ExitIO || len(recorder.Messages()) != 2 {
			t.Errorf("exit status %d, %d messages: %s", code, len(recorder.Messages()), errs)
		}
		for _, want := range []string{"0001.eml  u1@example.org  accepted", "0002.eml  u2@example.org  not tried: the file changed after it was checked",
			"0003.eml  u3@example.org  not tried: the file was removed after it was checked", "0004.eml  u4@example.org  accepted", ": 2 sent, 2 not tried"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
		if log {
			if got := clitest.LoggedStates(t, s.log); len(got) != 2 || got["u2@example.org#1"] != "" {
				t.Errorf("the log has %v", got)
			}
		}
	}
}

// The hash detects a file that was replaced by another of the same size and time.
func TestOtherOctets(t *testing.T) {
	t.Parallel()
	dir := clitest.WriteMails(t, 2)
	path := filepath.Join(dir, "0002.eml")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &sendFlags{raw: true, policy: "all", log: filepath.Join(t.TempDir(), "run.log")}
	code, out, _ := deliverWith(t, &transport.Recorder{}, s, dir, func() {
		other := strings.Replace(clitest.MailTo(2), "hello", "hallo", 1)
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Error(err)
		}
	})
	if code != command.ExitIO || !strings.Contains(out, "the file changed after it was checked") {
		t.Errorf("exit status %d\n%s", code, out)
	}
}
