package main

import (
	"context"
	"net"
	"strconv"

	gomail "github.com/wneessen/go-mail"
)

// goMail is github.com/wneessen/go-mail. Its NOOP before a message and its
// RSET after one are switched off: by default it waits for both as well.
type goMail struct{}

func (goMail) name() string  { return "go-mail" }
func (goMail) honours() bool { return false }

func (goMail) open(ctx context.Context, address string, _ bool) (session, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	client, err := gomail.NewClient(host, gomail.WithPort(port), gomail.WithTLSPolicy(gomail.NoTLS),
		gomail.WithHELO("localhost"), gomail.WithoutNoop(), gomail.WithoutRset())
	if err != nil {
		return nil, err
	}
	return goMailSession{client}, client.DialWithContext(ctx)
}

type goMailSession struct{ client *gomail.Client }

func (s goMailSession) send(_ context.Context, m mail) error {
	message := gomail.NewMsg()
	if err := message.From(m.from); err != nil {
		return err
	}
	if err := message.To(m.to...); err != nil {
		return err
	}
	message.Subject(m.subject)
	message.SetBodyString(gomail.TypeTextPlain, m.text)
	if m.attachment != "" {
		message.AttachFile(m.attachment)
	}
	return s.client.Send(message)
}

func (s goMailSession) close() error { return s.client.Close() }
