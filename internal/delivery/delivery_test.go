package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

func TestEverythingIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const messages = 300
	ids := make([]queue.ID, messages)
	for i := range ids {
		ids[i] = w.enqueueTo("a@example.org", "b@example.org")
	}
	drained := w.mustDrain()
	if drained.Count[queue.HandedOver] != 2*messages || drained.Left != 0 {
		t.Errorf("drained %v, %d left", drained.Count, drained.Left)
	}
	for _, id := range ids {
		w.wantStates(id, "handed_over handed_over")
	}
	if n, twice := w.countDeliveries(); n != 2*messages || len(twice) > 0 {
		t.Errorf("the server has %d, twice %v", n, twice)
	}
	if w.countEvents(delivery.Settled, queue.HandedOver) != 2*messages {
		t.Errorf("%d events", w.countEvents(delivery.Settled, queue.HandedOver))
	}
}

func TestEachRecipientIsOnItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org", "rcpt-550-5.1.1@example.org", "rcpt-450-4.2.1@example.org")
	w.mustDrain()
	w.wantStates(id, "handed_over failed deferred")
	e, err := w.model.Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range []int{250, 550, 450} {
		r := e.Recipients[i]
		if r.Answer.Reply.Code != code || r.Attempts != 1 {
			t.Errorf("%s: reply %d after %d attempts", r.Address, r.Answer.Reply.Code, r.Attempts)
		}
	}
	if e.Recipients[0].Answer.ServerID == "" || e.Recipients[1].Answer.Class == "" {
		t.Errorf("the server's name for the message or the class is missing: %+v", e.Recipients)
	}
	// A deferred recipient is tried again alone when it is due.
	w.clock.Advance(2 * time.Minute)
	if drained := w.mustDrain(); drained.Count[queue.Deferred] != 1 {
		t.Errorf("the second try: %v", drained.Count)
	}
	if n, twice := w.countDeliveries(); n != 1 || len(twice) > 0 {
		t.Errorf("the server has %d, twice %v", n, twice)
	}
}

// A message that was sent and never answered is in doubt, and stays so.
func TestNoAnswerIsDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "body-cut")
	id := w.enqueueTo("a@example.org")
	w.mustDrain()
	w.wantStates(id, "in_doubt")
	w.clock.Advance(30 * 24 * time.Hour)
	if drained := w.mustDrain(); drained.Left != 1 {
		t.Errorf("left %d", drained.Left)
	}
	w.wantStates(id, "in_doubt")
	if n, _ := w.countDeliveries(); n != 1 { // the sandbox accepts a message even if it does not answer
		t.Errorf("the server has %d", n)
	}
}

// markingStore records which recipients were marked, and fails on demand.
type markingStore struct {
	outbox.Store
	mu     sync.Mutex
	marked map[outbox.Lease]bool
	fail   error
}

func (s *markingStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	lost, err := s.Store.Mark(ctx, owner, leases)
	for _, l := range leases {
		l.Token = 0
		s.marked[l] = true
	}
	return lost, err
}

// No message is sent before the store has durably marked it.
func TestTheMarkComesBeforeTheMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := &markingStore{Store: w.model, marked: map[outbox.Lease]bool{}, fail: errors.New("the disk is asleep")}
	w.opts.Store = store
	for range 20 {
		w.enqueueTo("a@example.org")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	w.waitFor("a message that could not be marked", func() bool { return w.countEvents(delivery.Settled, queue.Queued) > 0 })
	if n, _ := w.countDeliveries(); n != 0 {
		t.Fatalf("%d messages left without a mark", n)
	}
	store.mu.Lock()
	store.fail = nil
	store.mu.Unlock()
	w.clock.Advance(time.Minute)
	w.waitFor("all messages", func() bool {
		w.clock.Advance(time.Second)
		return w.countEvents(delivery.Settled, queue.HandedOver) == 20
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	if len(store.marked) != 20 {
		t.Errorf("%d recipients were marked", len(store.marked))
	}
}

// takingStore makes a user cancel a message after its claim.
type takingStore struct {
	outbox.Store
	once sync.Once
	id   queue.ID
}

func (s *takingStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) (lost []outbox.Lease, err error) {
	s.once.Do(func() {
		_, err = s.Change(ctx, outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{s.id}}})
	})
	if err != nil {
		return nil, err
	}
	return s.Store.Mark(ctx, owner, leases)
}

func TestWhatIsTakenBackIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.enqueueTo("a@example.org")
	w.opts.Store = &takingStore{Store: w.model, id: first}
	second := w.enqueueTo("b@example.org")
	w.mustDrain()
	w.wantStates(first, "cancelled")
	w.wantStates(second, "handed_over")
	if n, _ := w.countDeliveries(); n != 1 {
		t.Errorf("the server has %d messages", n)
	}
}

// bodiless has lost the body of a message.
type bodiless struct {
	outbox.Store
	id queue.ID
}

func (s *bodiless) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	b, err := s.Store.Claim(ctx, c)
	for i := range b.Items {
		b.Items[i].Body = nil
	}
	return b, err
}

func (s *bodiless) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	if id == s.id {
		return nil, queue.ErrNoBody
	}
	return s.Store.Body(ctx, id)
}

func TestAMissingTextIsHeldAndOthersGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.enqueueTo("a@example.org"), w.enqueueTo("b@example.org")
	w.opts.Store = &bodiless{Store: w.model, id: first}
	w.mustDrain()
	w.wantStates(first, "held")
	w.wantStates(second, "handed_over")
	e, err := w.model.Show(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if a := e.Recipients[0].Answer; !strings.Contains(a.Err, queue.ErrNoBody.Error()) {
		t.Errorf("held, and not said why: %+v", a)
	}
}

