package outboxtest

import (
	"fmt"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

var listRules = []contractRule{
	{"filters choose alone and together", testFilters},
	{"a filter's text means itself", testFilterText},
	{"one recipient has to fit all that is said about recipients", testFilterOne},
	{"pages have no gaps while others enqueue", testPages},
	{"a page has 50 messages unless it is said otherwise", testPageDefault},
	{"Show of what is not there is ErrNotFound", testShowNothing},
	{"Stats counts recipients by account and state", testStats},
}

// enqueueSample enqueues the same messages in any store. Each field that a filter uses has several values.
func enqueueSample(s *fixture) []queue.ID {
	s.join("sampler")
	var ids []queue.ID
	for i := range 24 {
		n := newLetter(fmt.Sprintf("r%d@example.org", i%5), fmt.Sprintf("Other%d@Bücher.example", i%2))
		n.Account = []string{"a", "b", ""}[i%3]
		n.Envelope = withSender(n.Envelope, []string{"Boss@example.org", "clerk@bücher.example", "", "用户@example.org"}[i%4])
		n.Tags = [][]string{nil, {"news"}, {"news", "urgent"}}[i/2%3]
		n.Key = []string{"k0", "", "k2", ""}[i/3%4]
		if i >= 12 {
			n.Key = ""
		}
		n.Hold = i%7 == 0
		ids = append(ids, s.enqueue(n))
		s.clock.Advance(time.Second)
		if i == 12 {
			for _, item := range s.claim(outbox.Claim{Owner: "sampler", Account: "a", Recipients: 5}).Items {
				for _, r := range item.Recipients {
					to := []queue.State{queue.InDoubt, queue.Failed}[r.N]
					s.settle(outbox.Lease{ID: item.ID, N: r.N, Token: r.Token}, to)
				}
			}
		}
	}
	return ids
}

func withSender(e smtp.Envelope, from string) smtp.Envelope {
	changed, err := smtp.NewEnvelope(address(from), e.To()...)
	if err != nil {
		panic(err)
	}
	return changed
}

// testFilters compares every combination of fields with the model, which has the same messages.
func testFilters(s *fixture) {
	start := s.clock.Now()
	ids := enqueueSample(s)
	clock := NewClock()
	model := &fixture{T: s.T, ctx: s.ctx, store: NewModel(clock), clock: clock}
	words := map[queue.ID]queue.ID{} // the model's ID for each ID of the store
	for i, id := range enqueueSample(model) {
		words[ids[i]] = id
	}
	back := map[queue.ID]queue.ID{}
	for of, to := range words {
		back[to] = of
	}
	fields := []func(f *queue.Filter){
		func(f *queue.Filter) { f.IDs = []queue.ID{ids[0], ids[3], ids[12], ids[13], ids[23]} },
		func(f *queue.Filter) { f.Account = "a" },
		func(f *queue.Filter) { f.States = []queue.State{queue.Queued, queue.InDoubt} },
		func(f *queue.Filter) { f.To = "other0@bü" },
		func(f *queue.Filter) { f.From = "boss@" },
		func(f *queue.Filter) { f.Tag = "news" },
		func(f *queue.Filter) { f.Key = "k0" },
		func(f *queue.Filter) { f.Since = start.Add(3 * time.Second) },
		func(f *queue.Filter) { f.Until = start.Add(21 * time.Second) },
		func(f *queue.Filter) { f.Before = ids[13] },
		func(f *queue.Filter) { f.Limit = 3 },
		func(f *queue.Filter) { f.Doubted = true },
		func(f *queue.Filter) { f.Oldest = true },
	}
	found := 0
	for chosen := range 1 << len(fields) {
		if countOnes(chosen) > 3 && (Race || chosen%7 != 0) { // all single fields, pairs and triples, and some of the rest
			continue
		}
		var f queue.Filter
		for i, field := range fields {
			if chosen&(1<<i) != 0 {
				field(&f)
			}
		}
		page, err := s.store.List(s.ctx, f)
		s.must("List", err)
		f.Before = words[f.Before]
		f.IDs = nil
		for _, id := range ids {
			if chosen&1 != 0 && (id == ids[0] || id == ids[3] || id == ids[12] || id == ids[13] || id == ids[23]) {
				f.IDs = append(f.IDs, words[id])
			}
		}
		want, err := model.store.List(model.ctx, f)
		s.must("List of the model", err)
		if d := lineDifference(flatten(want, nil), flatten(page, words)); d != "" {
			s.Fatalf("List(%+v):%s", f, d)
		}
		found += len(want.Entries)
	}
	if found < 500 {
		s.Errorf("all filters found %d messages; they are too narrow to say much", found)
	}
}

func countOnes(x int) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

func (s *fixture) found(f queue.Filter) int {
	s.Helper()
	page, err := s.store.List(s.ctx, f)
	s.must("List", err)
	return len(page.Entries)
}

func testFilterText(s *fixture) {
	n := newLetter("per%cent_x@example.org", "ÄRGER@BÜCHER.example", "it's@example.org")
	n.Envelope = withSender(n.Envelope, "Sender+%_'@Bücher.example")
	n.Tags, n.Key, n.MessageID = []string{"100%", "a_b"}, "K'_%", "<Odd%_'@x>"
	s.enqueue(n)
	for i, test := range []struct {
		f    queue.Filter
		want int
	}{
		{queue.Filter{To: "per%cent_x"}, 1}, {queue.Filter{To: "p%t"}, 0}, {queue.Filter{To: "per_cent"}, 0}, {queue.Filter{To: `r\%`}, 0},
		{queue.Filter{To: "ärger@bücher"}, 1}, {queue.Filter{To: "it's"}, 1}, {queue.Filter{To: "*"}, 0}, {queue.Filter{To: "xn--"}, 0},
		{queue.Filter{To: "@"}, 1}, {queue.Filter{To: "per%cent_x@example.org"}, 1}, {queue.Filter{To: "x@example.orgärger"}, 0},
		{queue.Filter{From: "sender+%_'@bü"}, 1}, {queue.Filter{From: "s%r"}, 0}, {queue.Filter{From: "ärger"}, 0},
		{queue.Filter{Tag: "100%"}, 1}, {queue.Filter{Tag: "100"}, 0}, {queue.Filter{Tag: "a%"}, 0}, {queue.Filter{Tag: "a_b"}, 1}, {queue.Filter{Tag: "A_B"}, 0},
		{queue.Filter{Key: "K'_%"}, 1}, {queue.Filter{Key: "k'_%"}, 0}, {queue.Filter{Key: "K%"}, 0}, {queue.Filter{Account: "A"}, 0},
		{queue.Filter{MessageID: "<Odd%_'@x>"}, 1}, {queue.Filter{MessageID: "<odd%_'@x>"}, 0}, {queue.Filter{MessageID: "Odd%_'@x"}, 0}, {queue.Filter{MessageID: "<%>"}, 0},
	} {
		if got := s.found(test.f); got != test.want {
			s.Errorf("filter %d, %+v, found %d messages, want %d", i, test.f, got, test.want)
		}
	}
}

func testFilterOne(s *fixture) {
	id := s.enqueue(newLetter("ann@example.org", "bob@example.org"))
	s.join("w")
	s.settle(s.leases("w", 2)[0], queue.Failed)
	for _, test := range []struct {
		to    string
		state queue.State
		want  int
	}{{"ann", queue.Failed, 1}, {"bob", queue.Failed, 0}, {"ann", queue.Leased, 0}, {"bob", queue.Leased, 1}, {"", queue.Failed, 1}} {
		f := queue.Filter{To: test.to, States: []queue.State{test.state}}
		page, err := s.store.List(s.ctx, f)
		s.must("List", err)
		if len(page.Entries) != test.want {
			s.Errorf("%+v found %d", f, len(page.Entries))
		}
		if test.want == 1 && (page.Entries[0].ID != id || len(page.Entries[0].Recipients) != 2) {
			s.Errorf("%+v does not show all recipients: %+v", f, page.Entries)
		}
	}
}

func testPages(s *fixture) {
	there := map[queue.ID]bool{}
	for range 60 {
		there[s.enqueue(newLetter())] = true
	}
	quit := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for range 2000 {
			select {
			case <-quit:
				return
			default:
			}
			if _, err := s.store.Enqueue(s.ctx, newLetter()); err != nil {
				s.Errorf("Enqueue: %v", err)
				return
			}
		}
	})
	for _, oldest := range []bool{false, true} {
		seen := map[queue.ID]bool{}
		f := queue.Filter{Limit: 7, Oldest: oldest}
		for more, left := true, len(there); more && left > 0; {
			page, err := s.store.List(s.ctx, f)
			s.must("List", err)
			for _, e := range page.Entries {
				if seen[e.ID] || f.Before != 0 && (e.ID > f.Before) != oldest {
					s.Errorf("oldest %v: %d came twice, or out of order", oldest, e.ID)
				}
				seen[e.ID], f.Before = true, e.ID
				if there[e.ID] {
					left--
				}
			}
			more = page.More
			if more && len(page.Entries) != 7 {
				s.Errorf("a page that is not the last has %d messages", len(page.Entries))
			}
		}
		for id := range there {
			if !seen[id] {
				s.Errorf("oldest %v: %d was missed", oldest, id)
			}
		}
	}
	close(quit)
	group.Wait()
}

