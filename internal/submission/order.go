package submission

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
)

// Order is what is wanted with a message; its fields are those of outbox.New.
type Order struct {
	Account            string
	Key                string
	NotBefore, Expires time.Time
	Priority           outbox.Priority
	Tags               []string
	Hold               bool
	ReportOn           outbox.ID
}

// Bounds of what an order may say.
const (
	MaxKey  = 200 // octets
	MaxTag  = 64  // octets
	MaxTags = 20
)

func (o Order) check() error {
	if len(o.Key) > MaxKey || !printable(o.Key) {
		return sentence.Errorf("the key has to be 1 to %d octets of text without control characters", MaxKey)
	}
	if len(o.Tags) > MaxTags {
		return sentence.Errorf("there are %d tags; a message has %d at most", len(o.Tags), MaxTags)
	}
	for _, tag := range o.Tags {
		if tag == "" || len(tag) > MaxTag || !printable(tag) || strings.ContainsAny(tag, " ,") {
			return sentence.Errorf("%q is no tag: want 1 to %d octets without blanks, commas and control characters", tag, MaxTag)
		}
	}
	if !slices.Contains(outbox.Priorities(), o.Priority) {
		return sentence.Errorf("there is no priority %d: want -1 (low), 0 or 1 (high)", int(o.Priority))
	}
	if !o.NotBefore.IsZero() && !o.Expires.IsZero() && !o.Expires.After(o.NotBefore) {
		return sentence.Errorf("it expires at %s, before it may go out at %s", o.Expires.Format(time.RFC3339), o.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// tags has no tag twice.
func (o Order) tags() []string {
	var tags []string
	for _, tag := range o.Tags {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
