package main

import (
	"context"

	"github.com/yanmail/yan"
)

// yanContender is this project.
type yanContender struct{}

func (yanContender) name() string  { return "yan" }
func (yanContender) honours() bool { return true }

func (yanContender) open(_ context.Context, address string, all bool) (session, error) {
	options := yan.Options{MaxConnections: 1}
	if all {
		options.Policy = yan.All
	}
	client, err := yan.Open("smtp+notls://"+address, options)
	if err != nil {
		return nil, err
	}
	return yanSession{client}, nil
}

type yanSession struct{ client *yan.Client }

func (s yanSession) send(ctx context.Context, m mail) error {
	message := yan.Message{From: m.from, To: m.to, Subject: m.subject, Text: m.text}
	if m.attachment != "" {
		message.Attachments = []yan.Attachment{yan.File(m.attachment)}
	}
	_, err := s.client.Send(ctx, message)
	return err
}

func (s yanSession) close() error { return s.client.Close() }
