package sendcmd

import (
	"bytes"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/sending"
)

// printDry prints the message, byte for byte, to standard output and its envelope to standard
// error, so that "yan send -n … > message.eml" writes a file that --raw sends.
func (a *sendCommand) printDry(s *sendFlags, messages []*sending.Outgoing) error {
	if s.Server != "" {
		if _, err := a.oneServer(s, messages); err != nil {
			return err
		}
	}
	for _, j := range messages {
		err := j.Open()
		if err == nil {
			err = a.printDryMessage(s, j)
		}
		j.Close()
		if err != nil && a.WriteErr == nil { // finish reports a failed write
			return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("the message can't be read completely"), err), "")
		}
	}
	return nil
}

func (a *sendCommand) printDryMessage(s *sendFlags, j *sending.Outgoing) error {
	if s.json {
		out := jsonout.DryRun{DryRun: true, File: j.File, Number: j.Number, From: j.Envelope.From().String(), Size: j.Content.Size()}
		for _, to := range j.Envelope.To() {
			out.To = append(out.To, to.String())
		}
		var b bytes.Buffer
		if _, err := j.Content.WriteTo(&b); err != nil {
			return err
		}
		if utf8.Valid(b.Bytes()) {
			out.Message = b.String()
		} else {
			out.Base64 = b.Bytes()
		}
		a.PrintJSON(out)
		return nil
	}
	if !s.quiet {
		a.Errf("MAIL FROM:<%s>\n", j.Envelope.From().Wire())
		for _, to := range j.Envelope.To() {
			a.Errf("RCPT TO:<%s>\n", to.Wire())
		}
		a.Errf("%s\n\n", a.T("%d octets; nothing was sent", j.Content.Size()))
	}
	w, flush := a.OctetWriter()
	defer flush()
	_, err := j.Content.WriteTo(w)
	return err
}