func testPageDefault(s *fixture) {
	for range 50 {
		s.enqueue(newLetter())
	}
	page, err := s.store.List(s.ctx, queue.Filter{})
	s.must("List", err)
	if len(page.Entries) != 50 || page.More {
		s.Errorf("of 50 came %d, more is %v", len(page.Entries), page.More)
	}
	s.enqueue(newLetter())
	page, err = s.store.List(s.ctx, queue.Filter{})
	s.must("List", err)
	if len(page.Entries) != 50 || !page.More {
		s.Errorf("of 51 came %d, more is %v", len(page.Entries), page.More)
	}
	page, err = s.store.List(s.ctx, queue.Filter{Limit: 51})
	s.must("List", err)
	if len(page.Entries) != 51 || page.More || page.Entries[0].Events != nil {
		s.Errorf("of 51 came %d, more is %v", len(page.Entries), page.More)
	}
}

func testShowNothing(s *fixture) {
	id := s.enqueue(newLetter())
	for _, none := range []queue.ID{0, -1, id + 1} {
		_, err := s.store.Show(s.ctx, none)
		s.is(fmt.Sprintf("Show(%d)", none), err, queue.ErrNotFound)
	}
}

func testStats(s *fixture) {
	empty, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	if len(empty.Accounts) != 0 || len(empty.Workers) != 0 || !empty.Oldest.IsZero() {
		s.Errorf("Stats of an empty outbox: %+v", empty)
	}
	start := s.clock.Now()
	held := newLetter()
	held.Hold = true
	s.enqueue(held)
	s.clock.Advance(time.Second)
	s.enqueue(newLetter("1@example.org", "2@example.org", "3@example.org"))
	s.clock.Advance(time.Second)
	other := newLetter("1@example.org", "2@example.org")
	other.Account = ""
	s.enqueue(other)
	s.join("w")
	s.clock.Advance(time.Second)
	s.join("v")
	ls := s.leases("w", 3)
	s.mark("w", ls[0])
	s.settle(ls[1], queue.Failed)
	s.pause(outbox.Pause{Account: "z", For: time.Minute}, true)
	s.clock.Advance(lease - time.Second)
	now := s.clock.Now()
	got, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	got.Bytes, got.Free = 0, 0
	s.same("Stats", queue.Stats{
		Accounts: []queue.AccountStats{
			{Account: "", Count: map[queue.State]int{queue.Queued: 2}},
			{Account: "a", Count: map[queue.State]int{queue.Held: 1, queue.Sending: 1, queue.Failed: 1, queue.Leased: 1}},
			{Account: "z", PausedFor: time.Minute - (lease - time.Second)},
		},
		Workers: []queue.WorkerStats{
			{Worker: queue.Worker{Owner: "v", Host: "host-v", PID: 7}, Since: start.Add(3 * time.Second), For: time.Second},
			{Worker: queue.Worker{Owner: "w", Host: "host-w", PID: 7}, Since: start.Add(2 * time.Second)},
		},
		Oldest: start.Add(2 * time.Second),
	}, got)
	if now.Sub(start) != lease+2*time.Second {
		s.Fatalf("the clock shows %v", now.Sub(start))
	}
}
