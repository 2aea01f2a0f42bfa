package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// messageRow is a new message in the JSON that insert takes, which needs one parameter for any number
// of messages.
type messageRow struct {
	ID         int64           `json:"id"`
	Account    string          `json:"account"`
	Key        string          `json:"key"`
	Print      string          `json:"print"` // hexadecimal
	Sender     string          `json:"sender"`
	Folded     *string         `json:"folded"`
	DSN        *dsnColumn      `json:"dsn"`
	MessageID  string          `json:"message_id"`
	Subject    string          `json:"subject"`
	Size       int64           `json:"size"`
	Eight      bool            `json:"eight"`
	UTF8       bool            `json:"utf8"`
	Binary     bool            `json:"binary"`
	Blob       *int64          `json:"blob"`
	Created    time.Time       `json:"created"`
	NotBefore  *time.Time      `json:"not_before"`
	Due        time.Time       `json:"due"`
	Timing     int             `json:"timing"`
	Firm       bool            `json:"firm"`
	Expires    time.Time       `json:"expires"`
	Priority   int             `json:"priority"`
	Tags       []string        `json:"tags"`
	ReportOn   int64           `json:"report_on"`
	State      string          `json:"state"`
	Recipients []recipientJSON `json:"recipients"`
}

type recipientJSON struct {
	Address string  `json:"address"`
	Folded  *string `json:"folded"`
}

type dsnColumn struct {
	Return     string   `json:"return,omitempty"`
	EnvelopeID string   `json:"id,omitempty"`
	Notify     []string `json:"notify,omitempty"`
}

// toDSN returns the smtp.DSN of a column; nil means none.
func (d *dsnColumn) toDSN() smtp.DSN {
	if d == nil {
		return smtp.DSN{}
	}
	return smtp.DSN{Return: d.Return, EnvelopeID: d.EnvelopeID, Notify: d.Notify}
}

// insert inserts messages with everything but their bodies, and returns the ids of those whose
// keys did not exist. Keys are inserted in order, so that two of these statements never
// deadlock.
const insert = `
with x as materialized (
	select * from json_to_recordset($1::json) as x(id bigint, account text, key text, print text, sender text, folded text, dsn json,
		message_id text, subject text, size bigint, eight boolean, utf8 boolean, "binary" boolean, blob bigint, created timestamptz,
		not_before timestamptz, due timestamptz, timing smallint, firm boolean, expires timestamptz, priority smallint, tags text[], report_on bigint, state text, recipients json)
), m as (
	insert into yan.message (id, account, key, print, sender, folded, dsn, message_id, subject, size, eight, utf8, "binary", has_body, blob,
		created, not_before, expires, priority, tags, report_on, recipients)
	select id, account, key, decode(print, 'hex'), sender, folded, dsn, message_id, subject, size, eight, utf8, "binary", true, blob,
		created, not_before, expires, priority, tags, report_on, json_array_length(recipients)
	from x order by account collate "C", key collate "C", id
	on conflict (account, key) where key <> '' do nothing
	returning id
), d as (
	insert into yan.delivery (message, n, account, priority, address, folded, state, due, timing, expires, firm, updated)
	select x.id, r.n - 1, x.account, x.priority, r.r ->> 'address', r.r ->> 'folded', x.state, x.due, x.timing, x.expires, x.firm, x.created
	from x join m using (id) cross join lateral json_array_elements(x.recipients) with ordinality as r(r, n)
), e as (
	insert into yan.event (message, n, account, kind, state, at)
	select x.id, -1, x.account, 'enqueued', x.state, x.created from x join m using (id) order by x.id
), t as (
	insert into yan.tally (account, state, n)
	select x.account, x.state, sum(json_array_length(x.recipients)) from x join m using (id) group by 1, 2
)
select id from m`

const findKey = "select id, encode(print, 'hex') from yan.message where account = $1 and key = $2 and key <> ''"

// enqueueOp is an Enqueue of a small message in progress.
type enqueueOp struct {
	row     messageRow
	body    []byte
	receipt outbox.EnqueueResult
	err     error
}

// Enqueue implements outbox.Store.
func (s *Store) Enqueue(ctx context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	if err := s.checkOpen(ctx); err != nil {
		return outbox.EnqueueResult{}, err
	}
	r, err := newRow(m)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	if r.Size > s.o.InlineBytes {
		var receipt outbox.EnqueueResult
		err := s.inOwnTx(ctx, func(ctx context.Context, t *tx) (err error) {
			t.wakes = true
			receipt, err = s.insertMessage(ctx, connTx{t.Conn}, m, r)
			return err
		})
		if err != nil {
			return outbox.EnqueueResult{}, err
		}
		return receipt, nil
	}
	op := &enqueueOp{row: r}
	if op.body, err = readSmall(m.Content); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if err := shareCommit(ctx, s, s.enqueues, op); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if op.err != nil {
		return outbox.EnqueueResult{}, op.err
	}
	return op.receipt, nil
}

