package outboxtest

import (
	"strings"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// BadNames returns texts that are not valid as account, key or tag.
func BadNames() []string {
	bad := []string{"x\xff\xfe", "x\u2028y", "x\u2029y", "x\u202ey", "x\u2066y", "x\x7f", "x\u0085", strings.Repeat("x", 2000), "\xed\xa0\x80"}
	for c := range byte(' ') {
		bad = append(bad, "x"+string(c)+"y")
	}
	return bad
}

// testBadNames checks that no invalid name is stored.
func testBadNames(s *fixture) {
	for _, bad := range BadNames() {
		account, key, tag := newLetter(), newLetter(), newLetter()
		account.Account, key.Key, tag.Tags = bad, bad, []string{"good", bad}
		for field, n := range map[string]outbox.NewMessage{"account": account, "key": key, "tag": tag} {
			if _, err := s.store.Enqueue(s.ctx, n); err == nil {
				s.Errorf("%s %q is accepted", field, bad)
			}
		}
	}
	for _, bad := range []string{"a b", "a.b", "ä", "a/b", " "} {
		n := newLetter()
		n.Account = bad
		if _, err := s.store.Enqueue(s.ctx, n); err == nil {
			s.Errorf("account %q is accepted", bad)
		}
	}
	if n := s.found(queue.Filter{}); n != 0 {
		s.Errorf("%d messages are in the outbox", n)
	}
}

func testInBadNames(s *fixture, begin Begin) {
	tx, commit, _ := begin()
	for _, bad := range BadNames() {
		n := newLetter()
		n.Account = bad
		if _, err := s.store.EnqueueIn(s.ctx, tx, n); err == nil {
			s.Errorf("account %q is accepted", bad)
		}
	}
	s.must("commit", commit())
	if n := s.found(queue.Filter{}); n != 0 {
		s.Errorf("%d messages are in the outbox", n)
	}
}
