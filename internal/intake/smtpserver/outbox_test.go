package smtpserver

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/queue"
)

// onlyMessage returns the text of the one message in an outbox.
func onlyMessage(t *testing.T, f *faultRange) string {
	t.Helper()
	page, err := f.store.List(context.Background(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != 1 {
		t.Fatalf("%d messages in the outbox", len(page.Entries))
	}
	body, err := f.store.Body(context.Background(), page.Entries[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSmugglingIsRepaired: what another server could take for the end of a message is not sent to one.
func TestSmugglingIsRepaired(t *testing.T) {
	t.Parallel()
	for _, end := range falseEnds {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			t.Parallel()
			f := newFaultRange(t, nil)
			text := "From: <a@example.com>\r\nSubject: s\r\n\r\nfirst" + end + smuggled
			var said strings.Builder
			f.server.ServeConn(context.Background(), Stdio(strings.NewReader(envelope+"DATA\r\n"+text+".\r\n"), &said))
			if !strings.HasSuffix(said.String(), "250 2.0.0 kept as 1\r\n") {
				t.Fatalf("said %s", &said)
			}
			kept := onlyMessage(t, f)
			if rest := strings.ReplaceAll(kept, "\r\n", ""); strings.ContainsAny(rest, "\r\n\x00") {
				t.Errorf("a bare CR, LF or NUL is kept: %q", kept)
			}
			if strings.Contains(kept, "by mx.test (Yan) with ESMTP;") == strings.Contains(kept, "127.0.0.1") {
				t.Errorf("the Received field is missing, or has the client's address: %q", kept)
			}
		})
	}
}

// TestUnixSocket: the kernel says who the client is.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the user at a socket is not known there")
	}
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	o := localOptions()
	o.Anonymous = func(conn net.Conn) (admission.Peer, error) {
		u, err := peeruser.OfConn(conn)
		return admission.Peer{User: u.Name, UID: u.UID}, err
	}
	server := New(o)
	d := &fakeDesk{}
	server.desk = d
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, envelope+"BDAT 1 LAST\r\nxQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(said), "bye\r\n") {
		t.Errorf("said %q, %v", said, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if all := d.messages(); len(all) != 1 || all[0].peer.UID != os.Getuid() || all[0].peer.User == "" {
		t.Errorf("kept %+v", all)
	}
}

// TestMemoryIsFlat: a large message goes through a file.
func TestMemoryIsFlat(t *testing.T) {
	f := newFaultRange(t, nil)
	line := strings.Repeat("x", 998) + "\r\n"
	use := func(lines int) uint64 {
		var m runtime.MemStats
		var said strings.Builder
		text := io.MultiReader(strings.NewReader(envelope+"DATA\r\nFrom: <a@example.com>\r\nSubject: "+strconv.Itoa(lines)+"\r\n\r\n"), &repeated{line: line, left: lines}, strings.NewReader(".\r\n"))
		f.server.ServeConn(context.Background(), Stdio(text, &said))
		if !strings.Contains(said.String(), "kept as") {
			t.Fatalf("said %s", &said)
		}
		runtime.ReadMemStats(&m)
		return m.HeapSys
	}
	small := use(1000)
	if large := use(40_000); large > small+16<<20 {
		t.Errorf("40 MB took %d MB more than 1 MB", (large-small)>>20)
	}
}

// repeated is a line, so many times.
type repeated struct {
	line string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.line[r.at:])
	if r.at += n; r.at == len(r.line) {
		r.at, r.left = 0, r.left-1
	}
	return n, nil
}