// lookUp returns the message that has a key.
func lookUp(ctx context.Context, in outbox.CallerTx, account, key, print string) (outbox.EnqueueResult, bool, error) {
	var id int64
	var has string
	found, err := in.QueryRow(ctx, findKey, []any{account, key}, &id, &has)
	switch {
	case err != nil || !found:
		return outbox.EnqueueResult{}, false, err
	case has != print:
		return outbox.EnqueueResult{}, true, queue.ErrConflict
	}
	return outbox.EnqueueResult{ID: queue.ID(id), Duplicate: true}, true, nil
}

// enqueueAll inserts small messages.
func (s *Store) enqueueAll(ctx context.Context, t *tx, all []*enqueueOp) error {
	var ids []int64
	if err := t.QueryRow(ctx, "select array_agg(nextval('yan.message_id')) from generate_series(1, $1::int)", len(all)).Scan(&ids); err != nil {
		return err
	}
	rows, bodies := make([]messageRow, len(all)), make([][]byte, len(all))
	byID := make(map[int64]*enqueueOp, len(all))
	for i, op := range all {
		op.row.ID = ids[i]
		op.row.setTimes(t.now)
		rows[i], bodies[i], byID[ids[i]] = op.row, op.body, op
		op.receipt, op.err = outbox.EnqueueResult{}, nil
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(insert, string(list)).Query(func(rows pgx.Rows) error {
		var id int64
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			byID[id].receipt.ID = queue.ID(id)
			return nil
		})
		return err
	})
	b.Queue(`insert into yan.body (message, data) select b.id, b.data
		from unnest($1::bigint[], $2::bytea[]) as b(id, data) join yan.message m on m.id = b.id`, ids, bodies)
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	for _, op := range all {
		if op.receipt.ID != 0 {
			continue
		}
		receipt, found, err := lookUp(ctx, connTx{t.Conn}, op.row.Account, op.row.Key, op.row.Print)
		switch {
		case errors.Is(err, queue.ErrConflict):
			op.err = err
		case err != nil:
			return err
		case !found:
			op.err = errForgotten
		}
		op.receipt = receipt
	}
	t.wakes = true
	return nil
}

// errForgotten: Prune has just removed the message that had the key.
var errForgotten = localerr.New("the message with this key was just deleted: try again")

// setTimes sets the fields that depend on the time.
func (r *messageRow) setTimes(now time.Time) {
	r.Created, r.Due, r.Timing = now, now, int(outbox.Soon)
	if r.NotBefore != nil && r.NotBefore.After(now) {
		r.Due, r.Timing = *r.NotBefore, int(outbox.Dated)
	}
	if !r.Firm {
		r.Expires = r.Due.Add(outbox.Lifetime)
	}
}

// newRow returns the row of a message, without its id and the fields that depend on the time.
func newRow(m outbox.NewMessage) (messageRow, error) {
	if err := m.CheckNames(); err != nil {
		return messageRow{}, err
	}
	if m.Envelope.Len() == 0 {
		return messageRow{}, localerr.New("envelope: no recipients")
	}
	if m.Content == nil {
		return messageRow{}, localerr.New("the message has no content")
	}
	for _, text := range append([]string{m.Account, m.Key, m.MessageID}, m.Tags...) {
		if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return messageRow{}, localerr.Errorf("PostgreSQL can't store %q: it contains a NUL or is not UTF-8", text)
		}
	}
	r := messageRow{
		Account: m.Account, Key: m.Key, Print: hex.EncodeToString(m.Fingerprint[:]),
		Sender: m.Envelope.From().String(), MessageID: m.MessageID, Subject: replaceInvalid(m.Subject),
		Size: m.Content.Size(), Eight: m.Content.EightBit(), UTF8: m.Content.NeedsSMTPUTF8(),
		Expires: m.Expires, Firm: !m.Expires.IsZero(), Priority: int(min(max(m.Priority, queue.Low), queue.High)),
		ReportOn: int64(m.ReportOn), State: string(queue.Queued),
	}
	r.Folded = foldText(r.Sender)
	if binary, ok := m.Content.(smtpclient.BinaryContent); ok {
		r.Binary = binary.IsBinary()
	}
	if d := m.Envelope.DSN(); !d.IsZero() {
		r.DSN = &dsnColumn{d.Return, d.EnvelopeID, d.Notify}
	}
	if !m.NotBefore.IsZero() {
		r.NotBefore = &m.NotBefore
	}
	if len(m.Tags) > 0 {
		r.Tags = m.Tags
	}
	if m.Hold {
		r.State = string(queue.Held)
	}
	for _, a := range m.Envelope.To() {
		r.Recipients = append(r.Recipients, recipientJSON{a.String(), foldText(a.String())})
	}
	return r, nil
}

// replaceInvalid replaces characters that PostgreSQL does not accept.
func replaceInvalid(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

// foldText returns a text in lower case, nil if that is the same. It uses Go's rules, because
// those of a database depend on its locale.
func foldText(text string) *string {
	lower := strings.ToLower(text)
	if lower == text {
		return nil
	}
	return &lower
}

// readSmall reads a message into memory.
func readSmall(c smtpclient.Content) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(c.Size()))
	w := &sizedWriter{to: &b, left: c.Size()}
	if _, err := c.WriteTo(w); err != nil {
		return nil, localerr.Errorf("reading the message: %w", err)
	}
	return b.Bytes(), w.checkEnd()
}
