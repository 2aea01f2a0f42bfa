package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
)

// patience limits the wait of a test.
const patience = 2 * time.Minute

// The server is killed again and again while messages are enqueued, until the answers to
// several commits were lost. Each acknowledged message is kept once, and no refused one is.
func TestServerKilledInMidCommit(t *testing.T) {
	t.Parallel()
	const wanted, callers = 6, 16
	server := pgtest.Own(t, pgtest.Options{})
	at := server.Database(t)
	var lost atomic.Int64
	commits := make(chan struct{})
	s := openStore(t, at, outbox.Options{}, postgres.TestSettings{Patience: patience, Hook: func(point string) {
		switch point {
		case "lost":
			lost.Add(1)
		case "before-commit":
			select {
			case commits <- struct{}{}:
			default:
			}
		}
	}})
	var mu sync.Mutex
	acknowledged, refused := map[string]bool{}, map[string]bool{}
	uncertain := 0
	over, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := 0; over.Err() == nil; i++ {
				m := testMessage(t, 2000)
				m.MessageID = fmt.Sprintf("<%d.%d@example.org>", caller, i)
				_, err := s.Enqueue(context.Background(), m)
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[m.MessageID] = true
				case errors.Is(err, queue.ErrUncertain):
					uncertain++
				default:
					refused[m.MessageID] = true
				}
				mu.Unlock()
			}
		})
	}
	kills := 0
	for ; kills < 60 && lost.Load() < wanted; kills++ {
		for range 10 + kills { // not always at the same point
			select {
			case <-commits:
			case <-time.After(patience):
				t.Fatal("nothing is committed any more")
			}
		}
		if kills%2 == 0 {
			server.Kill(t)
		} else {
			server.Stop(t)
		}
		server.Restart(t)
	}
	stop()
	group.Wait()
	there := map[string]int{}
	page := queue.Filter{Limit: 1000}
	for {
		got, err := s.List(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Entries {
			there[e.MessageID]++
		}
		if !got.More {
			break
		}
		page.Before = got.Entries[len(got.Entries)-1].ID
	}
	missing, twice, ghosts := 0, 0, 0
	for id := range acknowledged {
		if there[id] == 0 {
			missing++
		}
	}
	for id, n := range there {
		if n > 1 {
			twice++
		}
		if refused[id] {
			ghosts++
		}
	}
	t.Logf("%d kills, %d answers lost: %d acknowledged, %d refused, %d uncertain; %d are there",
		kills, lost.Load(), len(acknowledged), len(refused), uncertain, len(there))
	if missing+twice+ghosts+uncertain > 0 {
		t.Errorf("%d acknowledged ones are missing, %d stored twice, %d refused ones stored, %d uncertain", missing, twice, ghosts, uncertain)
	}
	if lost.Load() < wanted || len(acknowledged) == 0 {
		t.Errorf("only %d answers were lost: this proves nothing", lost.Load())
	}
}

// proxy forwards connections to the server, and cuts one when setCut says so.
type proxy struct {
	net.Listener
	to   string
	mu   sync.Mutex
	cut  cutPlace
	down bool
}

type cutPlace int

const (
	never   cutPlace = iota
	unsent           // before the client's next write reaches the server
	unheard          // before the answer to it reaches the client

)

func newProxy(t *testing.T, at string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: u.Host}
	if p.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	go func() {
		for {
			client, err := p.Accept()
			if err != nil {
				return
			}
			go p.serveClient(client)
		}
	}()
	u.Host = p.Addr().String()
	return p, u.String()
}

func (p *proxy) setCut(c cutPlace, down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.down = c, down
}

// nextCut returns the cut for octets that a client has written. A cut is for one commit.
func (p *proxy) nextCut(written []byte) cutPlace {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !bytes.Contains(written, []byte("; commit\x00")) {
		return never
	}
	c := p.cut
	p.cut = never
	return c
}

