package sendcmd

import (
	"time"

	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sending"
)

func newEnqueued(j *sending.Outgoing, item outbox.NewMessage, receipt outbox.EnqueueResult, expires time.Time) jsonout.Enqueued {
	e := jsonout.Enqueued{Event: "enqueued", ID: int64(receipt.ID), File: j.File, Number: j.Number, Account: item.Account, From: j.Envelope.From().String(),
		MessageID: item.MessageID, Size: item.Content.Size(), Key: item.Key, NotBefore: jsonout.OptionalTime(item.NotBefore), Expires: expires.UTC(),
		Priority: item.Priority.Word(), Tags: item.Tags}
	if receipt.Duplicate {
		e.Event = "duplicate"
	}
	for _, to := range j.Envelope.To() {
		e.To = append(e.To, to.String())
	}
	return e
}
