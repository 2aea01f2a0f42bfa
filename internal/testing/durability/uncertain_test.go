//go:build linux

package durability

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/queue"
)

// openToLose opens an outbox in which the first commit of an Enqueue gets no answer;
// kept is whether it is carried out. Nothing of the store works after that.
func openToLose(ctx context.Context, where string, kept bool) (store outbox.Store, arm, close func(), err error) {
	var armed atomic.Bool
	arm = func() { armed.Store(true) }
	o := outbox.Options{MinFree: -1, InlineBytes: inlineBytes}
	if !outbox.IsPostgres(where) {
		store, err = sqlite.OpenWith(ctx, where, o, sqlite.Harness{LoseCommit: func() (bool, bool) { return armed.CompareAndSwap(true, false), kept }})
		return store, arm, func() {}, err
	}
	u, err := url.Parse(where)
	if err != nil {
		return nil, nil, nil, err
	}
	relay := &commitRelay{to: u.Host, armed: &armed, kept: kept}
	if relay.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, nil, nil, err
	}
	go relay.serve()
	u.Host = relay.Addr().String()
	store, err = postgres.OpenWith(ctx, u.String(), o, postgres.TestSettings{Patience: time.Second})
	return store, arm, func() { _ = relay.Close() }, err
}

// commitRelay is between a store and its PostgreSQL server. From the first commit after
// it was armed the server is out of reach; whether that commit still gets there is kept.
type commitRelay struct {
	net.Listener
	to    string
	armed *atomic.Bool
	kept  bool
	down  atomic.Bool
}

func (r *commitRelay) serve() {
	for {
		client, err := r.Accept()
		if err != nil {
			return
		}
		go r.pass(client)
	}
}

func (r *commitRelay) pass(client net.Conn) {
	defer client.Close()
	if r.down.Load() {
		return
	}
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer server.Close()
	var last atomic.Bool // the next answer is not passed on
	go func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil || last.Load() {
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		lose := bytes.Contains(buf[:n], []byte("; commit\x00")) && r.armed.CompareAndSwap(true, false)
		if lose {
			r.down.Store(true)
			last.Store(true)
		}
		if lose && !r.kept {
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if lose {
			_, _ = io.Copy(io.Discard, client) // until the answer has come, and was kept from it
			return
		}
	}
}

// loss is a letter whose commit got no answer.
type loss struct {
	letter Letter
	kept   bool // the commit was carried out
	again  bool // it is enqueued a second time, with its key
	keyed  bool
}

// lose enqueues a letter and loses the answer, then enqueues it again if it is to be.
func (b *battle) lose(ctx context.Context, l loss) error {
	m, err := l.letter.New()
	if err != nil {
		return err
	}
	if l.keyed {
		m.Key = string(l.letter)
	}
	store, arm, end, err := openToLose(ctx, b.where, l.kept)
	if err != nil {
		return err
	}
	defer end()
	arm()
	_, lost := store.Enqueue(ctx, m)
	if err := store.Close(); err != nil || !errors.Is(lost, queue.ErrUncertain) {
		return errors.Join(err, errors.New("the commit had no answer, and the caller was told"), lost)
	}
	if !l.again {
		return nil
	}
	healthy, err := openPlace(ctx, b.where, nil)
	if err != nil {
		return err
	}
	receipt, err := healthy.Enqueue(ctx, m)
	if err = errors.Join(err, healthy.Close()); err != nil {
		return err
	}
	if receipt.Duplicate != (l.kept && l.keyed) {
		return errors.New("a second Enqueue with the same key says the wrong thing about the first")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[l.letter] = receipt.ID
	return nil
}

// TestCommitsWithoutAnAnswer: whether the commit was carried out or not, the caller hears
// that this is not known. Enqueued again with its key a message is there once; nothing
// that was acknowledged is lost, and nothing is sent twice.
func TestCommitsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	rounds := 8
	if *thorough {
		rounds = 400
	}
	for _, k := range storeKinds() {
		if k.place == nil {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := loseCommits(t, k, rounds, true)
			tally, wrong := b.compareWithServer(t)
			if len(wrong) > 0 {
				t.Error(FirstFew(wrong))
			}
			// Half are enqueued again; of the others half had been kept.
			if tally.Lost+tally.Duplicates+tally.Pending > 0 || tally.Acknowledged != rounds/2 || tally.Untold != rounds/4 || tally.HandedOver != rounds*3/4 {
				t.Errorf("%d rounds: %s", rounds, tally)
			}
			t.Logf("%d commits without an answer: %s", rounds, tally)
		})
	}
}

// TestCommitsWithoutAnAnswerNeedKeys is the control: without keys there are two messages.
func TestCommitsWithoutAnAnswerNeedKeys(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		if k.name == "sqlite" {
			_, wrong := loseCommits(t, k, 4, false).compareWithServer(t)
			if !strings.Contains(strings.Join(wrong, "\n"), "is kept twice") {
				t.Errorf("it was not found: %q", wrong)
			}
		}
	}
}

// loseCommits loses the replies to that many commits, in all combinations, and then delivers the
// outbox.
func loseCommits(t *testing.T, k storeKind, rounds int, keyed bool) *battle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(rounds)*time.Second)
	defer cancel()
	b, err := newBattle(k.place(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.line.close)
	first, err := openPlace(ctx, b.where, nil) // it makes the tables
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range rounds {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			l := loss{letter: NewLetter("u", i+1, 1, int64(1000+i%2*2*inlineBytes)), kept: i%2 == 0, again: i%4 < 2, keyed: keyed}
			if err := b.lose(ctx, l); err != nil {
				t.Errorf("%+v: %v", l, err)
			}
		})
	}
	group.Wait()
	if err := b.settle(ctx, delivery.HoldDoubt, drained); err != nil {
		t.Fatal(err)
	}
	return b
}
