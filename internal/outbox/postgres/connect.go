package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
)

// Codes of SQLSTATE that are handled (PostgreSQL, appendix A).
const (
	invalidAuthorization  = "28000"
	invalidPassword       = "28P01"
	unknownDatabase       = "3D000"
	insufficientPrivilege = "42501"
	diskFull              = "53100"
)

// oldest is the oldest supported server: 13 has pg_current_xact_id.
const oldest = 130000

// leastConnections is the lower limit of a store's connections: for the lanes, and for readers
// and writers of large bodies.
const leastConnections = 8

// connPool is a pool of connections.
type connPool struct {
	*pgxpool.Pool
	place    string // the name of the database for people
	careless bool
	// pooled is true if a program between this one and the server (such as PgBouncer) may give
	// each transaction another connection of the server: neither settings nor prepared
	// statements last from one to the next, and NOTIFY is not received.
	pooled bool
}

// errPooled: the pool was created for a direct connection, and a pooler answers.
var errPooled = errors.New("there is a pool of connections before the server")

// firstConnection creates a pool, and its first connection.
func firstConnection(ctx context.Context, url string, careless bool) (*connPool, *pgxpool.Conn, error) {
	for pooled := false; ; pooled = true {
		p, err := newPool(ctx, url, careless, pooled)
		if err != nil {
			return nil, nil, err
		}
		conn, err := p.acquireConn(ctx)
		if err == nil {
			return p, conn, nil
		}
		p.Close()
		if pooled || !errors.Is(err, errPooled) {
			return nil, nil, err
		}
	}
}

// newPool parses the URL, and connects to nothing.
func newPool(ctx context.Context, url string, careless, pooled bool) (*connPool, error) {
	config, err := pgxpool.ParseConfig(url)
	files := libpqFilesOf(url)
	if err != nil { // its text may contain the password
		if err := files.unreadableError(); err != nil {
			return nil, err
		}
		return nil, localerr.Errorf("%s is not the URL of a PostgreSQL database; want a URL like postgres://user@host:5432/database", outbox.DescribeName(url))
	}
	if err := files.checkFiles(config.ConnConfig); err != nil {
		return nil, err
	}
	p := &connPool{place: outbox.DescribeName(url), careless: careless, pooled: pooled}
	c := config.ConnConfig
	if pooled {
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "yan"
	}
	// Of several hosts in a URL, the one that accepts writes.
	c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	config.MaxConns = max(config.MaxConns, leastConnections)
	config.AfterConnect = p.prepareConn
	p.Pool, err = pgxpool.NewWithConfig(ctx, config)
	return p, err
}

// prepareConn sets up a connection: synchronous_commit is on; statements are not compiled, because
// that takes longer than any of them; and rows are read by an index, because the planner
// assumes that an unknown limit is a tenth of the table, and would read all of it for a claim
// of a few hundred rows.
func (p *connPool) prepareConn(ctx context.Context, conn *pgx.Conn) error {
	var version, fsync, commit, on, off string
	if p.pooled { // the connection is not changed, see tx.beginTx
		err := conn.QueryRow(ctx, `select current_setting('server_version_num'), current_setting('fsync'), current_setting('synchronous_commit')`).
			Scan(&version, &fsync, &commit)
		if err != nil {
			return err
		}
		return p.checkServer(version, fsync, commit)
	}
	// A pooler has reported a process number of its own.
	var process uint32
	err := conn.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&process)
	if err != nil {
		return err
	}
	if process != conn.PgConn().PID() {
		return serverRefusal{errPooled}
	}
	err = conn.QueryRow(ctx, `select current_setting('server_version_num'), current_setting('fsync'), current_setting('synchronous_commit'),
		set_config('synchronous_commit', 'on', false), set_config('jit', 'off', false),
		set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false)`).Scan(&version, &fsync, &commit, &on, &off, &off, &off)
	if err != nil {
		return err
	}
	return p.checkServer(version, fsync, commit)
}

// acquireConn returns a connection of the pool, which the caller releases.
func (p *connPool) acquireConn(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := p.Acquire(ctx)
	return conn, p.cantConnect(ctx, err)
}

// connectOutside returns a connection outside the pool, which the caller discards.
func (p *connPool) connectOutside(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, p.Config().ConnConfig)
	if err != nil {
		return nil, p.cantConnect(ctx, err)
	}
	if err := p.prepareConn(ctx, conn); err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// closeConn closes a connection. A server that does not answer can't delay it for more than a
// second.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// checkServer refuses a server that is too old, or that may lose committed changes.
func (p *connPool) checkServer(version, fsync, commit string) error {
	n, err := strconv.Atoi(version)
	switch {
	case err != nil || n < oldest:
		return serverRefusal{localerr.Errorf("%s: the PostgreSQL server is too old (%s): the outbox needs version 13 or later", p.place, version)}
	case p.careless:
		return nil
	case fsync == "off":
		return serverRefusal{localerr.Errorf("%s: the PostgreSQL server has fsync=off: a power failure would lose accepted mail; set it to on", p.place)}
	case commit == "off":
		return serverRefusal{localerr.Errorf("%s: PostgreSQL has synchronous_commit=off: a crash would lose accepted mail; set it to on for this database and user", p.place)}
	}
	return nil
}

// serverRefusal is an error of prepareConn, which needs no further text.
type serverRefusal struct{ error }

func (r serverRefusal) Unwrap() error { return r.error }

// cantConnect explains why there is no connection.
func (p *connPool) cantConnect(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	var judged serverRefusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &judged):
		return judged.error
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return context.Cause(ctx)
	case !errors.As(err, &refused):
		return localerr.Errorf("can't reach %s: %w", p.place, innerError(err))
	}
	switch refused.Code {
	case invalidPassword, invalidAuthorization:
		return localerr.Errorf("%s: the server refuses this user; check the user name, the password and the server's pg_hba.conf: %w", p.place, refused)
	case unknownDatabase:
		return localerr.Errorf("%s: no such database on the server; create it, and yan creates the tables: %w", p.place, refused)
	}
	return localerr.Errorf("%s: the server refuses connections: %w", p.place, refused)
}

// innerError returns the cause of a pgconn.ConnectError, which repeats the place.
func innerError(err error) error {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) && connect.Unwrap() != nil {
		err = connect.Unwrap()
	}
	return uniqueLines{err}
}

// uniqueLines removes repeated lines of an error: there is one for every address of a host, with and
// without TLS.
type uniqueLines struct{ error }

func (o uniqueLines) Error() string {
	var lines []string
	for _, line := range strings.Split(o.error.Error(), "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

func (o uniqueLines) Unwrap() error { return o.error }
