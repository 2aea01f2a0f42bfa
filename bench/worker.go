package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// senderProcess is a process that sends as one contender: this program again, or node
// with nodemailer.mjs. It answers each request, a line of JSON on its standard
// input, with one on its standard output. Clocks run inside, so that neither
// the start of a process nor the pipes are measured.
type senderProcess struct {
	name    string
	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

// request is a command to a worker.
//
//	open        prepares for Place
//	connect     opens the connections
//	send        sends Order over them
//	once        connect, send and disconnect; the time is that of the first two
//	disconnect  leaves the server
//	used        returns the process's resource usage so far
type request struct {
	Do    string
	Place destination
	Order order
}

// workerAnswer is the reply of a worker.
type workerAnswer struct {
	Sent        int     // how many messages of the order, from its first on
	Beside      int     // extra messages that the contender needs
	Seconds     float64 // for the sent messages
	Allocations uint64  // on the heap of Go
	Allocated   uint64  // octets
	UserSeconds float64 // user-mode processor time, for "used" or of a program that was run for the order
	Peak        int64   // peak memory in octets, for "used"
	Error       string
}

// startWorker starts the process of a contender. Cancelling the context ends
// it.
func startWorker(ctx context.Context, name string, tools tools) (*senderProcess, error) {
	w := &senderProcess{name: name}
	if name == nodemailer {
		w.command = exec.CommandContext(ctx, tools["node"].Path, "nodemailer.mjs", tools[nodemailer].Path)
	} else {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		encoded, err := json.Marshal(tools)
		if err != nil {
			return nil, err
		}
		w.command = exec.CommandContext(ctx, self, asWorker, name, string(encoded))
	}
	w.command.Stderr = os.Stderr
	var err error
	if w.in, err = w.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = json.NewDecoder(out)
	if err := w.command.Start(); err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	return w, nil
}

func (w *senderProcess) ask(r request) (workerAnswer, error) {
	var a workerAnswer
	line, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return a, fmt.Errorf("ask the worker: %w", err)
	}
	if err := w.out.Decode(&a); err != nil {
		return a, fmt.Errorf("the worker does not answer: %w", err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("%s: %s", r.Do, a.Error)
	}
	return a, nil
}

// close ends the process by ending its standard input.
func (w *senderProcess) close() {
	_ = w.in.Close()
	_ = w.command.Wait() // its exit status is not needed
}

// runWorker is the entry point of the other process.
func runWorker(ctx context.Context, name, encodedTools string) error {
	var tools tools
	if err := json.Unmarshal([]byte(encodedTools), &tools); err != nil {
		return fmt.Errorf("read the tools: %w", err)
	}
	who, err := contenderNamed(name, tools)
	if err != nil {
		return err
	}
	requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var c client
	for {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		var a workerAnswer
		if r.Do == "open" {
			c, err = who.open(r.Place)
		} else {
			a, err = carryOut(ctx, c, r)
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

func carryOut(ctx context.Context, c client, r request) (workerAnswer, error) {
	switch r.Do {
	case "connect":
		return workerAnswer{}, c.connect(ctx)
	case "send":
		return c.run(ctx, &messageSource{order: r.Order})
	case "once":
		start := time.Now()
		if err := c.connect(ctx); err != nil {
			return workerAnswer{}, err
		}
		a, err := c.run(ctx, &messageSource{order: r.Order})
		a.Seconds = time.Since(start).Seconds()
		if err != nil {
			return a, err
		}
		return a, c.disconnect()
	case "disconnect":
		return workerAnswer{}, c.disconnect()
	case "used":
		seconds, err := userSeconds()
		if err != nil {
			return workerAnswer{}, err
		}
		peak, err := peakResident()
		return workerAnswer{UserSeconds: seconds, Peak: peak}, err
	}
	return workerAnswer{}, fmt.Errorf("unknown request %q", r.Do)
}

// The contenders by name, in the order of the table.
const (
	ours       = "yan"
	gomailName = "go-mail"
	netsmtp    = "net/smtp"
	gosmtpName = "go-smtp"
	nodemailer = "nodemailer"
	smtpsource = "smtp-source"
	rawGo      = "TLS copy by Go"
	rawOpenSSL = "TLS copy by openssl"
	bare       = "copy without waiting"
	curl       = "curl"
	msmtp      = "msmtp"

	gomailDefault = "go-mail by default" // with its NOOP and RSET
	// With pipeline_messages = "always", the setting for Postfix and Exim.
	oursPipelined = "yan, messages pipelined"
)

// extraContenders are in some rows only, in addition to the senders.
func extraContenders() []string {
	return []string{gomailDefault, oursPipelined, bare, rawGo, rawOpenSSL, curl, msmtp, onPostgres, bareDisk, postfixMTA, oneWorker, syncedGoSMTP, mailpitRelay, nullmailer, postfixSendmail}
}

// senders are the contenders in every row.
func senders() []string {
	return []string{ours, gomailName, netsmtp, gosmtpName, nodemailer, smtpsource}
}

// contenderNamed returns a contender whose process is this program.
func contenderNamed(name string, tools tools) (contender, error) {
	switch name {
	case ours:
		return yanContender{}, nil
	case oursPipelined:
		return yanContender{pipelined: true}, nil
	case gomailName:
		return goMail{}, nil
	case gomailDefault:
		return goMail{asItComes: true}, nil
	case netsmtp:
		return netSMTP{}, nil
	case gosmtpName:
		return goSMTP{}, nil
	case smtpsource:
		return smtpSource{tools[smtpsource]}, nil
	case rawGo:
		return rawCopy{}, nil
	case bare:
		return barePipe{}, nil
	case rawOpenSSL:
		return opensslCopy{tools["openssl"]}, nil
	}
	return nil, fmt.Errorf("no contender is called %q", name)
}
