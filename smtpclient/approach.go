package smtpclient

import (
	"errors"

	"github.com/yanmail/yan/smtp"
)

// approach does everything that comes before the flight that carries the
// message, and gives that flight; nil when there is none and x is settled.
// opened says that the opening has been sent and answered.
func (x *transaction) approach(opened bool) *flight {
	switch {
	case opened:
	case !x.c.pipelining():
		if !x.lockStep() {
			return nil
		}
	case x.rides():
		return &flight{x: x, before: x.envelope(nil), body: x.body()}
	default:
		// A chunk on the wire can't be called back: All with several recipients
		// waits for their replies, and so does a large message.
		f := &flight{x: x, before: x.opening(nil)}
		if !f.fly(nil) {
			return nil
		}
	}
	if !x.chunking && x.StopAfter == "" {
		return x.afterData()
	}
	if !x.goes() {
		x.stop()
		return nil
	}
	return &flight{x: x, body: x.body()}
}

// rides reports whether the message may go out in the flight of its envelope,
// before a single reply was read.
//
// QUIRK: go-smtp up to 0.25.0 reads the chunk of a BDAT that it refuses as
// commands. There it is sent when a recipient was accepted.
func (x *transaction) rides() bool {
	return x.chunking && !x.c.software.readsRefusedChunk &&
		x.StopAfter == "" && x.size <= oneFlight && (x.Policy == Any || len(x.to) == 1)
}

// lockStep waits for every reply before the next command, as servers without
// PIPELINING need it. It is false when the message does not go out; x is then
// settled.
func (x *transaction) lockStep() bool {
	c := x.c
	for _, cmd := range x.envelope(nil) {
		f := &flight{x: x, before: []command{cmd}}
		if !f.fly(nil) {
			return false
		}
		if !x.mail.Positive() || c.closing.Code != 0 || x.Policy == All && x.anySettled() {
			break
		}
	}
	switch {
	case c.closing.Code != 0:
		x.lose(smtp.StageRcpt, errClosing)
		return false
	case !x.goes():
		x.stop()
		return false
	case x.chunking:
		return true
	}
	f := &flight{x: x, before: []command{{stage: smtp.StageData}}}
	return f.fly(nil)
}

// errClosing settles recipients that were left when the server said 421.
var errClosing = errors.New("the server closed the connection")

// afterData acts on the reply to DATA. It gives the flight of the message; nil
// when that does not go out and x is settled.
func (x *transaction) afterData() *flight {
	granted := x.data.Intermediate()
	switch {
	case granted && x.goes():
		return &flight{x: x, body: x.body()}
	case granted && x.anyAccepted():
		// Recipients stand behind this 354, and the policy forbids to serve them:
		// ending the data with a dot would deliver to them.
		x.stop()
		x.c.lost(smtp.StageData, ErrAnotherRefused)
	case granted:
		// Nobody stands behind it. RFC 2920 section 3.1: the client must send
		// the dot, and the server should refuse it.
		x.loneDot()
	case !x.goes():
		x.stop()
	default:
		x.decide(smtp.StageData, x.data)
	}
	return nil
}

func (x *transaction) loneDot() {
	x.stop()
	dot := question{stage: smtp.StageBody, line: ".", shown: ".", wait: x.c.cfg.Timeouts.DataEnd}
	if reply, err := x.c.ask(dot); err == nil {
		x.c.note421(reply)
	}
	x.c.dirty = false
}
