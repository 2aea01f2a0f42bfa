package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// door is a server that takes messages, in a process of its own. It listens until its standard input
// ends; each line of the input is answered with its memory.
type door interface {
	serve(ctx context.Context, l net.Listener) error
	// kept counts the messages that it has on the disk.
	kept(ctx context.Context) (int, error)
	close() error
}

// doorNote is what the process says: one when it listens, one for each line, one at the end.
type doorNote struct {
	Address  string
	Resident int64 // octets of memory in use
	Kept     int
}

func openDoor(ctx context.Context, o outboxOrder) (door, error) {
	if o.Do == "door/go-smtp" {
		return &syncingDoor{folder: o.Where}, nil
	}
	store, err := stores.Open(ctx, filepath.Join(o.Where, "outbox.db"), outbox.Options{})
	if err != nil {
		return nil, err
	}
	from, err := smtp.ParseAddress(userName)
	if err != nil {
		return nil, err
	}
	policy := openPolicy{grant: admission.Grant{Account: "bench", Mailbox: message.Mailbox{Address: from}}}
	core := admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: store, Spool: o.Where})
	server := smtpserver.New(smtpserver.Options{Admission: core, Limits: smtpserver.Limits{Connections: 2000, PerPeer: 2000},
		Anonymous: func(net.Conn) (admission.Peer, error) { return admission.Peer{}, nil }})
	return yanDoor{store, server}, nil
}

// openPolicy lets each client use one account.
type openPolicy struct{ grant admission.Grant }

func (p openPolicy) Grant(admission.Peer) (admission.Grant, error) { return p.grant, nil }
func (openPolicy) IsLocalDomain(string) bool                       { return false }
func (openPolicy) Local(name string) ([]smtp.Address, error) {
	return nil, admission.NewRefusal("local", 550, "5.1.1", fmt.Errorf("%s is not known", name), nil)
}

// yanDoor is the listener of `yan serve`, with an outbox in SQLite.
type yanDoor struct {
	store  outbox.Store
	server *smtpserver.Server
}

func (d yanDoor) serve(ctx context.Context, l net.Listener) error { return d.server.Serve(ctx, l) }
func (d yanDoor) close() error                                    { return d.store.Close() }

func (d yanDoor) kept(ctx context.Context) (int, error) {
	n := 0
	for before := queue.ID(0); ; {
		page, err := d.store.List(ctx, queue.Filter{Limit: 1000, Before: before})
		if err != nil {
			return 0, err
		}
		n += len(page.Entries)
		if !page.More {
			return n, nil
		}
		before = page.Entries[len(page.Entries)-1].ID
	}
}

// syncingDoor is the server of go-smtp's documentation, which writes each message to a file and syncs
// it before it answers.
type syncingDoor struct {
	folder string
	n      atomic.Int64
}

func (d *syncingDoor) kept(context.Context) (int, error) { return int(d.n.Load()), nil }
func (d *syncingDoor) close() error                      { return nil }

func (d *syncingDoor) serve(ctx context.Context, l net.Listener) error {
	s := gosmtp.NewServer(d)
	s.Domain, s.AllowInsecureAuth = "localhost", true
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	return s.Serve(l)
}

// NewSession implements gosmtp.Backend.
func (d *syncingDoor) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return syncingSession{d}, nil }

type syncingSession struct{ door *syncingDoor }

func (syncingSession) Reset()                                 {}
func (syncingSession) Logout() error                          { return nil }
func (syncingSession) Mail(string, *gosmtp.MailOptions) error { return nil }
func (syncingSession) Rcpt(string, *gosmtp.RcptOptions) error { return nil }

// Data keeps the message.
func (s syncingSession) Data(r io.Reader) (err error) {
	f, err := os.CreateTemp(s.door.folder, "message-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	s.door.n.Add(1)
	return nil
}

// runDoor is the process of a door.
func runDoor(ctx context.Context, o outboxOrder, say func(doorNote) error, lines func() bool) (err error) {
	d, err := openDoor(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- d.serve(serving, l) }()
	if err := say(doorNote{Address: l.Addr().String()}); err != nil {
		return err
	}
	for lines() {
		debug.FreeOSMemory()
		resident, err := residentOf("self")
		if err != nil {
			return err
		}
		if err := say(doorNote{Resident: resident}); err != nil {
			return err
		}
	}
	stop()
	err = <-ended
	n, keptErr := d.kept(ctx)
	return errors.Join(err, keptErr, say(doorNote{Kept: n}))
}

// runDoorProcess is the entry point of the process.
func runDoorProcess(text string) error {
	var o outboxOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	return runDoor(context.Background(), o, func(n doorNote) error { return out.Encode(n) }, in.Scan)
}
