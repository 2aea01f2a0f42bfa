package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// server is where the contenders send to: a sink of this process, or one of
// its own.
type server interface {
	address() string
	// take returns what arrived since the last call, and the first failure of
	// a connection.
	take() ([]taken, error)
	close()
}

// sinkProcess is a sink in a process of its own, as a real server is. Within
// one process the Go scheduler hands over between client and sink without the
// kernel, but only as long as nobody pauses: a client that talks a lot and
// thinks little would be timed faster than it is.
type sinkProcess struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *gob.Decoder
	where   string
}

// arrivals is what arrived, on its way between the processes.
type arrivals struct {
	From       []string
	Recipients []int
	Data       [][]byte
	Failure    string
}

// startSinkProcess runs this program again as a sink.
func startSinkProcess(chunking bool) (server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	extension := "PIPELINING"
	if chunking {
		extension = "CHUNKING"
	}
	p := &sinkProcess{command: exec.Command(self, "-sink", extension)}
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

func (p *sinkProcess) address() string { return p.where }

func (p *sinkProcess) take() ([]taken, error) {
	if _, err := io.WriteString(p.in, "take\n"); err != nil {
		return nil, fmt.Errorf("ask the sink: %w", err)
	}
	var arrived arrivals
	if err := p.out.Decode(&arrived); err != nil {
		return nil, fmt.Errorf("ask the sink: %w", err)
	}
	if arrived.Failure != "" {
		return nil, errors.New(arrived.Failure)
	}
	messages := make([]taken, len(arrived.Data))
	for i := range messages {
		messages[i] = taken{arrived.From[i], arrived.Recipients[i], arrived.Data[i]}
	}
	return messages, nil
}

// close ends the process by ending its standard input.
func (p *sinkProcess) close() {
	_ = p.in.Close()
	_ = p.command.Wait() // nothing is asked of it any more
}

// runSink is the other process: it answers each line of its standard input
// with what arrived, and ends with it.
func runSink(extension string) error {
	s, err := startSink(strings.EqualFold(extension, "CHUNKING"))
	if err != nil {
		return err
	}
	defer s.close()
	out := gob.NewEncoder(os.Stdout)
	if err := out.Encode(s.address()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		messages, err := s.take()
		var p arrivals
		if err != nil {
			p.Failure = err.Error()
		}
		for _, m := range messages {
			p.From = append(p.From, m.from)
			p.Recipients = append(p.Recipients, m.recipients)
			p.Data = append(p.Data, m.data)
		}
		if err := out.Encode(p); err != nil {
			return err
		}
	}
	return nil
}
