package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// rowWriter writes the rows of a new message, in the store's own transaction or in the caller's.
type rowWriter interface {
	execute(sql string, args ...any) error
	queryRow(sql string, args []any, into ...any) (found bool, err error)
	addCount(account int64, word string, n int64) error
	nextNumber(word string) (int64, error)
	makeAccount(name string) (int64, error)
	noteWake() error
}

// Forms of a body, in the column message.form.
const (
	eightBit = 1 << iota
	utf8
	binary
)

// Places of a body, in the column message.body.
const (
	bodyGone = iota
	bodyInline
	bodySpooled
)

// Enqueue keeps a message.
func (s *sqliteStore) Enqueue(ctx context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	if err := m.CheckNames(); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if s.looksAhead(m) {
		if found, receipt, err := s.findDuplicate(ctx, m); found || err != nil {
			return receipt, err
		}
	}
	if s.group == nil {
		return outbox.EnqueueResult{}, errReadOnly
	}
	letter, err := s.readContent(m)
	if errors.Is(err, queue.ErrFull) {
		if found, receipt, failed := s.findDuplicate(ctx, m); found {
			return receipt, failed
		}
	}
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	defer letter.discard()
	var receipt outbox.EnqueueResult
	err = s.writeTx(ctx, func(t *txn) error {
		var err error
		receipt, err = s.insertMessage(t, m, letter, t.now)
		return err
	})
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	return receipt, nil
}

// EnqueueIn enqueues a message in the caller's transaction. From here on the transaction holds
// SQLite's only write lock.
func (s *sqliteStore) EnqueueIn(ctx context.Context, tx outbox.CallerTx, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	if err := s.checkUsable(ctx); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if err := m.CheckNames(); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if s.group == nil {
		return outbox.EnqueueResult{}, errReadOnly
	}
	// Not in the caller's transaction: a read there before its first write would make the
	// write fail if another program has written meanwhile.
	if found, receipt, err := s.findDuplicate(ctx, m); found || err != nil {
		return receipt, err
	}
	letter, err := s.readContent(m)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	defer letter.discard()
	receipt, err := s.insertMessage(&callerTx{ctx, tx}, m, letter, s.now())
	if err != nil {
		return outbox.EnqueueResult{}, s.classifyError(err)
	}
	return receipt, nil
}

// looksAhead reports whether the key is looked for before the body is read, and not in the transaction
// alone: if the body is large, or only a duplicate can succeed.
func (s *sqliteStore) looksAhead(m outbox.NewMessage) bool {
	return s.group == nil || m.Content == nil || m.Content.Size() > s.options.InlineBytes
}

// findDuplicate looks for the key outside a write transaction.
func (s *sqliteStore) findDuplicate(ctx context.Context, m outbox.NewMessage) (found bool, receipt outbox.EnqueueResult, err error) {
	if m.Key == "" {
		return false, outbox.EnqueueResult{}, s.checkUsable(ctx)
	}
	err = s.readTx(ctx, func(c *dbConn) error {
		return c.query(ctx, func(r resultRow) error {
			found = true
			receipt, err = duplicateOf(m, r.int(0), r.blob(1))
			return err
		}, sameKey, m.Account, m.Key)
	})
	return found, receipt, err
}

// findDuplicateIn looks for the key in a transaction.
func findDuplicateIn(l rowWriter, m outbox.NewMessage) (receipt outbox.EnqueueResult, found bool, err error) {
	var id int64
	var fingerprint []byte
	found, err = l.queryRow(sameKey, []any{m.Account, m.Key}, &id, &fingerprint)
	if found && err == nil {
		receipt, err = duplicateOf(m, id, fingerprint)
		err = markHarmless(err)
	}
	return receipt, found, err
}

const sameKey = `SELECT m.id, m.fingerprint FROM message m JOIN account a ON a.id = m.account
	WHERE a.name = ? AND m.key = ? AND m.key <> ''`

func duplicateOf(m outbox.NewMessage, id int64, fingerprint []byte) (outbox.EnqueueResult, error) {
	if !bytes.Equal(fingerprint, m.Fingerprint[:]) {
		return outbox.EnqueueResult{}, queue.ErrConflict
	}
	return outbox.EnqueueResult{ID: queue.ID(id), Duplicate: true}, nil
}

// insertMessage inserts the rows of a message.
func (s *sqliteStore) insertMessage(l rowWriter, m outbox.NewMessage, body *preparedBody, now int64) (outbox.EnqueueResult, error) {
	account, err := l.makeAccount(m.Account)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	if m.Key != "" {
		if receipt, found, err := findDuplicateIn(l, m); found || err != nil {
			return receipt, err
		}
	}
	number, err := l.nextNumber(messageNumber)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	event, err := l.nextNumber(eventNumber)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	n := rowNumbers{account: account, message: queue.ID(number), event: event, now: now}
	if err := s.putMessage(l, m, body, n); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if err := putRecipients(l, m, n); err != nil {
		return outbox.EnqueueResult{}, err
	}
	return outbox.EnqueueResult{ID: n.message}, nil
}

