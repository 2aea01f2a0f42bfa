package smtpclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/smtp"
)

// body is a message on its way to the server: behind a 354 and with dots, or
// as one BDAT LAST together with the commands that share its flight.
type body struct {
	x      *transaction
	prefix []byte // command lines that go out in the same write
	dots   bool
	start  time.Time
	// whole is set just before the last octets are handed to the kernel: only
	// from then on the server can have the message.
	whole atomic.Bool
	noted bool
}

// deliver sends the message and reads what the server makes of it. The replies
// are read beside the writing: a server that refuses in the middle of a
// message and hangs up takes its reply with it, if that was not read before.
func (x *transaction) deliver(cmds []command) {
	if !x.nothingUnasked(smtp.StageBody) {
		return
	}
	flight := cmds
	if x.chunking {
		flight = append(slices.Clip(cmds), command{line: fmt.Sprintf("BDAT %d LAST", x.size)})
	}
	data, shown := render(flight)
	for _, s := range shown {
		x.c.w.event(Sent, s, 0)
	}
	b := &body{x: x, prefix: data, dots: !x.chunking, start: time.Now()}
	g := x.c.w.start(int64(len(data))+x.size, x.c.cfg.Timeouts.Quit, b.write)
	if g.succeeded() { // at once; else the first reply to it will tell
		b.note(false)
	}
	if stage, err := x.replies(cmds, g); err != nil {
		x.lostBody(stage, err, g)
		return
	}
	x.end(b, g)
}

// end reads the reply to the whole message: one, or with LMTP one for each
// recipient that was accepted (RFC 2033 section 4.2). From here on a lost
// connection means that nobody knows.
func (x *transaction) end(b *body, g *writing) {
	if !x.anyPending() {
		// A chunk travelled with an envelope that was refused; its reply says
		// only that.
		if reply, err := b.reply(g); err != nil {
			x.lostBody(smtp.StageBody, err, g)
		} else {
			x.note421(reply)
		}
		return
	}
	for i := range x.outcomes {
		o := &x.outcomes[i]
		if o.Status != "" {
			continue
		}
		reply, err := b.reply(g)
		if err != nil {
			x.lostBody(smtp.StageBody, err, g)
			return
		}
		x.final = reply
		x.note421(reply)
		if !x.c.cfg.LMTP {
			x.decide(smtp.StageBody, reply)
			break
		}
		o.Status, o.Stage, o.Reply = smtp.StatusOf(reply), smtp.StageBody, reply
	}
	// What a refused chunk leaves behind is not agreed upon (RFC 3030 section 2).
	x.c.dirty = x.chunking && !x.final.Positive()
}

// reply reads a reply to the message. One that came before the server could
// have the whole of it is believed only if it says no.
func (b *body) reply(g *writing) (smtp.Reply, error) {
	c := b.x.c
	var early bool
	reply, err := g.reply(c.cfg.Timeouts.DataEnd, func(line string) string {
		early = !b.whole.Load()
		b.note(early)
		return line
	})
	if err != nil {
		return smtp.Reply{}, err
	}
	if !g.finishWithin(c.cfg.Timeouts.Quit) {
		c.w.cut() // a server that has answered need not read on
	}
	incomplete := g.finish() != nil || early
	if incomplete {
		c.broken.Store(true)
		c.w.cut()
	}
	if reply.Intermediate() || incomplete && reply.Positive() {
		return smtp.Reply{}, fmt.Errorf("%w: %d in answer to the message", smtp.ErrMalformedReply, reply.Code)
	}
	return reply, nil
}

// note tells the trace, before the first reply to it, that the message is sent.
func (b *body) note(early bool) {
	if early || b.noted {
		return
	}
	b.noted = true
	b.x.c.w.event(MessageSent, strconv.FormatInt(b.x.size, 10), time.Since(b.start))
}

// lostBody settles the pending recipients when a reply was lost, or was none.
// What the writer managed decides: as long as the last octets were not handed
// to the kernel, the server can't have the message.
func (x *transaction) lostBody(stage smtp.Stage, err error, g *writing) {
	err = x.c.lost(stage, g.cause(err)).Err
	unwritten := g.finish()
	switch {
	case errors.Is(unwritten, ErrContent):
		x.notTried(smtp.StageBody, unwritten)
	case unwritten != nil, x.closing.Code == 421 && hungUp(err):
		// A server that said 421 and hung up did not read what was behind.
		x.notTried(stage, err)
	default:
		x.closing = smtp.Reply{}
		x.settle(smtp.Unknown, smtp.StageBody, err)
	}
}

// hungUp reports that the other side ended the connection.
func hungUp(err error) bool {
	return slices.ContainsFunc(append(errnoReset(), io.EOF, io.ErrUnexpectedEOF),
		func(end error) bool { return errors.Is(err, end) })
}

// write hands the message to the kernel, with the dot that ends DATA. An
// error that wraps ErrContent is the message's own: the connection has then
// been cut, so that no end can follow.
func (b *body) write() error {
	x := b.x
	blocks := &blockWriter{w: x.c.w, timeout: x.c.cfg.Timeouts.DataBlock, sent: -int64(len(b.prefix)),
		size: x.size, progress: x.Progress}
	if x.c.out == nil {
		x.c.out = bufio.NewWriterSize(nil, blockSize)
	}
	out := x.c.out
	out.Reset(blocks)
	_, _ = out.Write(b.prefix) // bufio keeps its error for Flush
	lines := &lineWriter{w: out, dots: b.dots, lineStart: true, limit: x.size}
	_, err := x.Content.WriteTo(lines)
	if blocks.err != nil {
		return blocks.err
	}
	if err == nil {
		err = lines.finish()
	}
	if err != nil {
		x.c.w.cut()
		return fmt.Errorf("%w: %w", ErrContent, err)
	}
	b.whole.Store(true)
	end := "\n" // the octet that lineWriter holds back
	if b.dots {
		end = "\n.\r\n"
	}
	_, _ = out.WriteString(end)
	return out.Flush()
}

// blockSize is what goes to the kernel at once: two TLS records.
const blockSize = 32 << 10

// blockWriter writes blocks to the connection. Each has its own time-out, so
// that an upload which makes progress is never cut off.
type blockWriter struct {
	w        *wire
	timeout  time.Duration
	progress func(int64)
	sent     int64
	size     int64 // the most that progress tells: stuffed dots don't count
	err      error // the first error of the connection
}

func (b *blockWriter) Write(p []byte) (int, error) {
	b.w.allowWrite(b.timeout)
	n, err := b.w.conn.Write(p)
	b.w.sentNow()
	b.sent += int64(n)
	if b.progress != nil && b.sent > 0 {
		b.progress(min(b.sent, b.size))
	}
	if err != nil && b.err == nil {
		b.err = b.w.explain(err)
	}
	return n, err
}

// all writes data block by block.
func (b *blockWriter) all(data []byte) error {
	for block := range slices.Chunk(data, blockSize) {
		if _, err := b.Write(block); err != nil {
			return b.err
		}
	}
	return nil
}
