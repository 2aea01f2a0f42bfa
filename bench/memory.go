package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

const attachmentSize = 50 << 20

// errand is what a process of its own is to do.
type errand struct {
	Contender string
	Address   string
	Subject   string
	Text      string
	From      string
	To        []string
	File      string
}

// writeAttachment makes a file of size octets that doesn't compress.
func writeAttachment(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(file, rand.Reader, size); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// peakMemory is the most memory, in MB of 2^20 octets, that a process held
// which does nothing but send one message with the attachment: this program
// again, with the errand on its standard input.
func (c *course) peakMemory(ctx context.Context, who contender, s server) (float64, error) {
	m := c.mails(1, 1)[0]
	m.attachment = c.attachment
	input, err := json.Marshal(errand{Contender: who.name(), Address: s.address(), Subject: m.subject,
		Text: m.text, From: m.from, To: m.to, File: m.attachment})
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	child := exec.CommandContext(ctx, self, "-errand", string(input))
	child.Stderr = os.Stderr
	out, err := child.Output()
	if err != nil {
		return 0, fmt.Errorf("a process of its own: %w", err)
	}
	var octets int64
	if err := json.Unmarshal(out, &octets); err != nil {
		return 0, fmt.Errorf("a process of its own: %w", err)
	}
	arrived, err := s.take()
	if err != nil {
		return 0, err
	}
	return float64(octets) / (1 << 20), checkArrived(arrived, []mail{m})
}

// runErrand sends the one message and prints the peak of this process.
func runErrand(ctx context.Context, text string) error {
	var e errand
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return fmt.Errorf("read the errand: %w", err)
	}
	who, err := contenderNamed(e.Contender)
	if err != nil {
		return err
	}
	session, err := who.open(ctx, e.Address, false)
	if err != nil {
		return err
	}
	if err := session.send(ctx, mail{from: e.From, to: e.To, subject: e.Subject, text: e.Text, attachment: e.File}); err != nil {
		return err
	}
	if err := session.close(); err != nil {
		return err
	}
	peak, err := peakResident()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(peak)
}
