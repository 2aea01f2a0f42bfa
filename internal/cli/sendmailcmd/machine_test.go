//go:build unix

package sendmailcmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/enquiry"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/intake/smtpserver"
)

// machine is a world with a yan serve, which may be down, and a drop folder.
type machine struct {
	*world
	dir, socket, drop string
	desk              *admission.Admission
	woken             atomic.Int64
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("", "yan-m-") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m := &machine{world: newWorld(t, ""), dir: dir, socket: filepath.Join(dir, "submit.sock"), drop: filepath.Join(dir, "drop")}
	m.etc = filepath.Join(dir, "etc")
	config := strings.NewReplacer(`socket = "none"`, fmt.Sprintf("socket = %q", m.socket), `drop = "none"`, fmt.Sprintf("drop = %q", m.drop)).Replace(localConfig)
	file := filepath.Join(m.etc, "yan", "config.toml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(config), 0o644), os.Mkdir(m.drop, 0o700), unix.Chmod(m.drop, 0o3733)); err != nil {
		t.Fatal(err)
	}
	f, err := account.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	policy := accountroute.NewSubmitPolicy(f, accountroute.PolicySources{})
	m.desk = admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: m.store})
	return m
}

// serve starts the daemon's sockets, until stop is called.
func (m *machine) serve() (stop func()) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	l, err := net.Listen("unix", m.socket)
	if err != nil {
		m.t.Fatal(err)
	}
	s := smtpserver.New(smtpserver.Options{Admission: m.desk, Anonymous: func(c net.Conn) (admission.Peer, error) {
		u, err := peeruser.OfConn(c)
		return admission.Peer{User: u.Name, UID: u.UID}, err
	}})
	go func() { ended <- s.Serve(ctx, l) }()
	public, err := net.Listen("unix", filepath.Join(m.dir, publicName))
	if err != nil {
		m.t.Fatal(err)
	}
	f, err := account.Load(filepath.Join(m.etc, "yan", "config.toml"))
	if err != nil {
		m.t.Fatal(err)
	}
	policy := accountroute.NewSubmitPolicy(f, accountroute.PolicySources{})
	h := enquiry.NewServer(enquiry.Options{List: m.store.List, Policy: func() admission.Policy { return policy }, Wake: func() { m.woken.Add(1) }})
	go func() { ended <- h.Serve(public) }()
	return func() {
		cancel()
		_ = h.Close()
		<-ended
		<-ended
	}
}

// admit takes a message of the drop folder in.
func admit(desk *admission.Admission) func(context.Context, dropfolder.Message) error {
	return func(ctx context.Context, m dropfolder.Message) error {
		_, err := m.Admit(ctx, desk)
		return err
	}
}

// isRefused reports a rule that refuses.
func isRefused(err error) bool {
	refusal, ok := errors.AsType[*admission.Refusal](err)
	return ok && refusal.Reply.Permanent()
}

// takeIn does what the daemon does with the drop folder.
func (m *machine) takeIn() dropfolder.Found {
	m.t.Helper()
	r, err := dropfolder.Open(dropfolder.Options{Dir: m.drop, Accept: admit(m.desk), Permanent: isRefused})
	if err != nil {
		m.t.Fatal(err)
	}
	defer r.Close()
	found, err := r.Scan(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return found
}

// dropped returns the names in the drop folder.
func (m *machine) dropped() []string {
	m.t.Helper()
	list, err := os.ReadDir(m.drop)
	if err != nil {
		m.t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

const hello = "Subject: hello\n\nhello\n"
