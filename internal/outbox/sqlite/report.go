package sqlite

import (
	"context"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Unreported lists messages whose recipients failed or expired and were not reported, the
// oldest first.
func (s *sqliteStore) Unreported(ctx context.Context, limit int) (reports []outbox.PendingReport, err error) {
	err = s.readTx(ctx, func(c *dbConn) error {
		var ends []deliveryRow
		messages := map[queue.ID]bool{}
		err := c.query(ctx, func(r resultRow) error {
			d := scanRecipient(r)
			id, _ := messageOf(d.id)
			if messages[id] = true; len(messages) > max(limit, 0) {
				return errEnough
			}
			ends = append(ends, d)
			return nil
		}, "SELECT "+recipientColumns+" FROM delivery WHERE unreported IS NOT NULL ORDER BY id")
		if err != nil {
			return err
		}
		for _, d := range ends {
			id, _ := messageOf(d.id)
			if len(reports) == 0 || reports[len(reports)-1].ID != id {
				report, err := readReport(ctx, c, id)
				if err != nil {
					return err
				}
				reports = append(reports, report)
			}
			last := &reports[len(reports)-1]
			status, err := s.statusOf(ctx, c, d.id)
			if err != nil {
				return err
			}
			last.Recipients = append(last.Recipients, status)
		}
		return nil
	})
	return reports, err
}

func readReport(ctx context.Context, c *dbConn, id queue.ID) (report outbox.PendingReport, err error) {
	err = c.query(ctx, func(r resultRow) (err error) {
		report = outbox.PendingReport{ID: id, Account: r.text(0), MessageID: r.text(2), Created: r.timeAt(3), ReportOn: queue.ID(r.int(4))}
		report.From = displayAddress(r.text(1))
		if report.DSN, err = decodeDSN(r.text(5)); err != nil {
			report.From, report.DSN = smtp.Address{}, smtp.DSN{} // it is not known whether the sender wants a bounce
		}
		return nil
	}, `SELECT a.name, m.sender, m.message_id, m.created, m.report_on, m.dsn FROM message m JOIN account a ON a.id = m.account
		WHERE m.id = ?`, id)
	return report, err
}

// Reported records that recipients were reported.
func (s *sqliteStore) Reported(ctx context.Context, reports []outbox.PendingReport) error {
	return s.writeTx(ctx, func(t *txn) error {
		for _, report := range reports {
			for _, to := range report.Recipients {
				if _, err := t.exec("UPDATE delivery SET unreported = NULL WHERE id = ? AND unreported IS NOT NULL",
					recipientID(report.ID, to.N)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
