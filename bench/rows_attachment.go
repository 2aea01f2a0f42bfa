package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeAttachment creates an incompressible file of size octets.
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

// attachmentRows measures one message with a large file, over TLS, next to copying
// the same octets, already encoded, into a TLS connection; and one with a file
// of usual size. Each is sent by its own process, whose memory and processor
// time are measured.
func (c *course) attachmentRows() []experiment {
	large := experiment{guests: []string{rawGo, rawOpenSSL}, absent: absentFor(noTLS, smtpsource)}
	for _, extension := range []string{pipelining, chunking} {
		name := fmt.Sprintf("attachment of %s over TLS, loopback, %s", formatSize(c.sizes.large), extension)
		id := "large/" + extension + "/"
		large.rows = append(large.rows,
			reportRow{ID: id + "speed", Name: name, Unit: "MB/s of the file", Higher: true},
			reportRow{ID: id + "memory", Name: name, Unit: "MB of memory at most"},
			reportRow{ID: id + "cpu", Name: name, Unit: "s of user CPU per GB"})
	}
	large.measure = onceForPeers(2, func(ctx context.Context, who string, i int) ([]float64, error) {
		t := trip{server: []string{pipelining, chunking}[i], security: fromStart}
		seconds, cpu, peak, err := c.attach(ctx, who, t, c.attachment("large"))
		megabytes := float64(c.sizes.large) / 1e6
		return []float64{megabytes / seconds, peak, cpu / megabytes * 1000}, err
	})
	return []experiment{large, {
		rows:   []reportRow{{ID: "small/memory", Name: fmt.Sprintf("attachment of %s in the clear, %s", formatSize(c.sizes.small), pipelining), Unit: "MB of memory at most"}},
		absent: absentFor(noFiles, smtpsource),
		measure: func(ctx context.Context, who string) ([]float64, error) {
			_, _, peak, err := c.attach(ctx, who, trip{server: pipelining, security: inClear}, c.attachment("small"))
			return []float64{peak}, err
		},
	}}
}

// attach sends one message with a file and returns the elapsed seconds, the
// processor seconds, and the peak memory in megabytes.
func (c *course) attach(ctx context.Context, who string, t trip, file string) (seconds, cpu, peak float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.sizes.patience)
	defer cancel()
	w, err := startWorker(ctx, who, c.tools)
	if err != nil {
		return 0, 0, 0, err
	}
	defer w.close()
	o := c.newOrder(1, 1, 0)
	o.Attachment = file
	if err := c.servers[t.server].reserve(int(c.sizes.large)*14/10 + largeMessage); err != nil {
		return 0, 0, 0, err
	}
	var p destination
	orders := []order{c.newOrder(1, 1, 0), o}
	if who == rawGo || who == rawOpenSSL {
		// The conversation includes the connection.
		p.Prepared, err = c.preparedConversation(t.server, o)
		orders = []order{o}
	}
	if err != nil {
		return 0, 0, 0, err
	}
	before, err := w.ask(request{Do: "used"})
	if err != nil {
		return 0, 0, 0, err
	}
	answers, err := c.sendBy(ctx, w, t, p, orders...)
	if err != nil {
		return 0, 0, 0, err
	}
	after, err := w.ask(request{Do: "used"})
	if err != nil {
		return 0, 0, 0, err
	}
	last := answers[len(answers)-1]
	// A program that was run for it is not part of the worker.
	cpu, peak = after.UserSeconds-before.UserSeconds+last.UserSeconds, float64(after.Peak)/1e6
	if last.Peak != 0 {
		peak = float64(last.Peak) / 1e6
	}
	return last.Seconds, cpu, peak, nil
}

// preparedConversation returns the path of a conversation that is written once.
func (c *course) preparedConversation(extension string, o order) (string, error) {
	path := filepath.Join(c.folder, "conversation-"+extension)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, writeConversation(path, o.mail(o.First), extension == chunking)
}

// formatSize formats a number of octets.
func formatSize(octets int64) string {
	switch {
	case octets%1e9 == 0:
		return fmt.Sprintf("%d GB", octets/1e9)
	case octets%1e6 == 0:
		return fmt.Sprintf("%d MB", octets/1e6)
	}
	return fmt.Sprintf("%d kB", octets/1e3)
}
