package durability

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/queue"
)

// Tally counts recipients; a letter to several recipients counts several times.
type Tally struct {
	Acknowledged int // Enqueue returned without an error
	Untold       int // enqueued, but the caller died or got an error
	HandedOver   int
	Pending      int // queued, deferred, leased, sending or held
	InDoubt      int
	Failed       int // failed, expired or cancelled
	Resent       int // part of HandedOver: were in doubt before
	Duplicates   int // copies beyond the first
	Lost         int // acknowledged, and missing in the outbox or incomplete
}

// String returns one line for a report.
func (t Tally) String() string {
	return fmt.Sprintf("%d acknowledged, %d untold: %d handed over (%d once in doubt), %d pending, %d in doubt, %d failed; %d duplicates, %d lost",
		t.Acknowledged, t.Untold, t.HandedOver, t.Resent, t.Pending, t.InDoubt, t.Failed, t.Duplicates, t.Lost)
}

// Add adds o to t.
func (t *Tally) Add(o Tally) {
	t.Acknowledged += o.Acknowledged
	t.Untold += o.Untold
	t.HandedOver += o.HandedOver
	t.Pending += o.Pending
	t.InDoubt += o.InDoubt
	t.Failed += o.Failed
	t.Resent += o.Resent
	t.Duplicates += o.Duplicates
	t.Lost += o.Lost
}

// Evidence is the information from outside the outbox.
type Evidence struct {
	// Acknowledged are the letters for which Enqueue returned no error.
	Acknowledged map[Letter]queue.ID
	// Ledger holds the messages that the server accepted. The server must have finished.
	Ledger *faultproxy.Ledger
	// Resends is true if recipients in doubt were sent to again by the policy. Then these, and only
	// these, may have received more than one copy.
	Resends bool
}

// Examine compares an outbox with the evidence. It returns the contradictions in a stable order.
func Examine(ctx context.Context, store outbox.Store, e Evidence) (t Tally, wrong []string, err error) {
	x := &examiner{evidence: e, store: store, times: map[recipientCopy]int{}, kept: map[Letter]bool{}}
	for _, d := range e.Ledger.Served() {
		x.times[recipientCopy{Letter(d.Message), d.To}] = d.Times
	}
	x.wrong = e.Ledger.Damaged()
	filter := queue.Filter{Oldest: true, Limit: 500}
	for {
		page, err := store.List(ctx, filter)
		if err != nil {
			return x.Tally, nil, fmt.Errorf("list the outbox: %w", err)
		}
		for i := range page.Entries {
			if err := x.entry(ctx, page.Entries[i]); err != nil {
				return x.Tally, nil, err
			}
		}
		if !page.More {
			break
		}
		filter.Before = page.Entries[len(page.Entries)-1].ID
	}
	x.close()
	slices.Sort(x.wrong)
	return x.Tally, x.wrong, nil
}

// recipientCopy identifies the copies of a letter for one recipient.
type recipientCopy struct {
	letter Letter
	to     string
}

type examiner struct {
	evidence Evidence
	Tally
	store outbox.Store
	times map[recipientCopy]int // from the ledger; examined entries are removed
	kept  map[Letter]bool
	wrong []string
}

func (x *examiner) contradict(format string, args ...any) {
	x.wrong = append(x.wrong, fmt.Sprintf(format, args...))
}

// entry examines one message of the outbox.
func (x *examiner) entry(ctx context.Context, e queue.Entry) error {
	letter := LetterOf(e.MessageID)
	n, _, ok := letter.parts()
	if !ok {
		x.contradict("message %d: nobody sent %q", e.ID, e.MessageID)
		return nil
	}
	if x.kept[letter] {
		x.contradict("%s is kept twice", letter)
	}
	x.kept[letter] = true
	if e.Total != n || len(e.Recipients) != n {
		x.contradict("%s: %d recipients of %d are kept", letter, len(e.Recipients), n)
	}
	id, told := x.evidence.Acknowledged[letter]
	switch {
	case told:
		x.Acknowledged += n
		if id != e.ID {
			x.contradict("%s: message %d was acknowledged, and it is %d", letter, id, e.ID)
		}
	default:
		x.Untold += n
	}
	final := true
	for i, r := range e.Recipients {
		if i < n && r.Address.Wire() != letter.To()[i] {
			x.contradict("%s: recipient %d is %s", letter, i, r.Address)
		}
		x.recipient(letter, r)
		final = final && r.State.Final()
	}
	if final {
		return nil
	}
	return x.body(ctx, letter, e)
}

// recipient compares a recipient with the ledger.
func (x *examiner) recipient(letter Letter, r queue.Recipient) {
	of := recipientCopy{letter, r.Address.Wire()}
	times := x.times[of]
	delete(x.times, of)
	least, most := 0, 0
	switch r.State {
	case queue.HandedOver:
		x.HandedOver++
		least, most = 1, 1
		if r.Doubted {
			x.Resent++
		}
	case queue.InDoubt:
		x.InDoubt++
		most = 1
	case queue.Sending:
		x.Pending++
		most = 1
	case queue.Failed, queue.Expired, queue.Cancelled:
		x.Failed++
	default:
		x.Pending++
	}
	x.Duplicates += max(times-1, 0)
	if x.evidence.Resends && r.Doubted {
		most = max(times, most)
	}
	if times < least || times > most {
		x.contradict("%s, %s: %s (doubted %v), and delivered %d times", letter, of.to, r.State, r.Doubted, times)
	}
}

// body checks the body of a message that is not finished.
func (x *examiner) body(ctx context.Context, letter Letter, e queue.Entry) error {
	body, err := x.store.Body(ctx, e.ID)
	if err != nil {
		x.Lost += e.Total
		x.contradict("%s: its text: %v", letter, err)
		return nil
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read message %d: %w", e.ID, err)
	}
	if !IsWholeLetter(string(letter), data) {
		x.Lost += e.Total
		x.contradict("%s: its text is not whole: %d octets of %d", letter, len(data), letter.Content().Size())
	}
	return nil
}

// close looks for letters that are in the evidence but not in the outbox.
func (x *examiner) close() {
	for _, letter := range slices.Sorted(maps.Keys(x.evidence.Acknowledged)) {
		if !x.kept[letter] {
			n, _, _ := letter.parts()
			x.Lost += n
			x.contradict("%s was acknowledged, and is not in the outbox", letter)
		}
	}
	for of, times := range x.times {
		if times > 0 {
			x.contradict("%s was delivered to %s %d times, and is not in the outbox", of.letter, of.to, times)
		}
	}
	if kept := x.HandedOver + x.Pending + x.InDoubt + x.Failed; kept != x.Acknowledged+x.Untold {
		x.contradict("%d recipients are kept, and %d in a state", x.Acknowledged+x.Untold, kept)
	}
}

// FirstFew returns the beginning of a list, for a report.
func FirstFew(wrong []string) string {
	const few = 12
	more := ""
	if len(wrong) > few {
		more = fmt.Sprintf("\nand %d more", len(wrong)-few)
		wrong = wrong[:few]
	}
	return strings.Join(wrong, "\n") + more
}
