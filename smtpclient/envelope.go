package smtpclient

import (
	"errors"

	"github.com/yanmail/yan/smtp"
)

// sendEnvelope sends the envelope unless it can share the flight of the body. It returns
// the flight of the body, or nil if x is settled. opened: the opening was sent and answered.
func (x *transaction) sendEnvelope(opened bool) *flight {
	switch {
	case opened:
	case !x.c.usesPipelining():
		if !x.lockStep() {
			return nil
		}
	case x.fitsOneFlight():
		return &flight{x: x, before: x.appendEnvelope(nil), body: x.newBody()}
	default:
		// A chunk on the wire can't be called back: All with several recipients
		// waits for their replies, and so does a large message.
		f := &flight{x: x, before: x.appendOpening(nil)}
		if !f.roundTrip(nil) {
			return nil
		}
	}
	if !x.chunking && x.StopAfter == "" {
		return x.afterData()
	}
	if !x.mayProceed() {
		x.settleWithheld()
		return nil
	}
	return &flight{x: x, body: x.newBody()}
}

// fitsOneFlight reports whether the message may be sent in the flight of its envelope,
// before any reply is read.
//
// QUIRK: go-smtp up to 0.25.0 reads the chunk of a BDAT that it refuses as
// commands. There it is sent when a recipient was accepted.
func (x *transaction) fitsOneFlight() bool {
	return x.chunking && !x.c.software.readsRefusedChunk &&
		x.StopAfter == "" && x.size <= oneFlight && (x.Policy == Any || len(x.to) == 1)
}

// lockStep sends the envelope and waits for each reply before the next command, for
// servers without PIPELINING. It returns false if the message can't be sent; then x is
// settled.
func (x *transaction) lockStep() bool {
	c := x.c
	for _, cmd := range x.appendEnvelope(nil) {
		f := &flight{x: x, before: []command{cmd}}
		if !f.roundTrip(nil) {
			return false
		}
		if !x.mail.Positive() || c.closing.Code != 0 || x.Policy == All && x.anySettled() {
			break
		}
	}
	switch {
	case c.closing.Code != 0:
		x.failUnsent(smtp.StageRcpt, errClosing)
		return false
	case !x.mayProceed():
		x.settleWithheld()
		return false
	case x.chunking:
		return true
	}
	f := &flight{x: x, before: []command{{stage: smtp.StageData}}}
	return f.roundTrip(nil)
}

// errClosing is the error of recipients without a reply after a 421.
var errClosing = errors.New("the server closed the connection")

// afterData acts on the reply to DATA. It returns the flight of the message, or nil if x
// is settled.
func (x *transaction) afterData() *flight {
	granted := x.data.Intermediate()
	switch {
	case granted && x.mayProceed():
		return &flight{x: x, body: x.newBody()}
	case granted && x.anyAccepted():
		// The server accepted some recipients and answered 354, but policy All forbids a
		// partial delivery: the final dot would deliver to them.
		x.settleWithheld()
		x.c.markLost(smtp.StageData, ErrAnotherRefused)
	case granted:
		// No recipient was accepted. RFC 2920 section 3.1: the client must send the dot,
		// and the server should refuse it.
		x.sendEmptyBody()
	case !x.mayProceed():
		x.settleWithheld()
	default:
		x.applyReply(smtp.StageData, x.data)
	}
	return nil
}

// sendEmptyBody ends a DATA without recipients by the final dot alone.
func (x *transaction) sendEmptyBody() {
	x.settleWithheld()
	dot := commandSpec{stage: smtp.StageBody, line: ".", shown: ".", wait: x.c.cfg.Timeouts.DataEnd}
	if reply, err := x.c.sendCommand(dot); err == nil {
		x.c.note421(reply)
	}
	x.c.dirty = false
}
