package main

import (
	"context"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// goSMTP is the client of github.com/emersion/go-smtp. It has no composer and
// uses byhand.go.
type goSMTP struct{}

func (goSMTP) open(p destination) (client, error) {
	config, err := p.tls()
	if err != nil {
		return nil, err
	}
	return &lockstep{connections: p.Connections, dial: func(context.Context) (lockstepSession, error) {
		var c *smtp.Client
		var err error
		switch p.Security {
		case inClear:
			c, err = smtp.Dial(p.Address)
		case startTLS:
			c, err = smtp.DialStartTLS(p.Address, config)
		case fromStart:
			c, err = smtp.DialTLS(p.Address, config)
		}
		if err != nil {
			return nil, err
		}
		c.SubmissionTimeout = time.Hour
		if p.Security != inClear {
			if err := c.Auth(sasl.NewPlainClient("", userName, password)); err != nil {
				return nil, err
			}
		}
		return goSMTPSession{c}, nil
	}}, nil
}

type goSMTPSession struct{ client *smtp.Client }

func (s goSMTPSession) send(_ context.Context, m mail) error {
	if err := s.client.Mail(m.from, nil); err != nil {
		return err
	}
	for _, recipient := range m.to {
		if err := s.client.Rcpt(recipient, nil); err != nil {
			return err
		}
	}
	body, err := s.client.Data()
	if err != nil {
		return err
	}
	if err := writeByHand(body, m); err != nil {
		return err
	}
	return body.Close()
}

func (s goSMTPSession) close() error { return s.client.Quit() }