func (p *proxy) serveClient(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		return
	}
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	var silent atomic.Bool
	go func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if silent.Load() || err != nil {
				return // the answer was read here, so the server has carried it out
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
		switch p.nextCut(buf[:n]) {
		case unsent:
			return
		case unheard:
			silent.Store(true)
			if _, err := server.Write(buf[:n]); err == nil {
				_, _ = io.Copy(io.Discard, client) // until the answer was read
			}
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// The outcome of a commit whose answer is lost is found out.
func TestAnswerOfACommitIsLost(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for _, test := range []struct {
		what  string
		cut   cutPlace
		large bool
		kept  bool
	}{
		{"the answer is lost", unheard, false, true},
		{"the commit is lost", unsent, false, false},
		{"the answer about a large body is lost", unheard, true, true},
		{"the commit of a large body is lost", unsent, true, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			at := server.Database(t)
			p, through := newProxy(t, at)
			var armed atomic.Bool
			s := openStore(t, through, outbox.Options{}, postgres.TestSettings{Patience: patience, Hook: func(point string) {
				if point == "before-commit" && armed.CompareAndSwap(true, false) {
					p.setCut(test.cut, false)
				}
			}})
			size := sizedContent(1000)
			if test.large {
				size = 1 << 20
			}
			armed.Store(true)
			r, err := s.Enqueue(t.Context(), testMessage(t, size))
			if (err == nil) != test.kept {
				t.Errorf("got %+v, %v", r, err)
			}
			if errors.Is(err, queue.ErrUncertain) {
				t.Errorf("it could be found out: %v", err)
			}
			want := 0
			if test.kept {
				want = 1
			}
			if n := countRows(t, at, "select count(*) from yan.message"); n != want {
				t.Errorf("%d messages are there, want %d", n, want)
			}
			if _, err := s.Enqueue(t.Context(), testMessage(t, size)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// If the server stays away, the outcome is uncertain and reported as that; when it is back,
// everything works.
func TestServerStaysAway(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	p, through := newProxy(t, at)
	var armed atomic.Bool
	s := openStore(t, through, outbox.Options{}, postgres.TestSettings{Patience: time.Second, Hook: func(point string) {
		if point == "before-commit" && armed.CompareAndSwap(true, false) {
			p.setCut(unheard, true)
		}
	}})
	armed.Store(true)
	if _, err := s.Enqueue(t.Context(), testMessage(t, 1000)); !errors.Is(err, queue.ErrUncertain) {
		t.Errorf("got %v, want ErrUncertain", err)
	}
	if _, err := s.Enqueue(t.Context(), testMessage(t, 1000)); err == nil || errors.Is(err, queue.ErrUncertain) {
		t.Errorf("while it is away: %v", err)
	}
	p.setCut(never, false)
	if _, err := s.Enqueue(t.Context(), testMessage(t, 1000)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	if n := countRows(t, at, "select count(*) from yan.message"); n != 2 {
		t.Errorf("%d messages are there, want 2", n)
	}
}

// Claims are not lost with the answer to the commit: the leased items are returned.
func TestAnswerOfAClaimIsLost(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	p, through := newProxy(t, at)
	var armed atomic.Bool
	s := openStore(t, through, outbox.Options{}, postgres.TestSettings{Patience: patience, Hook: func(point string) {
		if point == "before-commit" && armed.CompareAndSwap(true, false) {
			p.setCut(unheard, false)
		}
	}})
	if _, err := s.Enqueue(t.Context(), testMessage(t, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Join(t.Context(), queue.Worker{Owner: "w"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	batch, err := s.Claim(t.Context(), outbox.Claim{Owner: "w", Account: "a", Recipients: 10, Bytes: 1 << 20})
	if err != nil || len(batch.Items) != 1 || len(batch.Items[0].Body) != 1000 {
		t.Fatalf("got %+v, %v", batch, err)
	}
	l := outbox.Lease{ID: batch.Items[0].ID, Token: batch.Items[0].Recipients[0].Token}
	armed.Store(true)
	if lost, err := s.Mark(t.Context(), "w", []outbox.Lease{l}); err != nil || len(lost) != 0 {
		t.Errorf("Mark: %v, %v", lost, err)
	}
}

// Workers of all stores wake when a message is enqueued, and when the server is back, because
// notifications in between are lost.
func TestWake(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{})
	at := server.Database(t)
	one, other := openStore(t, at, outbox.Options{}, postgres.TestSettings{}), openStore(t, at, outbox.Options{}, postgres.TestSettings{})
	woken := func(what string, wake <-chan struct{}) {
		t.Helper()
		select {
		case <-wake:
		case <-time.After(patience):
			t.Fatalf("%s: no waiter woke", what)
		}
	}
	woken("the first connection", other.Wake())
	wake := other.Wake()
	if _, err := one.Enqueue(t.Context(), testMessage(t, 100)); err != nil {
		t.Fatal(err)
	}
	woken("another store's Enqueue", wake)
	server.Kill(t)
	wake = other.Wake()
	server.Restart(t)
	woken("the server is back", wake)
	wake = other.Wake()
	if _, err := one.Enqueue(t.Context(), testMessage(t, 100)); err != nil {
		t.Fatal(err)
	}
	woken("behind that", wake)
}

// All stores share one bucket of tokens.
func TestPaceOfTwoStores(t *testing.T) {
	t.Parallel()
	at := pgtest.Start(t).Database(t)
	stores := []*postgres.Store{openStore(t, at, outbox.Options{}, postgres.TestSettings{}), openStore(t, at, outbox.Options{}, postgres.TestSettings{})}
	for range 40 {
		if _, err := stores[0].Enqueue(t.Context(), testMessage(t, 100)); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range stores {
		if err := s.Join(t.Context(), queue.Worker{Owner: fmt.Sprint(i)}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	var got atomic.Int64
	runEach(8, func(i int) {
		for range 5 {
			batch, err := stores[i%2].Claim(t.Context(), outbox.Claim{Owner: fmt.Sprint(i % 2), Account: "a", Recipients: 2,
				Pace: outbox.Pace{Messages: 1, Per: 24 * time.Hour, Burst: 10}})
			if err != nil {
				t.Error(err)
			}
			got.Add(int64(len(batch.Items)))
		}
	})
	if got.Load() != 10 {
		t.Errorf("%d messages were claimed, want 10", got.Load())
	}
}
