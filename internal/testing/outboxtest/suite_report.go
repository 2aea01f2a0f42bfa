package outboxtest

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

var reportRules = []contractRule{
	{"what failed or expired is unreported until somebody was told", testUnreported},
	{"reports themselves are never reported", testUnreportedReports},
	{"Retry makes a failure unreported when it comes again", testReportedAnew},
}

func (s *fixture) unreported(limit int) []outbox.PendingReport {
	s.Helper()
	reports, err := s.store.Unreported(s.ctx, limit)
	s.must("Unreported", err)
	return reports
}

func testUnreported(s *fixture) {
	n := newLetter("1@example.org", "2@example.org", "3@example.org", "4@example.org")
	n.Expires = s.clock.Now().Add(time.Hour)
	asks, err := n.Envelope.WithDSN(smtp.DSN{Return: "HDRS", EnvelopeID: "id", Notify: []string{"FAILURE"}})
	s.must("WithDSN", err)
	n.Envelope = asks
	first := s.enqueue(n)
	created := s.clock.Now()
	s.join("w")
	ls := s.leases("w", 4)
	if got := s.unreported(10); len(got) != 0 {
		s.Errorf("without a failure: %+v", got)
	}
	s.settle(ls[2], queue.Failed)
	s.settle(ls[0], queue.Deferred)
	s.settle(ls[1], queue.HandedOver)
	s.clock.Advance(time.Hour)
	s.sweep() // 0 and 3 expire
	second := s.enqueue(newLetter())
	s.join("v")
	s.settle(s.leases("v", 1)[0], queue.Failed)

	e := s.show(first)
	want := []outbox.PendingReport{{
		ID: first, Account: "a", From: n.Envelope.From(), DSN: asks.DSN(), MessageID: n.MessageID, Created: created,
		Recipients: []queue.Recipient{e.Recipients[0], e.Recipients[2], e.Recipients[3]},
	}, {
		ID: second, Account: "a", From: n.Envelope.From(), MessageID: n.MessageID, Created: s.clock.Now(), Recipients: s.show(second).Recipients,
	}}
	s.same("Unreported", want, s.unreported(10))
	s.same("one of them", want[:1], s.unreported(1))
	told := want[0]
	told.Recipients = told.Recipients[1:]
	s.must("Reported", s.store.Reported(s.ctx, []outbox.PendingReport{told}))
	want[0].Recipients = want[0].Recipients[:1]
	s.same("Unreported of the rest", want, s.unreported(10))
	s.must("Reported", s.store.Reported(s.ctx, append(want, outbox.PendingReport{ID: second + 1000, Recipients: told.Recipients})))
	s.same("Unreported at last", []outbox.PendingReport(nil), s.unreported(10))
	s.must("Reported", s.store.Reported(s.ctx, nil))
}

func testUnreportedReports(s *fixture) {
	n := newLetter()
	n.ReportOn = 1
	s.enqueue(n)
	s.join("w")
	s.settle(s.leases("w", 1)[0], queue.Failed)
	if got := s.unreported(10); len(got) != 0 {
		s.Errorf("a report is unreported: %+v", got)
	}
}

func testReportedAnew(s *fixture) {
	for _, again := range []queue.State{queue.Failed, queue.Expired} {
		n := newLetter()
		n.Expires = s.clock.Now().Add(outbox.Lifetime)
		id := s.enqueue(n)
		s.join("w")
		s.settle(s.leases("w", 1)[0], queue.Failed)
		s.must("Reported", s.store.Reported(s.ctx, s.unreported(10)))
		s.change(queue.Retry, id)
		if got := s.unreported(10); len(got) != 0 {
			s.Errorf("a queued message is unreported: %+v", got)
		}
		if again == queue.Failed {
			s.settle(s.leases("w", 1)[0], queue.Failed)
		} else {
			s.clock.Advance(outbox.Lifetime)
			s.sweep()
		}
		reports := s.unreported(10)
		if len(reports) != 1 {
			s.Errorf("%s again, but unreported is %+v", again, reports)
		}
		s.change(queue.Retry, id)
		s.must("Reported", s.store.Reported(s.ctx, reports)) // too late: it is queued
		s.must("Leave", s.store.Leave(s.ctx, "w"))
		s.join("w")
		s.settle(s.leases("w", 1)[0], queue.Failed)
		reports = s.unreported(10)
		if len(reports) != 1 {
			s.Errorf("reported when it was queued, and failed: unreported is %+v", reports)
		}
		s.must("Reported", s.store.Reported(s.ctx, reports))
		s.must("Leave", s.store.Leave(s.ctx, "w"))
	}
}
