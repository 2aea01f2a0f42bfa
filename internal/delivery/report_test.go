package delivery_test

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// The sender of a failed message gets one bounce, and a failed bounce is not reported.
func TestTheSenderIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.route.NoReport = false
	w.route.ReportFrom = mustAddress(t, "me@example.org")
	w.route.ReportTo = mustAddress(t, "rcpt-550-5.1.1@example.org") // the report fails as well
	id := w.enqueueTo("rcpt-550-5.1.1@example.org", "good@example.org")
	w.enqueueTo("good@example.org")
	w.mustDrain()
	w.route.ReportTo = mustAddress(t, "boss@example.org")
	second := w.enqueueTo("rcpt-551-5.7.1@example.org")
	for range 3 {
		w.mustDrain()
	}
	page, err := w.model.List(t.Context(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	reports := map[queue.ID]int{}
	for _, e := range page.Entries {
		if e.ReportOn != 0 {
			reports[e.ReportOn]++
		}
	}
	if len(page.Entries) != 5 || reports[id] != 1 || reports[second] != 1 {
		t.Errorf("%d messages, reports on %v", len(page.Entries), reports)
	}
	if n := w.countEvents(delivery.Reported, ""); n != 2 {
		t.Errorf("%d events", n)
	}
	for _, m := range w.server.Messages() {
		if strings.Join(m.To, " ") == "boss@example.org" {
			if !strings.Contains(string(m.Data), "message/delivery-status") || !strings.Contains(string(m.Data), "551 5.7.1") {
				t.Errorf("the report says:\n%s", m.Data)
			}
			return
		}
	}
	t.Error("the report did not arrive")
}

// A bounce to a sender that is not the account's own goes to the account: a visitor's address
// in the mail of a web form must not make Yan write to that visitor.
func TestStrangersAreNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.route.NoReport = false
	w.route.ReportFrom = mustAddress(t, "shop@example.org")
	w.route.Owns = func(a smtp.Address) bool { return a.String() == "shop@example.org" }
	w.enqueueTo("rcpt-550-5.1.1@example.org")
	w.mustDrain()
	got := w.server.Messages()
	if len(got) != 1 || strings.Join(got[0].To, " ") != "shop@example.org" {
		t.Errorf("%d reports: %+v", len(got), got)
	}
}
