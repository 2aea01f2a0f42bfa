package outboxtest

import (
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var bodyRules = []contractRule{
	{"bodies of every size come back", testBodies},
	{"the same large body serves many accounts", testSameBodies},
	{"claims bring small bodies along as far as there is room", testBodiesWithClaims},
	{"a body that is not there is an error", testNoBody},
}

func testBodies(s *fixture) {
	const inline = 256 << 10
	ids := map[queue.ID]*testContent{}
	for _, size := range []int{1, 2, 3, 4095, 4096, 4097, 64<<10 - 1, 64 << 10, 64<<10 + 1, inline - 1, inline, inline + 1, 3 << 20} {
		n := newLetter()
		c := newText(max(size, 20))
		c.octets = c.octets[:size]
		n.Content = c
		ids[s.enqueue(n)] = c
	}
	for id, c := range ids {
		s.sameBody("Body", c, s.body(id))
		if e := s.show(id); e.Size != int64(len(c.octets)) || !e.HasBody {
			s.Errorf("Show says %d octets, want %d; has body %v", e.Size, len(c.octets), e.HasBody)
		}
	}
	same := &testContent{octets: make([]byte, 300_000)} // nothing but NULs
	n := newLetter()
	n.Content = same
	s.sameBody("Body of NULs", same, s.body(s.enqueue(n)))
}

func testSameBodies(s *fixture) {
	large := newText(400_000)
	var ids []queue.ID
	for i := range 12 {
		n := newLetter()
		n.Account, n.Content = fmt.Sprintf("a%d", i), large
		ids = append(ids, s.enqueue(n))
	}
	for i, id := range ids {
		s.sameBody("Body", large, s.body(id))
		if i%2 == 0 {
			s.change(queue.Cancel, id)
		}
	}
	pruned, err := s.store.Prune(s.ctx, outbox.Retention{})
	s.must("Prune", err)
	s.same("Prune", outbox.Pruned{Messages: 6, Bytes: 6 * 400_000}, pruned)
	for i, id := range ids {
		if i%2 == 1 {
			s.sameBody("Body behind Prune", large, s.body(id))
		}
	}
}

func testBodiesWithClaims(s *fixture) {
	s.join("w")
	for _, test := range []struct {
		sizes []int
		room  int64
		first bool // is returned with its body
	}{
		{[]int{1000, 1000, 1000}, 3000, true},
		{[]int{1000, 1000, 1000}, 1000, true},
		{[]int{1000}, 999, false},
		{[]int{1000}, 0, false},
		{[]int{64 << 10}, 1 << 20, true},
		{[]int{64<<10 + 1}, 1 << 20, false},
		{[]int{1 << 20, 10}, 1 << 30, false},
	} {
		all := map[queue.ID]*testContent{}
		var first queue.ID
		for i, size := range test.sizes {
			n := newLetter()
			c := newText(size)
			n.Content = c
			id := s.enqueue(n)
			all[id] = c
			if i == 0 {
				first = id
			}
		}
		s.clock.Advance(time.Second)
		s.must("Renew", s.store.Renew(s.ctx, "w", lease))
		items := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 10, Bytes: test.room}).Items
		if len(items) != len(test.sizes) {
			s.Fatalf("claimed %d items, want %d", len(items), len(test.sizes))
		}
		var brought int64
		for _, item := range items {
			if item.Body != nil {
				brought += int64(len(item.Body))
				s.sameBody("Claim", all[item.ID], item.Body)
			}
			s.sameBody("Body", all[item.ID], s.body(item.ID))
			if item.ID == first && (item.Body != nil) != test.first {
				s.Errorf("sizes %v, room %d: the first came with its body: %v", test.sizes, test.room, item.Body != nil)
			}
		}
		if brought > test.room {
			s.Errorf("sizes %v: %d octets came, more than %d", test.sizes, brought, test.room)
		}
	}
}

func testNoBody(s *fixture) {
	id := s.enqueue(newLetter())
	s.join("w")
	if s.settle(s.leases("w", 1)[0], queue.HandedOver) {
		s.Fatal("it is stale")
	}
	_, err := s.store.Prune(s.ctx, outbox.Retention{Messages: time.Hour})
	s.must("Prune", err)
	_, err = s.store.Body(s.ctx, id)
	s.is("Body of what was pruned", err, queue.ErrNoBody)
	_, err = s.store.Body(s.ctx, id+1000)
	s.is("Body of nothing", err, queue.ErrNotFound)
	if e := s.show(id); e.HasBody || e.Subject != "" || e.Size != 300 {
		s.Errorf("Show returned %+v", e)
	}
}
