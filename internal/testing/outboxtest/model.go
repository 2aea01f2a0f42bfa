package outboxtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// inlineBody is the size up to which Claim may return a body with its message.
const inlineBody = 64 << 10

// Model is an outbox in memory with one lock and loops over everything. It is meant to be obviously
// correct, not fast.
type Model struct {
	clock    *Clock
	mu       sync.Mutex
	closed   bool
	wake     chan struct{}
	last     queue.ID
	messages []*modelMessage // by ID
	workers  map[string]*modelWorker
	accounts map[string]*modelAccount
	events   []queue.Event
	cursor   int       // of the last event
	pruned   time.Time // the time of Prune
	copied   bool
}

type modelMessage struct {
	queue.Entry // without Recipients, Total and Events
	dsn         smtp.DSN
	print       [32]byte
	body        []byte
	eight, utf8 bool
	binary      bool
	recipients  []*modelRecipient
	firm        bool // the sender chose the expiry
}

type modelRecipient struct {
	queue.Recipient // Due is kept in every state; without Worker
	owner           string
	token           int64
	reported        bool
	timing          outbox.Timing
	expires         time.Time
}

// waits returns how long it is until a recipient is due.
func (r *modelRecipient) waits(now time.Time) time.Duration { return r.timing.WaitTime(r.Due, now) }

type modelWorker struct {
	queue.Worker
	since time.Time
	boot  string
	end   time.Duration // of its lease, by the uptime
	slots map[string]int
}

type modelAccount struct {
	full   time.Time // when the token bucket is full
	paused time.Time // end of the pause
	answer queue.Answer
}

// NewModel returns an empty model.
func NewModel(clock *Clock) *Model {
	return &Model{
		clock: clock, wake: make(chan struct{}), pruned: clock.Now(),
		workers: map[string]*modelWorker{}, accounts: map[string]*modelAccount{},
	}
}

// begin starts every method. After it the lock is held, unless it returned an error.
func (m *Model) begin(ctx context.Context) (time.Time, error) {
	if ctx.Err() != nil {
		return time.Time{}, context.Cause(ctx)
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return time.Time{}, queue.ErrClosed
	}
	return m.clock.Now(), nil
}

// wakeAll closes the channel of Wake.
func (m *Model) wakeAll() {
	close(m.wake)
	m.wake = make(chan struct{})
}

// Wake implements outbox.Store.
func (m *Model) Wake() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wake
}

// Close implements outbox.Store.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Reopen reopens a closed model.
func (m *Model) Reopen() *Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = false
	return m
}

func (m *Model) find(id queue.ID) *modelMessage {
	at, found := slices.BinarySearchFunc(m.messages, id, func(msg *modelMessage, id queue.ID) int { return cmp.Compare(msg.ID, id) })
	if !found {
		return nil
	}
	return m.messages[at]
}

func (m *Model) recipient(id queue.ID, n int) (*modelMessage, *modelRecipient) {
	msg := m.find(id)
	if msg == nil || n < 0 || n >= len(msg.recipients) {
		return nil, nil
	}
	return msg, msg.recipients[n]
}

func (m *Model) account(name string) *modelAccount {
	if m.accounts[name] == nil {
		m.accounts[name] = &modelAccount{}
	}
	return m.accounts[name]
}

// event records an event of a recipient, or of a message if r is nil.
func (m *Model) event(now time.Time, msg *modelMessage, r *modelRecipient, e queue.Event) {
	m.cursor++
	e.Cursor, e.ID, e.Account, e.At = queue.Cursor(fmt.Sprint(m.cursor)), msg.ID, msg.Account, now
	if r == nil {
		e.N, e.State = -1, msg.recipients[0].State
	} else {
		e.N, e.Address, e.State = r.N, r.Address, r.State
	}
	m.events = append(m.events, e)
}

