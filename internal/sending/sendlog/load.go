package sendlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/yanmail/yan/smtp"
)

// recipientState is the state of one recipient after the lines read so far.
type recipientState struct {
	// last is the last outcome; nil if there is none, or after an accepted one.
	last     *LineRecipient
	accepted bool
	// attempted is true while an attempt has no outcome.
	attempted bool
	// doubt is true if the outcome of an attempt is not known. Only acceptance or refusal of a
	// later attempt clears it: a deferral says nothing about the attempt before.
	doubt bool
}

func (s recipientState) attempt() recipientState {
	s.doubt = s.doubt || s.attempted
	s.attempted = true
	return s
}

func (s recipientState) settle(r LineRecipient) recipientState {
	s.attempted = false
	switch smtp.Status(r.Status) {
	case smtp.Accepted:
		return recipientState{accepted: true}
	case smtp.Unknown:
		s.doubt = true
	}
	s.last = &r
	return s
}

// outcome returns the outcome after all lines.
func (s recipientState) outcome() smtp.Outcome {
	switch {
	case s.accepted:
		return smtp.Outcome{Status: smtp.Accepted, Stage: smtp.StageBody}
	case s.attempted:
		return smtp.Outcome{Status: smtp.Unknown, Stage: smtp.StageBody, Err: ErrNoOutcome}
	case s.last == nil:
		return smtp.Outcome{}
	}
	o := s.last.outcome()
	if s.doubt && o.Status != smtp.Refused && o.Status != smtp.Unknown {
		return smtp.Outcome{Status: smtp.Unknown, Stage: smtp.StageBody, Err: ErrNoOutcome}
	}
	return o
}

// ErrNoOutcome is the error of an unknown recipient whose last attempt has no outcome in the log.
var ErrNoOutcome = errors.New("the run ended before the outcome of this attempt was known")

// load reads the file and returns the size of its complete lines.
func (l *Log) load() (size int64, err error) {
	in := bufio.NewReaderSize(l.file, 64<<10)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return size, err
		}
		if err == io.EOF {
			l.cut = int64(len(line))
			if number == 1 && !bytes.HasPrefix(line, firstOctets) && !bytes.HasPrefix(firstOctets, line) {
				return 0, ErrForeign
			}
			return size, nil
		}
		if number == 1 {
			err = checkFirstLine(line)
		} else {
			err = l.applyLine(line, number)
		}
		if err != nil {
			return size, err
		}
		size += int64(len(line))
	}
}

// firstOctets is the beginning of every log.
var firstOctets = []byte(`{"event":"log","version":`)

// checkFirstLine checks the first line.
func checkFirstLine(b []byte) error {
	var l Line
	if !bytes.HasPrefix(b, firstOctets) || json.Unmarshal(b, &l) != nil {
		return ErrForeign
	}
	if l.Version != version {
		return &VersionError{l.Version}
	}
	return nil
}

// applyLine processes a later line.
func (l *Log) applyLine(b []byte, number int) error {
	line, err := decodeLine(b)
	if err != nil {
		return &DamageError{number, err}
	}
	if line.Event == eventBad { // it concerns no recipient
		return nil
	}
	if _, known := l.dates[line.SHA256]; !known && !line.Date.IsZero() {
		l.dates[line.SHA256] = line.Date
	}
	for _, r := range line.Recipients {
		to, err := smtp.ParseAddress(r.Address)
		if err != nil {
			return &DamageError{number, err}
		}
		k := RecipientKey{line.SHA256, to.Wire(), max(r.Copy, 1)}
		if line.Event == eventAttempt {
			l.states[k] = l.states[k].attempt()
		} else {
			l.states[k] = l.states[k].settle(r)
		}
	}
	return nil
}
