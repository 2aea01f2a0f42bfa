package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
)

// Whether a server hung up after a 421 decides between not tried and unknown, on every system.
func TestHungUp(t *testing.T) {
	t.Parallel()
	ends := []error{io.EOF}
	for _, errno := range resets() {
		ends = append(ends, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", errno)})
	}
	for _, err := range ends {
		if !hungUp(fmt.Errorf("body: %w", err)) {
			t.Errorf("%v is no end", err)
		}
	}
	for _, err := range []error{io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, context.Canceled, errors.New("tls: bad record MAC")} {
		if hungUp(err) {
			t.Errorf("%v passes for the other side's end", err)
		}
	}
}
