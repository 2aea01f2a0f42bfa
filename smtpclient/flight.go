package smtpclient

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/yanmail/yan/smtp"
)

// command is one line of a flight and what to do with its reply.
type command struct {
	stage smtp.Stage
	line  string
	took  func(smtp.Reply)
}

// envelope lists MAIL and every RCPT.
func (x *transaction) envelope() []command {
	cmds := make([]command, 0, len(x.to)+2)
	cmds = append(cmds, command{smtp.StageMail, x.mailCommand(), x.tookMail})
	if x.StopAfter == smtp.StageMail {
		return cmds
	}
	for i := range x.to {
		cmds = append(cmds, command{smtp.StageRcpt, x.rcptCommand(i), func(r smtp.Reply) { x.tookRcpt(i, r) }})
	}
	return cmds
}

func (x *transaction) dataCommand() command {
	return command{smtp.StageData, "DATA", func(r smtp.Reply) {
		x.data = r
		x.note421(r)
	}}
}

// lockStep waits for every reply before the next command, as servers without
// PIPELINING need it.
func (x *transaction) lockStep() {
	for _, cmd := range x.envelope() {
		if !x.fly([]command{cmd}) {
			return
		}
		if !x.mail.Positive() || x.closing.Code != 0 || x.Policy == All && x.anySettled() {
			break
		}
	}
	switch {
	case x.closing.Code != 0:
		x.notTried(smtp.StageRcpt, errClosing)
	case !x.goes():
		x.stop()
	case x.chunking:
		x.deliver(nil)
	case x.fly([]command{x.dataCommand()}):
		x.afterData()
	}
}

// errClosing settles recipients that were left when the server said 421.
var errClosing = errors.New("the server closed the connection")

// pipelined sends the whole envelope in one flight (RFC 2920). DATA is always
// the last of a flight; BDAT can bring the message along (RFC 3030).
func (x *transaction) pipelined() {
	cmds := x.envelope()
	switch {
	case x.StopAfter != "":
		x.fly(cmds)
		x.stop()
	case !x.chunking:
		if x.fly(append(cmds, x.dataCommand())) {
			x.afterData()
		}
	case x.size <= oneFlight && (x.Policy == Any || len(x.to) == 1):
		x.deliver(cmds)
	default:
		// A chunk on the wire can't be called back: All with several recipients
		// waits for their replies, and so does a large message.
		if !x.fly(cmds) {
			return
		}
		if !x.goes() {
			x.stop()
			return
		}
		x.deliver(nil)
	}
}

// afterData acts on the reply to DATA.
func (x *transaction) afterData() {
	granted := x.data.Intermediate()
	switch {
	case granted && x.goes():
		x.deliver(nil)
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
	case x.data.Positive():
		x.notTried(smtp.StageData, x.c.lost(smtp.StageData,
			fmt.Errorf("%w: %d in answer to DATA", smtp.ErrMalformedReply, x.data.Code)))
	default:
		x.decide(smtp.StageData, x.data)
	}
}

func (x *transaction) loneDot() {
	x.stop()
	dot := question{stage: smtp.StageBody, line: ".", shown: ".", wait: x.c.cfg.Timeouts.DataEnd}
	if reply, err := x.c.ask(dot); err == nil {
		x.note421(reply)
	}
	x.c.dirty = false
}

func (x *transaction) anyAccepted() bool {
	for _, ok := range x.rcptOK {
		if ok {
			return true
		}
	}
	return false
}

func (x *transaction) anySettled() bool {
	for i := range x.outcomes {
		if x.outcomes[i].Status != "" {
			return true
		}
	}
	return false
}

func (x *transaction) anyPending() bool {
	for i := range x.outcomes {
		if x.outcomes[i].Status == "" {
			return true
		}
	}
	return false
}

// fly sends commands in one flight and reads all their replies. It is false
// when the connection was lost; the pending recipients are then settled.
//
// The replies are read while the commands are still being written: a server
// that stops reading until its replies are taken would otherwise wait for us,
// and we for it (RFC 2920 section 3.1 warns of it).
func (x *transaction) fly(cmds []command) bool {
	if !x.nothingUnasked(cmds[0].stage) {
		return false
	}
	data, shown := render(cmds)
	for _, s := range shown {
		x.c.w.event(Sent, s, 0)
	}
	out := &blockWriter{w: x.c.w, timeout: x.c.cfg.Timeouts.Command}
	g := x.c.w.start(int64(len(data)), x.c.cfg.Timeouts.Quit, func() error { return out.all(data) })
	stage, err := x.replies(cmds, g)
	if err != nil {
		x.notTried(stage, x.c.lost(stage, g.cause(err)))
	}
	// A write that failed although every reply came belongs to a server that
	// answered and hung up; the next command will find that out.
	_ = g.finish()
	return err == nil
}

// nothingUnasked makes sure that the replies to come are those to the commands
// to come. It is false, and the pending recipients settled, when the server
// has spoken already.
func (x *transaction) nothingUnasked(stage smtp.Stage) bool {
	err := x.c.unasked()
	if err == nil {
		return true
	}
	reply, readErr := x.c.w.reply(x.c.cfg.Timeouts.Quit)
	if readErr == nil {
		x.note421(reply)
	}
	lost := x.c.lost(stage, err)
	lost.Reply = reply
	x.notTried(stage, lost)
	return false
}

// render joins command lines to one write.
func render(cmds []command) (data []byte, shown []string) {
	var b bytes.Buffer
	for _, cmd := range cmds {
		b.WriteString(cmd.line)
		b.WriteString("\r\n")
		shown = append(shown, cmd.line)
	}
	return b.Bytes(), shown
}

// replies reads one reply per command, in order. Every one of them is read,
// whatever the others said.
func (x *transaction) replies(cmds []command, g *writing) (smtp.Stage, error) {
	for _, cmd := range cmds {
		timeout := x.c.cfg.Timeouts.Command
		if cmd.stage == smtp.StageData {
			timeout = x.c.cfg.Timeouts.DataInit
		}
		reply, err := g.reply(timeout, asItIs)
		if err == nil && reply.Intermediate() && cmd.stage != smtp.StageData {
			// Whatever it waits for now, the replies are out of step.
			err = fmt.Errorf("%w: %d in answer to %s", smtp.ErrMalformedReply, reply.Code, cmd.line)
		}
		if err != nil {
			return cmd.stage, err
		}
		cmd.took(reply)
	}
	return "", nil
}
