package imapclient_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

// peer starts go-imap's server with a mailbox in memory.
func peer(t *testing.T, caps imap.CapSet, startTLS bool, folders map[string]imap.MailboxAttr) (imapclient.Config, *imapmemserver.User) {
	t.Helper()
	id := theIdentity(t)
	user := imapmemserver.NewUser("me@example.org", "hunter22")
	for name, use := range folders {
		var options *imap.CreateOptions
		if use != "" {
			options = &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{use}}
		}
		if err := user.Create(name, options); err != nil {
			t.Fatal(err)
		}
	}
	memory := imapmemserver.New()
	memory.AddUser(user)
	config := &tls.Config{Certificates: []tls.Certificate{id.server}}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps: caps, TLSConfig: config,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if !startTLS {
		listener = tls.NewListener(listener, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() { server.Close(); <-done })
	return imapclient.Config{Host: "127.0.0.1", Port: port, StartTLS: startTLS, Trust: smtpclient.Trust{Roots: id.roots},
		Auth: sasl.Credentials{Username: "me@example.org", Password: "hunter22"}, Timeout: 10 * time.Second}, user
}

func TestAgainstAnotherServer(t *testing.T) {
	t.Parallel()
	large := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 20_000)
	for name, caps := range map[string]imap.CapSet{
		"rev1":          {imap.CapIMAP4rev1: {}},
		"rev1 LITERAL+": {imap.CapIMAP4rev1: {}, imap.CapLiteralPlus: {}, imap.CapSpecialUse: {}},
		"rev2":          {imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
	} {
		for _, startTLS := range []bool{false, true} {
			for _, folder := range []string{"Sent", "已发送", "INBOX/Sent", `a "b\c`} {
				for _, text := range []string{hello, large} {
					use := imap.MailboxAttr("")
					if name != "rev1" {
						use = imap.MailboxAttrSent
					}
					cfg, user := peer(t, caps, startTLS, map[string]imap.MailboxAttr{"INBOX": "", folder: use, "Drafts": ""})
					if folder[0] == 'a' {
						cfg.Folder = folder
					}
					got, err := imapclient.Append(t.Context(), cfg, letter{text: text}, date)
					if err != nil || got != folder {
						t.Errorf("%s %v %s: %q, %v", name, startTLS, folder, got, err)
						continue
					}
					status, err := user.Status(folder, &imap.StatusOptions{NumMessages: true, Size: true, NumUnseen: true})
					if err != nil || *status.NumMessages != 1 || *status.Size != int64(len(text)) || *status.NumUnseen != 0 {
						t.Errorf("%s: %+v, %v", folder, status, err)
					}
				}
			}
		}
	}
	cfg, _ := peer(t, imap.CapSet{imap.CapIMAP4rev1: {}}, false, map[string]imap.MailboxAttr{"INBOX": ""})
	if _, err := imapclient.Check(t.Context(), cfg); !errors.Is(err, imapclient.ErrNoFolder) {
		t.Error(err)
	}
	cfg.Auth.Password = "wrong"
	_, err := imapclient.Check(t.Context(), cfg)
	if at := failure(t, err); at.Stage != imapclient.StageLogin || at.Reply.Code != "AUTHENTICATIONFAILED" {
		t.Error(err)
	}
}

func TestManyMessagesAgainstAnotherServer(t *testing.T) {
	t.Parallel()
	for _, caps := range []imap.CapSet{{imap.CapIMAP4rev1: {}}, {imap.CapIMAP4rev1: {}, imap.CapLiteralPlus: {}}} {
		cfg, user := peer(t, caps, false, map[string]imap.MailboxAttr{"Sent": ""})
		now := newClock()
		cfg.Now = now.tell
		b := open(t, cfg)
		const messages = 20
		for range messages {
			must(t, b, hello)
			now.now = now.now.Add(time.Second)
		}
		now.now = now.now.Add(time.Hour)
		must(t, b, hello)
		b.Close()
		status, err := user.Status("Sent", &imap.StatusOptions{NumMessages: true})
		if err != nil || *status.NumMessages != messages+1 {
			t.Errorf("%+v, %v", status, err)
		}
	}
}
