package cli

import (
	"bytes"
	"fmt"
	"io"

	"github.com/yanmail/yan/transport"
)

// dryJSON is what --dry-run prints with --json.
type dryJSON struct {
	DryRun  bool     `json:"dry_run"`
	File    string   `json:"file,omitempty"`
	From    string   `json:"from"`
	To      []string `json:"to"`
	Size    int64    `json:"size"`
	Message string   `json:"message"`
}

// printDry shows what would travel: the message, byte for byte, on standard
// output, and the envelope beside it on standard error, so that
// "yan send -n … > message.eml" gives a file that --raw sends.
func (a *app) printDry(s *sendFlags, jobs []*job) error {
	if s.server != "" {
		if _, err := transport.ParseServer(s.server, jobs[0].envelope.From()); err != nil {
			return a.usage(err)
		}
	}
	for _, j := range jobs {
		if err := a.printDryJob(s, j); err != nil {
			return fail(exitIO, fmt.Errorf("printing the message: %w", err), "")
		}
	}
	return nil
}

func (a *app) printDryJob(s *sendFlags, j *job) error {
	if s.json {
		out := dryJSON{DryRun: true, File: j.name, From: j.envelope.From().String(), Size: j.content.Size()}
		for _, to := range j.envelope.To() {
			out.To = append(out.To, to.String())
		}
		var b bytes.Buffer
		if _, err := j.content.WriteTo(&b); err != nil {
			return err
		}
		out.Message = b.String()
		a.printJSON(out)
		return nil
	}
	if !s.quiet {
		a.errf("MAIL FROM:<%s>\n", j.envelope.From().Wire())
		for _, to := range j.envelope.To() {
			a.errf("RCPT TO:<%s>\n", to.Wire())
		}
		a.errf("%s\n\n", a.T("%d octets; nothing was sent", j.content.Size()))
	}
	_, err := j.content.WriteTo(onlyWriter{a.Stdout})
	return err
}

// onlyWriter hides what else a writer can do: the bytes are to come out as
// they are.
type onlyWriter struct{ io.Writer }
