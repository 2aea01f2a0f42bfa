package sendcmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/internal/words"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A message that was noted ahead for the first account and never begun is noted
// anew for the one that takes over: behind a crash the log has to know of it.
func TestEachRoundIsNotedInTheLog(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t)
	env := clitest.Configured(t, strings.Replace(clitest.TwoAccounts, `match = ["*@two.example"]`, `match = ["one@example.org"]`, 1), servers)
	a, _, _ := testApp(words.English)
	a.Getenv = func(name string) string { return env[name] }
	file, err := a.Configuration()
	if err != nil {
		t.Fatal(err)
	}
	two, _ := file.Account("two")
	path := filepath.Join(t.TempDir(), "run.log")
	log, err := sendlog.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s := &sendFlags{raw: true, policy: "all", id: &accounts.Identity{Account: two, File: file}}
	r := &delivery{a: a, s: s, log: log, told: map[string]bool{}}
	from, to := mustAddress(t, "one@example.org"), mustAddress(t, "a@example.org")
	envelope, err := smtp.NewEnvelope(from, to)
	if err != nil {
		t.Fatal(err)
	}
	j := &job{envelope: envelope, hash: sendlog.Hash{1}, entry: &sendlog.Entry{Hash: sendlog.Hash{1}, File: "m", From: from, To: []smtp.Address{to}, Copies: []int{1}}}
	r.todo, r.jobs = []*job{j}, []*job{j}
	r.take(j)
	if err := log.Attempt(j.entry); err != nil {
		t.Fatal(err)
	}
	j.safe = true
	never := yan.Result{Recipients: []yan.Outcome{{Recipient: to, Status: smtp.NotTried, Stage: smtp.StageConnect, Err: notBegun{verdict.ErrHopeless}}}}
	r.noteOutcome(j, never)
	r.round = round{waiting: []*job{j}, why: never.Recipients[0]}
	j.earlier, j.waits = &earlier{result: never}, true
	r.beginRound(t.Context())
	r.take(j)
	if err := r.note(j); err != nil {
		t.Fatal(err)
	}
	// What a crash would leave.
	left, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".left", left, 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := sendlog.Open(path+".left", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if state, _ := after.State(sendlog.Key{Hash: j.hash, Recipient: to.Wire(), Copy: 1}); state.Status != smtp.Unknown {
		t.Errorf("when the second account has the octets the log says %q, want unknown\n%s", state.Status, left)
	}
}

// A wrong password would be hidden by an account that takes over for ever.
func TestRefusedLoginSendsNothingElsewhere(t *testing.T) {
	t.Parallel()
	r := &delivery{s: &sendFlags{policy: "all"}, next: &accounts.Identity{}, told: map[string]bool{}}
	r.end = verdict.ErrHopeless
	r.endedBy = smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageAuth, Reply: smtp.Reply{Code: 535, Lines: []string{"no"}}}
	j := &job{}
	r.todo = []*job{j}
	r.round.why.Status = smtp.Deferred // of an earlier message
	r.waitRest()
	if j.waits || len(r.round.waiting) > 0 {
		t.Error("a message waits for another account behind a login that was refused")
	}
}

// What goes wrong with the message itself is no reason for another account.
func TestWhatAnotherAccountWouldFindToo(t *testing.T) {
	t.Parallel()
	r := &delivery{s: &sendFlags{}}
	for _, err := range []error{smtpclient.ErrTooLarge, smtpclient.ErrNeedsSMTPUTF8, smtpclient.ErrContent, context.Canceled} {
		if r.passes(smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Err: errors.Join(err)}) {
			t.Errorf("%v: another account is tried", err)
		}
	}
	if places := r.forAnother(yan.Result{Recipients: []smtp.Outcome{{Status: smtp.Unknown, Stage: smtp.StageBody}}}); !slices.Equal(places, nil) {
		t.Errorf("unknown is tried again: %v", places)
	}
}

func mustAddress(t *testing.T, s string) smtp.Address {
	t.Helper()
	address, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return address
}
