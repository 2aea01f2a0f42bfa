package smtpserver

import (
	"errors"
	"io"
	"net"
	"time"
)

// Stdio returns a connection that reads from in and writes to out, for "sendmail -bs". It has
// deadlines if the two have them. Close closes neither.
func Stdio(in io.Reader, out io.Writer) net.Conn { return &stdioConn{in: in, out: out} }

type stdioConn struct {
	in  io.Reader
	out io.Writer
}

type stdioAddr struct{}

func (stdioAddr) Network() string { return "stdio" }
func (stdioAddr) String() string  { return "stdio" }

func (s *stdioConn) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *stdioConn) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *stdioConn) Close() error                { return nil }
func (s *stdioConn) LocalAddr() net.Addr         { return stdioAddr{} }
func (s *stdioConn) RemoteAddr() net.Addr        { return stdioAddr{} }

func (s *stdioConn) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *stdioConn) SetReadDeadline(t time.Time) error {
	if d, ok := s.in.(interface{ SetReadDeadline(time.Time) error }); ok {
		return d.SetReadDeadline(t)
	}
	return nil
}

func (s *stdioConn) SetWriteDeadline(t time.Time) error {
	if d, ok := s.out.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return nil
}
