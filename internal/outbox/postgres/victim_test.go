package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
)

// numberedContent is content that begins with its number.
type numberedContent struct {
	sizedContent
	n int
}

func (c numberedContent) WriteTo(w io.Writer) (int64, error) {
	first, err := fmt.Fprintf(w, "%014d\r\n", c.n)
	if err != nil {
		return int64(first), err
	}
	rest, err := (c.sizedContent - sizedContent(first)).WriteTo(w)
	return int64(first) + rest, err
}

// runVictim enqueues small and large messages, prints the ids of those that are kept, and kills
// itself at a failpoint.
func runVictim(at, point string) {
	var passed atomic.Int64
	s, err := postgres.OpenWith(context.Background(), at, outbox.Options{}, postgres.TestSettings{Hook: func(p string) {
		if p == point && passed.Add(1) == 12 {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			fmt.Fprintln(os.Stderr, err)
			select {} // until the signal arrives
		}
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var mu sync.Mutex
	runEach(8, func(caller int) {
		for i := range 200 {
			m := testMessage(nil, 0)
			m.Content = numberedContent{2000, caller*1000 + i}
			if caller < 2 {
				m.Content = numberedContent{900_000, caller*1000 + i}
			}
			r, err := s.Enqueue(context.Background(), m)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				continue
			}
			mu.Lock()
			fmt.Println(r.ID)
			mu.Unlock()
		}
	})
	fmt.Fprintln(os.Stderr, "it lived to the end")
	os.Exit(1)
}

// A process that is killed at any failpoint has kept all that it acknowledged, and nothing by
// halves.
func TestProcessKilledAtFailpoints(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	tested := 0
	for _, point := range postgres.Failpoints() {
		if point == "lost" { // this point needs a server that dies
			continue
		}
		tested++
		at := server.Database(t)
		s := openStore(t, at, outbox.Options{}, postgres.TestSettings{})
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "YAN_TEST_VICTIM="+at, "YAN_TEST_POINT="+point)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []queue.ID
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			id, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acknowledged = append(acknowledged, queue.ID(id))
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() == 1 {
			t.Fatalf("%s: it was not killed: %v", point, err)
		}
		for _, id := range acknowledged {
			if _, err := s.Show(t.Context(), id); err != nil {
				t.Errorf("%s: message %d was acknowledged: %v", point, id, err)
			}
		}
		page, err := s.List(t.Context(), queue.Filter{Limit: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			body, err := s.Body(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, body); err != nil || n != e.Size || e.Total != 1 || len(e.Recipients) != 1 {
				t.Errorf("%s: message %d has %d octets, %v, %d recipients", point, e.ID, n, err, len(e.Recipients))
			}
		}
		if n := countRows(t, at, `select (select count(*) from yan.body b where not exists (select from yan.message m where m.id = b.message))
			+ (select count(*) from yan.chunk c where not exists (select from yan.blob b where b.id = c.blob))
			+ (select count(*) from yan.delivery d where not exists (select from yan.message m where m.id = d.message))`); n != 0 {
			t.Errorf("%s: %d rows belong to nothing", point, n)
		}
		t.Logf("%s: %d acknowledged, %d there", point, len(acknowledged), len(page.Entries))
	}
	if tested < 4 {
		t.Errorf("only %d failpoints were tested", tested)
	}
}
