package verdict

import (
	"context"
	"errors"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// ErrTimeout is the error of a message that was not sent in time. It matches
// context.DeadlineExceeded.
type ErrTimeout struct{}

func (ErrTimeout) Error() string        { return "the --timeout has expired" }
func (ErrTimeout) Timeout() bool        { return true }
func (ErrTimeout) Is(target error) bool { return target == context.DeadlineExceeded }

// ReachedStop reports whether --quit-after was given and the session reached its stage.
func ReachedStop(quitAfter string, r yan.Result) bool {
	if quitAfter == "" {
		return false
	}
	for _, o := range r.Recipients {
		stopped := errors.Is(o.Err, transport.ErrStopped) || o.Err == nil && o.Reply.Positive()
		if o.Status != smtp.NotTried || !stopped {
			return false
		}
	}
	return true
}
