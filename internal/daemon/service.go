package daemon

import (
	"context"
	"errors"
	"log/slog"
)

// Service is a further part of the daemon: a way in for messages. If it fails, the daemon ends as after
// the failure of any part.
type Service struct {
	Name string
	// Open opens what the service needs, before the daemon announces that it is ready. Its error
	// ends Run. nil opens nothing.
	Open func(ctx context.Context) error
	// Run works until ctx is done, which is when the daemon stops: before the delivery has
	// finished, and before the store is closed. It closes what Open opened.
	Run func(ctx context.Context) error
	// Close closes what Open opened if Run is never called; nil closes nothing.
	Close func() error
}

// WayStatus counts the messages of a way in, for /status.
type WayStatus struct {
	Way      string           `json:"way"`
	Address  string           `json:"address"`
	Accepted int64            `json:"accepted"`
	Repeated int64            `json:"repeated"`
	Refused  map[string]int64 `json:"refused"` // by rule
}

// openServices opens the services in order. After an error it closes those that it has opened.
func (d *daemon) openServices(ctx context.Context) error {
	if d.o.Services == nil {
		return nil
	}
	d.services = d.o.Services(d.store.wakeWaiters)
	for i, s := range d.services {
		if s.Open == nil {
			continue
		}
		err := s.Open(ctx)
		if err == nil {
			continue
		}
		for _, opened := range d.services[:i] {
			if opened.Close != nil {
				err = errors.Join(err, opened.Close())
			}
		}
		return err
	}
	return nil
}

// startServices starts the services. It returns one channel per service, closed when it ends.
func (d *daemon) startServices(working context.Context) (ended []<-chan struct{}) {
	for _, s := range d.services {
		ended = append(ended, d.tasks.run(s.Name, func() error {
			if err := s.Run(working); err != nil || working.Err() != nil {
				return err
			}
			return errServiceEnded
		}))
	}
	return ended
}

// awaitServices waits until the services have answered the messages that had arrived. They use the
// store, so that it must not be closed before; the grace period bounds the wait.
func (d *daemon) awaitServices(ended []<-chan struct{}, limit <-chan struct{}) error {
	for i, done := range ended {
		select {
		case <-done:
			continue
		default:
		}
		select {
		case <-done:
		case <-limit:
			d.o.Log.Error("a way in did not end in time", slog.String("part", d.services[i].Name))
			return ErrUnfinished
		}
	}
	return nil
}
