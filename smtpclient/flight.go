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
		x.chunk(nil)
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
	case x.Content.Size() <= oneFlight && (x.Policy == Any || len(x.to) == 1):
		x.chunk(cmds)
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
		x.chunk(nil)
	}
}

// afterData acts on the reply to DATA.
func (x *transaction) afterData() {
	granted := x.data.Intermediate()
	switch {
	case granted && x.goes():
		x.body()
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
	if reply, err := x.c.commandShown(smtp.StageBody, ".\r\n", "."); err == nil {
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

// concurrently is the number of octets of commands from which a flight is
// written beside the reading of its replies. A server that stops reading until
// its replies are taken would otherwise wait for us, and we for it (RFC 2920
// section 3.1 warns of it); below, the replies fit any socket buffer.
const concurrently = 8 << 10

// fly sends commands in one write and reads all their replies. It is false
// when the connection was lost; the pending recipients are then settled.
func (x *transaction) fly(cmds []command) bool {
	data, shown := render(cmds)
	timeout := x.c.cfg.Timeouts.Command
	written := make(chan error, 1)
	if len(data) < concurrently {
		written <- x.c.w.send(timeout, data, shown...)
	} else {
		for _, s := range shown {
			x.c.w.event(Sent, s, 0)
		}
		go func() { written <- x.c.w.send(timeout, data) }()
	}
	stage, err := x.replies(cmds)
	if err != nil {
		x.notTried(stage, x.c.lost(stage, err))
	}
	// A write that failed although every reply came belongs to a server that
	// answered and hung up; the next command will find that out.
	<-written
	return err == nil
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
func (x *transaction) replies(cmds []command) (smtp.Stage, error) {
	for _, cmd := range cmds {
		timeout := x.c.cfg.Timeouts.Command
		if cmd.stage == smtp.StageData {
			timeout = x.c.cfg.Timeouts.DataInit
		}
		reply, err := x.c.w.reply(timeout)
		if err != nil {
			return cmd.stage, err
		}
		cmd.took(reply)
	}
	return "", nil
}

// commandShown is command for a line that carries its own line end.
func (c *Conn) commandShown(stage smtp.Stage, line, shown string) (smtp.Reply, error) {
	if err := c.w.send(c.cfg.Timeouts.Command, []byte(line), shown); err != nil {
		return smtp.Reply{}, c.lost(stage, err)
	}
	reply, err := c.w.reply(c.cfg.Timeouts.DataEnd)
	if err != nil {
		return smtp.Reply{}, c.lost(stage, err)
	}
	return reply, nil
}
