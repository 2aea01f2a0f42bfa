package account

import "slices"

// Same exports sameKeys to package account_test.
func (a Account) Same(b Account) bool { return a.sameKeys(b) }

// KnownKeys returns all keys of the format.
func KnownKeys() []string {
	var all []string
	for _, table := range [][]string{{}, {"account", "a"}, {"account", "a", "secret"}, {"account", "a", "oauth2"}, {"outbox"},
		{"submit"}, {"submit", "users", "a"}, {"listen"}, {"listen", "smtp"}} {
		all = append(all, accountSchema().knownKeys(table)...)
	}
	return all
}

// Comment is a comment on a line of its own, with the paths of the expressions before and after
// it; nil if there is none.
type Comment struct {
	Text          string
	Before, After []string
}

// Comments returns the comments of a document.
func (f *File) Comments() []Comment {
	var list []Comment
	for _, c := range f.layout.comments {
		comment := Comment{Text: string(f.source[c.start:c.end])}
		for _, e := range slices.Backward(f.layout.expressions) {
			if e.owner < 0 && e.where.start >= c.end {
				comment.After = e.path
			}
		}
		for _, e := range f.layout.expressions {
			if e.owner < 0 && e.where.end <= c.start {
				comment.Before = e.path
			}
		}
		list = append(list, comment)
	}
	return list
}

// Mistake makes a change that was not requested.
func (f *File) Mistake(source []byte) error {
	return f.replaceIfEqual(source, []string{"account", "a", "user"}, decodeTable(f.source))
}