func TestAnAccountThatIsRefusedRestsAndThatIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "ehlo-554") // no cleartext login: any refusal before MAIL will do
	var ids []queue.ID
	for range 50 {
		ids = append(ids, w.enqueueTo("a@example.org"))
	}
	w.mustDrain()
	w.mustDrain()
	if n := w.countEvents(delivery.Paused, ""); n != 1 {
		t.Errorf("said %d times", n)
	}
	for _, id := range ids {
		w.wantStates(id, "queued")
	}
	e, err := w.model.Show(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if e.Recipients[0].Attempts != 0 {
		t.Errorf("got %d attempts of a message that was never sent, want 0", e.Recipients[0].Attempts)
	}
	stats, err := w.model.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(stats.Accounts) != 1 || stats.Accounts[0].PausedFor <= 0 || stats.Accounts[0].PauseAnswer.Class == "" {
		t.Errorf("the pause is not to be seen: %+v", stats.Accounts)
	}
}

// A worker that stops requeues messages that it has not begun, and finishes the others.
func TestStopGivesBackWhatIsNotBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held := make(chan struct{})
	w.opts.Store = &slowMarks{Store: w.model, first: held}
	var ids []queue.ID
	for range 200 {
		ids = append(ids, w.enqueueTo("a@example.org"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	w.waitFor("the first claim", func() bool { return w.countEvents(delivery.Claimed, "") > 0 })
	cancel()
	close(held)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, id := range ids {
		count[w.statesOf(id)]++
	}
	if count["handed_over"]+count["queued"] != 200 || count["queued"] == 0 {
		t.Errorf("left over: %v", count)
	}
	if n, twice := w.countDeliveries(); n != count["handed_over"] || len(twice) > 0 {
		t.Errorf("the server has %d, twice %v, the outbox %v", n, twice, count)
	}
	stats, err := w.model.Stats(t.Context())
	if err != nil || len(stats.Workers) != 0 {
		t.Errorf("a worker is left: %v, %v", stats.Workers, err)
	}
}

// slowMarks delays marks until first is closed.
type slowMarks struct {
	outbox.Store
	first chan struct{}
}

func (s *slowMarks) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	<-s.first
	return s.Store.Mark(ctx, owner, leases)
}

// A worker whose lease has lapsed joins again, and its messages are sent once.
func TestALapsedWorkerBeginsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lapse := &lapsing{Store: w.model}
	w.opts.Store = lapse
	for range 50 {
		w.enqueueTo("a@example.org")
	}
	w.drainUntil(50)
	if w.countEvents(delivery.Lapsed, "") == 0 {
		t.Error("it did not notice")
	}
	if n, twice := w.countDeliveries(); n != 50 || len(twice) > 0 {
		t.Errorf("the server has %d, twice %v", n, twice)
	}
}

// drainUntil runs a delivery until n recipients were handed over.
func (w *testWorld) drainUntil(n int) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	w.waitFor("all messages", func() bool { return w.countEvents(delivery.Settled, queue.HandedOver) == n })
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

// lapsing makes the first worker lapse after its first claim, as the sweep of another worker
// would.
type lapsing struct {
	outbox.Store
	once sync.Once
}

func (s *lapsing) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	b, err := s.Store.Claim(ctx, c)
	s.once.Do(func() { err = s.Leave(ctx, c.Owner) })
	return b, err
}

// If a renewal of the lease finds the outbox broken, the work ends with that error, without
// any doubt about a change.
func TestABrokenRenewalSaysWhatIsBroken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	moved := fmt.Errorf("%w: o.db was moved", queue.ErrBroken)
	w.opts.Store = &brokenRenewal{Store: w.model, err: fmt.Errorf("%w: %w", queue.ErrUncertain, moved)}
	w.opts.After = func(time.Duration) <-chan time.Time { return time.After(time.Millisecond) }
	if err := delivery.New(w.opts).Run(t.Context()); err != moved {
		t.Errorf("it ended with %v", err)
	}
}

type brokenRenewal struct {
	outbox.Store
	err error
}

func (s *brokenRenewal) Renew(context.Context, string, time.Duration) error { return s.err }

func TestABrokenStoreEndsTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := &markingStore{Store: w.model, marked: map[outbox.Lease]bool{}, fail: queue.ErrBroken}
	w.opts.Store = store
	w.enqueueTo("a@example.org")
	if err := delivery.New(w.opts).Run(t.Context()); !errors.Is(err, queue.ErrBroken) {
		t.Errorf("it ended with %v", err)
	}
	if n, _ := w.countDeliveries(); n != 0 {
		t.Errorf("%d messages left", n)
	}
}

// A pause for a fault that a user has corrected ends at once; a pause that the server asked
// for does not.
func TestReloadEndsThePausesThatAPersonMends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mended, quota := "mended", "quota"
	for _, p := range []outbox.Pause{
		{Account: mended, For: time.Hour, Answer: queue.Answer{Stage: smtp.StageAuth, Reply: smtp.Reply{Code: 535}, Class: "AUTH_BAD_CREDENTIALS"}},
		{Account: quota, For: time.Hour, Answer: queue.Answer{Stage: smtp.StageMail, Reply: smtp.Reply{Code: 550}, Class: "DAILY_QUOTA"}},
	} {
		if _, err := w.model.Pause(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	d := delivery.New(w.opts)
	d.Reload()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	stats, err := w.model.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(stats.Accounts) != 1 || stats.Accounts[0].Account != quota {
		t.Errorf("paused: %+v", stats.Accounts)
	}
}
