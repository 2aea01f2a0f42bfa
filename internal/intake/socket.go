package intake

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/enquiry"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/internal/localerr"
)

// ErrSubmitSocket: the submission socket of [submit], or the socket beside it, can't be opened.
var ErrSubmitSocket = localerr.New("can't open the submission socket")

// socketPerUser limits the open connections of a user at the submission socket: a web server may call
// sendmail for many visitors at once.
const socketPerUser = 200

// socketWay is the submission socket: SMTP for the users of this machine, whom the kernel names.
func (in *Intake) socketWay(path string) *way {
	w := in.newWay(WaySocket, path)
	server := smtpserver.New(smtpserver.Options{
		Admission: in.users, Count: w.tell, Log: in.o.Log.With(slog.String("way", w.name)),
		Limits: smtpserver.Limits{PerPeer: socketPerUser},
		Anonymous: func(c net.Conn) (admission.Peer, error) {
			u, err := peeruser.OfConn(c)
			return admission.Peer{User: u.Name, UID: u.UID}, err
		},
	})
	w.open = func(context.Context) error {
		l, err := daemon.ListenPublic(path)
		if err != nil {
			return localerr.Errorf("%w: %w", ErrSubmitSocket, err)
		}
		w.listeners = []net.Listener{l}
		in.logOpen(w)
		return nil
	}
	w.run = func(ctx context.Context) error { return w.serve(ctx, server) }
	w.close = w.closeListeners
	return w
}

// serve serves SMTP at the listeners of a way in until ctx is done.
func (w *way) serve(ctx context.Context, server *smtpserver.Server) error {
	w.mu.Lock()
	listeners := w.listeners
	w.mu.Unlock()
	if len(listeners) == 0 {
		return errNotOpened
	}
	ended := make(chan error, len(listeners))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, l := range listeners {
		go func() { ended <- server.Serve(ctx, l) }()
	}
	var err error
	for range listeners {
		err = errors.Join(err, <-ended)
		stop() // one that fails ends the others
	}
	return err
}

// enquiryEnd is how long answers may take that are written at the end.
const enquiryEnd = time.Second

// enquiryService is the socket at which users ask about their own messages.
func (in *Intake) enquiryService(path string, wake func()) daemon.Service {
	var l *daemon.Listener
	return daemon.Service{Name: "enquiry",
		Open: func(context.Context) (err error) {
			if l, err = daemon.ListenPublic(path); err != nil {
				return localerr.Errorf("%w: %w", ErrSubmitSocket, err)
			}
			return nil
		},
		Run: func(ctx context.Context) error {
			server := enquiry.NewServer(enquiry.Options{List: in.o.Store.List, Policy: in.policy, Log: in.o.Log, Wake: func() {
				wake()
				if retry := in.retry.Load(); retry != nil {
					(*retry)()
				}
			}})
			ended := make(chan struct{})
			stop := context.AfterFunc(ctx, func() {
				defer close(ended)
				bounded, cancel := context.WithTimeout(context.Background(), enquiryEnd)
				defer cancel()
				if server.Shutdown(bounded) != nil {
					_ = server.Close() // clients that do not read are cut off
				}
			})
			err := server.Serve(l)
			if stop() { // Serve ended before ctx did
				return errors.Join(err, l.Close())
			}
			<-ended
			if errors.Is(err, http.ErrServerClosed) {
				err = nil
			}
			return errors.Join(err, l.Close())
		},
		Close: func() error { return l.Close() }}
}
