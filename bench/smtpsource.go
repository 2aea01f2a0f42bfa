package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

// smtpSource is Postfix's test client, in C. It composes nothing, sends the
// same octets repeatedly, waits for the reply to each command, and supports
// neither TLS nor AUTH. Each order is a new process, so the time of a run with
// one message is subtracted: its start, the connection and the first message,
// which are not timed for the others either.
type smtpSource struct{ tool tool }

func (t smtpSource) open(p destination) (client, error) {
	if p.Security != inClear {
		return nil, fmt.Errorf("%s speaks no TLS", smtpsource)
	}
	return smtpSourceClient{t.tool, p}, nil
}

type smtpSourceClient struct {
	tool  tool
	place destination
}

func (smtpSourceClient) connect(context.Context) error { return nil }
func (smtpSourceClient) disconnect() error             { return nil }

func (c smtpSourceClient) run(ctx context.Context, s *messageSource) (workerAnswer, error) {
	o := s.order
	one, err := c.time(ctx, o, 1)
	if err != nil {
		return workerAnswer{}, err
	}
	some, err := c.time(ctx, o, 1+o.Min)
	if err != nil {
		return workerAnswer{}, err
	}
	a := workerAnswer{Beside: 2, Sent: o.Min, Seconds: (some - one).Seconds()}
	if a.Seconds >= o.Seconds || o.Min == o.Max {
		return a, nil
	}
	// As many as fill the time.
	n := o.Max
	if a.Seconds > 0 {
		n = min(n, int(float64(o.Min)*o.Seconds/a.Seconds))
	}
	many, err := c.time(ctx, o, 1+n)
	return workerAnswer{Beside: 3 + o.Min, Sent: n, Seconds: (many - one).Seconds()}, err
}

func (c smtpSourceClient) time(ctx context.Context, o order, messages int) (time.Duration, error) {
	command := c.tool.command(ctx, "-d", "-M", "localhost", "-f", userName, "-t", "recipient@example.test",
		"-r", strconv.Itoa(o.Recipients), "-s", strconv.Itoa(c.place.Connections), "-m", strconv.Itoa(messages),
		"-l", strconv.Itoa(len(o.Text)), "-S", "a message of "+smtpsource, "inet:"+c.place.Address)
	command.Stderr = os.Stderr
	start := time.Now()
	err := command.Run()
	return time.Since(start), err
}