// rowNumbers are the row numbers and the time of a new message.
type rowNumbers struct {
	account, event, now int64
	message             queue.ID
}

func (s *sqliteStore) putMessage(l rowWriter, m outbox.NewMessage, body *preparedBody, n rowNumbers) error {
	dsn, err := encodeDSN(m.Envelope.DSN())
	if err != nil {
		return err
	}
	tags := ""
	if len(m.Tags) > 0 {
		encoded, err := json.Marshal(m.Tags)
		if err != nil {
			return err
		}
		tags = string(encoded)
	}
	var fingerprint, spool []byte
	if m.Key != "" {
		fingerprint = m.Fingerprint[:]
	}
	where := bodyInline
	if body.spool != nil {
		// Under the write lock, so that no Prune removes the file before the row is inserted.
		if err := body.spool.nameFile(); err != nil {
			return err
		}
		spool, where = body.spool.hash, bodySpooled
	}
	err = l.execute(`INSERT INTO message (id, account, key, fingerprint, sender, folded, dsn, message_id, subject, size, form, created,
		not_before, expires, priority, tags, report_on, recipients, body, spool, open, event, stage)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
		int64(n.message), n.account, m.Key, nullBytes(fingerprint), m.Envelope.From().String(),
		foldAddress(m.Envelope.From().String()), dsn, m.MessageID, m.Subject, body.size, body.form,
		n.now, toMicros(m.NotBefore), expiryTime(m, n.now), int64(m.Priority), tags, int64(m.ReportOn), int64(m.Envelope.Len()),
		int64(where), nullBytes(spool), int64(m.Envelope.Len()), n.event)
	if err != nil {
		return fmt.Errorf("keeping a message: %w", err)
	}
	if where == bodyInline {
		if err := l.execute("INSERT INTO body (message, data) VALUES (?, ?)", int64(n.message), body.inline); err != nil {
			return fmt.Errorf("keeping the text of a message: %w", err)
		}
	}
	return nil
}

func putRecipients(l rowWriter, m outbox.NewMessage, n rowNumbers) error {
	due, timing := n.now, outbox.Soon
	if at := toMicros(m.NotBefore); at > n.now {
		due, timing = at, outbox.Dated
	}
	state, at := queue.Queued, any(waitsColumn(due, timing))
	if m.Hold {
		state, at = queue.Held, nil
	}
	for place, to := range m.Envelope.To() {
		err := l.execute(`INSERT INTO delivery (id, account, priority, state, due, timing, waits, expires, firm, updated, address, folded)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			recipientID(n.message, place), n.account, int64(m.Priority), string(state), due, int64(timing), at, expiryTime(m, n.now),
			boolToInt(!m.Expires.IsZero()), n.now, to.String(), foldAddress(to.String()))
		if err != nil {
			return fmt.Errorf("keeping a recipient: %w", err)
		}
	}
	if err := l.addCount(n.account, string(state), int64(m.Envelope.Len())); err != nil {
		return err
	}
	err := l.execute(insertEvent, n.event, int64(n.message), int64(-1), n.account, string(queue.EventEnqueued), string(state), n.now,
		int64(0), int64(0), "")
	if err != nil {
		return fmt.Errorf("keeping what happened: %w", err)
	}
	return l.noteWake()
}

// foldAddress returns an address in lower case if it has characters that SQLite's lower, which
// knows only ASCII, does not convert; otherwise nil.
func foldAddress(address string) any {
	for i := range len(address) {
		if address[i] >= 0x80 {
			return strings.ToLower(address)
		}
	}
	return nil
}

// expiryTime returns the time after which a message is not tried.
func expiryTime(m outbox.NewMessage, now int64) int64 {
	if !m.Expires.IsZero() {
		return toMicros(m.Expires)
	}
	return max(now, toMicros(m.NotBefore)) + outbox.Lifetime.Microseconds()
}

func nullBytes(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func encodeDSN(d smtp.DSN) (string, error) {
	if d.IsZero() {
		return "", nil
	}
	encoded, err := json.Marshal(keptDSN(d))
	return string(encoded), err
}

func decodeDSN(s string) (smtp.DSN, error) {
	var d keptDSN
	if s == "" {
		return smtp.DSN{}, nil
	}
	err := json.Unmarshal([]byte(s), &d)
	return smtp.DSN(d), err
}

// keptDSN is smtp.DSN with stable JSON names.
type keptDSN struct {
	Return     string   `json:"return,omitempty"`
	EnvelopeID string   `json:"envid,omitempty"`
	Notify     []string `json:"notify,omitempty"`
}
