package main

import (
	"context"
	"fmt"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtpclient"
)

// yanContender is this project.
type yanContender struct {
	// pipelined tells the client that the sink reads on after a message, as
	// smtp-sink and ours do.
	pipelined bool
}

func (y yanContender) open(p destination) (client, error) {
	options := yan.Options{MaxConnections: p.Connections}
	if y.pipelined {
		options.PipelineMessages = smtpclient.AllServers
	}
	if p.All {
		options.Policy = yan.All
	}
	if p.Fleeting {
		options.IdleTimeout = time.Millisecond
	}
	server := "smtp+notls://" + p.Address
	if p.Security != inClear {
		options.User, options.Password, options.CAFile = userName, password, p.CA
		server = map[protection]string{startTLS: "smtp://", fromStart: "smtps://"}[p.Security] + p.Address
	}
	c, err := yan.Open(server, options)
	if err != nil {
		return nil, err
	}
	return yanClient{c, p.Fleeting}, nil
}

type yanClient struct {
	client   *yan.Client
	fleeting bool
}

// connect does nothing: a client connects when there is a message to send.
func (yanClient) connect(context.Context) error { return nil }

func (c yanClient) run(ctx context.Context, s *messageSource) (workerAnswer, error) {
	return measureSource(s, func() error {
		messages := func(yield func(yan.Message) bool) {
			for m, ok := s.next(); ok; m, ok = s.next() {
				message := yan.Message{From: m.from, To: m.to, Subject: m.subject, Text: m.text}
				if m.attachment != "" {
					message.Attachments = []yan.Attachment{yan.File(m.attachment)}
				}
				if !yield(message) {
					return
				}
			}
		}
		for result, err := range c.client.SendAll(ctx, messages) {
			if err != nil {
				return fmt.Errorf("message %d: %w", result.Index, err)
			}
		}
		return nil
	})
}

// disconnect leaves a fleeting connection to the client's own idle timeout: the
// client is for the next one.
func (c yanClient) disconnect() error {
	if c.fleeting {
		return nil
	}
	return c.client.Close()
}
