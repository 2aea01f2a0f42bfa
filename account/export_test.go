package account

import "slices"

// Same is for the tests of package account_test.
func (a Account) Same(b Account) bool { return a.same(b) }

// KnownKeys are all keys of the format.
func KnownKeys() []string {
	var all []string
	for _, table := range [][]string{{}, {"account", "a"}, {"account", "a", "secret"}, {"account", "a", "oauth2"}, {"outbox"}} {
		all = append(all, accountSchema().knownKeys(table)...)
	}
	return all
}

// Comment is one on a line of its own, with the paths of what stands before and
// behind it; nil where nothing does.
type Comment struct {
	Text          string
	Before, After []string
}

// Comments are those of a document.
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

// Mistake changes the file to what nobody asked for.
func (f *File) Mistake(source []byte) error {
	return f.becomes(source, []string{"account", "a", "user"}, treeOf(f.source))
}
