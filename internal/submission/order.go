package submission

import (
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Order says how to enqueue a message; its fields are those of outbox.NewMessage.
type Order struct {
	Account            string
	Key                string
	NotBefore, Expires time.Time
	Priority           queue.Priority
	Tags               []string
	Hold               bool
	ReportOn           queue.ID
}

// Limits of an order's fields.
const (
	MaxKey  = outbox.MaxKey
	MaxTag  = outbox.MaxTag
	MaxTags = outbox.MaxTags
)

func (o Order) validate() error {
	names := outbox.NewMessage{Account: o.Account, Key: o.Key, Tags: o.Tags}
	if err := names.CheckNames(); err != nil {
		return err
	}
	for _, tag := range o.Tags {
		if strings.ContainsAny(tag, " ,") { // they separate tags in user input
			return localerr.Errorf("invalid tag %q: want 1 to %d octets without spaces, commas and control characters", tag, MaxTag)
		}
	}
	if !slices.Contains(queue.Priorities(), o.Priority) {
		return localerr.Errorf("invalid priority %d: want -1 (low), 0 or 1 (high)", int(o.Priority))
	}
	if !o.NotBefore.IsZero() && !o.Expires.IsZero() && !o.Expires.After(o.NotBefore) {
		return localerr.Errorf("it expires at %s, before its earliest sending time %s", o.Expires.Format(time.RFC3339), o.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// uniqueTags returns the tags without repetitions.
func (o Order) uniqueTags() []string {
	var tags []string
	for _, tag := range o.Tags {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}
