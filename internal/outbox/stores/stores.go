// Package stores opens the outbox that somebody names, wherever it is.
package stores

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/yanmail/yan/internal/homedir"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/sentence"
)

// Open opens the outbox in a SQLite file or, for a URL that begins with
// postgres:// or postgresql://, in a PostgreSQL database; "" is the file of
// [DefaultPath]. It makes what is not there, the folder too, for its owner alone.
func Open(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if outbox.IsPostgres(where) {
		return postgres.Open(ctx, where, o)
	}
	path, err := Path(where, os.Getenv)
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, path, o)
}

// OpenToRead opens an outbox only to look at it, on a disk that can't be written, too.
// It makes nothing. A PostgreSQL database is opened as Open does.
func OpenToRead(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if outbox.IsPostgres(where) {
		return postgres.Open(ctx, where, o)
	}
	path, err := Path(where, os.Getenv)
	if err != nil {
		return nil, err
	}
	return sqlite.OpenToRead(ctx, path, o)
}

// Path is the absolute path of the file that holds an outbox. ~ is the user's
// folder. The error is about a URL that is not of PostgreSQL, which is not taken
// for the name of a file.
func Path(where string, getenv func(string) string) (string, error) {
	switch {
	case where == "":
		return DefaultPath(getenv)
	case strings.Contains(where, "://"), outbox.HoldsPassword(where):
		return "", sentence.Errorf("%s is no outbox: want the path of a file, or a URL that begins with postgres://", outbox.Describe(where))
	}
	return filepath.Abs(homedir.Expand(where, homedir.Find(getenv)))
}

// DefaultPath is where the outbox of a user is: outbox.db in the folder yan of
// $XDG_DATA_HOME or ~/.local/share, on macOS of ~/Library/Application Support, on
// Windows of %LocalAppData%.
func DefaultPath(getenv func(string) string) (string, error) {
	return defaultPath(getenv, runtime.GOOS)
}

func defaultPath(getenv func(string) string, system string) (string, error) {
	const folder, file = "yan", "outbox.db"
	// The specification wants relative paths to be ignored.
	if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, folder, file), nil
	}
	if dir := getenv("LocalAppData"); system == "windows" && dir != "" {
		return filepath.Join(dir, folder, file), nil
	}
	if home := homedir.Find(getenv); home != "" {
		if system == "darwin" {
			return filepath.Join(home, "Library", "Application Support", folder, file), nil
		}
		return filepath.Join(home, ".local", "share", folder, file), nil
	}
	return "", sentence.New("there is no place for the outbox: neither YAN_OUTBOX nor XDG_DATA_HOME nor HOME is set")
}
