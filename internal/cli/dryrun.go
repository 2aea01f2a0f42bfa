package cli

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/sentence"
)

// dryJSON is what --dry-run prints with --json.
type dryJSON struct {
	DryRun bool     `json:"dry_run"`
	File   string   `json:"file,omitempty"`
	Number int      `json:"number,omitempty"`
	From   string   `json:"from"`
	To     []string `json:"to"`
	Size   int64    `json:"size"`
	// Message is the message; where it is not UTF-8, Base64 has its octets.
	Message string `json:"message,omitempty"`
	Base64  []byte `json:"message_base64,omitempty"`
}

// printDry shows what would travel: the message, byte for byte, on standard
// output, and the envelope beside it on standard error, so that
// "yan send -n … > message.eml" gives a file that --raw sends.
func (a *app) printDry(s *sendFlags, jobs []*job) error {
	if s.server != "" {
		if _, err := a.oneServer(s, jobs); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		err := j.open()
		if err == nil {
			err = a.printDryJob(s, j)
		}
		j.close()
		if err != nil && a.writeErr == nil { // finish tells of what could not be written
			return fail(exitIO, sentence.Errorf("%s: %w", a.T("the message can't be read to its end"), err), "")
		}
	}
	return nil
}

func (a *app) printDryJob(s *sendFlags, j *job) error {
	if s.json {
		out := dryJSON{DryRun: true, File: j.name, Number: j.number, From: j.envelope.From().String(), Size: j.content.Size()}
		for _, to := range j.envelope.To() {
			out.To = append(out.To, to.String())
		}
		var b bytes.Buffer
		if _, err := j.content.WriteTo(&b); err != nil {
			return err
		}
		if utf8.Valid(b.Bytes()) {
			out.Message = b.String()
		} else {
			out.Base64 = b.Bytes()
		}
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
	w, flush := a.octets()
	defer flush()
	_, err := j.content.WriteTo(w)
	return err
}

// onlyWriter hides what else a writer can do: the bytes are to come out as
// they are.
type onlyWriter struct{ io.Writer }
