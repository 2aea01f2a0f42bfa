package main

import (
	"context"
	"crypto/tls"
	"net/smtp"
)

// netSMTP is the standard library's net/smtp. It has no composer and uses
// byhand.go.
type netSMTP struct{}

func (netSMTP) open(p destination) (client, error) {
	host, _, err := p.split()
	if err != nil {
		return nil, err
	}
	config, err := p.tls()
	if err != nil {
		return nil, err
	}
	return &lockstep{connections: p.Connections, dial: func(context.Context) (lockstepSession, error) {
		c, err := dialNetSMTP(p, host, config)
		if err != nil {
			return nil, err
		}
		if err := c.Hello("localhost"); err != nil {
			return nil, err
		}
		if p.Security == startTLS {
			if err := c.StartTLS(config); err != nil {
				return nil, err
			}
		}
		if p.Security != inClear {
			if err := c.Auth(smtp.PlainAuth("", userName, password, host)); err != nil {
				return nil, err
			}
		}
		return netSMTPSession{c}, nil
	}}, nil
}

func dialNetSMTP(p destination, host string, config *tls.Config) (*smtp.Client, error) {
	if p.Security != fromStart {
		return smtp.Dial(p.Address)
	}
	connection, err := tls.Dial("tcp", p.Address, config)
	if err != nil {
		return nil, err
	}
	return smtp.NewClient(connection, host)
}

type netSMTPSession struct{ client *smtp.Client }

func (s netSMTPSession) send(_ context.Context, m mail) error {
	if err := s.client.Mail(m.from); err != nil {
		return err
	}
	for _, recipient := range m.to {
		if err := s.client.Rcpt(recipient); err != nil {
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

func (s netSMTPSession) close() error { return s.client.Quit() }
