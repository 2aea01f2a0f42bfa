package sqlite

import (
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// deliveryRow is a row of the table delivery.
type deliveryRow struct {
	id, account                        int64
	state                              queue.State
	due, expires, owner                int64 // owner 0: none
	token, attempts, doubted, priority int64
	timing                             outbox.Timing
	firm                               bool // the sender chose its expiry
	unreported                         bool
	address, answer                    string
}

// recipientColumns are the columns that scanRecipient reads.
const recipientColumns = "id, account, state, due, expires, owner, token, attempts, doubted, priority, unreported, address, answer, timing, firm"

func scanRecipient(r resultRow) deliveryRow {
	return deliveryRow{
		id: r.int(0), account: r.int(1), state: queue.State(r.text(2)), due: r.int(3), expires: r.int(4), owner: r.int(5),
		token: r.int(6), attempts: r.int(7), doubted: r.int(8), priority: r.int(9), unreported: !r.isNull(10),
		address: r.text(11), answer: r.text(12), timing: outbox.Timing(r.int(13)), firm: r.isTrue(14),
	}
}

// moveRecipient writes a recipient's new state, and everything that follows from it. d is the new row,
// from the old state. Fields that the new state does not use are cleared.
func (t *txn) moveRecipient(d *deliveryRow, from queue.State) error {
	if d.state != queue.Leased && d.state != queue.Sending {
		d.owner = 0
	}
	d.unreported = false
	message, _ := messageOf(d.id)
	if d.state == queue.Failed || d.state == queue.Expired {
		about, _, err := t.queryNumber("SELECT report_on FROM message WHERE id = ?", message)
		if err != nil {
			return err
		}
		d.unreported = about == 0 // the failure of a bounce is not reported
	}
	if d.state == queue.InDoubt {
		d.doubted = 1
		if from == queue.Sending {
			// For queue.Recipient.Marked; the due time is not used any more.
			if _, err := t.exec("UPDATE delivery SET due = updated WHERE id = ?", d.id); err != nil {
				return err
			}
		}
	}
	if d.state.Waiting() {
		t.wake = true
	}
	t.tally[tallyKey{d.account, string(from)}]--
	t.tally[tallyKey{d.account, string(d.state)}]++
	if from.Final() != d.state.Final() {
		if d.state.Final() {
			t.open[int64(message)]--
		} else {
			t.open[int64(message)]++
		}
	}
	return t.writeRecipient(d, from)
}

// writeRecipient names only columns that change: SQLite does not update an index whose columns are
// not named.
func (t *txn) writeRecipient(d *deliveryRow, from queue.State) (err error) {
	if from.Waiting() || d.state.Waiting() {
		at := any(nil)
		if d.state.Waiting() {
			at = waitsColumn(d.due, d.timing)
		}
		_, err = t.exec(`UPDATE delivery SET state = ?, due = ?, timing = ?, waits = ?, owner = ?, attempts = ?, doubted = ?, unreported = ?,
			updated = ?, answer = ?, expires = ?, firm = ? WHERE id = ?`,
			d.state, d.due, int64(d.timing), at, orNull(d.owner), d.attempts, d.doubted, orNull(boolToInt(d.unreported)),
			t.now, d.answer, d.expires, d.firm, d.id)
		return err
	}
	if !d.unreported && !from.Final() {
		_, err = t.exec(`UPDATE delivery SET state = ?, owner = ?, attempts = ?, doubted = ?, updated = ?, answer = ? WHERE id = ?`,
			d.state, orNull(d.owner), d.attempts, d.doubted, t.now, d.answer, d.id)
		return err
	}
	_, err = t.exec(`UPDATE delivery SET state = ?, owner = ?, attempts = ?, doubted = ?, unreported = ?, updated = ?, answer = ?
		WHERE id = ?`, d.state, orNull(d.owner), d.attempts, d.doubted, orNull(boolToInt(d.unreported)), t.now, d.answer, d.id)
	return err
}

func orNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func boolToInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
