package admission

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"strconv"
	"time"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/internal/intake/spool"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// repeatTime is how long the same octets are the same message.
const repeatTime = 24 * time.Hour

// maxKey is the longest key that a program may choose, in octets. Its peer's tag comes before it, and
// what keyChain.next adds.
const maxKey = outbox.MaxKey - outbox.MaxTag - len("/") - len("again/999/") - len("to/0123456789abcdef/")

// messageKey is the key of a message in the outbox.
type messageKey struct {
	text   string            // "" for none
	daily  bool              // it counts for a day
	octets [sha256.Size]byte // the hash of the message as it was handed over, if there is a key
}

// keyOf returns the key of a message. Keys of different peers are different, so that one can't occupy
// another's.
func (t *Transaction) keyOf(text *spool.File, m *repair.Message, e smtp.Envelope) (messageKey, error) {
	chosen := cmp.Or(m.Key(), t.key)
	own := !slices.Contains(m.Changes(), repair.MessageID)
	if chosen == "" && (t.a.o.Repeat || !own) {
		return messageKey{}, nil
	}
	var k messageKey
	sum := sha256.New()
	if _, err := text.WriteTo(sum); err != nil {
		return k, &spool.DiskError{Err: err}
	}
	sum.Sum(k.octets[:0])
	if chosen != "" {
		if len(chosen) > maxKey || !outbox.IsText(chosen) {
			return k, NewRefusal("content", 554, "5.6.0", localerr.Errorf("Yan-Key must be 1 to %d octets of text without control characters", maxKey), nil)
		}
		k.text = t.peer.Tag() + "/" + chosen
		return k, nil
	}
	k.text, k.daily = "same/"+t.sameness(k.octets, e), true
	return k, nil
}

// sameness identifies peer, envelope and octets, which contain the Message-ID.
func (t *Transaction) sameness(octets [sha256.Size]byte, e smtp.Envelope) string {
	h := sha256.New()
	_, _ = h.Write(octets[:]) // a hash returns no errors
	d := e.DSN()
	for _, s := range []string{"yan same 1", t.peer.Tag(), t.grant.Account, e.From().String(), d.Return, d.EnvelopeID} {
		writeText(h, s)
	}
	for _, s := range d.Notify {
		writeText(h, s)
	}
	for _, a := range e.To() {
		writeText(h, a.String())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// writeText writes a text after its length, so that no two sequences are equal.
func writeText(h hash.Hash, s string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
	_, _ = h.Write([]byte(s))
}

// maxRepeats limits the messages with one key that the outbox still keeps.
const maxRepeats = 1000

// enqueue stores the message. If the outbox has one with its key that is older than a day, has reached no
// one, or went to other recipients, the next key is tried. Two that come at once choose the same key, and the store keeps one of them.
func (k messageKey) enqueue(ctx context.Context, a *Admission, p *submission.PreparedMessage, o submission.Order) (outbox.EnqueueResult, error) {
	chain := keyChain{text: k.text}
	for range maxRepeats {
		o.Key = chain.key()
		result, err := p.Enqueue(ctx, a.o.Store, o)
		conflict := errors.Is(err, queue.ErrConflict)
		if err != nil && !conflict || err == nil && !result.Duplicate {
			return result, err
		}
		earlier, failed := a.earlier(ctx, queue.Filter{Account: o.Account, Key: o.Key, Limit: 1})
		switch {
		case failed != nil:
			return outbox.EnqueueResult{}, failed
		case earlier.over || k.daily && a.o.Now().Sub(earlier.entry.Created) >= repeatTime:
			chain.repeats++
		case conflict && !earlier.hasRecipients(p.Envelope()):
			chain.divide(p.Envelope())
		default:
			return result, err
		}
	}
	return outbox.EnqueueResult{}, queue.ErrConflict
}

// keyChain makes the keys that are tried for a message.
type keyChain struct {
	text    string
	divided string // for a message that goes to other recipients than the first one with the key
	repeats int
}

func (c keyChain) key() string {
	if c.text == "" || c.repeats == 0 {
		return c.divided + c.text
	}
	return "again/" + strconv.Itoa(c.repeats) + "/" + c.divided + c.text
}

// divide makes a key for these recipients: a client that was refused some sends the message to them
// again, and others send it to 100 at a time.
func (c *keyChain) divide(e smtp.Envelope) {
	if c.divided != "" {
		c.repeats++
		return
	}
	h := sha256.New()
	to := make([]string, 0, e.Len())
	for _, address := range e.To() {
		to = append(to, address.Wire())
	}
	slices.Sort(to)
	for _, s := range to {
		writeText(h, s)
	}
	c.divided, c.repeats = "to/"+hex.EncodeToString(h.Sum(nil)[:8])+"/", 0
}

// earlierMessage is a message that has the key already.
type earlierMessage struct {
	entry queue.Entry
	over  bool // it reached no recipient and will reach none: all have failed, expired or were cancelled
}

func (a *Admission) earlier(ctx context.Context, f queue.Filter) (earlierMessage, error) {
	found, err := a.o.Store.List(ctx, f)
	if err != nil {
		return earlierMessage{}, err
	}
	if len(found.Entries) == 0 { // removed just now
		return earlierMessage{over: true}, nil
	}
	f.States = slices.DeleteFunc(queue.States(), func(s queue.State) bool {
		return s == queue.Failed || s == queue.Expired || s == queue.Cancelled
	})
	alive, err := a.o.Store.List(ctx, f)
	return earlierMessage{entry: found.Entries[0], over: len(alive.Entries) == 0}, err
}

// hasRecipients reports whether the message went to the recipients of an envelope. A list has the first of
// many only.
func (m earlierMessage) hasRecipients(e smtp.Envelope) bool {
	to := e.To()
	return m.entry.Total == len(to) && !slices.ContainsFunc(m.entry.Recipients, func(r queue.Recipient) bool { return !slices.ContainsFunc(to, r.Address.Equal) })
}

// keyedContent is a repaired message for package submission. Its fingerprint is that of the message as it
// was handed over: what the repair adds, such as a date, differs each time.
type keyedContent struct {
	*repair.Message
	octets [sha256.Size]byte
}

// Fingerprint returns the hash of the message as it was handed over.
func (c keyedContent) Fingerprint() ([sha256.Size]byte, error) { return c.octets, nil }

// SevenBit returns no other form: the repair has chosen it.
func (c keyedContent) SevenBit() (*message.Content, bool) { return nil, false }
