package postgres

import (
	"fmt"
	"strings"

	"github.com/yanmail/yan/queue"
)

// whereClause is a condition under construction, and its arguments.
type whereClause struct {
	conditions []string
	args       []any
}

// addCondition adds a condition, in which # stands for the argument.
func (w *whereClause) addCondition(condition string, arg any) {
	w.args = append(w.args, arg)
	w.conditions = append(w.conditions, strings.ReplaceAll(condition, "#", fmt.Sprintf("$%d", len(w.args))))
}

func (w *whereClause) joinConditions() string {
	if len(w.conditions) == 0 {
		return "true"
	}
	return strings.Join(w.conditions, " and ")
}

// ofMessage adds the conditions of a filter on a message m.
func (w *whereClause) ofMessage(f queue.Filter) {
	if len(f.IDs) > 0 {
		ids := make([]int64, len(f.IDs))
		for i, id := range f.IDs {
			ids[i] = int64(id)
		}
		w.addCondition("m.id = any(#::bigint[])", ids)
	}
	if f.Account != "" {
		w.addCondition("m.account = #", f.Account)
	}
	if f.From != "" {
		w.addCondition("position(# in coalesce(m.folded, m.sender)) > 0", f.From)
	}
	if f.MessageID != "" {
		w.addCondition("m.message_id = #", f.MessageID)
	}
	if f.Tag != "" {
		w.addCondition("# = any(m.tags)", f.Tag)
	}
	if f.Key != "" {
		w.addCondition("m.key = # and m.key <> ''", f.Key)
	}
	if !f.Since.IsZero() {
		w.addCondition("m.created >= #", f.Since)
	}
	if !f.Until.IsZero() {
		w.addCondition("m.created < #", f.Until)
	}
}

// ofRecipient adds the conditions of a filter on a recipient d, and reports whether there are
// any.
func (w *whereClause) ofRecipient(f queue.Filter) bool {
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
		w.addCondition("position(# in coalesce(d.folded, d.address)) > 0", f.To)
	}
	if f.Doubted {
		w.conditions = append(w.conditions, "d.doubted")
	}
	return len(w.conditions) > before
}