// move changes the state of a recipient and takes it from its worker, except from Leased to
// Sending.
func (m *Model) move(now time.Time, r *modelRecipient, to queue.State) {
	if r.State != to && !mayMove(r.State, to) {
		panic(fmt.Sprintf("the model moves from %s to %s", r.State, to))
	}
	if r.State == queue.Sending && to == queue.InDoubt {
		r.Due = r.Updated // when it was marked
	}
	r.State, r.Updated = to, now
	switch to {
	case queue.Leased, queue.Sending:
	case queue.InDoubt:
		r.Doubted, r.owner = true, ""
	default:
		r.owner = ""
	}
}

// Enqueue implements outbox.Store.
func (m *Model) Enqueue(ctx context.Context, n outbox.NewMessage) (outbox.EnqueueResult, error) {
	now, err := m.begin(ctx)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	defer m.mu.Unlock()
	if err := n.CheckNames(); err != nil {
		return outbox.EnqueueResult{}, err
	}
	if n.Key != "" {
		for _, msg := range m.messages {
			if msg.Account == n.Account && msg.Key == n.Key {
				if msg.print != n.Fingerprint {
					return outbox.EnqueueResult{}, queue.ErrConflict
				}
				return outbox.EnqueueResult{ID: msg.ID, Duplicate: true}, nil
			}
		}
	}
	msg, err := newMessage(now, n)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	m.last++
	msg.ID = m.last
	m.messages = append(m.messages, msg)
	m.event(now, msg, nil, queue.Event{Kind: queue.EventEnqueued})
	m.wakeAll()
	return outbox.EnqueueResult{ID: msg.ID}, nil
}

// EnqueueIn implements outbox.Store, but has no transactions: the message is enqueued at once and
// tx is ignored.
func (m *Model) EnqueueIn(ctx context.Context, tx outbox.CallerTx, n outbox.NewMessage) (outbox.EnqueueResult, error) {
	return m.Enqueue(ctx, n)
}

func newMessage(now time.Time, n outbox.NewMessage) (*modelMessage, error) {
	if n.Envelope.Len() == 0 {
		return nil, errors.New("the envelope has no recipients")
	}
	body, err := readContent(n.Content)
	if err != nil {
		return nil, err
	}
	due, timing := now, outbox.Soon
	if n.NotBefore.After(now) {
		due, timing = n.NotBefore, outbox.Dated
	}
	expires := n.Expires
	if expires.IsZero() {
		expires = due.Add(outbox.Lifetime)
	}
	msg := &modelMessage{
		Entry: queue.Entry{
			Account: n.Account, Key: n.Key, From: n.Envelope.From(), MessageID: n.MessageID, Subject: n.Subject,
			Size: n.Content.Size(), HasBody: true, Created: now, NotBefore: n.NotBefore, Expires: expires,
			Priority: n.Priority, Tags: slices.Clone(n.Tags), ReportOn: n.ReportOn,
		},
		dsn: n.Envelope.DSN(), print: n.Fingerprint, body: body,
		eight: n.Content.EightBit(), utf8: n.Content.NeedsSMTPUTF8(), firm: !n.Expires.IsZero(),
	}
	if len(msg.Tags) == 0 {
		msg.Tags = nil
	}
	if b, ok := n.Content.(smtpclient.BinaryContent); ok {
		msg.binary = b.IsBinary()
	}
	state := queue.Queued
	if n.Hold {
		state = queue.Held
	}
	for i, a := range n.Envelope.To() {
		msg.recipients = append(msg.recipients, &modelRecipient{
			Recipient: queue.Recipient{N: i, Address: a, State: state, Due: due, Updated: now}, timing: timing, expires: expires,
		})
	}
	return msg, nil
}

func readContent(c smtpclient.Content) ([]byte, error) {
	if c == nil {
		return nil, errors.New("the message has no content")
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	if int64(b.Len()) != c.Size() {
		return nil, fmt.Errorf("the message has %d octets and not the %d that it said", b.Len(), c.Size())
	}
	return b.Bytes(), nil
}

// Body implements outbox.Store.
func (m *Model) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	if _, err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	msg := m.find(id)
	switch {
	case msg == nil:
		return nil, queue.ErrNotFound
	case !msg.HasBody:
		return nil, queue.ErrNoBody
	}
	return io.NopCloser(bytes.NewReader(msg.body)), nil
}
