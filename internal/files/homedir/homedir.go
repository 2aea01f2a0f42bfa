// Package homedir finds the user's home folder in the environment.
//
// It is $HOME, on every system: the mail programs and the Git of Windows look there
// first, and Yan reads their files. Without HOME it is %USERPROFILE%, which Windows
// always sets. The user database is not asked: a service may have none.
package homedir

import (
	"os"
	"path/filepath"
	"strings"
)

// Find returns the home folder; "" if the environment names none. getenv is os.Getenv or
// a test's.
func Find(getenv func(string) string) string {
	if home := getenv("HOME"); home != "" {
		return home
	}
	return getenv("USERPROFILE")
}

// Cut reports whether a path begins with ~ as the home folder, and returns the rest of
// the path: of ~ and ~/x, not of ~user.
func Cut(path string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path, false
	}
	return rest, true
}

// Expand replaces the ~ of a path by home.
func Expand(path, home string) string {
	if rest, ok := Cut(path); ok {
		return filepath.Join(home, rest)
	}
	return path
}

// Abbreviate writes ~ for home, in a path for people to read.
func Abbreviate(path, home string) string {
	rest, ok := strings.CutPrefix(path, home)
	if ok && len(home) > 1 && rest != "" && os.IsPathSeparator(rest[0]) {
		return "~" + rest
	}
	return path
}
