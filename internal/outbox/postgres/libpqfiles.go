package postgres

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgservicefile"
	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
)

// libpqFiles are the settings of a connection that name files, and the settings that decide
// which of these files are read. pgx takes them from the URL, otherwise from the service, the
// environment, or the user's home folder; it reads the files regardless of their mode.
type libpqFiles map[string]string

// libpqVariables are the environment variables of these settings.
var libpqVariables = map[string]string{
	"service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "passfile": "PGPASSFILE", "password": "PGPASSWORD",
	"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslcertmode": "PGSSLCERTMODE",
}

// libpqFilesOf finds the files as pgx does.
func libpqFilesOf(connString string) libpqFiles {
	files := make(libpqFiles)
	if home, err := os.UserHomeDir(); err == nil {
		files["passfile"] = filepath.Join(home, ".pgpass")
		files["servicefile"] = filepath.Join(home, ".pg_service.conf")
		folder := filepath.Join(home, ".postgresql")
		cert, key, root := filepath.Join(folder, "postgresql.crt"), filepath.Join(folder, "postgresql.key"), filepath.Join(folder, "root.crt")
		if fileExists(cert) && fileExists(key) {
			files["sslcert"], files["sslkey"] = cert, key
		}
		if fileExists(root) {
			files["sslrootcert"] = root
		}
	}
	for setting, variable := range libpqVariables {
		if value := os.Getenv(variable); value != "" {
			files[setting] = value
		}
	}
	given := urlParameters(connString)
	if service := cmp.Or(given["service"], files["service"]); service != "" {
		if services, err := pgservicefile.ReadServicefile(cmp.Or(given["servicefile"], files["servicefile"])); err == nil {
			if found, err := services.GetService(service); err == nil {
				path := files["servicefile"] // a service can't name another service file
				maps.Copy(files, found.Settings)
				files["service"], files["servicefile"] = service, path
			}
		}
	}
	maps.Copy(files, given)
	return files
}

func fileExists(path string) bool { _, err := os.Stat(path); return err == nil }

// urlParameters parses the query of a URL by the rules of libpq: a plus sign is not a blank,
// and the last of several values counts. A password in the URL is included.
func urlParameters(connString string) map[string]string {
	parameters := make(map[string]string)
	_, rest, _ := strings.Cut(connString, "://")
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		if _, password, _ := strings.Cut(rest[:i], ":"); password != "" {
			parameters["password"] = password
		}
		rest = rest[i+1:]
	}
	_, query, _ := strings.Cut(rest, "?")
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := url.PathUnescape(name)
		value, valueErr := url.PathUnescape(value)
		if nameErr == nil && valueErr == nil && name != "" {
			parameters[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return parameters
}

// checkFiles refuses files that another user could have written, and passwords and keys that
// another user can read, as libpq does. config is the result of pgx: files that it did not use
// are not checked.
func (f libpqFiles) checkFiles(config *pgx.ConnConfig) error {
	var deciding []string
	if f["service"] != "" {
		deciding = append(deciding, f["servicefile"])
	}
	encrypted := config.TLSConfig != nil
	for _, fallback := range config.Fallbacks {
		encrypted = encrypted || fallback.TLSConfig != nil
	}
	key := ""
	if encrypted {
		if root := f["sslrootcert"]; root != "" && root != "system" {
			deciding = append(deciding, root)
		}
		if f["sslcert"] != "" && f["sslcertmode"] != "disable" {
			deciding = append(deciding, f["sslcert"])
			key = f["sslkey"]
		}
	}
	for _, path := range deciding {
		if err := checkFile(path, atomicfile.Trusted); err != nil {
			return err
		}
	}
	if err := checkFile(key, atomicfile.PrivateKey); err != nil {
		return err
	}
	if config.Password != "" && f["password"] == "" { // then it came from the password file
		return checkFile(f["passfile"], atomicfile.Private)
	}
	return nil
}

// checkFile describes a problem of a file, and its remedy.
func checkFile(path string, check func(string, fs.FileInfo) error) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil {
		err = check(path, info)
	}
	untrusted, ok := errors.AsType[*atomicfile.UntrustedError](err)
	switch {
	case !ok:
		return err
	case untrusted.Reason == atomicfile.OthersOwn:
		return localerr.Errorf("%w; files with PostgreSQL settings must belong to you or to root", untrusted)
	case untrusted.Reason == atomicfile.OthersRead:
		return localerr.Errorf("%w, and it contains a PostgreSQL secret; run: chmod 600 %s", untrusted, untrusted.Path)
	}
	return localerr.Errorf("%w, and it decides which PostgreSQL server is trusted; run: chmod o-w %s", untrusted, untrusted.Path)
}

// unreadableError returns why one of the named files can't be read; nil if all can.
func (f libpqFiles) unreadableError() error {
	var named []string
	if f["service"] != "" {
		named = append(named, f["servicefile"])
	}
	if f["sslrootcert"] != "system" {
		named = append(named, f["sslrootcert"])
	}
	for _, path := range append(named, f["sslcert"], f["sslkey"]) {
		if path == "" {
			continue
		}
		if err := atomicfile.CheckReadable(path); err != nil {
			return localerr.Errorf("can't read a file named in the PostgreSQL settings: %w", err)
		}
	}
	return nil
}
