package faultproxy

import (
	"bytes"
	"net"
	"sync"
	"syscall"
	"time"
)

// witness is a client's socket that records the traffic. It is not a *net.TCPConn, so that package
// net does not bypass it.
type witness struct {
	TCP *net.TCPConn
	mu  sync.Mutex
	out []byte
	in  []byte
}

func (w *witness) Write(p []byte) (int, error) {
	n, err := w.TCP.Write(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, p[:n]...)
	return n, err
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.TCP.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in = append(w.in, p[:n]...)
	return n, err
}

// wrote reports whether the end of a message was written: after BDAT that is its last line, after
// DATA a dot follows.
func (w *witness) wrote(end []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := bytes.Index(w.out, end)
	if at < 0 {
		return false
	}
	verb := w.out[:at]
	chunk, data := bytes.LastIndex(verb, []byte("\r\nBDAT ")), bytes.LastIndex(verb, []byte("\r\nDATA\r\n"))
	return chunk > data || bytes.HasPrefix(w.out[at+len(end):], []byte(".\r\n"))
}

func (w *witness) heard(reply []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Contains(w.in, reply)
}

func (w *witness) Close() error                          { return w.TCP.Close() }
func (w *witness) CloseWrite() error                     { return w.TCP.CloseWrite() }
func (w *witness) LocalAddr() net.Addr                   { return w.TCP.LocalAddr() }
func (w *witness) RemoteAddr() net.Addr                  { return w.TCP.RemoteAddr() }
func (w *witness) SetDeadline(t time.Time) error         { return w.TCP.SetDeadline(t) }
func (w *witness) SetReadDeadline(t time.Time) error     { return w.TCP.SetReadDeadline(t) }
func (w *witness) SetWriteDeadline(t time.Time) error    { return w.TCP.SetWriteDeadline(t) }
func (w *witness) SyscallConn() (syscall.RawConn, error) { return w.TCP.SyscallConn() }
