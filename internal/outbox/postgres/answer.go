package postgres

import (
	"encoding/json"
	"time"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// answerColumn is a queue.Answer in the format of a column. The column type is json and not jsonb,
// because jsonb does not accept NUL in a server's text.
type answerColumn struct {
	Stage    smtp.Stage `json:"stage,omitempty"`
	Reply    smtp.Reply `json:"reply,omitzero"`
	Err      string     `json:"err,omitempty"`
	Class    string     `json:"class,omitempty"`
	ServerID string     `json:"server_id,omitempty"`
}

// encodeAnswer returns the JSON of an answer, nil for an empty one.
func encodeAnswer(a queue.Answer) (*string, error) {
	if a.Stage == "" && a.Reply.IsZero() && a.Err == "" && a.Class == "" && a.ServerID == "" {
		return nil, nil
	}
	b, err := json.Marshal(answerColumn(a))
	text := string(b)
	return &text, err
}

func decodeAnswer(text []byte) (queue.Answer, error) {
	var a answerColumn
	if len(text) == 0 {
		return queue.Answer{}, nil
	}
	err := json.Unmarshal(text, &a)
	return queue.Answer(a), err
}

// timeOrZero converts a column to a time, zero if it is null.
func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// stateWords converts states to an argument.
func stateWords(states []queue.State) []string {
	all := make([]string, len(states))
	for i, s := range states {
		all[i] = string(s)
	}
	return all
}
