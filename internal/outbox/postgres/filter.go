package postgres

import (
	"fmt"
	"strings"

	"github.com/yanmail/yan/queue"
)

// where is a condition under construction, and its arguments.
type where struct {
	conditions []string
	args       []any
}

// add adds a condition, in which # stands for the argument.
func (w *where) add(condition string, arg any) {
	w.args = append(w.args, arg)
	w.conditions = append(w.conditions, strings.ReplaceAll(condition, "#", fmt.Sprintf("$%d", len(w.args))))
}

func (w *where) text() string {
	if len(w.conditions) == 0 {
		return "true"
	}
	return strings.Join(w.conditions, " and ")
}

// ofMessage adds the conditions of a filter on a message m.
func (w *where) ofMessage(f queue.Filter) {
	if len(f.IDs) > 0 {
		ids := make([]int64, len(f.IDs))
		for i, id := range f.IDs {
			ids[i] = int64(id)
		}
		w.add("m.id = any(#::bigint[])", ids)
	}
	if f.Account != "" {
		w.add("m.account = #", f.Account)
	}
	if f.From != "" {
		w.add("position(# in coalesce(m.folded, m.sender)) > 0", f.From)
	}
	if f.MessageID != "" {
		w.add("m.message_id = #", f.MessageID)
	}
	if f.Tag != "" {
		w.add("# = any(m.tags)", f.Tag)
	}
	if f.Key != "" {
		w.add("m.key = # and m.key <> ''", f.Key)
	}
	if !f.Since.IsZero() {
		w.add("m.created >= #", f.Since)
	}
	if !f.Until.IsZero() {
		w.add("m.created < #", f.Until)
	}
}

// ofRecipient adds the conditions of a filter on a recipient d, and reports whether there are
// any.
func (w *where) ofRecipient(f queue.Filter) bool {
	before := len(w.conditions)
	if len(f.States) > 0 {
		// As literals and not as an argument, so that the planner sees which index it can use.
		var list []string
		for _, s := range queue.States() {
			for _, wanted := range f.States {
				if s == wanted {
					list = append(list, "'"+string(s)+"'")
					break
				}
			}
		}
		if len(list) == 0 {
			list = []string{"''"}
		}
		w.conditions = append(w.conditions, "d.state in ("+strings.Join(list, ", ")+")")
	}
	if f.To != "" {
		w.add("position(# in coalesce(d.folded, d.address)) > 0", f.To)
	}
	if f.Doubted {
		w.conditions = append(w.conditions, "d.doubted")
	}
	return len(w.conditions) > before
}
