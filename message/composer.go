package message

import "time"

// Composer x.
type Composer struct {
	now func() time.Time
}

// Compose x.
func (c *Composer) Compose(m *Message) (*Content, error) { return composeBy(c, m) }

func (c *Composer) time() time.Time {
	if c == nil || c.now == nil {
		return time.Now()
	}
	return c.now()
}

func (c *Composer) encode(src *source) error { return nil }
