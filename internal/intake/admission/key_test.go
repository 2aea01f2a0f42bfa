package admission_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// The same octets of the same peer are one message for a day, and a new one after it.
func TestRepeatedMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := []string{"a@b.example"}
	hand := func(text string) admission.Accepted {
		t.Helper()
		kept, err := w.hand(www, "", to, text)
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	first := hand(letter)
	w.clock.Advance(23 * time.Hour)
	if again := hand(letter); !again.Duplicate || again.ID != first.ID || again.MessageID != first.MessageID {
		t.Errorf("after 23 hours: %+v, first %+v", again, first)
	}
	w.clock.Advance(2 * time.Hour)
	second := hand(letter)
	if second.Duplicate || second.ID == first.ID {
		t.Errorf("after 25 hours: %+v, first %+v", second, first)
	}
	if again := hand(letter); !again.Duplicate || again.ID != second.ID {
		t.Errorf("the second once more: %+v", again)
	}
	w.clock.Advance(25 * time.Hour)
	if third := hand(letter); third.Duplicate {
		t.Errorf("the third day: %+v", third)
	}
	for name, other := range map[string]func() (admission.Accepted, error){
		"other octets":    func() (admission.Accepted, error) { return w.hand(www, "", to, letter+"x") },
		"another peer":    func() (admission.Accepted, error) { return w.hand(admission.Peer{Token: "x"}, "", to, letter) },
		"another sender":  func() (admission.Accepted, error) { return w.hand(www, "root", to, letter) },
		"more recipients": func() (admission.Accepted, error) { return w.hand(www, "", append(to, "c@d.example"), letter) },
		"no id": func() (admission.Accepted, error) {
			return w.hand(www, "", to, strings.Replace(letter, "Message-ID", "X-ID", 1))
		},
		"no id again": func() (admission.Accepted, error) {
			return w.hand(www, "", to, strings.Replace(letter, "Message-ID", "X-ID", 1))
		},
		"a notice": func() (admission.Accepted, error) {
			tx, err := w.Begin(www, "", smtp.DSN{Return: "FULL"}, 0)
			if err != nil || tx.Recipient(to[0], "") != nil {
				t.Fatal(err)
			}
			return tx.Accept(t.Context(), strings.NewReader(letter))
		},
	} {
		if kept, err := other(); err != nil || kept.Duplicate {
			t.Errorf("%s: %+v, %v", name, kept, err)
		}
	}
	w.o.Repeat = true
	w.restart()
	if kept := hand(letter); kept.Duplicate {
		t.Errorf("with repeat: %+v", kept)
	}
}

// A key of its own counts as long as the outbox keeps the message, and for this peer alone.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := []string{"a@b.example"}
	keyed := "Yan-Key: invoice 7\n" + letter
	first, err := w.hand(www, "", to, keyed)
	if err != nil {
		t.Fatal(err)
	}
	e, text := w.stored(t, first.ID)
	if e.Key != "user:www-data/invoice 7" || strings.Contains(text, "invoice") {
		t.Errorf("key %q: %q", e.Key, text)
	}
	w.clock.Advance(48 * time.Hour)
	if again, err := w.hand(www, "", to, keyed); err != nil || !again.Duplicate || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	if kept, err := w.hand(www, "", to, keyed+"x"); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("other octets: %+v, %v", kept, err)
	}
	if kept, err := w.hand(admission.Peer{Token: "x"}, "", to, keyed); err != nil || kept.Duplicate {
		t.Errorf("another peer: %+v, %v", kept, err)
	}
	w.o.Repeat = true // is about messages without a key
	w.restart()
	if again, err := w.hand(www, "", to, keyed); err != nil || !again.Duplicate {
		t.Errorf("%+v, %v", again, err)
	}
	set := func(key, text string) admission.Accepted {
		t.Helper()
		tx, err := w.Begin(www, "", smtp.DSN{}, 0)
		if err != nil || tx.Recipient(to[0], "") != nil {
			t.Fatal(err)
		}
		tx.SetKey(key)
		kept, err := tx.Accept(t.Context(), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	noID := strings.Replace(letter, "Message-ID", "X-ID", 1)
	file := set("drop/1", noID)
	if again := set("drop/1", noID); !again.Duplicate || again.ID != file.ID {
		t.Errorf("the file once more: %+v", again)
	}
	if other := set("drop/2", noID); other.Duplicate {
		t.Errorf("another file with the same octets: %+v", other)
	}
	if again := set("drop/3", keyed); !again.Duplicate || again.ID != first.ID {
		t.Errorf("Yan-Key does not count before the key of the way in: %+v", again)
	}
}

// Many connections that send the same octets at once make one message.
func TestRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{Now: w.clock.Now, MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w.o.Store, w.o.Observe = store, nil
	w.store = store
	w.restart()
	for day := range 3 {
		var wait sync.WaitGroup
		kept := make([]admission.Accepted, 16)
		for i := range kept {
			wait.Go(func() {
				var err error
				if kept[i], err = w.hand(www, "", []string{"a@b.example"}, letter); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		fresh := 0
		for _, k := range kept {
			if k.ID != kept[0].ID {
				t.Errorf("day %d: messages %d and %d", day, k.ID, kept[0].ID)
			}
			if !k.Duplicate {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("day %d: %d are new", day, fresh)
		}
		w.clock.Advance(25 * time.Hour)
	}
}

// The limit of an hour holds for connections that come at once.
func TestRateAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.o.Observe = nil
	w.restart()
	w.policy.grant.PerHour = 10
	var wait sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for range 40 {
		wait.Go(func() {
			_, err := w.hand(www, "", []string{"a@b.example"}, "Subject: x\n\nx\n")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				accepted++
			}
		})
	}
	wait.Wait()
	if accepted != 10 {
		t.Errorf("%d of 40 messages were accepted, want 10", accepted)
	}
}
