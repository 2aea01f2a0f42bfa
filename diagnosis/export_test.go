package diagnosis

import "github.com/yanmail/yan/internal/replytable"

// Row is a row of the table with the types of this package.
type Row struct {
	replytable.Row
	Class Class
	Scope Scope
	Retry Retry
	Hint  Text
}

// Rows returns every row, in the order of replies.yaml.
func Rows() []Row {
	var rows []Row
	for _, r := range replytable.Load().Rows {
		rows = append(rows, Row{r, Class(r.Class), Scope(r.Scope), retryOf(r.Retry), Text(r.Hint)})
	}
	return rows
}
