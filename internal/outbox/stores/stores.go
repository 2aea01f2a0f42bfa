// Package stores opens an outbox by its name: a SQLite file or a PostgreSQL database.
package stores

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/outbox/sqlite"
)

// Open opens the outbox in a SQLite file or, for a URL that begins with postgres:// or
// postgresql://, in a PostgreSQL database; "" is the file of [DefaultPath]. It creates a
// missing file and its folder, for their owner alone.
func Open(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if outbox.IsPostgres(where) {
		return postgres.Open(ctx, where, o)
	}
	path, err := FilePath(where, os.Getenv)
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, path, o)
}

// OpenToRead opens an outbox for reading, even on a disk that can't be written. It creates
// nothing. A PostgreSQL database is opened as by Open.
func OpenToRead(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if outbox.IsPostgres(where) {
		return postgres.Open(ctx, where, o)
	}
	path, err := FilePath(where, os.Getenv)
	if err != nil {
		return nil, err
	}
	return sqlite.OpenToRead(ctx, path, o)
}

// FilePath returns the absolute path of the file of an outbox. ~ is the user's home folder. A URL
// of another kind than PostgreSQL is an error, not the name of a file.
func FilePath(where string, getenv func(string) string) (string, error) {
	switch {
	case where == "":
		return DefaultPath(getenv)
	case strings.Contains(where, "://"), outbox.HoldsPassword(where):
		return "", localerr.Errorf("%s is not an outbox: want a file path, or a URL that starts with postgres://", outbox.DescribeName(where))
	}
	return filepath.Abs(homedir.Expand(where, homedir.Find(getenv)))
}

// DefaultPath returns the path of a user's default outbox: outbox.db in the folder yan of
// $XDG_DATA_HOME or ~/.local/share, on macOS of ~/Library/Application Support, on Windows of
// %LocalAppData%.
func DefaultPath(getenv func(string) string) (string, error) {
	return defaultPath(getenv, runtime.GOOS)
}

func defaultPath(getenv func(string) string, system string) (string, error) {
	const folder, file = "yan", "outbox.db"
	// The XDG Base Directory Specification requires relative paths to be ignored.
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
	return "", localerr.New("no place for the outbox: none of YAN_OUTBOX, XDG_DATA_HOME and HOME is set")
}
