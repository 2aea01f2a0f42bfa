package admission

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// A peer that hands over large messages slowly can't fill the disk; others are not affected, and neither
// are its messages afterwards.
func TestLargeMessagesAtOnce(t *testing.T) {
	t.Parallel()
	var all largeMessages
	const most = 8 << 20
	read := func(s *diskShare, octets int) error {
		_, err := io.Copy(io.Discard, s.count(bytes.NewReader(make([]byte, octets))))
		return err
	}
	isRefused := func(err error) bool {
		var r *Refusal
		return errors.As(err, &r) && r.Rule == "space" && r.Reply.Code == 452
	}
	first, second := all.begin(Peer{User: "www-data"}, most), all.begin(Peer{User: "www-data"}, most)
	if err := errors.Join(read(first, 4<<20), read(second, 3<<20)); err != nil {
		t.Fatal(err)
	}
	third := all.begin(Peer{User: "www-data"}, most)
	if err := read(third, 2<<20); !isRefused(err) {
		t.Errorf("a third: %v", err)
	}
	third.end()
	for what, s := range map[string]*diskShare{"a short message": all.begin(Peer{User: "www-data"}, most), "another peer": all.begin(Peer{Token: "www-data"}, most)} {
		octets := 2 << 20
		if what == "a short message" {
			octets = 200 << 10
		}
		if err := read(s, octets); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		s.end()
	}
	first.end()
	if err := read(all.begin(Peer{User: "www-data"}, most), 4<<20); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	second.end()
	if alone := all.begin(Peer{User: "root"}, most); !isRefused(read(alone, 9<<20)) {
		t.Error("one message of more")
	} else if alone.end(); len(all.by) != 1 {
		t.Errorf("left: %v", all.by)
	}
}
