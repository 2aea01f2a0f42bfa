package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Bounds of one connection, in octets.
const (
	inputBuffer  = 64 << 10
	maxLongLine  = 1 << 20 // read limit for a line that is refused
	maxEndless   = 10 << 20
	drainOnClose = 64 << 20
)

// drainTime is how long a closing server waits for the client to close too, so
// that unread input does not destroy the last reply on its way.
const drainTime = 2 * time.Second

var (
	// errHangUp ends a session after all pending output has been sent.
	errHangUp = errors.New("the server hangs up")
	// errCut ends it without sending the pending output.
	errCut = errors.New("the server cuts the connection")
	// errAbort ends it with a TCP reset.
	errAbort       = errors.New("the server resets the connection")
	errLineTooLong = errors.New("line too long")
)

// serverConn is the connection of one session. It reads lines and buffers replies
// until it has to wait for the client, so that pipelined commands get their
// replies in one segment.
type serverConn struct {
	raw    net.Conn // TCP
	stream net.Conn // raw, or TLS on it
	in     *bufio.Reader
	out    *bufio.Writer
	idle   time.Duration
	log    func(Side, string)

	// chunk is true while octets announced by BDAT are read; waiting for them
	// is no turn.
	chunk bool
	told  bool // a reply was sent since the last turn
	turn  func()
}

func newConn(raw net.Conn, idle time.Duration) *serverConn {
	c := &serverConn{raw: raw, stream: raw, idle: idle, turn: func() {}, log: func(Side, string) {}}
	c.in = bufio.NewReaderSize(c, inputBuffer)
	c.out = bufio.NewWriter(c.writer())
	return c
}

// useTLS replaces the stream by TLS. Plaintext in the buffer is dropped, so
// that it can't count as received inside TLS (CVE-2011-0411).
func (c *serverConn) useTLS(stream net.Conn) {
	c.stream = stream
	c.in.Reset(c)
	c.out.Reset(c.writer())
}

// Read fills the input buffer. Here the server waits for the client: it first
// sends all pending output, and counts input that follows a reply as a turn.
func (c *serverConn) Read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	partial := c.in.Buffered() > 0
	if err := c.raw.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	n, err := c.stream.Read(p)
	if n > 0 && c.told && !partial && !c.chunk {
		c.told = false
		c.turn()
	}
	return n, err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (c *serverConn) writer() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if err := c.raw.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
		return c.stream.Write(p)
	})
}

func (c *serverConn) flush() error {
	if c.out.Buffered() > 0 {
		c.told = true
	}
	return c.out.Flush()
}

// queueReply adds a reply to the output; lines are separated by "\n".
func (c *serverConn) queueReply(reply string) error {
	for line := range strings.SplitSeq(reply, "\n") {
		c.log(FromServer, line)
		if _, err := c.out.WriteString(line + "\r\n"); err != nil {
			return err
		}
	}
	return nil
}

// line is one line of input without its line end.
type line struct {
	text   []byte // valid until the next read
	bareLF bool   // ended by a lone LF
	bareCR bool   // contains a CR that ends no line
}

// readLine reads a line of at most max octets. A longer line is read to its end
// and returns errLineTooLong.
func (c *serverConn) readLine(max int) (line, error) {
	b, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return line{}, c.skipLine()
	}
	if err != nil {
		if len(b) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return line{}, err
	}
	text, hasCR := bytes.CutSuffix(b[:len(b)-1], []byte("\r"))
	if len(b) > max {
		return line{}, errLineTooLong
	}
	return line{text: text, bareLF: !hasCR, bareCR: bytes.IndexByte(text, '\r') >= 0}, nil
}

// skipLine reads and discards the rest of a line that is refused.
func (c *serverConn) skipLine() error {
	for skipped := 0; skipped < maxLongLine; skipped += inputBuffer {
		_, err := c.in.ReadSlice('\n')
		if err == nil {
			return errLineTooLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
	return errHangUp
}

// bufferedOctets is the number of octets received and not yet read; the client sent
// all of them before the pending reply.
func (c *serverConn) bufferedOctets() int { return c.in.Buffered() }

// closeFor closes the connection in the way that the session's error requires.
func (c *serverConn) closeFor(reason error) {
	switch {
	case errors.Is(reason, errCut):
		// Pending output is discarded: that is the fault.
	case errors.Is(reason, errAbort):
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // fails only if the connection is already gone
		}
	default:
		c.drain()
	}
	_ = c.raw.Close() // the client may have closed first; no data can be lost
}

// drain sends the pending output, closes the write side and reads the client's
// remaining input: closing with unread input would make TCP discard the last
// reply.
func (c *serverConn) drain() {
	if c.flush() != nil {
		return
	}
	half, ok := c.stream.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if tcp, ok := c.raw.(*net.TCPConn); ok && c.raw != c.stream {
		_ = tcp.CloseWrite() // best effort, the connection is closed next
	}
	if c.raw.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(c.raw, drainOnClose)) // the input is discarded
}

// Side is the speaker of an [LogEvent].
type Side string

// The two sides, and the server's remarks.
const (
	FromClient Side = "C"
	FromServer Side = "S"
	Remark     Side = "*"
)

// LogEvent is one line of a conversation as the server sees it. Secrets are
// replaced unless the Config shows them; the message itself is one Remark.
type LogEvent struct {
	Time time.Time
	Conn int // counts from 1
	Side Side
	Text string
}

// logger hands events to the Config's function one at a time.
type logger struct {
	mu  sync.Mutex
	log func(LogEvent)
	now func() time.Time
}

func (l *logger) event(conn int, side Side, text string) {
	if l.log == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log(LogEvent{Time: l.now(), Conn: conn, Side: side, Text: text})
}
