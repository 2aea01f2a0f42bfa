package sqlite

import (
	"context"
	"slices"
	"strings"

	"github.com/yanmail/yan/queue"
)

// maxSorted is the number of queued recipients up to which sorting them is faster than reading all
// messages in order.
const maxSorted = 20_000

// conditions are conditions of a statement, and their arguments.
type conditions struct {
	texts []string
	args  []any
}

func (w *conditions) add(text string, args ...any) {
	w.texts = append(w.texts, text)
	w.args = append(w.args, args...)
}

func (w *conditions) String() string {
	if len(w.texts) == 0 {
		return "1"
	}
	return strings.Join(w.texts, " AND ")
}

func placeholders(n int) string {
	return "(" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")"
}

// toArgs converts a list to arguments.
func toArgs[T any](list []T) []any {
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = v
	}
	return args
}

// messageConditions returns the conditions of a filter on a message m.
func messageConditions(f queue.Filter) *conditions {
	w := &conditions{}
	if len(f.IDs) > 0 {
		w.add("m.id IN "+placeholders(len(f.IDs)), toArgs(f.IDs)...)
	}
	if f.Account != "" {
		w.add("m.account = (SELECT id FROM account WHERE name = ?)", f.Account)
	}
	if f.Key != "" {
		w.add("m.account IN (SELECT id FROM account) AND m.key = ? AND m.key <> ''", f.Key)
	}
	if f.MessageID != "" {
		w.add("m.message_id = ?", f.MessageID)
	}
	if f.From != "" {
		w.add("instr(coalesce(m.folded, lower(m.sender)), ?) > 0", f.From)
	}
	if f.Tag != "" {
		w.add("m.tags <> '' AND EXISTS (SELECT 1 FROM json_each(m.tags) WHERE value = ?)", f.Tag)
	}
	if !f.Since.IsZero() {
		w.add("m.created >= ?", toMicros(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("m.created < ?", toMicros(f.Until))
	}
	if f.Before != 0 && f.Oldest {
		w.add("m.id > ?", f.Before)
	} else if f.Before != 0 {
		w.add("m.id < ?", f.Before)
	}
	return w
}

// recipientConditions returns the conditions of a filter on a recipient d.
func recipientConditions(f queue.Filter) *conditions {
	w := &conditions{}
	if len(f.States) > 0 {
		w.add("d.state IN "+placeholders(len(f.States)), toArgs(f.States)...)
	}
	if f.To != "" {
		w.add("instr(coalesce(d.folded, lower(d.address)), ?) > 0", f.To)
	}
	if f.Doubted {
		w.add("d.doubted = 1")
	}
	return w
}

func sortOrder(f queue.Filter) string {
	if f.Oldest {
		return "ASC"
	}
	return "DESC"
}

// chooseMessages returns the messages that a filter selects, in order, at most most.
func chooseMessages(ctx context.Context, c *dbConn, f queue.Filter, most int) (ids []queue.ID, err error) {
	w := messageConditions(f)
	if len(f.States) > 0 && len(f.IDs) == 0 {
		by, err := byState(ctx, c, f)
		if err != nil {
			return nil, err
		}
		if by != nil {
			return chooseByState(ctx, c, f, w, by, most)
		}
	}
	if d := recipientConditions(f); len(d.texts) > 0 {
		w.add("EXISTS (SELECT 1 FROM delivery d WHERE d.id >= m.id << 17 AND d.id < (m.id + 1) << 17 AND "+d.String()+")", d.args...)
	}
	err = c.queryOnce(ctx, func(r resultRow) error { ids = append(ids, queue.ID(r.int(0))); return nil },
		"SELECT m.id FROM message m WHERE "+w.String()+" ORDER BY m.id "+sortOrder(f)+" LIMIT ?", append(w.args, most)...)
	return ids, err
}

// byState returns a statement that lists the recipients in the states of a filter by an index,
// in order. It returns nil if so many are queued that reading each message is faster.
func byState(ctx context.Context, c *dbConn, f queue.Filter) (*conditions, error) {
	var arms []string
	by := &conditions{}
	// The index is named: SQLite does not know how few recipients there are, and would read
	// all of them in order instead of sorting some.
	arm := func(index, where string, args ...any) {
		w := recipientConditions(f)
		if f.Before != 0 && f.Oldest {
			w.add("d.id >= ?", recipientID(f.Before+1, 0))
		} else if f.Before != 0 {
			w.add("d.id < ?", recipientID(f.Before, 0))
		}
		arms = append(arms, "SELECT d.id AS id FROM delivery d INDEXED BY "+index+" WHERE "+where+" AND "+w.String())
		by.args = append(append(by.args, args...), w.args...)
	}
	for _, state := range f.States {
		if state != queue.Queued && state != queue.Leased && state != queue.Sending {
			arm("delivery_state", "d.state = ? AND d.state NOT IN ('queued', 'leased', 'sending')", state)
		}
	}
	if slices.Contains(f.States, queue.Leased) || slices.Contains(f.States, queue.Sending) {
		arm("delivery_owner", "d.owner IS NOT NULL AND d.state IN ('leased', 'sending')")
	}
	if slices.Contains(f.States, queue.Queued) {
		n, _, err := c.queryNumber("SELECT coalesce(sum(n), 0) FROM tally WHERE word = 'queued'")
		if err != nil || n > maxSorted {
			return nil, err
		}
		arm("delivery_waiting", "d.waits IS NOT NULL AND d.state = 'queued'")
	}
	by.texts = []string{strings.Join(arms, " UNION ALL ") + " ORDER BY id " + sortOrder(f)}
	return by, nil
}

func chooseByState(ctx context.Context, c *dbConn, f queue.Filter, w, by *conditions, most int) (ids []queue.ID, err error) {
	last := queue.ID(-1)
	check := "SELECT m.id FROM message m WHERE m.id = ? AND " + w.String()
	err = c.queryOnce(ctx, func(r resultRow) error {
		id, _ := messageOf(r.int(0))
		if id == last {
			return nil
		}
		last = id
		fits := len(w.texts) == 0
		if !fits {
			_, found, err := c.queryNumber(check, append([]any{id}, w.args...)...)
			if err != nil {
				return err
			}
			fits = found
		}
		if fits {
			ids = append(ids, id)
		}
		if len(ids) == most {
			return errEnough
		}
		return nil
	}, by.String(), by.args...)
	return ids, err
}
