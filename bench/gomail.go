package main

import (
	"context"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// goMail is github.com/wneessen/go-mail. Its NOOP before a message and its RSET
// after one are switched off, unless asItComes is set: by default it waits for
// both too.
type goMail struct{ asItComes bool }

func (g goMail) open(p destination) (client, error) {
	host, port, err := p.split()
	if err != nil {
		return nil, err
	}
	config, err := p.tls()
	if err != nil {
		return nil, err
	}
	// The timeout applies to the whole life of a connection.
	options := []gomail.Option{gomail.WithPort(port), gomail.WithHELO("localhost"), gomail.WithTimeout(time.Hour),
		gomail.WithTLSConfig(config), gomail.WithTLSPolicy(gomail.NoTLS)}
	if !g.asItComes {
		options = append(options, gomail.WithoutNoop(), gomail.WithoutRset())
	}
	switch p.Security {
	case startTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case fromStart:
		options = append(options, gomail.WithSSL())
	}
	if p.Security != inClear {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthPlain), gomail.WithUsername(userName), gomail.WithPassword(password))
	}
	return &lockstep{connections: p.Connections, dial: func(ctx context.Context) (lockstepSession, error) {
		c, err := gomail.NewClient(host, options...)
		if err != nil {
			return nil, err
		}
		return goMailSession{c}, c.DialWithContext(ctx)
	}}, nil
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
