package outbox

import (
	"net/url"
	"strings"
)

// IsPostgres reports whether an outbox is named by the URL of a PostgreSQL database instead of
// the path of a file.
func IsPostgres(where string) bool {
	scheme, _, found := strings.Cut(where, "://")
	return found && (strings.EqualFold(scheme, "postgres") || strings.EqualFold(scheme, "postgresql"))
}

// DescribeName returns the name of an outbox for people, without the password of a URL: the path,
// or the URL's scheme, user, host and database.
func DescribeName(where string) string {
	scheme, _, found := strings.Cut(where, "://")
	if !found && HoldsPassword(where) {
		return "..."
	}
	if !found {
		return where
	}
	u, err := url.Parse(where)
	if err != nil {
		return scheme + "://..." // an unreadable URL may hold a password anywhere
	}
	// The parameters may hold a password too.
	short := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		short.User = url.User(name)
	}
	return short.String()
}

// HoldsPassword reports whether a URL contains a password, or a "host=… password=…" string,
// which libpq accepts in place of a URL and Yan never takes for a path.
func HoldsPassword(where string) bool {
	if strings.Contains(strings.ToLower(where), "password=") {
		return true
	}
	if !strings.Contains(where, "://") {
		return false
	}
	u, err := url.Parse(where)
	if err != nil {
		return true // the password may be anywhere
	}
	_, has := u.User.Password()
	return has
}
