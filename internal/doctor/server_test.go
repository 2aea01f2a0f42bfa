package doctor_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/transport"
)

// The reported round trips are those that the server counts.
func TestSpeedIsTrue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		without []string
		want    int
	}{{nil, 1}, {[]string{"CHUNKING"}, 2}, {[]string{"PIPELINING"}, 3}, {[]string{"PIPELINING", "CHUNKING"}, 4}} {
		s := sandboxtest.Start(t, "plain", sandboxtest.WithoutExtension(test.without...))
		e := exam(t, s, s.URL())
		r := e.Run(t.Context())
		check(t, s, r)
		step := find(t, r, doctor.NameSpeed)
		if step.Facts.RoundTrips != test.want {
			t.Errorf("without %q: %d round trips", test.without, step.Facts.RoundTrips)
		}
		// The second of two messages is alone on an open connection.
		c, err := yan.Open(s.URL(), transport.Options{CAFile: s.CAFile(), Password: s.Password(), MaxConnections: 1})
		if err != nil {
			t.Fatal(err)
		}
		turns := func() int {
			list := s.Connections()
			return list[len(list)-1].Turns
		}
		var before int
		for range 2 {
			before = turns()
			if _, err := c.Send(t.Context(), yan.Message{From: s.Login(), To: []string{"a@example.org"}, Text: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := turns() - before; got != step.Facts.RoundTrips {
			t.Errorf("without %q: reported %d round trips, took %d", test.without, step.Facts.RoundTrips, got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Ctrl-C ends the exam at once, at any step.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"connect-stall", "tls-stall", "greeting-stall", "ehlo-stall", "auth-stall", "mail-stall", "quit-stall"} {
		s := sandboxtest.Start(t, "plain", sandboxtest.WithFault(fault))
		ctx, cancel := context.WithCancel(t.Context())
		e := exam(t, s, s.URL())
		e.Timeout = time.Hour
		dns := mute{make(chan struct{})}
		e.Resolver = dns
		whenStalled(t, s, fault, cancel)
		done := make(chan doctor.ExamReport, 1)
		go func() { done <- e.Run(ctx) }()
		select {
		case r := <-done:
			if !r.Interrupted {
				t.Errorf("%s: not interrupted: %+v", fault, r.Steps)
			}
		case <-time.After(time.Minute): // the server and DNS alone would take an hour
			t.Fatalf("%s: it did not end", fault)
		}
		cancel()
		close(dns.letGo)
	}
}

// noAnswer is the timeout error of a dial.
type noAnswer struct{}

func (noAnswer) Error() string   { return "i/o timeout" }
func (noAnswer) Timeout() bool   { return true }
func (noAnswer) Temporary() bool { return true }

func TestPorts(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for name, test := range map[string]struct {
		open    map[int]string
		any     bool
		server  string
		advice  string
		status  doctor.StepStatus
		scheme  string
		refused bool
	}{
		"465":         {map[int]string{465: s.TLSAddr(), 587: s.Addr()}, false, "qq", "", doctor.OK, "smtps", false},
		"only 587":    {map[int]string{587: s.Addr()}, false, "qq", "Use port 587, which is open: smtp://smtp.qq.com:587.", doctor.Failed, "smtps", false},
		"none":        {nil, false, "qq", "No mail port of this host answers", doctor.Failed, "smtps", false},
		"closed":      {nil, false, "qq", "", doctor.Failed, "smtps", true},
		"any, 587":    {map[int]string{587: s.Addr()}, true, "smtps://smtp.qq.com", "", doctor.OK, "smtp", false},
		"any, 465":    {map[int]string{465: s.TLSAddr(), 587: s.Addr()}, true, "smtps://smtp.qq.com", "", doctor.OK, "smtps", false},
		"any, none":   {nil, true, "smtps://smtp.qq.com", "No mail port", doctor.Failed, "smtps", false},
		"port of own": {nil, false, "smtps://smtp.qq.com:4650", "", doctor.Failed, "smtps", false},
	} {
		e := exam(t, s, s.URL())
		var err error
		if e.Server, err = transport.ParseServer(test.server, e.From); err != nil {
			t.Fatal(err)
		}
		e.AnyPort = test.any
		e.Resolver = dnstest.Start(t, dnstest.Zone{"smtp.qq.com": {"A 127.0.0.1"}}).Resolver()
		e.Dial = func(ctx context.Context, network, at string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(at)
			for p, to := range test.open {
				if port == map[int]string{465: "465", 587: "587"}[p] {
					return (&net.Dialer{}).DialContext(ctx, network, to)
				}
			}
			if test.refused {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
			}
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: noAnswer{}}
		}
		r := e.Run(t.Context())
		check(t, nil, r)
		var first doctor.Step
		for _, step := range r.Steps {
			if step.Name == doctor.NamePort {
				first = step
				break
			}
		}
		if first.Status != test.status || !strings.HasPrefix(first.Advice.EN, test.advice) || test.advice == "" && first.Advice.EN != "" {
			t.Errorf("%s: %+v", name, first)
		}
		ports := 0
		for _, step := range r.Steps {
			if step.Name == doctor.NamePort {
				ports++
			}
		}
		if want := map[bool]int{true: 1, false: 3}[name == "port of own"]; ports != want {
			t.Errorf("%s: %d ports", name, ports)
		}
		if got := r.Server.String(); !strings.HasPrefix(got, test.scheme+"://") {
			t.Errorf("%s: %s", name, got)
		}
		if test.status == doctor.OK && find(t, r, doctor.NameLogin).Status != doctor.OK {
			t.Errorf("%s: %+v", name, find(t, r, doctor.NameLogin))
		}
	}
}
