package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// A prepared conversation is everything that a client sends for one message,
// already composed and encoded, in one file. Copying it into a TLS connection
// is the minimal work of sending it.

// writeConversation writes the conversation that sends m with DATA, or with one chunk.
func writeConversation(path string, m mail, chunking bool) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	login := base64.StdEncoding.EncodeToString([]byte("\x00" + userName + "\x00" + password))
	fmt.Fprintf(w, "EHLO localhost\r\nAUTH PLAIN %s\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\n", login, m.from, strings.Join(m.to, ">\r\nRCPT TO:<"))
	if chunking {
		var size octets
		if err := writeByHand(&size, m); err != nil {
			return err
		}
		fmt.Fprintf(w, "BDAT %d LAST\r\n", size)
	} else {
		fmt.Fprint(w, "DATA\r\n")
	}
	if err := writeByHand(w, m); err != nil {
		return err
	}
	if !chunking {
		fmt.Fprint(w, ".\r\n")
	}
	fmt.Fprint(w, "QUIT\r\n")
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// octets counts written octets.
type octets int64

func (o *octets) Write(p []byte) (int, error) {
	*o += octets(len(p))
	return len(p), nil
}

// rawCopy copies a prepared conversation with crypto/tls.
type rawCopy struct{}

func (rawCopy) open(p destination) (client, error) { return &rawCopyClient{place: p}, nil }

type rawCopyClient struct {
	place      destination
	connection *tls.Conn
}

func (c *rawCopyClient) connect(context.Context) error {
	config, err := c.place.tls()
	if err != nil {
		return err
	}
	c.connection, err = tls.Dial("tcp", c.place.Address, config)
	return err
}

func (c *rawCopyClient) run(_ context.Context, s *messageSource) (workerAnswer, error) {
	return measureSource(s, func() error {
		s.next()
		file, err := os.Open(c.place.Prepared)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.CopyBuffer(struct{ io.Writer }{c.connection}, struct{ io.Reader }{file}, make([]byte, 256<<10)); err != nil {
			return err
		}
		return readGoodbye(c.connection)
	})
}

// readGoodbye reads the server's replies to a conversation that ends with QUIT.
func readGoodbye(r io.Reader) error {
	said, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !strings.Contains(string(said), "\r\n221 ") {
		return fmt.Errorf("the server said %q", said)
	}
	return nil
}

func (c *rawCopyClient) disconnect() error { return c.connection.Close() }

// opensslCopy copies it with "openssl s_client", in C.
type opensslCopy struct{ tool tool }

func (t opensslCopy) open(p destination) (client, error) { return opensslClient{t.tool, p}, nil }

type opensslClient struct {
	tool  tool
	place destination
}

func (opensslClient) connect(context.Context) error { return nil }
func (opensslClient) disconnect() error             { return nil }

func (c opensslClient) run(ctx context.Context, s *messageSource) (workerAnswer, error) {
	s.next()
	file, err := os.Open(c.place.Prepared)
	if err != nil {
		return workerAnswer{}, err
	}
	defer file.Close()
	// -quiet also keeps letters at the beginning of a line from being commands.
	command := c.tool.command(ctx, "s_client", "-quiet", "-verify_quiet", "-verify_return_error", "-CAfile", c.place.CA,
		"-connect", c.place.Address)
	command.Stdin = file
	start := time.Now()
	out, err := command.Output()
	took := time.Since(start)
	if err != nil {
		return workerAnswer{}, err
	}
	return workerAnswer{Sent: 1, Seconds: took.Seconds(), UserSeconds: command.ProcessState.UserTime().Seconds()}, readGoodbye(strings.NewReader(string(out)))
}

// barePipe sends the same composed message repeatedly, with CHUNKING, and never
// waits: the limit of the server and the kernel.
type barePipe struct{}

func (barePipe) open(p destination) (client, error) { return &barePipeClient{place: p}, nil }

type barePipeClient struct {
	place      destination
	connection net.Conn
	replies    *bufio.Reader
}

func (c *barePipeClient) connect(context.Context) (err error) {
	if c.connection, err = net.Dial("tcp", c.place.Address); err != nil {
		return err
	}
	c.replies = bufio.NewReader(c.connection)
	if err := c.await(1); err != nil { // the greeting
		return err
	}
	if _, err := io.WriteString(c.connection, "HELO localhost\r\n"); err != nil {
		return err
	}
	for line := "-"; line[min(3, len(line)-1)] == '-'; {
		if line, err = c.replies.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// await reads n one-line replies.
func (c *barePipeClient) await(replies int) error {
	for range replies {
		line, err := c.replies.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line[0] != '2' {
			return fmt.Errorf("the server said %q", line)
		}
	}
	return nil
}

func (c *barePipeClient) run(_ context.Context, s *messageSource) (workerAnswer, error) {
	var message strings.Builder
	m := s.order.mail(s.order.First)
	if err := writeByHand(&message, m); err != nil {
		return workerAnswer{}, err
	}
	one := fmt.Sprintf("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nBDAT %d LAST\r\n%s", m.from, m.to[0], message.Len(), message.String())
	const together = 25   // about 128 kB per write
	const enough = 20_000 // enough to measure the rate
	block := []byte(strings.Repeat(one, together))
	return measureSource(s, func() error {
		counts, read := make(chan int, 1<<16), make(chan error, 1)
		go func() {
			var err error
			for n := range counts {
				if err == nil {
					err = c.await(3 * n)
				}
			}
			read <- err
		}()
		var err error
		for err == nil {
			n := 0
			for n < together && s.taken < enough {
				if _, ok := s.next(); !ok {
					break
				}
				n++
			}
			if n == 0 {
				break
			}
			counts <- n
			_, err = c.connection.Write(block[:n*len(one)])
		}
		close(counts)
		return errors.Join(err, <-read)
	})
}

func (c *barePipeClient) disconnect() error {
	if _, err := io.WriteString(c.connection, "QUIT\r\n"); err != nil {
		return err
	}
	if err := c.await(1); err != nil {
		return err
	}
	return c.connection.Close()
}
