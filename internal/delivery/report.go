package delivery

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/yanmail/yan/internal/bounce"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// mostReports limits how many messages are reported at a time, and mostUnreported how many that
// can't be reported are skipped.
const mostReports, mostUnreported = 100, 10_000

// reportFailures sends bounces for messages that failed or expired, through the outbox like any other
// message. The key of a bounce keeps it unique, however often this or another worker starts to
// report.
func (s *leaseSession) reportFailures() {
	d := s.d
	d.mu.Lock()
	untold := d.unreported
	d.mu.Unlock()
	// Those that could not be reported come first.
	reports, err := d.o.Store.Unreported(s.over, mostReports+min(untold, mostUnreported))
	if s.over.Err() != nil || !d.recordUse(err) {
		return
	}
	untold = 0
	defer func() {
		d.mu.Lock()
		d.unreported = untold
		d.mu.Unlock()
	}()
	routes, unroutable := map[string]Route{}, map[string]bool{}
	for i := range reports {
		if s.over.Err() != nil {
			return
		}
		account := reports[i].Account
		route, known := routes[account]
		if !known && !unroutable[account] {
			route, err = d.o.Route(s.over, account)
			routes[account], unroutable[account] = route, err != nil
		}
		if unroutable[account] {
			untold++
			continue // its account workers report it, and it is tried again
		}
		if err := s.reportOne(route, reports[i]); err != nil {
			untold++
			d.o.Observe(WorkerEvent{Kind: Reported, Account: account, ID: reports[i].ID, MessageID: reports[i].MessageID, Err: err})
		}
	}
}

// reportOne enqueues the bounce of a message, and then records that it was reported.
func (s *leaseSession) reportOne(route Route, r outbox.PendingReport) error {
	d := s.d
	told := false
	if !route.NoReport {
		err := s.enqueueReport(route, r)
		switch {
		case err == nil:
			told = true
		case errors.Is(err, queue.ErrConflict), errors.Is(err, bounce.ErrNoReport):
		default:
			return err
		}
	}
	if err := d.o.Store.Reported(s.hard, []outbox.PendingReport{r}); !s.recordUse(err) {
		return err
	}
	if told {
		d.o.Observe(WorkerEvent{Kind: Reported, Account: r.Account, ID: r.ID, MessageID: r.MessageID, Count: len(r.Recipients)})
		d.wakeDispatcher()
	}
	return nil
}

func (s *leaseSession) enqueueReport(route Route, r outbox.PendingReport) error {
	d := s.d
	host, err := os.Hostname()
	if err != nil {
		host = "" // the report does not need it
	}
	if route.ReportTo.IsZero() && route.Owns != nil && !route.Owns(r.From) {
		// That address may be a stranger's, who has sent nothing.
		route.ReportTo = route.ReportFrom
	}
	about := bounce.Report{PendingReport: r, Sender: route.ReportFrom, To: route.ReportTo, Host: host, Provider: route.Provider}
	about.Now = d.o.Now()
	body, err := d.o.Store.Body(s.over, r.ID)
	switch {
	case err == nil:
		defer body.Close()
		about.Text = body
	case !errors.Is(err, queue.ErrNoBody):
		return err
	}
	content, envelope, err := bounce.Compose(about)
	if err != nil {
		return err
	}
	key := reportKey(r)
	_, err = d.o.Store.Enqueue(s.hard, outbox.NewMessage{Account: r.Account, Key: key, Fingerprint: sha256.Sum256([]byte(key)),
		Envelope: envelope, MessageID: content.MessageID(), Subject: "Not sent 未发出: " + r.MessageID, Content: content, ReportOn: r.ID})
	return err
}

// reportKey returns the same key for every bounce about these recipients.
func reportKey(r outbox.PendingReport) string {
	hash := sha256.New()
	for _, to := range r.Recipients {
		fmt.Fprintf(hash, "%d %d\n", to.N, to.Updated.UnixMicro())
	}
	return fmt.Sprintf("report/%d/%x", r.ID, hash.Sum(nil)[:8])
}
