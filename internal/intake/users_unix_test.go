//go:build unix

package intake_test

import (
	"bytes"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/enquiry"
)

// text is a message of the drop folder.
type text struct{ s string }

func (c text) Size() int64 { return int64(len(c.s)) }

func (c text) WriteTo(w io.Writer) (int64, error) { return bytes.NewBufferString(c.s).WriteTo(w) }

// The kernel names the user at the submission socket and the owner of a file in the drop folder, and
// the socket beside them shows the user its messages.
func TestUsers(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	drop := filepath.Join(shortFolder(t), "drop")
	if err := os.Mkdir(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := dropfolder.Write(drop, dropfolder.Envelope{From: "me@example.com", To: []string{"b@example.org"}}, text{"Subject: y\r\n\r\nhi\r\n"}); err != nil {
		t.Fatal(err)
	}
	w := start(t, "[submit]\nsocket = \"DIR/yan/submit.sock\"\ndrop = \""+drop+"\"\n[submit.users."+me.Username+"]\naccount = \"shop\"\n")
	socket := filepath.Join(w.dir, "yan", "submit.sock")
	if got := codes(w.talk("unix", socket, message("a@example.org")...)); got != "220 250 250 250 354 250 221" {
		t.Error(got)
	}
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("%v, %v", info, err)
	}
	for { // the file was there before the start
		woken := w.store.Wake()
		if len(w.tags()) == 2 {
			break
		}
		select {
		case <-woken:
		case <-time.After(time.Minute):
			t.Fatalf("the file is not taken in: %v", w.tags())
		}
	}
	want := "shop user:" + me.Username
	if got := strings.Join(w.tags(), "; "); got != want+"; "+want {
		t.Error(got)
	}
	client := enquiry.Dial(intake.PublicSocket(socket))
	defer client.Close()
	shown := 0
	if err := client.Messages(t.Context(), func(enquiry.Waiting) { shown++ }); err != nil || shown != 2 {
		t.Errorf("%d messages, %v", shown, err)
	}
	w.stop()
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}
