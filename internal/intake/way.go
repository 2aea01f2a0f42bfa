package intake

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/yanmail/yan/internal/daemon"
)

// The names of the ways in, in logs, metrics and the status.
const (
	WaySocket = "socket"
	WayDrop   = "drop"
	WaySMTP   = "smtp"
)

// way is a way in with its counts.
type way struct {
	name, place string
	open        func(context.Context) error
	run         func(context.Context) error
	close       func() error
	count       func(rule string)

	mu        sync.Mutex
	listeners []net.Listener // that are open
	accepted  int64
	repeated  int64
	refused   map[string]int64
}

func (in *Intake) newWay(name, place string) *way {
	w := &way{name: name, place: place, refused: map[string]int64{}}
	w.count = func(rule string) { in.o.Count(name, rule) }
	return w
}

// tell counts a message that was accepted, with rule "", or a refusal.
func (w *way) tell(rule string, again bool) {
	w.mu.Lock()
	switch {
	case rule != "":
		w.refused[rule]++
	case again:
		w.repeated++
	default:
		w.accepted++
	}
	w.mu.Unlock()
	w.count(rule)
}

// address returns where the way in is, with the port that the system has chosen.
func (w *way) address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, l := range w.listeners {
		if at, ok := l.Addr().(*net.TCPAddr); ok {
			list = append(list, at.String())
		}
	}
	if len(list) > 0 {
		return strings.Join(list, ", ")
	}
	return w.place
}

func (in *Intake) logOpen(w *way) {
	in.o.Log.Info("taking messages", slog.String("way", w.name), slog.String("address", w.address()))
}

// Place is where a way in is, for people.
type Place struct{ Way, Address string }

// Places returns where the ways in are.
func (in *Intake) Places() []Place {
	var list []Place
	for _, w := range in.ways {
		if address := w.address(); address != "" {
			list = append(list, Place{w.name, address})
		}
	}
	return list
}

// Ways returns the ways in with their counts, for the status.
func (in *Intake) Ways() []daemon.WayStatus {
	list := []daemon.WayStatus{}
	for _, w := range in.ways {
		address := w.address()
		if address == "" {
			continue // a drop folder that does not exist
		}
		w.mu.Lock()
		list = append(list, daemon.WayStatus{Way: w.name, Address: address, Accepted: w.accepted, Repeated: w.repeated, Refused: maps.Clone(w.refused)})
		w.mu.Unlock()
	}
	return list
}

// closeListeners closes the listeners of a way in that does not run.
func (w *way) closeListeners() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	for _, l := range slices.Backward(w.listeners) {
		err = firstError(err, l.Close())
	}
	w.listeners = nil
	return err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
