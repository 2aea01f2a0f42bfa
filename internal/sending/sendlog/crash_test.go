package sendlog

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/smtp"
)

// receivedCounts counts the messages that the server really received.
type receivedCounts map[RecipientKey]int

// crashingRun is a run of a program that sends the messages that the log lacks. It ends at a random
// moment; unsynced lines may be lost in part.
type crashingRun struct {
	t      *testing.T
	rand   *rand.Rand
	path   string
	server receivedCounts
	synced int64 // octets that are certainly on the disk
}

// wantedKeys returns the recipients of a run: several messages to several recipients, some twice.
func wantedKeys() []RecipientKey {
	var keys []RecipientKey
	for message := range byte(4) {
		for _, to := range []string{"a@example.org", "b@example.org"} {
			for copy := 1; copy <= 1+int(message%2); copy++ {
				keys = append(keys, RecipientKey{Hash{'m', message}, to, copy})
			}
		}
	}
	return keys
}

// TestNothingIsSentTwice runs a sender repeatedly with crashes at random moments, in which the log
// loses a part of the unsynced lines. No recipient may get a message twice, and in the end each has
// it or is listed as unknown or refused.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	crashes := 0
	for seed := range uint64(150) {
		r := &crashingRun{t: t, rand: rand.New(rand.NewPCG(seed, 1)), path: filepath.Join(t.TempDir(), "run.log"), server: receivedCounts{}}
		ended := false
		for range 200 {
			if ended = r.run(); ended {
				break
			}
			crashes++
		}
		if !ended {
			t.Fatalf("seed %d: no run finishes", seed)
		}
		r.check(seed)
	}
	if crashes < 300 {
		t.Errorf("only %d crashes", crashes)
	}
}

// run reports whether it finished.
func (r *crashingRun) run() bool {
	l := openLog(r.t, r.path)
	var todo []*LogEntry
	for _, k := range wantedKeys() {
		o, known := l.State(k)
		if known && (o.Status == smtp.Accepted || o.Status == smtp.Unknown || o.Status == smtp.Refused) {
			continue
		}
		todo = append(todo, &LogEntry{Hash: k.Hash, From: address(r.t, "me@example.org"), To: []smtp.Address{address(r.t, k.Recipient)}, Copies: []int{k.Copy}})
	}
	dies := func() bool { return r.rand.IntN(12) == 0 }
	for len(todo) > 0 {
		batch := todo[:min(len(todo), 1+r.rand.IntN(3))]
		todo = todo[len(batch):]
		if dies() {
			return r.crash(l)
		}
		if err := l.Attempt(batch...); err != nil {
			r.t.Fatal(err)
		}
		if dies() {
			return r.crash(l)
		}
		if err := l.Sync(); err != nil {
			r.t.Fatal(err)
		}
		r.synced = r.size()
		for _, e := range batch {
			if dies() {
				return r.crash(l)
			}
			status := smtp.Statuses()[r.rand.IntN(len(smtp.Statuses()))]
			if status == smtp.Accepted || status == smtp.Unknown && r.rand.IntN(2) == 0 {
				r.server[RecipientKey{e.Hash, e.To[0].Wire(), e.Copies[0]}]++
			}
			if dies() {
				return r.crash(l)
			}
			if err := l.Settle(e, "", "", []smtp.Outcome{{Recipient: e.To[0], Status: status, Stage: smtp.StageBody}}); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	closeLog(r.t, l)
	r.synced = r.size()
	return !r.unfinished()
}

// unfinished reports whether another run has messages to send.
func (r *crashingRun) unfinished() bool {
	l := openLog(r.t, r.path)
	defer l.Close() // opened for reading only
	for _, k := range wantedKeys() {
		if o, _ := l.State(k); o.Status != smtp.Accepted && o.Status != smtp.Unknown && o.Status != smtp.Refused {
			return true
		}
	}
	return false
}

func (r *crashingRun) size() int64 {
	info, err := os.Stat(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return info.Size()
}

// crash loses some of the octets written after the last sync.
func (r *crashingRun) crash(l *Log) bool {
	_ = l.file.Close() // as the system does
	size := r.size()
	if lost := size - r.synced; lost > 0 && r.rand.IntN(2) == 0 {
		if err := os.Truncate(r.path, size-r.rand.Int64N(lost+1)); err != nil {
			r.t.Fatal(err)
		}
	}
	return false
}

func (r *crashingRun) check(seed uint64) {
	l := openLog(r.t, r.path)
	defer l.Close() // opened for reading only
	for _, k := range wantedKeys() {
		o, known := l.State(k)
		got := r.server[k]
		switch {
		case got > 1:
			r.t.Errorf("seed %d: %v was received %d times", seed, k, got)
		case !known, o.Status == smtp.NotTried, o.Status == smtp.Deferred:
			r.t.Errorf("seed %d: %v is %q after the last run", seed, k, o.Status)
		case o.Status == smtp.Accepted && got != 1, o.Status == smtp.Refused && got != 0:
			r.t.Errorf("seed %d: %v is %s and was received %d times", seed, k, o.Status, got)
		}
	}
}
