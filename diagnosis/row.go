package diagnosis

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/smtp"
)

// score says how well a row fits a reply; a larger score is better. Its fields are in the order
// of their weight.
type score struct {
	enhanced int // 1: the same enhanced code
	exact    int // 1: the exact reply code
	length   int // of the matched words
	near     int // 2: the provider's own, 1: its family's, 0: another's
	here     int // 1: a row of this stage
}

func (s score) compare(t score) int {
	return cmp.Or(cmp.Compare(s.enhanced, t.enhanced), cmp.Compare(s.exact, t.exact),
		cmp.Compare(s.length, t.length), cmp.Compare(s.near, t.near), cmp.Compare(s.here, t.here))
}

// byRow finds the row that fits the reply best: among those of the provider and its family, then
// among all others. Other providers' rows count only if the best of them agree on the class.
// Words with two meanings are distinguished by the stage; without a stage the finding contains
// both meanings.
func (d *diagnosis) byRow() (Finding, bool) {
	if best := d.bestRows(func(r *replytable.Row) bool { return d.ownership(r) > 0 }); len(best) > 0 {
		if f, two := d.bothMeanings(best, BasisProvider); two {
			return f, true
		}
		return d.fromRow(best[0], BasisProvider, true), true
	}
	best := d.bestRows(func(r *replytable.Row) bool { return d.ownership(r) == 0 && !r.Only })
	if len(best) == 0 {
		return Finding{}, false
	}
	if f, two := d.bothMeanings(best, BasisText); two {
		return f, true
	}
	for _, r := range best[1:] {
		if r.Class != best[0].Class {
			return Finding{}, false
		}
	}
	// A hint about one provider helps only if it must be that one.
	sure := len(best[0].Providers) == 0 || d.provider.ID == "" && len(best) == 1
	return d.fromRow(best[0], BasisText, sure), true
}

// bothMeanings returns both meanings of words that concern the own account at the login and another
// account after it, if the stage is unknown. The rows of the login, and the rows of the rest,
// must agree among themselves.
func (d *diagnosis) bothMeanings(rows []*replytable.Row, basis Basis) (Finding, bool) {
	if d.Stage != "" {
		return Finding{}, false
	}
	var login, later *replytable.Row
	for _, r := range rows {
		of := &later
		if len(r.At) == 1 && r.At[0] == smtp.StageAuth {
			of = &login
		}
		if *of == nil {
			*of = r
		}
		if (*of).Class != r.Class {
			return Finding{}, false
		}
	}
	if login == nil || later == nil || login.Class == later.Class {
		return Finding{}, false
	}
	f := d.newFinding(ClassUnclassified, basis)
	f.Permanence = d.permanenceFor(ClassInfo{}, retryOf(later.Retry))
	f.Cause = Text{EN: "This reply has two meanings, depending on the stage.", ZH: "这句话有两种含义，取决于服务器在哪一步说的。"}
	f.Hint = Text{EN: "During login: " + d.meaningOf(login).EN + " After login: " + d.meaningOf(later).EN,
		ZH: "登录时：" + d.meaningOf(login).ZH + "登录之后：" + d.meaningOf(later).ZH}
	f.Advice = Text{EN: "Find out the stage, and give it to 'yan explain' with --stage auth or --stage " + string(later.At[0]) + ".",
		ZH: "请先弄清是在哪一步出现的；yan explain 可用 --stage auth 或 --stage " + string(later.At[0]) + " 指明。"}
	return f, true
}

// meaningOf returns the text of a row, or of its class if the row has none.
func (d *diagnosis) meaningOf(r *replytable.Row) Text {
	if r.Hint.EN != "" {
		return Text(r.Hint)
	}
	return d.k.class[Class(r.Class)].Cause
}

// bestRows lists the rows with the best score, in the order of the file.
func (d *diagnosis) bestRows(wanted func(*replytable.Row) bool) []*replytable.Row {
	var rows []*replytable.Row
	var top score
	for i := range d.k.Rows {
		r := &d.k.Rows[i]
		if !wanted(r) {
			continue
		}
		s, ok := d.scoreRow(r)
		if !ok {
			continue
		}
		switch order := s.compare(top); {
		case len(rows) == 0 || order > 0:
			rows, top = append(rows[:0], r), s
		case order == 0:
			rows = append(rows, r)
		}
	}
	return rows
}

