package sqlite

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"strconv"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// applicationID marks the file as an outbox: "YanO" (SQLite file format section 1.3.19).
const applicationID = 0x59616e4f

// version is the number of the newest file in schema.
const version = 3

//go:embed schema/*.sql
var schema embed.FS

// databaseIdentity is the application, version and number of tables of a database.
type databaseIdentity struct{ application, version, tables int64 }

func readIdentity(c *dbConn) (databaseIdentity, error) {
	var i databaseIdentity
	for sql, into := range map[string]*int64{
		"PRAGMA application_id": &i.application, "PRAGMA user_version": &i.version, "SELECT count(*) FROM sqlite_schema": &i.tables,
	} {
		if err := c.queryOnce(context.Background(), func(r resultRow) error { *into = r.int(0); return nil }, sql); err != nil {
			return i, err
		}
	}
	return i, nil
}

// identifyAtOnce reads the identity in one transaction: while another process creates the
// outbox, its tables may appear between two reads.
func (s *sqliteStore) identifyAtOnce(c *dbConn) (i databaseIdentity, err error) {
	err = s.retryBusy(func() error {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		var looking error
		i, looking = readIdentity(c)
		_, err := c.exec("ROLLBACK") // nothing was written
		return cmp.Or(looking, err)
	})
	return i, err
}

// checkIdentity refuses a database that is not an outbox, or that has a newer version.
func (s *sqliteStore) checkIdentity(i databaseIdentity) error {
	switch {
	case i.application != applicationID && (i.application != 0 || i.version != 0 || i.tables != 0):
		return localerr.Errorf("%s is the database of another program, not an outbox", s.path)
	case i.version > version:
		return &queue.NewerError{Has: int(i.version), Knows: version}
	}
	return nil
}

// migrateSchema creates or updates the tables to this version. If another process has done so,
// nothing changes.
func (s *sqliteStore) migrateSchema(c *dbConn) error {
	i, err := s.identifyAtOnce(c)
	if err == nil {
		err = s.checkIdentity(i)
	}
	if err != nil {
		return err
	}
	// The journal mode can't be changed inside a transaction. It is stored in the file.
	err = s.retryBusy(func() error {
		return c.queryOnce(context.Background(), func(r resultRow) error {
			if r.text(0) != "wal" {
				return localerr.Errorf("the outbox %s can't use a write-ahead log; is it on a local disk?", s.path)
			}
			return nil
		}, "PRAGMA journal_mode = WAL")
	})
	if err != nil || i.application == applicationID && i.version == version {
		return err
	}
	if err := s.retryBusy(func() error { _, err := c.exec("BEGIN IMMEDIATE"); return err }); err != nil {
		return err
	}
	if err := s.migrateInside(c); err != nil {
		_, _ = c.exec("ROLLBACK") // err has the reason
		return err
	}
	_, err = c.exec("COMMIT")
	return err
}

func (s *sqliteStore) migrateInside(c *dbConn) error {
	i, err := readIdentity(c) // again: another process may have been faster
	if err == nil {
		err = s.checkIdentity(i)
	}
	if err != nil {
		return err
	}
	for v := i.version + 1; v <= version; v++ {
		script, err := schema.ReadFile(fmt.Sprintf("schema/%04d.sql", v))
		if err != nil {
			return err
		}
		if _, err := c.exec(string(script)); err != nil {
			return fmt.Errorf("making version %d of the outbox: %w", v, err)
		}
	}
	if err := s.recordHome(c, "NOTHING"); err != nil {
		return err
	}
	// The clock of Prune starts now.
	if _, err := c.exec("INSERT INTO fact (name, value) VALUES ('pruned', ?) ON CONFLICT DO NOTHING", strconv.FormatInt(s.now(), 10)); err != nil {
		return err
	}
	if _, err := c.exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	_, err = c.exec(fmt.Sprintf("PRAGMA user_version = %d", version))
	return err
}
