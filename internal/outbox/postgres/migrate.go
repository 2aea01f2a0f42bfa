package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// migrations are the scripts that update the schema by one version each; 0001.sql creates the
// first. A released script is never changed; later ones are added.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock keeps two processes from migrating at once; it spells "yan".
const migrationLock = 0x79616e

// migrateSchema updates the schema to the newest version.
func migrateSchema(ctx context.Context, conn *pgx.Conn, clock *time.Time) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	has, err := schemaVersion(ctx, conn)
	if err != nil || has == len(names) {
		return err
	}
	if has > len(names) {
		return &queue.NewerError{Has: has, Knows: len(names)}
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
		// Another process may have done it while this one waited.
		has, err := schemaVersion(ctx, conn)
		if err != nil {
			return err
		}
		if has == 0 {
			if _, err := tx.Exec(ctx, "create schema if not exists yan; create table yan.version (version int not null); insert into yan.version values (0)"); err != nil {
				return cantMake(err)
			}
		}
		if has > len(names) {
			return &queue.NewerError{Has: has, Knows: len(names)}
		}
		for _, name := range names[has:] {
			text, err := migrations.ReadFile(name)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		home, err := currentHome(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, putHome+"nothing", home); err != nil {
			return err
		}
		// The clock of Prune starts now.
		if _, err := tx.Exec(ctx, `insert into yan.fact (name, value) values
			('pruned', floor(extract(epoch from coalesce($1::timestamptz, clock_timestamp())) * 1000000)::bigint::text) on conflict do nothing`, clock); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "update yan.version set version = $1", len(names))
		return err
	})
}

// schemaVersion returns the version of the schema, 0 if there is none. It queries the catalog and
// not to_regclass, which may return names that this connection cached before another one
// created the schema.
func schemaVersion(ctx context.Context, conn *pgx.Conn) (int, error) {
	var there bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'yan' and c.relname = 'version')`).Scan(&there); err != nil || !there {
		return 0, err
	}
	var n int
	err := conn.QueryRow(ctx, "select version from yan.version").Scan(&n)
	return n, err
}

func cantMake(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
		return localerr.Errorf("this user can't create the schema yan: let the database owner create it once, or grant CREATE on the database: %w", err)
	}
	return err
}