// ownership returns 2 for a row of the fact's provider, 1 for one of its family's head, 0 for any
// other.
func (d *diagnosis) ownership(r *replytable.Row) int {
	switch {
	case d.provider.ID == "":
		return 0
	case slices.Contains(r.Providers, d.provider.ID):
		return 2
	case slices.Contains(r.Providers, d.provider.Head()):
		return 1
	default:
		return 0
	}
}

// scoreRow returns the score of a row. ok is false if it does not fit at all.
func (d *diagnosis) scoreRow(r *replytable.Row) (s score, ok bool) {
	s.length = d.saysTextOf(r)
	if s.length == 0 || !d.codeAllows(r) || !d.stageAllows(r) {
		return s, false
	}
	if slices.Contains(r.Codes, d.Reply.Code) {
		s.exact = 1
	}
	if enhancedFits(r, d.Reply.Enhanced) > 0 {
		s.enhanced = 1
	}
	s.near = d.ownership(r)
	if slices.Contains(r.At, d.Stage) {
		s.here = 1
	}
	return s, true
}

// codeAllows reports whether a row's words count: only with a code of the same first digit,
// unless they are a tag that decides alone.
func (d *diagnosis) codeAllows(r *replytable.Row) bool {
	return r.AnyCode || slices.ContainsFunc(r.Codes, func(code int) bool { return code/100 == d.Reply.Code/100 })
}

// stageAllows separates logins and messages: the same words mean different things there.
// Otherwise the stage does not matter, since a server may report a fault of the sender one
// command later.
func (d *diagnosis) stageAllows(r *replytable.Row) bool {
	if d.Stage == "" || slices.Contains(r.At, d.Stage) {
		return true
	}
	if d.Stage == smtp.StageAuth {
		return false
	}
	onlyAuth := len(r.At) == 1 && r.At[0] == smtp.StageAuth
	return !onlyAuth || slices.Contains(r.Codes, d.Reply.Code)
}

// saysTextOf returns the length of the longest of the row's words in the reply; 0 if there are
// none.
func (d *diagnosis) saysTextOf(r *replytable.Row) int {
	longest := 0
	for _, m := range r.Match {
		if len(m) > longest && containsPattern(d.text, m) {
			longest = len(m)
		}
	}
	return longest
}

// containsPattern reports whether text contains the parts of the pattern between its stars, in order.
func containsPattern(text, pattern string) bool {
	for part := range strings.SplitSeq(pattern, "*") {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// normaliseText returns a text in lower case with single spaces.
func normaliseText(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// ownEnhanced finds a row of the provider by its enhanced code alone, for a changed text, if all
// rows with that code agree on the class.
func (d *diagnosis) ownEnhanced() (*replytable.Row, bool) {
	var found *replytable.Row
	fit := 0
	for i := range d.k.Rows {
		r := &d.k.Rows[i]
		if d.ownership(r) == 0 || !d.codeAllows(r) || !d.stageAllows(r) {
			continue
		}
		switch f := enhancedFits(r, d.Reply.Enhanced); {
		case f == 0 || f < fit:
		case f > fit:
			found, fit = r, f
		case found.Class != r.Class:
			return nil, false
		}
	}
	return found, found != nil
}

// enhancedFits returns 2 if the row lists this code, 1 if a range covers it, 0 otherwise.
func enhancedFits(r *replytable.Row, e smtp.EnhancedCode) int {
	best := 0
	for _, pattern := range r.Enhanced {
		parts := strings.SplitN(pattern, ".", 3)
		if len(parts) != 3 || parts[0] != "x" && parts[0] != strconv.Itoa(e.Class) || parts[1] != strconv.Itoa(e.Subject) {
			continue
		}
		if parts[2] == strconv.Itoa(e.Detail) {
			return 2
		}
		var from, to int
		if n, err := fmt.Sscanf(parts[2], "%d-%d", &from, &to); n == 2 && err == nil && from <= e.Detail && e.Detail <= to {
			best = 1
		}
	}
	return best
}

// fromRow returns the finding of a row.
func (d *diagnosis) fromRow(r *replytable.Row, basis Basis, withHint bool) Finding {
	f := d.newFinding(Class(r.Class), basis)
	f.Row, f.Retry = r.ID, retryOf(r.Retry)
	f.Permanence = d.permanenceFor(d.k.class[f.Class], f.Retry)
	if r.Scope != "" {
		f.Scope = Scope(r.Scope)
	}
	if withHint {
		f.Hint = Text(r.Hint)
	}
	return f
}
