package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/gob"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// benchServer receives the contenders' mail.
type benchServer interface {
	address(protection protection) string // "" if it does not support this protection
	// take returns the arrivals since the last call.
	take() (arrivals, error)
	// reserve allocates memory for a message of this size.
	reserve(size int) error
	// counts reports whether the server only counts messages.
	counts() bool
	close()
}

// sinkProcess is a sink in its own process, like a real server. Within one
// process the Go scheduler switches between client and sink without the kernel,
// but only as long as neither pauses: a client with many small writes would
// seem faster than it is.
type sinkProcess struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *gob.Decoder
	where   map[protection]string
}

// startSinkProcess runs this program again as a sink, with the certificate in a
// directory.
func startSinkProcess(extension, folder string) (benchServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &sinkProcess{command: exec.Command(self, asSink, extension, folder)}
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start the sink: %w", err)
	}
	p.out = gob.NewDecoder(out)
	if err := p.out.Decode(&p.where); err != nil {
		p.close()
		return nil, fmt.Errorf("start the sink: %w", err)
	}
	return p, nil
}

func (p *sinkProcess) address(protection protection) string { return p.where[protection] }
func (p *sinkProcess) counts() bool                         { return false }

func (p *sinkProcess) take() (arrivals, error) { return p.ask("take") }

func (p *sinkProcess) reserve(size int) error {
	_, err := p.ask("reserve " + strconv.Itoa(size))
	return err
}

func (p *sinkProcess) ask(line string) (arrivals, error) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return arrivals{}, fmt.Errorf("ask the sink: %w", err)
	}
	var a arrivals
	if err := p.out.Decode(&a); err != nil {
		return a, fmt.Errorf("ask the sink: %w", err)
	}
	if a.Failure != "" {
		return a, fmt.Errorf("%s", a.Failure)
	}
	return a, nil
}

// close ends the process by ending its standard input.
func (p *sinkProcess) close() {
	_ = p.in.Close()
	_ = p.command.Wait() // its exit status is not needed
}

// runSink is the entry point of the other process: it answers each line of its
// standard input, and ends with it.
func runSink(extension, folder string) error {
	certificate, err := tls.LoadX509KeyPair(certificateFile(folder), keyFile(folder))
	if err != nil {
		return err
	}
	s, err := startSink(extension == chunking, certificate)
	if err != nil {
		return err
	}
	defer s.close()
	out := gob.NewEncoder(os.Stdout)
	if err := out.Encode(s.addresses()); err != nil {
		return err
	}
	for requests := bufio.NewScanner(os.Stdin); requests.Scan(); {
		var a arrivals
		if size, ok := strings.CutPrefix(requests.Text(), "reserve "); ok {
			n, err := strconv.Atoi(size)
			if err != nil {
				return err
			}
			s.reserve(n)
		} else {
			a = s.take()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// postfixSink is Postfix's test server, in C. It has no TLS, and it only counts
// messages.
type postfixSink struct {
	command *exec.Cmd
	where   string
	read    chan struct{} // closed when the process has ended

	mu    sync.Mutex
	last  []byte // its last output
	taken int
}

func startPostfixSink(ctx context.Context, t tool) (benchServer, error) {
	// It requires a port number: a free one.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &postfixSink{where: listener.Addr().String(), read: make(chan struct{})}
	listener.Close()
	arguments := []string{"-c", s.where, "100"}
	if os.Getuid() == 0 {
		arguments = append([]string{"-u", "nobody"}, arguments...) // it refuses to run as root
	}
	s.command = t.command(ctx, arguments...)
	s.command.Stderr = os.Stderr
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", t.Path, err)
	}
	go s.readCounters(out)
	if err := s.waitListening(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// readCounters reads the counters, which are printed repeatedly on one line.
func (s *postfixSink) readCounters(out io.Reader) {
	defer close(s.read)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadSlice('\r')
		if err != nil {
			return
		}
		s.mu.Lock()
		s.last = append(s.last[:0], line...)
		s.mu.Unlock()
	}
}

// waitListening returns when the server listens.
func (s *postfixSink) waitListening(ctx context.Context) error {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for range 500 {
		if connection, err := net.Dial("tcp", s.where); err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.read:
			return fmt.Errorf("%s ended", s.command.Path)
		case <-pause.C:
		}
	}
	return fmt.Errorf("%s does not listen", s.command.Path)
}

func (s *postfixSink) address(protection protection) string {
	if protection != inClear {
		return ""
	}
	return s.where
}

func (s *postfixSink) counts() bool      { return true }
func (s *postfixSink) reserve(int) error { return nil }

func (s *postfixSink) take() (arrivals, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var total int
	if found := regexp.MustCompile(`mesg=(\d+)`).FindSubmatch(s.last); found != nil {
		n, err := strconv.Atoi(string(bytes.TrimSpace(found[1])))
		if err != nil {
			return arrivals{}, err
		}
		total = n
	}
	a := arrivals{Count: total - s.taken}
	s.taken = total
	return a, nil
}

func (s *postfixSink) close() {
	_ = s.command.Process.Kill()
	<-s.read
	_ = s.command.Wait() // it was killed
}
