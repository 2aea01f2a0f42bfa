package sqlite

import (
	"encoding/json"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// keptAnswer is queue.Answer with stable JSON names.
type keptAnswer struct {
	Stage    smtp.Stage  `json:"stage,omitempty"`
	Reply    *smtp.Reply `json:"reply,omitempty"`
	Err      string      `json:"err,omitempty"`
	Class    string      `json:"class,omitempty"`
	ServerID string      `json:"server_id,omitempty"`
}

func encodeAnswer(a queue.Answer) (string, error) {
	k := keptAnswer{Stage: a.Stage, Err: a.Err, Class: a.Class, ServerID: a.ServerID}
	if !a.Reply.IsZero() {
		k.Reply = &a.Reply
	}
	if k == (keptAnswer{}) {
		return "", nil
	}
	encoded, err := json.Marshal(k)
	return string(encoded), err
}

// decodeAnswer decodes an answer. If it can't, the reason is the Err of the answer.
func decodeAnswer(s string) queue.Answer {
	if s == "" {
		return queue.Answer{}
	}
	var k keptAnswer
	if err := json.Unmarshal([]byte(s), &k); err != nil {
		return queue.Answer{Err: err.Error()}
	}
	a := queue.Answer{Stage: k.Stage, Err: k.Err, Class: k.Class, ServerID: k.ServerID}
	if k.Reply != nil {
		a.Reply = *k.Reply
	}
	return a
}
