// Command gosmtp is a mail server built with a version of go-smtp, for the
// interop tests: gosmtp PORT FOLDER writes each message to a file.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-smtp"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: gosmtp PORT FOLDER")
	}
	server := smtp.NewServer(&backend{box: os.Args[2]})
	server.Addr = "127.0.0.1:" + os.Args[1]
	server.Domain = "peer.example.test"
	server.MaxMessageBytes = 64 << 20
	server.EnableSMTPUTF8 = true
	server.EnableBINARYMIME = true
	server.EnableDSN = true
	log.Fatal(server.ListenAndServe())
}

type backend struct {
	box   string
	count atomic.Int64
	asked sync.Map // recipients to be deferred once
}

func (b *backend) NewSession(*smtp.Conn) (smtp.Session, error) { return peerSession{b}, nil }

type peerSession struct{ *backend }

func (peerSession) Reset()                               {}
func (peerSession) Logout() error                        { return nil }
func (peerSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s peerSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "reject-"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	case strings.HasPrefix(to, "defer-"):
		return later
	case strings.HasPrefix(to, "once-"): // deferred the first time
		if _, again := s.asked.LoadOrStore(to, true); !again {
			return later
		}
	}
	return nil
}

var later = &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "try again later"}

func (s peerSession) Data(r io.Reader) error {
	message, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(message))).ReadMIMEHeader()
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "this has no header"}
	}
	if header.Get("X-Refuse") != "" {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "this message is refused"}
	}
	file := filepath.Join(s.box, fmt.Sprint(s.count.Add(1)))
	if err := os.WriteFile(file+".tmp", message, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".tmp", file)
}
