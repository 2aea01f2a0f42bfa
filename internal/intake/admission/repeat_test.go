package admission_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/queue"
)

// end gives every recipient of a message a final state.
func (w *world) end(t *testing.T, id queue.ID, verb queue.Verb) {
	t.Helper()
	if _, err := w.store.Change(t.Context(), outbox.Change{Filter: queue.Filter{IDs: []queue.ID{id}}, Verb: verb}); err != nil {
		t.Fatal(err)
	}
}

// A message that reached no one is not there already: whoever hands it over again would lose it.
func TestRepeatAfterFailure(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"octets": letter, "key": "Yan-Key: invoice 7\n" + letter} {
		w := newWorld(t)
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{Now: w.clock.Now, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		w.o.Store, w.store = store, store
		w.restart()
		to := []string{"a@b.example", "c@d.example"}
		var last queue.ID
		for range 3 {
			kept, err := w.hand(www, "", to, text)
			if err != nil || kept.Duplicate || kept.ID == last {
				t.Fatalf("%s: %+v, %v; the one before, %d, was cancelled", name, kept, err, last)
			}
			if again, err := w.hand(www, "", to, text); err != nil || !again.Duplicate || again.ID != kept.ID {
				t.Errorf("%s: once more while it waits: %+v, %v", name, again, err)
			}
			last = kept.ID
			w.end(t, last, queue.Cancel)
		}
	}
}

// One recipient that may have it is enough to make the message the same.
func TestRepeatAfterPartialFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := []string{"a@b.example", "c@d.example"}
	kept, err := w.hand(www, "", to, letter)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Change(t.Context(), outbox.Change{Filter: queue.Filter{IDs: []queue.ID{kept.ID}, To: "c@d.example"}, Verb: queue.Cancel}); err != nil {
		t.Fatal(err)
	}
	if again, err := w.hand(www, "", to, letter); err != nil || !again.Duplicate {
		t.Errorf("%+v, %v", again, err)
	}
}

// With a key, the same octets to other recipients are another message: a client sends it again to those
// that were refused, or to 100 at a time.
func TestKeyOfOtherRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := "Yan-Key: invoice 7\n" + letter
	groups := [][]string{{"a@b.example", "b@b.example"}, {"b@b.example"}, {"c@d.example"}, {"b@b.example", "c@d.example"}}
	seen := map[queue.ID]bool{}
	var ids []queue.ID
	for _, to := range groups {
		kept, err := w.hand(www, "", to, text)
		if err != nil || kept.Duplicate || seen[kept.ID] {
			t.Fatalf("to %q: %+v, %v", to, kept, err)
		}
		seen[kept.ID], ids = true, append(ids, kept.ID)
		if e, _ := w.stored(t, kept.ID); e.Total != len(to) {
			t.Errorf("to %q: %d recipients", to, e.Total)
		}
	}
	w.clock.Advance(48 * time.Hour)
	for i, to := range groups {
		if again, err := w.hand(www, "", to, text); err != nil || !again.Duplicate || again.ID != ids[i] {
			t.Errorf("to %q once more: %+v, %v; want %d", to, again, err, ids[i])
		}
	}
}

// The longest key has room for what may be put before it.
func TestLongestKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	peer := admission.Peer{User: strings.Repeat("u", 100)}
	n := 1
	for ; n < outbox.MaxKey; n++ {
		if _, err := w.hand(peer, "", []string{"a@b.example"}, "Yan-Key: "+strings.Repeat("k", n)+"\n"+letter); err != nil {
			break
		}
	}
	text := "Yan-Key: " + strings.Repeat("k", n-1) + "\n" + letter
	for _, to := range []string{"b@b.example", "c@b.example"} {
		for range 3 {
			kept, err := w.hand(peer, "", []string{to}, text)
			if err != nil || kept.Duplicate {
				t.Fatalf("a key of %d octets: %+v, %v", n-1, kept, err)
			}
			w.end(t, kept.ID, queue.Cancel)
		}
	}
}

// Two peers never have one tag: it says whose the messages are, and begins the keys.
func TestTagsDiffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	seen := map[string]admission.Peer{}
	for _, p := range []admission.Peer{
		{}, {User: "local"}, {User: "a b"}, {User: "a_b"}, {User: "a,b"}, {User: "a\tb"}, {User: "a/b"}, {User: "a"}, {User: "token:a"}, {Token: "a"},
		{User: long + "1"}, {User: long + "2"}, {Token: long[:60] + "1"}, {Token: long[:60] + "2"}, {User: "1000"}, {User: "#1000"},
		{User: "CORP\\ana"}, {User: "\u202eana"}, {User: "_ana"}, {User: "ana\ufffd"}, {User: "ana_"},
	} {
		tag := p.Tag()
		if other, found := seen[tag]; found {
			t.Errorf("%+v and %+v have the tag %q", p, other, tag)
		}
		seen[tag] = p
		if err := (&outbox.NewMessage{Tags: []string{tag}}).CheckNames(); err != nil || strings.ContainsAny(tag, " ,/") {
			t.Errorf("%+v: the tag %q: %v", p, tag, err)
		}
	}
}

// The limit of an hour is one for all ways in.
func TestRateOfTwoWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.grant.PerHour = 2
	listener := &world{Admission: w.With(func() admission.Policy { return w.policy }, true), policy: w.policy, store: w.store, clock: w.clock}
	for i, way := range []*world{listener, w} {
		if _, err := way.hand(www, "", []string{"a@b.example"}, "Subject: x\n\nx\n"); err != nil {
			t.Fatal(i, err)
		}
		w.clock.Advance(time.Minute)
	}
	_, err := listener.hand(www, "", []string{"c@d.example"}, letter)
	wantRefusal(t, "one more", err, "rate", 450, "4.7.1")
}
